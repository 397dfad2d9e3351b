"""Which decision follows which, and what was carried out between the two.

What the expert would have done is only what was done if its decision was carried out, which a wrong turn or a
learner prevents; the history that the next decision was made with tells what was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from agents.decisions import Decisions
from agents.macros import TURN_LIMIT

_HEADINGS = 24
_PIECES = _HEADINGS // 2 // TURN_LIMIT
"""A decision is carried out in at most so many macro actions."""


@dataclass(frozen=True)
class Transitions:
    """What came after each of n decisions."""

    following: np.ndarray
    """int64 (n,), the episode's next decision; -1 where there is none, or what led to it is not clear."""
    turn: np.ndarray
    """int64 (n,), steps to the left that were carried out in between, -11 to 12; 0 where none follows."""
    moves: np.ndarray
    """int64 (n,), steps ahead after them."""


def find_transitions(decisions: Decisions) -> Transitions:
    """The transitions of decisions: next to each other in an episode, anywhere in the arrays."""
    following = _following(decisions.route, decisions.number)
    before = np.flatnonzero(following >= 0)
    after = following[before]
    bearing = np.arctan2(decisions.goal[:, 2], decisions.goal[:, 1]).astype(np.float64)
    turn, moves, is_clear = carried_out(
        decisions.history[before], decisions.history[after], bearing[before] - bearing[after]
    )
    found = Transitions(np.full(len(decisions), -1), *np.zeros((2, len(decisions)), dtype=np.int64))
    kept = before[is_clear]
    found.following[kept] = after[is_clear]
    found.turn[kept], found.moves[kept] = turn[is_clear], moves[is_clear]
    return found


def _following(route: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Index of each route's decision with the next number, (n,), -1 for none: episodes lie interleaved."""
    order = np.lexsort((number, route))
    is_next = (np.diff(route[order]) == 0) & (np.diff(number[order]) == 1)
    following = np.full(len(route), -1)
    following[order[:-1][is_next]] = order[1:][is_next]
    return following


def carried_out(
    before: np.ndarray, after: np.ndarray, turned_rad: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The sum of the macro actions that are in one history and not yet in the other.

    A history of nothing but equal turns, as a look around leaves it, does not tell how many of them are new.
    Such turns are on the spot, so the goal's bearing does.

    Args:
        before: (m, 4, 3) macro actions [stop, turn, moves], oldest first, -1 for none.
        after: The next decision's.
        turned_rad: (m,) by how much the bearing of the goal (to the left) shrank.

    Returns:
        int64 (m,) steps turned to the left (negative to the right), int64 (m,) steps moved, and bool (m,),
        False where the histories don't fit each other.
    """
    size, length = before.shape[:2]
    before, after = before.astype(np.int64), after.astype(np.int64)
    error = np.full(size, np.inf)
    turn, moves = np.zeros((2, size), dtype=np.int64)
    for count in range(1, _PIECES + 1):
        new = after[:, length - count :]
        left = np.where(new[..., 1] > _HEADINGS // 2, new[..., 1] - _HEADINGS, new[..., 1])
        fits = (before[:, count:] == after[:, : length - count]).all(axis=(1, 2)) & _is_decision(new, left)
        total = left.sum(axis=1)
        wrong = total * (2.0 * np.pi / _HEADINGS) - turned_rad
        # The distance between two directions.
        wrong = np.abs(np.angle(np.exp(1j * wrong)))
        better = fits & (wrong < error)
        error = np.where(better, wrong, error)
        turn, moves = np.where(better, total, turn), np.where(better, new[:, -1, 2], moves)
    return turn, moves, np.isfinite(error)


def _is_decision(new: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Whether macro actions (m, k, 3) that turn `left` (m, k) are one decision in its pieces, bool (m,).

    See `agents.macros.pieces`.
    """
    size, is_turn = np.abs(left), (new[..., 2] == 0).all(axis=1)
    last = np.where(is_turn, TURN_LIMIT, TURN_LIMIT - 1)
    same_side = (np.sign(left) == np.sign(left[:, :1])).all(axis=1)
    whole = (size[:, :-1] == TURN_LIMIT).all(axis=1) & same_side & (size[:, -1] <= last)
    return whole & (new[..., 0] == 0).all(axis=1) & (is_turn if new.shape[1] > 1 else True)
