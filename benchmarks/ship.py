"""Put a trained policy into the package: weights, card and curve.

    python -m benchmarks.ship --name bc --run runs/bc --trained-by "vlnenv train bc --out runs/bc"

Figures on the unseen split are not in the card: `benchmarks.agents` measures them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import tyro

from agents.base import WEIGHTS
from agents.checkpoint import load_policy, save_policy
from benchmarks.record import commit, machine, save_result


@dataclass(frozen=True)
class Args:
    """Ship a policy."""

    name: str
    """The name that `vlnenv eval --agent` will know it by."""
    run: Path
    """Folder of the training run, with `policy.safetensors`, its card and `curve.jsonl`."""
    trained_by: str
    """The command that made the run."""


def main(args: Args) -> None:
    """Copy weights and curve, complete the card."""
    card = json.loads((args.run / "policy.json").read_text())
    del card["sha256"], card["settings"]["out"]  # of the run; `save_policy` states the shipped file's hash
    card |= {"command": args.trained_by, "machine": machine(), "commit": commit()}
    shipped = WEIGHTS / f"{args.name}.safetensors"
    save_policy(shipped, load_policy(args.run / "policy.safetensors"), card)
    curve = [json.loads(line) for line in (args.run / "curve.jsonl").read_text().splitlines()]
    seed = card["settings"]["seed"]
    saved = save_result(f"{args.name}_curve", curve, seed=seed, trained_by=args.trained_by)
    print(f"shipped {shipped} ({shipped.stat().st_size / 1e6:.2f} MB) and {saved}")


if __name__ == "__main__":
    main(tyro.cli(Args))
