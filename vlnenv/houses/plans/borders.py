"""Where cells touch each other and the outside, and the walls that stand there."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.plans.plan import OUTSIDE, Room, Wall
from vlnenv.houses.plans.rect import Rect


def shared(a: Rect, b: Rect) -> tuple[bool, int, int, int] | None:
    """(along_x, line, low, high) of the border of two cells, None where they do not touch."""
    if a.x1 == b.x0 or b.x1 == a.x0:
        low, high = max(a.z0, b.z0), min(a.z1, b.z1)
        if low < high:
            return (False, b.x0 if a.x1 == b.x0 else a.x0, low, high)
    if a.z1 == b.z0 or b.z1 == a.z0:
        low, high = max(a.x0, b.x0), min(a.x1, b.x1)
        if low < high:
            return (True, b.z0 if a.z1 == b.z0 else a.z0, low, high)
    return None


def walls_between(rooms: Sequence[Room]) -> list[Wall]:
    """The walls of one level: first those between rooms, then those to the outside.

    Args:
        rooms: All of one level.
    """
    walls = []
    for number, room in enumerate(rooms):
        for other in rooms[number + 1 :]:
            border = shared(room.cell, other.cell)
            if border is not None:
                along_x, line, low, high = border
                first = (room.cell.z1 if along_x else room.cell.x1) == line
                sides = (room.index, other.index) if first else (other.index, room.index)
                walls.append(Wall(along_x, line, low, high, *sides, level=room.level))
    inside = list(walls)
    for room in rooms:
        c = room.cell
        for along_x, line, low, high, is_before in (
            (True, c.z0, c.x0, c.x1, False),
            (True, c.z1, c.x0, c.x1, True),
            (False, c.x0, c.z0, c.z1, False),
            (False, c.x1, c.z0, c.z1, True),
        ):
            taken = sorted(
                (wall.low, wall.high)
                for wall in inside
                if wall.along_x == along_x and wall.line == line and room.index in wall.rooms
            )
            sides = (room.index, OUTSIDE) if is_before else (OUTSIDE, room.index)
            for start, end in _rest(low, high, taken):
                walls.append(Wall(along_x, line, start, end, *sides, level=room.level))
    return walls


def _rest(low: int, high: int, taken: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of an interval without the taken parts, which are sorted and do not overlap."""
    free = []
    for start, end in taken:
        if low < start:
            free.append((low, start))
        low = max(low, end)
    if low < high:
        free.append((low, high))
    return free
