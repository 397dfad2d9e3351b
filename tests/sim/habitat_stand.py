"""Puts the fake habitat-sim where the code under test looks for the real one."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def write_python(folder, version="0.3.3", extra="", module="from tests.sim.fake_habitat import *"):
    """A script that starts this Python as one that has (the fake) habitat-sim."""
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    if module is not None:
        lines = [module, "from tests.sim.fake_habitat import __version__"] if "fake" in module else [module]
        (packages / "habitat_sim.py").write_text("\n".join(lines))
    script = folder / "python"
    script.write_text(
        "#!/bin/sh\n"
        f'export PYTHONPATH="{packages}:{ROOT}" FAKE_HABITAT_VERSION="{version}" OMP_NUM_THREADS=1\n'
        f"{extra}\n"
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(0o755)
    return str(script)
