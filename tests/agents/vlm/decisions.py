"""Decisions that are made up, for tests of learning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from agents.decisions import Decisions, DecisionWriter, open_decisions
from vlnenv.cache import build_folder

TOKEN_DIM = 8
INSTRUCTIONS = (
    ("Turn left at the sofa.", "Go left by the sofa."),
    ("Turn right, then stop near the bed.",),
    ("Walk on and stop.",),
)
SETTINGS = {
    "perception": {"encoder": "semantic"},
    "levels": ["patch", "instance", "zone", "path"],
    "patch_pool": [4, 2],
    "look_around": True,
}


def make_decisions(
    folder: Path, count: int = 24, seed: int = 0, perception: Mapping[str, Any] | None = None
) -> Decisions:
    """Routes to the left, to the right and to a stop; rows say which, too."""
    rng = np.random.default_rng(seed)
    labels = np.array([[0, 3, 4], [0, 20, 0], [1, 0, 0]])
    writer = DecisionWriter()
    for index in range(count):
        route = index % 3
        rows = rng.normal(size=(6 + index % 4, 4 + TOKEN_DIM)).astype(np.float32)
        rows[:, 0] = np.sort(np.r_[1, 1, 2, 3, 4, rng.integers(1, 5, len(rows) - 5)])
        rows[:, 4] += 3.0 * route
        history = rng.integers(0, 12, (4, 3))
        history[:, 0] = 0
        history[: index % 3] = -1
        goal = np.array([4.0, 3.0, 1.0 - route, index / count])
        writer.add(rows, history, labels[route], goal, route, index // 3)
    settings = SETTINGS if perception is None else {**SETTINGS, "perception": dict(perception)}
    build_folder(folder, lambda building: writer.write(building, INSTRUCTIONS, settings))
    return open_decisions([folder])
