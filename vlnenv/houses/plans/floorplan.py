"""Floor plans of houses: several topologies, one or two floors, with doors, arches, windows and stairs."""

from __future__ import annotations

from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.borders import walls_between
from vlnenv.houses.plans.openings import add_doors, add_windows
from vlnenv.houses.plans.plan import (
    STOREY_CM,
    FloorPlan,
    Room,
)
from vlnenv.houses.plans.plan_cells import Layout, draw_layout
from vlnenv.houses.plans.room_kinds import WALKED_THROUGH, assign_kinds
from vlnenv.houses.plans.stairs import Stairs

FEWEST, MOST = 5, 9
"""Rooms of a floor, halls and the stairwell included."""


def draw_plan(dice: Dice) -> FloorPlan:
    """A plan of 5 to 9 rooms a floor, on two floors in a third of the houses.

    Draws until everything fits: rooms of plausible sizes, every one with a way in that passes no private
    room, a front door.
    """
    floors = 2 if dice.chance(35) else 1
    while True:
        layout = draw_layout(dice, floors)
        if layout is not None:
            plan = _plan(layout, floors, dice)
            if plan is not None:
                return plan


def _plan(layout: Layout, floors: int, dice: Dice) -> FloorPlan | None:
    rooms: list[Room] = []
    counts: dict[str, int] = {}
    for level in range(floors):
        cells = [cell for cell in layout.cells if cell.level == level]
        if not FEWEST <= len(cells) <= MOST or (len(cells) == MOST and dice.chance(50)):
            return None
        kinds = assign_kinds(cells, level, floors, dice)
        if kinds is None:
            return None
        order = sorted(range(len(cells)), key=lambda i: kinds[i] not in WALKED_THROUGH)
        for i in order:
            kind = kinds[i]
            counts[kind] = counts.get(kind, 0) + 1
            name = f"{kind.replace(' ', '_').replace(chr(39), '')}_{counts[kind]}"
            rooms.append(Room(len(rooms), kind, name, cells[i].rect, level))
    stairs = None
    if floors == 2:
        lower, upper = (room.index for room in rooms if room.kind == "stairs")
        stairs = Stairs(lower, upper, rooms[lower].inner, layout.facing, dice.chance(50), STOREY_CM)
    bare = [
        wall
        for level in range(floors)
        for wall in walls_between([room for room in rooms if room.level == level])
    ]
    walls = add_doors(rooms, bare, stairs, dice)
    if walls is None:
        return None
    return FloorPlan(tuple(rooms), tuple(add_windows(rooms, walls, stairs, dice)), stairs)
