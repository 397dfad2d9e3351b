"""Does a policy get better with more houses to learn in?

    python -m benchmarks.scaling [--houses 20 60 200]

For each number of houses the same policy learns by behaviour cloning from as many expert episodes a house,
with the same updates and seed, and is run through all of val_unseen. What is there of an earlier run
(demonstrations, weights, episodes) is not made again. It sees with "semantic", which is privileged: the
figure is about data, not about eyes.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from agents.closed_loop import evaluate_agent
from agents.config import DemonstrationConfig, EvaluationConfig, ImitationConfig, Perception
from agents.imitation import train_imitation
from benchmarks.record import save_result
from vlnenv.evaluation import Record, paired_difference, results_table, summarise

PICTURE = Path(__file__).parents[1] / "docs" / "scaling.png"


@dataclass(frozen=True)
class Args:
    """Train on more and more houses."""

    houses: tuple[int, ...] = (20, 60, 200)
    """The first so many houses of train."""
    episodes_per_house: int = 6
    updates: int = 2000
    batch_size: int = 128
    train_tokens: int = 128
    out: str = "runs/scaling"
    num_envs: int = 8
    seed: int = 0


def learn(args: Args, houses: int) -> Path:
    """The weights learnt in so many houses."""
    config = ImitationConfig(
        out=f"{args.out}/{houses}",
        data=DemonstrationConfig(
            scenes=houses,
            episodes=houses * args.episodes_per_house,
            views=False,
            perception=Perception("semantic", segmenter=None),
            seed=args.seed,
        ),
        levels=("patch",),
        updates=args.updates,
        batch_size=args.batch_size,
        train_tokens=args.train_tokens,
        eval_every=args.updates,  # once, at the end: nothing is chosen by it
        num_envs=args.num_envs,
        seed=args.seed,
    )
    return train_imitation(config)


def walk(args: Args, houses: int, weights: Path) -> list[Record]:
    """Run the weights through val_unseen."""
    config = EvaluationConfig(
        agent=str(weights), split="val_unseen", num_envs=args.num_envs, out=f"{args.out}/{houses}/val_unseen"
    )
    return evaluate_agent(config)


def draw(figures: dict[str, Any], path: Path) -> None:
    """Success over houses, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2, 3.0), layout="constrained")
    axes = figure.add_subplot(
        xscale="log", xlabel="houses trained in", ylabel="success on 40 unseen houses (%)"
    )
    houses = [int(name) for name in figures]
    for metric, label in (("is_success", "SR"), ("oracle_success", "OSR")):
        rows = [figures[name]["metrics"][metric] for name in figures]
        mean = [100 * row["mean"] for row in rows]
        below = [100 * (row["mean"] - row["low"]) for row in rows]
        above = [100 * (row["high"] - row["mean"]) for row in rows]
        axes.errorbar(houses, mean, yerr=[below, above], marker="o", capsize=3, label=label)
    axes.set_xticks(houses, [str(each) for each in houses])
    axes.minorticks_off()
    axes.set_ylim(0, None)
    axes.legend()
    figure.savefig(path, dpi=150)


def main(args: Args) -> None:
    """Train, evaluate, print, save, draw."""
    records = {str(houses): walk(args, houses, learn(args, houses)) for houses in args.houses}
    print(results_table(records, "markdown", list(records), args.seed))
    results: dict[str, Any] = {name: summarise(each, seed=args.seed) for name, each in records.items()}
    draw(results, PICTURE)
    first = str(args.houses[0])
    for name in list(records)[1:]:
        gap = paired_difference(records[name], records[first], "is_success", seed=args.seed)
        results[name][f"is_success minus {first}"] = [gap.mean, gap.low, gap.high]
        print(f"{name} houses minus {first}, SR: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    dataset = records[first][0]["dataset"]
    path = save_result("scaling", results, seed=args.seed, dataset=dataset, settings=dataclasses.asdict(args))
    print(f"saved {path} and {PICTURE}")


if __name__ == "__main__":
    main(tyro.cli(Args))
