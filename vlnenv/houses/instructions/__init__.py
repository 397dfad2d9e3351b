"""The instruction writer: paraphrases in three styles from the facts of a route."""

from __future__ import annotations

from collections import Counter

from vlnenv.errors import unknown_name
from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.navrag import write_navrag
from vlnenv.houses.instructions.open_route import Passed, StopCondition, write_open_route
from vlnenv.houses.instructions.r2r import write_r2r
from vlnenv.houses.instructions.reverie import write_reverie

__all__ = ["STYLES", "Passed", "StopCondition", "write", "write_open_route"]

STYLES = ("r2r", "reverie", "navrag")
"""R2R: the way, room by room. REVERIE: an object to find and what to do with it. NavRAG: a person's wish."""

_WRITERS = {"r2r": write_r2r, "reverie": write_reverie, "navrag": write_navrag}


def write(
    facts: RouteFacts, style: str, count: int, dice: Dice, rejections: Counter[str] | None = None
) -> list[str]:
    """Paraphrases of an instruction, none of which fits another route or object as well.

    Args:
        facts: What can be said about the route.
        style: One of `STYLES`.
        count: How many.
        dice: Chooses what is said, and the words.
        rejections: Counts the reason where the route is dropped, and as "redrawn: ..." how often something
            else was said than was drawn first.

    Returns:
        `count` distinct plain ASCII texts; none where the route is dropped.

    Raises:
        ValueError: If there is no such style.
    """
    if style not in _WRITERS:
        raise ValueError(unknown_name("style of instructions", style, STYLES))
    return _WRITERS[style](facts, count, dice, Counter() if rejections is None else rejections)
