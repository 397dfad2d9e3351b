"""Does it help the 3D-VLM to predict the next decision's memory?

    python -m benchmarks.jepa --decisions runs/decisions [--seeds 0 1 2] [--updates 6000]

For each seed the same model learns from the same decisions in the same order, for as many updates, without
the auxiliary objective and with it, and walks through a split. Nothing is chosen by that split: the weights
are those after the last update. What is there of an earlier run (weights, episodes) is not made again.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from agents.vlm.imitation import train_vlm
from agents.vlm_config import VLMConfig
from benchmarks.record import save_result
from benchmarks.seeds import over_seeds
from vlnenv.evaluation import Record, paired_difference, results_table, summarise

METRICS = ("is_success", "spl", "oracle_success")


@dataclass(frozen=True)
class Args:
    """Train with and without the auxiliary objective."""

    decisions: tuple[str, ...]
    """Folders of decisions (`vlnenv train decisions`)."""
    seeds: tuple[int, ...] = (0, 1, 2)
    weight: float = 0.5
    """Of the auxiliary objective, where it is on."""
    decay: float = 0.996
    updates: int = 6000
    batch_size: int = 64
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int | None = None
    """How many of the split, evenly spread; None for all."""
    out: str = "runs/jepa"
    num_envs: int = 16
    threads: int = 1
    result: str = "jepa"
    """Name of the result file."""


def learn(args: Args, seed: int, weight: float) -> Path:
    """Folder of the weights after the last update."""
    return train_vlm(
        VLMConfig(
            out=f"{args.out}/weight-{weight}-seed-{seed}",
            decisions=args.decisions,
            jepa_weight=weight,
            jepa_decay=args.decay,
            updates=args.updates,
            batch_size=args.batch_size,
            eval_every=args.updates,  # once, at the end: nothing is chosen by it
            eval_dataset=args.dataset,
            eval_episodes=1,
            num_envs=1,
            threads=args.threads,
            seed=seed,
        )
    )


def walk(args: Args, weights: Path) -> list[Record]:
    """Walk the weights through the split."""
    return evaluate_agent(
        EvaluationConfig(
            agent=str(weights),
            dataset=args.dataset,
            split=args.split,
            episodes=args.episodes,
            num_envs=args.num_envs,
            threads=args.threads,
            out=str(weights.parent / args.split),
        )
    )


def last_losses(weights: Path) -> dict[str, float]:
    """Smoothed losses at the end of training."""
    point = json.loads((weights.parent / "curve.jsonl").read_text().splitlines()[-1])
    return {name: point[name] for name in ("loss", "jepa", "jepa_explained") if name in point}


def main(args: Args) -> None:
    """Train, evaluate, print, save."""
    walked: dict[str, list[list[Record]]] = {}
    losses: dict[str, list[dict[str, float]]] = {}
    for name, weight in (("without", 0.0), ("with", args.weight)):
        weights = [learn(args, seed, weight) for seed in args.seeds]
        walked[name] = [walk(args, each) for each in weights]
        losses[name] = [last_losses(each) for each in weights]
    rows = {
        f"{name}, seed {seed}": records
        for name, runs in walked.items()
        for seed, records in zip(args.seeds, runs, strict=True)
    }
    print(results_table(rows, "markdown", list(rows)))
    means = {name: over_seeds(runs, METRICS) for name, runs in walked.items()}
    differences = {}
    for metric in METRICS:
        gap = paired_difference(means["with"], means["without"], metric)
        differences[metric] = [gap.mean, gap.low, gap.high]
        print(f"with minus without, {metric}: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    results = {
        "runs": {name: summarise(records) for name, records in rows.items()},
        "last losses": losses,
        "with minus without, mean over seeds": differences,
    }
    dataset = walked["with"][0][0]["dataset"]
    path = save_result(args.result, results, dataset=dataset, settings=dataclasses.asdict(args))
    print(f"saved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
