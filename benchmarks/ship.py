"""Put a trained policy into the package: weights, curve, and a card with its figures on unseen houses.

    python -m benchmarks.ship --name bc --run runs/bc --trained-by "vlnenv train bc --out runs/bc"

The evaluation is the one of `benchmarks.agents` with the same `--episodes`, which does not repeat it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from agents.base import WEIGHTS
from agents.checkpoint import load_policy, save_card, save_policy
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from benchmarks.agents import Args as Compared
from benchmarks.record import commit, machine, save_result
from vlnenv.evaluation import summarise

REPORTED = ("is_success", "spl", "oracle_success", "ndtw", "distance_to_goal")
"""Metrics in the card: mean, low and high end of the 95 % interval."""


@dataclass(frozen=True)
class Args:
    """Ship a policy."""

    name: str
    """The name that `vlnenv eval --agent` will know it by."""
    run: Path
    """Folder of the training run, with `policy.safetensors`, its card and `curve.jsonl`."""
    trained_by: str
    """The command that made the run."""
    episodes: int | None = None
    """Episodes of val_unseen for the card, evenly spread; None runs all."""
    save_as: str = "agents_houses"
    """What `benchmarks.agents --save-as` calls the table that the evaluation is for."""


def main(args: Args) -> None:
    """Copy weights and curve, measure, complete the card."""
    card = json.loads((args.run / "policy.json").read_text())
    del card["sha256"], card["settings"]["out"]  # of the run; `save_card` states the shipped file's hash
    card |= {"command": args.trained_by, "machine": machine(), "commit": commit()}
    shipped = WEIGHTS / f"{args.name}.safetensors"
    save_policy(shipped, load_policy(args.run / "policy.safetensors"))
    config = EvaluationConfig(
        agent=args.name,
        out=f"{Compared().out}/{args.save_as}/{args.name}",
        split="val_unseen",
        episodes=args.episodes,
    )
    records = evaluate_agent(config)
    figures = summarise(records)["metrics"]
    card["val_unseen"] = {
        "episodes": len(records),
        "dataset": records[0]["dataset"],
        **{name: [round(value, 4) for value in figures[name].values()] for name in REPORTED},
    }
    if records[0]["privileged"]:
        card["privileged"] = records[0]["privileged"]
    save_card(shipped, card)
    curve = [json.loads(line) for line in (args.run / "curve.jsonl").read_text().splitlines()]
    seed = card["settings"]["seed"]
    saved = save_result(f"{args.name}_curve", curve, seed=seed, trained_by=args.trained_by)
    print(f"shipped {shipped} ({shipped.stat().st_size / 1e6:.2f} MB) and {saved}")


if __name__ == "__main__":
    main(tyro.cli(Args))
