"""Furnishing: every room gets its usual furniture and small things, with every place left reachable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.furniture import Furniture
from vlnenv.houses.furnishing.kitchen import place_run
from vlnenv.houses.furnishing.room_layout import RoomLayout
from vlnenv.houses.furnishing.room_needs import NEEDS
from vlnenv.houses.furnishing.room_rules import RULES
from vlnenv.houses.furnishing.small_things import place_small_things
from vlnenv.houses.furnishing.style import Style
from vlnenv.houses.plans.doors import Door
from vlnenv.houses.plans.plan import FloorPlan, Room

_TRIES = 4


def furnish_room(
    plan: FloorPlan, room: Room, doors: Sequence[Door], style: Style, dice: Dice
) -> tuple[Furniture, ...]:
    """The furniture of one room; a few tries where what makes the room one of its kind did not fit.

    Args:
        plan: The house's plan.
        room: One of its rooms.
        doors: All doors of the house.
        style: What the things have in common.
        dice: Draws everything.

    Returns:
        Pieces with names that are unique in the house but long; see `numbered`.
    """
    best: tuple[Furniture, ...] = ()
    fewest = None
    for _ in range(_TRIES):
        pieces = _furnished(plan, room, doors, style, dice)
        missing = len(missing_needs(room.kind, pieces))
        if fewest is None or missing < fewest:
            best, fewest = pieces, missing
        if fewest == 0:
            break
    return best


def missing_needs(kind: str, pieces: Iterable[Furniture]) -> list[tuple[str, ...]]:
    """What a kind of room must have and has not: of each tuple one class would do."""
    there = {piece.category for piece in pieces}
    return [classes for classes in NEEDS.get(kind, ()) if not there.intersection(classes)]


def _furnished(
    plan: FloorPlan, room: Room, doors: Sequence[Door], style: Style, dice: Dice
) -> tuple[Furniture, ...]:
    layout = RoomLayout(plan, room, doors, style, dice)
    kinds = {each.kind for each in plan.rooms}
    for rule in RULES[room.kind]:
        if rule.unless in kinds or room.inner.area < 10_000 * rule.least_m2:
            continue
        if rule.mode == "run":
            place_run(layout, [name for name in rule.classes if name != "dishwasher" or dice.chance(70)])
            continue
        for _ in range(rule.count):
            if dice.chance(rule.percent) and layout.place(rule) is None:
                break
    place_small_things(layout)
    return tuple(layout.pieces)


def numbered(pieces: Iterable[Furniture]) -> tuple[Furniture, ...]:
    """The pieces with short names, numbered by category in their order: "sofa_2"."""
    counts: dict[str, int] = {}
    names: dict[str, str] = {}
    pieces = tuple(pieces)
    for piece in pieces:
        counts[piece.category] = counts.get(piece.category, 0) + 1
        names[piece.name] = f"{piece.category.replace(' ', '_')}_{counts[piece.category]}"
    return tuple(
        replace(piece, name=names[piece.name], support=names.get(piece.support, piece.support))
        for piece in pieces
    )
