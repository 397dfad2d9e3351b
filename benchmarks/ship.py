"""Put a trained agent into the package: weights, curve, and a card with its figures on unseen houses.

    python -m benchmarks.ship --name bc --run runs/bc --trained-by "vlnenv train bc --out runs/bc"
    python -m benchmarks.ship --name dynam3d-tiny --run runs/vlm --trained-by examples/dynam3d_tiny.sh

The evaluation is the one of `benchmarks.agents` with the same `--episodes`, which does not repeat it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from agents.base import WEIGHTS
from agents.checkpoint import load_policy, save_card, save_policy
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from agents.vlm.agent import VLMAgent
from agents.vlm.checkpoint import CARD, save_agent
from benchmarks.agents import Args as Compared
from benchmarks.record import commit, machine, save_result
from vlnenv.evaluation import summarise

REPORTED = ("is_success", "spl", "oracle_success", "ndtw", "distance_to_goal")
"""Metrics in the card: mean, low and high end of the 95 % interval."""


@dataclass(frozen=True)
class Args:
    """Ship a trained agent."""

    name: str
    """The name that `vlnenv eval --agent` will know it by."""
    run: Path
    """Folder of the training run, with `curve.jsonl`, and `policy.safetensors` and its card, or `best`."""
    trained_by: str
    """The command or script that made the run."""
    episodes: int | None = None
    """Episodes of val_unseen for the card, evenly spread; None runs all."""
    save_as: str = "agents_houses"
    """What `benchmarks.agents --save-as` calls the table that the evaluation is for."""


def main(args: Args) -> None:
    """Copy weights and curve, measure, complete the card."""
    is_policy = (args.run / "policy.safetensors").is_file()
    shipped, card = _ship_policy(args) if is_policy else _ship_vlm(args)
    curve = [json.loads(line) for line in (args.run / "curve.jsonl").read_text().splitlines()]
    seed = card["settings"]["seed"]
    saved = save_result(f"{args.name}_curve", curve, seed=seed, trained_by=args.trained_by)
    print(f"shipped {shipped} ({shipped.stat().st_size / 1e6:.2f} MB) and {saved}")


def _ship_policy(args: Args) -> tuple[Path, dict[str, Any]]:
    """Weights of a policy as NAME.safetensors, its card as NAME.json."""
    card = json.loads((args.run / "policy.json").read_text())
    del card["sha256"], card["settings"]["out"]  # of the run; `save_card` states the shipped file's hash
    card["command"] = args.trained_by
    shipped = WEIGHTS / f"{args.name}.safetensors"
    save_policy(shipped, load_policy(args.run / "policy.safetensors"))
    card |= _made() | _unseen(args)
    save_card(shipped, card)
    return shipped, card


def _ship_vlm(args: Args) -> tuple[Path, dict[str, Any]]:
    """A 3D-VLM as a folder NAME, its card inside."""
    best, folder = args.run / "best", WEIGHTS / args.name
    card = json.loads((best / CARD).read_text())
    card |= {"command": args.trained_by, "trainings": list(trainings(best)), **_made()}
    card["hours"] = sum(each["hours"] for each in card["trainings"])
    card["update"] = sum(each["update"] for each in card["trainings"])
    agent = VLMAgent.from_pretrained(best)
    save_agent(folder, agent.model, agent.processor, card)
    card |= _unseen(args)
    save_agent(folder, agent.model, agent.processor, card)
    return folder / "model.safetensors", card


def trainings(folder: Path | None) -> Iterator[dict[str, Any]]:
    """What was trained one after the other, from the first to the one that wrote `folder`."""
    if folder is None:
        return
    card = json.loads((folder / CARD).read_text())
    start = card["settings"]["start"]
    yield from trainings(None if start is None else Path(start))
    yield {name: card[name] for name in ("command", "update", "hours", "decisions", "sha256", "machine")}


def _made() -> dict[str, str]:
    return {"machine": machine(), "commit": commit()}


def _unseen(args: Args) -> dict[str, Any]:
    """Figures of the shipped agent on val_unseen."""
    config = EvaluationConfig(
        agent=args.name,
        out=f"{Compared().out}/{args.save_as}/{args.name}",
        split="val_unseen",
        episodes=args.episodes,
    )
    records = evaluate_agent(config)
    figures = summarise(records)["metrics"]
    unseen = {
        "episodes": len(records),
        "dataset": records[0]["dataset"],
        **{name: [round(value, 4) for value in figures[name].values()] for name in REPORTED},
    }
    privileged = records[0]["privileged"]
    return {"val_unseen": unseen} | ({"privileged": privileged} if privileged else {})


if __name__ == "__main__":
    main(tyro.cli(Args))
