"""What agents make of the same expert: the 3D-VLM by what it reads, blind, and VLN-CE's recurrent agents.

    python -m benchmarks.imitation [--rows full blind-instruction] [--threads 1]

Every row learns from the same walks, as often, and runs through val_unseen; nothing is chosen by that split,
the weights are those after the last update. Some rows go on from another's weights, as often again, with as
many walks more. What is there already (decisions, weights, episodes) is not made again, so rows can run side
by side in several processes, and a last call makes the table of all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from agents.baselines.config import BaselineConfig, SequenceConfig
from agents.baselines.training import WEIGHTS, train_baseline
from agents.closed_loop import evaluate_agent
from agents.collect import collect_decisions
from agents.config import EvaluationConfig, Perception
from agents.vlm.imitation import train_vlm
from agents.vlm_config import VLM_LEVELS, DecisionConfig, VLMConfig
from benchmarks.record import save_result
from benchmarks.seeds import over_seeds
from vlnenv.evaluation import Record, comparison_table, paired_difference, results_table, summarise

METRICS = ("distance_to_goal", "oracle_success", "is_success", "spl", "ndtw")

SENSES: dict[str, tuple[Perception, tuple[str, ...]]] = {
    "panorama": (Perception(levels="mean"), VLM_LEVELS),
    "egocentric": (Perception(levels="mean", patches="egocentric"), VLM_LEVELS),
    "views": (Perception(segmenter=None, levels="mean"), ("view",)),
}
"""What walks are noted with, and the levels: the memory, with the panorama out of it or with the current
view's patches; and the last 16 views without a memory."""


@dataclass(frozen=True)
class Row:
    """A 3D-VLM of the table."""

    senses: str = "panorama"
    levels: tuple[str, ...] = VLM_LEVELS
    blind: str = ""
    after: str = ""
    """The row that it goes on from, with walks in as many other houses added; "" begins a new model."""
    dagger: bool = False
    """Whether that row's weights walk there (the expert labels), and not the expert."""
    jepa_weight: float = 0.0
    """Of the auxiliary objective, which predicts the next decision's memory."""


VLM_ROWS = {
    "full": Row(),
    "patch-instance": Row(levels=("patch", "instance", "path")),
    "patch": Row(levels=("patch", "path")),
    "egocentric": Row("egocentric"),
    "2d-history": Row("views", ("view",)),
    "2d-history-dagger": Row("views", ("view",), after="2d-history", dagger=True),
    "blind-instruction": Row(blind="instruction"),
    "blind-vision": Row(blind="vision"),
    "next-memory": Row(jepa_weight=0.5),
    "more": Row(after="full"),
    "dagger": Row(after="full", dagger=True),
}

RECURRENT_ROWS = ("seq2seq", "cma", "cma-dagger")
"""VLN-CE's agents; with "-dagger" the network goes on with walks of its own through the same houses."""


@dataclass(frozen=True)
class Args:
    """Train rows from the same walks, and compare them."""

    rows: tuple[str, ...] = (*VLM_ROWS, *RECURRENT_ROWS)
    main_rows: tuple[str, ...] = ("full", "dagger")
    """Rows that are trained with all seeds, the others with the first."""
    compared_with: tuple[str, ...] = ("full", "dagger")
    """Rows that the others are compared with, episode by episode."""
    seeds: tuple[int, ...] = (0, 1, 2)
    scenes: int = 100
    """The first of train_large; each has 14 routes."""
    dagger_expert: float = 0.3
    """Chance that the expert decides where a learner walks."""
    updates: int = 3000
    batch_size: int = 64
    """Decisions of the 3D-VLM, or half as many episodes of the recurrent agents."""
    episodes: int | None = None
    """Of val_unseen, evenly spread; None for all 600."""
    out: str = "runs/imitation"
    num_envs: int = 16
    threads: int = 1
    save_as: str = "imitation"
    """Name of the JSON file under benchmarks/results."""


