"""Raw results as small JSON files, with the command, commit and machine that made them."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def machine() -> str:
    """Processor, cores and Python, in words."""
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, no GPU used"


def command() -> str:
    """The command line of this process, without the paths of this machine."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    program = ["-m", module.name] if module is not None else [Path(sys.argv[0]).name]
    return shlex.join(["python", *program, *sys.argv[1:]])


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
