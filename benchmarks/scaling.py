"""Does a policy get better with more houses to learn in?

    python -m benchmarks.scaling [--runs 20:2000 60:2000 200:2000 20:6000 200:6000]

In each run, HOUSES:UPDATES, the same policy learns by behaviour cloning from as many expert episodes a house,
with the same seed, and walks through all of val_unseen. What is there of an earlier run (demonstrations,
weights, episodes) is not made again. It sees with "semantic", which is privileged: the figure is about data,
not about eyes.
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

    runs: tuple[str, ...] = ("20:2000", "60:2000", "200:2000", "20:6000", "200:6000")
    """HOUSES:UPDATES, the first so many houses of train, and how long to learn. Each is compared with
    the first that learns as long."""
    episodes_per_house: int = 6
    batch_size: int = 128
    train_tokens: int = 128
    out: str = "runs/scaling"
    num_envs: int = 8
    seed: int = 0


def houses_and_updates(run: str) -> tuple[int, int]:
    """The numbers in "HOUSES:UPDATES"."""
    houses, updates = run.split(":")
    return int(houses), int(updates)


def learn(args: Args, run: str) -> Path:
    """The weights that a run learns."""
    houses, updates = houses_and_updates(run)
    config = ImitationConfig(
        out=f"{args.out}/{houses}-{updates}",
        data=DemonstrationConfig(
            scenes=houses,
            episodes=houses * args.episodes_per_house,
            views=False,
            perception=Perception("semantic", segmenter=None),
            seed=args.seed,
        ),
        levels=("patch",),
        updates=updates,
        batch_size=args.batch_size,
        train_tokens=args.train_tokens,
        eval_every=updates,  # once, at the end: nothing is chosen by it
        num_envs=args.num_envs,
        seed=args.seed,
    )
    return train_imitation(config)


def walk(args: Args, weights: Path) -> list[Record]:
    """Walk the weights through val_unseen."""
    out = str(weights.parent / "val_unseen")
    return evaluate_agent(
        EvaluationConfig(agent=str(weights), split="val_unseen", num_envs=args.num_envs, out=out)
    )


def draw(figures: dict[str, Any], path: Path) -> None:
    """Success over houses, with intervals, a line for each number of updates."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="houses learnt in", ylabel="SR in 40 unseen houses (%)")
    runs = {run: houses_and_updates(run) for run in figures}
    for shift, updates in enumerate(sorted({updates for _, updates in runs.values()})):
        of = {run: houses for run, (houses, its_updates) in runs.items() if its_updates == updates}
        rows = {houses: figures[run]["metrics"]["is_success"] for run, houses in of.items()}
        mean = [100 * row["mean"] for row in rows.values()]
        below = [100 * (row["mean"] - row["low"]) for row in rows.values()]
        above = [100 * (row["high"] - row["mean"]) for row in rows.values()]
        at = [houses * 1.06**shift for houses in rows]  # apart, so that intervals can be told apart
        axes.errorbar(at, mean, yerr=[below, above], marker="o", capsize=3, label=f"{updates:,} updates")
    houses = sorted({houses for houses, _ in runs.values()})
    axes.set_xticks(houses, [str(each) for each in houses])
    axes.minorticks_off()
    axes.set_ylim(0, None)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=150)


def main(args: Args) -> None:
    """Train, evaluate, print, save, draw."""
    records = {run: walk(args, learn(args, run)) for run in args.runs}
    print(results_table(records, "markdown", list(records), args.seed))
    results: dict[str, Any] = {run: summarise(each, seed=args.seed) for run, each in records.items()}
    draw(results, PICTURE)
    for run in args.runs:
        first = next(each for each in args.runs if houses_and_updates(each)[1] == houses_and_updates(run)[1])
        if run != first:
            gap = paired_difference(records[run], records[first], "is_success", seed=args.seed)
            results[run][f"is_success minus {first}"] = [gap.mean, gap.low, gap.high]
            print(f"{run} minus {first}, SR: {gap.mean:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]")
    dataset = records[args.runs[0]][0]["dataset"]
    path = save_result("scaling", results, seed=args.seed, dataset=dataset, settings=dataclasses.asdict(args))
    print(f"saved {path} and {PICTURE}")


if __name__ == "__main__":
    main(tyro.cli(Args))