def walks(args: Args, senses: str, first_scene: int = 0, learner: Path | None = None) -> str:
    """Folder of decisions: the expert's, whose way does not depend on the senses, or on a learner's way."""
    perception, levels = SENSES[senses]
    name = f"walks-{senses}" + (f"-{first_scene}" if first_scene else "")
    config = DecisionConfig(
        out=f"{args.out}/{name}" + (f"-{learner.parent.name}" if learner else ""),
        split="train_large",
        first_scene=first_scene,
        scenes=args.scenes,
        perception=perception,
        levels=levels,
        learner=None if learner is None else str(learner),
        expert=1.0 if learner is None else args.dagger_expert,
        num_envs=args.num_envs,
        threads=args.threads,
    )
    return str(collect_decisions(config))


def learn(args: Args, row: str, seed: int) -> Path:
    """The weights of a row after the last update."""
    if row in RECURRENT_ROWS:
        network, has_dagger = row.removesuffix("-dagger"), row.endswith("-dagger")
        out = Path(args.out) / f"{network}-{seed}"
        train_baseline(
            BaselineConfig(
                out=str(out),
                network=network,
                dagger=(args.dagger_expert,) if has_dagger else (),
                data=SequenceConfig(splits=("train_large",), scenes=args.scenes),
                updates=args.updates,
                batch_size=args.batch_size // 2,
                eval_every=args.updates,
                eval_episodes=1,
                num_envs=args.num_envs,
                threads=args.threads,
                seed=seed,
            )
        )
        return (out / "dagger-1" if has_dagger else out) / WEIGHTS
    of = VLM_ROWS[row]
    before = learn(args, of.after, seed) if of.after else None
    decisions = [walks(args, of.senses)]
    if before is not None:
        decisions.append(walks(args, of.senses, args.scenes, before if of.dagger else None))
    return train_vlm(
        VLMConfig(
            out=f"{args.out}/{row}-{seed}",
            decisions=tuple(decisions),
            start=None if before is None else str(before),
            levels=of.levels,
            blind=of.blind,
            jepa_weight=of.jepa_weight,
            updates=args.updates,
            batch_size=args.batch_size,
            eval_every=args.updates,
            eval_episodes=1,
            num_envs=args.num_envs,
            threads=args.threads,
            seed=seed,
        )
    )


def walk(args: Args, weights: Path) -> list[Record]:
    """Walk the weights through val_unseen."""
    folder = weights if weights.is_dir() else weights.parent
    return evaluate_agent(
        EvaluationConfig(
            agent=str(weights),
            episodes=args.episodes,
            num_envs=args.num_envs,
            threads=args.threads,
            out=str(folder.parent / f"{folder.name}-val_unseen"),
        )
    )


def main(args: Args, evaluate: Callable[[Args, Path], list[Record]] = walk) -> dict[str, Any]:
    """Train, evaluate, print, save; returns the results."""
    runs: dict[str, list[list[Record]]] = {}
    for row in args.rows:
        seeds = args.seeds if row in args.main_rows else args.seeds[:1]
        runs[row] = [evaluate(args, learn(args, row, seed)) for seed in seeds]
    rows = {row: over_seeds(each, METRICS) for row, each in runs.items()}
    print(results_table(rows, "markdown"))
    results: dict[str, Any] = {
        row: {"seeds": [summarise(records) for records in each], "mean": summarise(rows[row])}
        for row, each in runs.items()
    }
    for ours in [row for row in args.compared_with if row in rows]:
        print("\n" + comparison_table(rows, ours, "markdown"))
        for row in [row for row in rows if row != ours]:
            for metric in ("is_success", "spl"):
                gap = paired_difference(rows[ours], rows[row], metric)
                results[row][f"{ours} minus this, {metric}"] = [gap.mean, gap.low, gap.high]
    dataset = rows[args.rows[0]][0]["dataset"]
    path = save_result(args.save_as, results, dataset=dataset, settings=dataclasses.asdict(args))
    print(f"\nsaved {path}")
    return results


if __name__ == "__main__":
    main(tyro.cli(Args))
