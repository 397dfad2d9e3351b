"""Doors, arches and windows: every room gets a way in that suits it, and light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from vlnenv.houses.dice import Dice
from vlnenv.houses.plans.plan import (
    ARCH_HEIGHT_CM,
    DOOR_CM,
    DOOR_HEIGHT_CM,
    OUTSIDE,
    WALL_CM,
    Opening,
    Room,
    Wall,
)
from vlnenv.houses.plans.room_kinds import BEHIND, PASSAGE_CM, WALKED_THROUGH
from vlnenv.houses.plans.stairs import Stairs

_MARGIN = 20
"""Least wall beside a door, from the end of the wall's middle line."""
_PUBLIC = ("living room", "dining room", "kitchen", "family room")
_EXTRA = {
    frozenset(("living room", "dining room")): (65, 70),
    frozenset(("kitchen", "dining room")): (80, 70),
    frozenset(("living room", "kitchen")): (40, 60),
    frozenset(("family room", "kitchen")): (50, 70),
    frozenset(("family room", "dining room")): (35, 60),
    frozenset(("living room", "family room")): (50, 60),
    frozenset(("living room", "library")): (40, 20),
    frozenset(("living room", "office")): (25, 0),
    frozenset(("bedroom", "bathroom")): (30, 0),
    frozenset(("kitchen", "laundry room")): (40, 0),
    frozenset(("kitchen", "pantry")): (100, 15),
    frozenset(("bedroom", "closet")): (100, 10),
    frozenset(("library", "office")): (30, 20),
}
"""Kinds of two rooms to how often a second way joins them and how often that is an arch, percent."""
_HIDDEN = {"closet": 85, "pantry": 90, "kitchen": 20, "dining room": 25, "bathroom": 100}
"""Kinds that often open to what they belong to alone, though they touch a hall; percent. Of several
bathrooms on a floor, all but the first."""
_SMALL_WINDOWS = ("bathroom", "laundry room", "closet", "pantry")


def add_doors(
    rooms: Sequence[Room], walls: Sequence[Wall], stairs: Stairs | None, dice: Dice
) -> list[Wall] | None:
    """The walls with doors and arches, and on the ground floor the front door; None where a room has none.

    Args:
        rooms: Of the whole house.
        walls: Of the whole house, without openings.
        stairs: Their entry is the only way into the stairwell.
        dice: Draws.
    """
    ways = {
        number: wall
        for number, wall in enumerate(walls)
        if OUTSIDE not in wall.rooms and _length(_span(wall, stairs)) >= PASSAGE_CM
    }
    wanted = _ways_in(rooms, ways, dice)
    if wanted is None:
        return None
    for number, wall in ways.items():
        odds = _EXTRA.get(frozenset(rooms[r].kind for r in wall.rooms))
        if odds is not None and number not in wanted and dice.chance(odds[0]):
            wanted[number] = "arch" if dice.chance(odds[1]) else "door"
    result = []
    for number, wall in enumerate(walls):
        if number in wanted:
            opening = _passage(wanted[number], wall, rooms, _span(wall, stairs), dice)
            wall = replace(wall, openings=(opening,))
        result.append(wall)
    return _with_front_door(rooms, result) if _all_joined(rooms, result) else None


def _ways_in(rooms: Sequence[Room], ways: dict[int, Wall], dice: Dice) -> dict[int, str] | None:
    """Which wall gets the way into each room, and whether it is a "door" or an "arch"."""
    wanted: dict[int, str] = {}
    with_bathroom: set[int] = set()
    for room in rooms:
        beside = {n: rooms[sum(w.rooms) - room.index] for n, w in ways.items() if room.index in w.rooms}
        halls = [n for n, other in beside.items() if other.kind in ("hallway", "entryway")]
        if room.kind in ("hallway", "entryway"):
            wanted |= dict.fromkeys(halls, "arch")
            continue
        open_to = halls or [n for n, other in beside.items() if other.kind == "living room"]
        if room.kind == "stairs":
            if not open_to:
                return None
            wanted[open_to[0]] = "arch"
            continue
        owners = [n for n, other in beside.items() if other.kind in BEHIND.get(room.kind, ())]
        hides = dice.chance(_HIDDEN.get(room.kind, 0))
        if room.kind == "bathroom":
            hides = hides and room.level in with_bathroom
            with_bathroom.add(room.level)
        choices = owners if owners and (hides or not open_to) else open_to
        if not choices:
            return None
        number = dice.pick(choices)
        is_open = {room.kind, beside[number].kind} <= {*WALKED_THROUGH, *_PUBLIC}
        wanted.setdefault(number, "arch" if is_open and dice.chance(45) else "door")
    return wanted


