"""Time to import vlnenv over the time to import gymnasium, fresh processes, one run.

python -m benchmarks.import_time [--repeats 20]
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import tyro

from benchmarks.record import save_result


@dataclass(frozen=True)
class Args:
    """Import-time benchmark."""

    repeats: int = 20
    """Processes started for each package, in turns."""


def seconds_to_run(code: str) -> float:
    """Wall time of a fresh Python that runs `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main(args: Args) -> None:
    """Measure, print, save."""
    codes = {"nothing": "pass", "gymnasium": "import gymnasium", "vlnenv": "import vlnenv"}
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(args.repeats):
        for name, code in codes.items():
            times[name].append(seconds_to_run(code))
    median = {name: float(np.median(values)) for name, values in times.items()}
    own = {name: median[name] - median["nothing"] for name in ("gymnasium", "vlnenv")}
    ratio = own["vlnenv"] / own["gymnasium"]
    for name, value in own.items():
        print(f"import {name:<10} {1000 * value:7.1f} ms")
    print(f"ratio {ratio:.2f}")
    results = {"median_ms": {k: round(1000 * v, 1) for k, v in own.items()}, "ratio": round(ratio, 3)}
    print(f"saved {save_result('import_time', results, repeats=args.repeats)}")


if __name__ == "__main__":
    main(tyro.cli(Args))
