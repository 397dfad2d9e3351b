"""Raw results as small JSON files, with the command, commit and machine that made them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from agents.provenance import command, machine

__all__ = ["RESULTS", "command", "commit", "machine", "save_result"]

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """The checked-out commit, with a plus where the tree differs from it."""
    try:
        run = {"capture_output": True, "text": True, "check": True, "cwd": Path(__file__).parent}
        head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **run).stdout.strip()  # type: ignore[call-overload]
        is_dirty = bool(subprocess.run(["git", "status", "--porcelain"], **run).stdout.strip())  # type: ignore[call-overload]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + ("+" if is_dirty else "")


def save_result(name: str, results: Any, **facts: Any) -> Path:
    """Write `results/NAME.json`.

    Args:
        name: File name without its ending.
        results: What was measured, as JSON values.
        **facts: Whatever else a reader needs, seeds above all.
    """
    record = {
        "command": command(),
        "commit": commit(),
        "machine": machine(),
        **facts,
        "results": results,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    return path