def _span(wall: Wall, stairs: Stairs | None) -> tuple[int, int]:
    """Where along a wall an opening may be: the stairwell opens at its entry alone."""
    low, high = wall.low, wall.high
    if stairs is not None and any(r in (stairs.lower, stairs.upper) for r in wall.rooms):
        entry = stairs.entry
        if wall.along_x:
            if wall.line not in (entry.z0 - WALL_CM // 2, entry.z1 + WALL_CM // 2):
                return (0, 0)
            low, high = max(low, entry.x0 - WALL_CM // 2), min(high, entry.x1 + WALL_CM // 2)
        else:
            if wall.line not in (entry.x0 - WALL_CM // 2, entry.x1 + WALL_CM // 2):
                return (0, 0)
            low, high = max(low, entry.z0 - WALL_CM // 2), min(high, entry.z1 + WALL_CM // 2)
    return (low, high)


def _length(span: tuple[int, int]) -> int:
    return span[1] - span[0]


def _passage(kind: str, wall: Wall, rooms: Sequence[Room], span: tuple[int, int], dice: Dice) -> Opening:
    low, high = span
    halls = all(rooms[r].kind in WALKED_THROUGH for r in wall.rooms)
    if kind == "arch" and halls:
        # From one hall into the next: as wide as they are.
        width = min(high - low - 30, 170)
        start = (low + high - width) // 2
        return Opening("arch", start, start + width, 0, ARCH_HEIGHT_CM)
    if kind == "arch" and high - low >= 190:
        width = dice.between(130, min(220, high - low - 60), 10)
        start = (low + high - width) // 2 if dice.chance(50) else dice.between(low + 30, high - 30 - width, 5)
        return Opening("arch", start, start + width, 0, ARCH_HEIGHT_CM)
    start = dice.between(low + _MARGIN, high - _MARGIN - DOOR_CM, 5)
    # Away from the middle: a door near a corner leaves the longer piece of wall for furniture.
    if dice.chance(60):
        start = dice.pick([low + _MARGIN, high - _MARGIN - DOOR_CM])
    return Opening("door", start, start + DOOR_CM, 0, DOOR_HEIGHT_CM)


def _all_joined(rooms: Sequence[Room], walls: Sequence[Wall]) -> bool:
    """Whether doors lead from the first room to every other one, passing private rooms by."""
    stairs = [room.index for room in rooms if room.kind == "stairs"]
    joined = [w.rooms for w in walls if w.openings]
    if len(stairs) == 2:
        joined.append((stairs[0], stairs[1]))
    reached, edge = {0}, [0]
    while edge:
        here = edge.pop()
        for pair in joined:
            if here in pair:
                there = sum(pair) - here
                passable = rooms[here].kind in (*WALKED_THROUGH, *_PUBLIC) or rooms[here].kind in BEHIND.get(
                    rooms[there].kind, ()
                )
                if there not in reached and passable:
                    reached.add(there)
                    edge.append(there)
    return len(reached) == len(rooms)


def _with_front_door(rooms: Sequence[Room], walls: list[Wall]) -> list[Wall] | None:
    for kind in ("entryway", "hallway", "living room"):
        for number, wall in enumerate(walls):
            is_fit = OUTSIDE in wall.rooms and wall.level == 0 and wall.high - wall.low >= PASSAGE_CM
            if is_fit and rooms[max(wall.rooms)].kind == kind:
                low = (wall.low + wall.high - DOOR_CM) // 2
                opening = Opening("front door", low, low + DOOR_CM, 0, DOOR_HEIGHT_CM)
                walls[number] = replace(wall, openings=(opening,))
                return walls
    return None


def add_windows(
    rooms: Sequence[Room], walls: Sequence[Wall], stairs: Stairs | None, dice: Dice
) -> list[Wall]:
    """The walls with windows in outer walls that have no front door."""
    result = []
    for wall in walls:
        if OUTSIDE in wall.rooms and not wall.openings:
            wall = replace(wall, openings=tuple(_windows(wall, rooms[max(wall.rooms)], stairs, dice)))
        result.append(wall)
    return result


def _windows(wall: Wall, room: Room, stairs: Stairs | None, dice: Dice) -> list[Opening]:
    length = wall.high - wall.low
    small = room.kind in _SMALL_WINDOWS
    if length < (130 if small or room.kind in WALKED_THROUGH else 180):
        return []
    middle = (wall.low + wall.high) // 2
    if room.kind == "stairs":
        # Over the landing, where the lower level's wall is behind it.
        is_end = stairs is not None and wall.along_x == (stairs.facing % 2 == 0)
        return [Opening("window", middle - 45, middle + 45, 90, 210)] if is_end and room.level == 1 else []
    if small or room.kind in WALKED_THROUGH:
        if not dice.chance({"closet": 10, "pantry": 40}.get(room.kind, 75)):
            return []
        sill = 150 if small else 100
        return [Opening("window", middle - 35, middle + 35, sill, 210)]
    if not dice.chance(100 if length > 300 else 75):
        return []
    sill = dice.pick([90, 90, 80, 50 if room.kind == "living room" else 100])
    if length >= 420 and dice.chance(55):
        width = dice.between(90, min(150, length // 2 - 80), 10)
        quarter = length // 4
        starts = [wall.low + quarter - width // 2, wall.high - quarter - width // 2]
        return [Opening("window", start, start + width, sill, 210) for start in starts]
    width = dice.between(100, min(220, length - 80), 10)
    start = middle + dice.between(-20, 20, 10) - width // 2
    return [Opening("window", start, start + width, sill, 210)]
