"""Where results come from: the command and the machine, in words, for cards and records."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from pathlib import Path


def machine(gpu: str | None = None) -> str:
    """Processor, cores, Python and GPU, in words.

    Args:
        gpu: Name of the GPU that was used; None for none.
    """
    name = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    used = "no GPU used" if gpu is None else gpu
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {used}"


def command() -> str:
    """The command line of this process, without the path of its program."""
    module = getattr(sys.modules["__main__"], "__spec__", None)
    name = Path(sys.argv[0]).name
    if module is not None:
        program = ["python", "-m", module.name.removesuffix(".__main__")]
    else:
        program = ["python", name] if name.endswith(".py") else [name]
    return shlex.join([*program, *sys.argv[1:]])
