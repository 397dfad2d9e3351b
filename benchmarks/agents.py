"""The table of agents on one split: metrics with intervals, paired differences, raw results.

python -m benchmarks.agents [--agents random forward bc bc_semantic expert] [--episodes 200]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tyro

from agents.base import load
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from benchmarks.record import save_result
from vlnenv.evaluation import comparison_table, is_privileged, paired_difference, results_table, summarise


@dataclass(frozen=True)
class Args:
    """Compare agents on the same episodes."""

    agents: tuple[str, ...] = ("random", "forward", "bc", "bc_semantic", "expert")
    """Names as `vlnenv eval --agent` takes them."""
    baselines: tuple[str, ...] = ("forward", "bc_semantic")
    """Agents that the others are compared with, episode by episode."""
    dataset: str = "houses"
    split: str = "val_unseen"
    episodes: int | None = None
    """How many episodes, evenly spread; None runs all."""
    num_envs: int = 8
    out: str = "runs/benchmark"
    """Folder for the runs; those that are there already are not repeated."""
    save_as: str = "agents"
    """Name of the JSON file under benchmarks/results."""
    seed: int = 0
    """Of agents that draw random numbers, and of the bootstrap."""


def main(args: Args) -> None:
    """Evaluate, print, save."""
    records = {}
    for name in args.agents:
        config = EvaluationConfig(
            agent=name,
            dataset=args.dataset,
            split=args.split,
            episodes=args.episodes,
            num_envs=args.num_envs,
            out=f"{args.out}/{args.save_as}/{name.replace('/', '_')}",
            threads=1,
            seed=args.seed,
        )
        records[name] = evaluate_agent(config)
    privileged = [name for name in records if is_privileged(load(name))]
    print(results_table(records, "markdown", privileged, args.seed))
    results: dict[str, Any] = {name: summarise(each, seed=args.seed) for name, each in records.items()}
    for baseline in [name for name in args.baselines if name in records]:
        print("\n" + comparison_table(records, baseline, "markdown", args.seed))
        for name in records:
            if name == baseline:
                continue
            for metric in ("is_success", "return"):
                gap = paired_difference(records[name], records[baseline], metric, seed=args.seed)
                results[name][f"{metric} minus {baseline}"] = [gap.mean, gap.low, gap.high]
                print(f"{name} minus {baseline}, {metric}: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    dataset = next(iter(records.values()))[0]["dataset"]
    path = save_result(args.save_as, results, seed=args.seed, dataset=dataset, split=args.split)
    print(f"\nsaved {path}")


if __name__ == "__main__":
    main(tyro.cli(Args))
