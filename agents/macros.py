"""Macro actions [stop, turn, moves] as agents handle them: turns by their sign, long turns in pieces."""

from __future__ import annotations

import numpy as np

TURN_LIMIT = 4
"""Turns of this many steps (60 degrees) and more are taken in pieces, with a look between them (Dynam3D)."""
STOP_MACRO = (1, 0, 0)
STOP_CHANCE = 0.5
"""From which greedy agents stop. The likeliest of all choices stops too often: the chance to go on is shared
out among the directions."""
MOVES_QUANTILE = 0.35
"""Of the number of moves, which greedy agents take: who walks too far is worse off than who has to decide
again."""
_HEADINGS = 24


def signed_turn(turn: int, headings: int = _HEADINGS) -> int:
    """Steps to the left of a macro's turn; negative to the right, at most half a circle."""
    return turn if turn <= headings // 2 else turn - headings


def pieces(macro: np.ndarray, headings: int = _HEADINGS, limit: int = TURN_LIMIT) -> list[np.ndarray]:
    """The macro actions that a decision is carried out in, at least one.

    A turn of `limit` steps and more runs in pieces of `limit`, and the moves after it are dropped: what they
    were decided on was out of sight, and the next decision is made on what the turn has shown.

    Args:
        macro: int (3,) [stop, turn, moves].
        headings: Turn steps in a circle.
        limit: Longest piece, steps.

    Source: Dynam3D's released controller (`reference/dynam3d.md`, A5).
    """
    stop, turn, _ = (int(part) for part in macro)
    left = signed_turn(turn, headings)
    if stop or abs(left) < limit:
        return [np.asarray(macro, dtype=np.int64)]
    sizes = [limit] * (abs(left) // limit) + ([abs(left) % limit] if abs(left) % limit else [])
    side = 1 if left > 0 else -1
    return [np.array([0, side * size % headings, 0], dtype=np.int64) for size in sizes]


def mirror_macros(macros: np.ndarray, headings: int = _HEADINGS) -> np.ndarray:
    """Macro actions (..., 3) that turn to the other side; entries of -1, for none, stay."""
    mirrored = np.array(macros)
    turn = mirrored[..., 1]
    mirrored[..., 1] = np.where(turn > 0, (headings - turn) % headings, turn)
    return mirrored


class TurnQueue:
    """What is left of each slot's decision."""

    def __init__(self) -> None:
        self.decisions = 0
        """How many were taken so far, of all slots."""
        self._left: dict[int, list[np.ndarray]] = {}

    def reset(self, slot: int, look_around: bool = False) -> None:
        """Forget a slot's decision; with `look_around` an episode begins with a whole turn, in pieces."""
        self._left[slot] = [np.array([0, TURN_LIMIT, 0])] * (_HEADINGS // TURN_LIMIT) if look_around else []

    def has(self, slot: int) -> bool:
        """Whether a slot's last decision goes on."""
        return bool(self._left.get(slot))

    def split(self, active: np.ndarray) -> tuple[list[int], list[int]]:
        """Of the active slots, bool (n,), those whose decision goes on, and those that have to decide."""
        slots = [int(slot) for slot in np.flatnonzero(active)]
        return [slot for slot in slots if self.has(slot)], [slot for slot in slots if not self.has(slot)]

    def begin(self, slot: int, macro: np.ndarray) -> np.ndarray:
        """Take a decision; returns its first piece."""
        self.decisions += 1
        self._left[slot] = pieces(macro)
        return self.next(slot)

    def next(self, slot: int) -> np.ndarray:
        """The next piece of a slot's decision."""
        return self._left[slot].pop(0)
