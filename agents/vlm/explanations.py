"""Explanations that follow an action: where the goal is, and how much of the way is done.

They are learned and need not be decoded: decoding stops before them. Labels come from the episode's goal, so
they exist in training alone.

Source: CombatVLA for the order (action, truncation token, explanation); what is explained is our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from agents.vlm.automaton import Automaton

SECTORS = 12
"""Directions of 30 degrees; sector 0 is straight ahead, they go round to the left."""
MAX_DISTANCE_M = 30
TENTHS = 10


def format_explanation(goal_m: Sequence[float] | np.ndarray, progress: float) -> str:
    """What is to be said of a goal, such as `goal left 3 distance 6 progress 4`.

    Args:
        goal_m: Goal in the agent frame, metres: x ahead, y left; a third number is ignored.
        progress: Part of the way that is done, in [0, 1]; beyond that it is clipped.

    Returns:
        Sectors of 30 degrees to the left or right, whole metres (30 and more are 30), whole tenths.

    Raises:
        ValueError: If the place is not two or three finite numbers, or the progress is not finite.
    """
    place = np.asarray(goal_m, dtype=np.float64)
    if place.shape not in ((2,), (3,)) or not np.isfinite(place).all():
        raise ValueError(f"the goal's place must be two or three finite numbers, got {goal_m!r}")
    if not math.isfinite(progress):
        raise ValueError(f"progress must be a number in [0, 1], got {progress}")
    x, y = float(place[0]), float(place[1])
    sector = _rounded(math.atan2(y, x) / (2.0 * math.pi / SECTORS)) % SECTORS
    distance = min(_rounded(math.hypot(x, y)), MAX_DISTANCE_M)
    return _wording(sector, distance, min(max(_rounded(progress * TENTHS), 0), TENTHS))


def _rounded(number: float) -> int:
    return math.floor(number + 0.5)


def _wording(sector: int, distance: int, tenths: int) -> str:
    side, count = ("left", sector) if sector <= SECTORS // 2 else ("right", SECTORS - sector)
    return f"goal {side} {count} distance {distance} progress {tenths}"


def explanations() -> tuple[str, ...]:
    """Every explanation that there is."""
    return tuple(
        _wording(sector, distance, tenths)
        for sector in range(SECTORS)
        for distance in range(MAX_DISTANCE_M + 1)
        for tenths in range(TENTHS + 1)
    )


def explanation_automaton(tokenizer: Any, end_token: str | None = None) -> Automaton:
    """The automaton of all explanations.

    Args:
        tokenizer: A tokenizer of transformers.
        end_token: What follows an explanation; None for the tokenizer's end of text.
    """
    return Automaton(tokenizer, explanations(), end_token or tokenizer.eos_token)
