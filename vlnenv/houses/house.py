"""A house: its plan, doors and furniture, drawn from its scene id alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from vlnenv.errors import unknown_name
from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.construction.room_surfaces import draw_floors, draw_walls
from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.critics import Complaint, complaints
from vlnenv.houses.furnishing.furnish import furnish_room, numbered
from vlnenv.houses.furnishing.furniture import Furniture
from vlnenv.houses.furnishing.style import Style, draw_style
from vlnenv.houses.plans.doors import Door, hang_doors
from vlnenv.houses.plans.floorplan import draw_plan
from vlnenv.houses.plans.plan import FloorPlan, Room

VERSION = "houses-v1"
"""Names the generator; anything that can change a house makes a new version."""
GROUPS = ("train", "val_unseen", "test")
"""House groups; no house is in two of them. The split val_seen uses the houses of train."""

_UPPER_FROM_M = 1.45
_REPAIRS = 6
_DRAWS = 30


@dataclass(frozen=True, eq=False)
class House:
    """Everything that is known about a house. Centimetres, integers; the instruction writer's facts."""

    scene_id: str
    plan: FloorPlan
    doors: tuple[Door, ...]
    furniture: tuple[Furniture, ...]
    floors: tuple[Surface, ...]
    """(finish, colour) of each room's floor."""
    walls: tuple[Surface, ...]
    """(finish, colour) of each room's walls."""
    draws: int = 1
    """How many plans were drawn until every critic was content."""

    @property
    def rooms(self) -> tuple[Room, ...]:
        """The rooms, those that one walks through first."""
        return self.plan.rooms

    def room_at(self, x_m: float, z_m: float, y_m: float = 0.0) -> int:
        """Index of the room whose cell holds a point, metres, on the level of its height; -1 outside."""
        x, z, level = 100.0 * x_m, 100.0 * z_m, int(y_m > _UPPER_FROM_M)
        for room in self.rooms:
            c = room.cell
            if room.level == level and c.x0 <= x < c.x1 and c.z0 <= z < c.z1:
                return room.index
        return -1


def parse_scene_id(scene_id: str) -> tuple[str, int]:
    """Group and number of "houses/<group>/<number>".

    Raises:
        KeyError: If it does not name a house.
    """
    match = re.fullmatch(r"houses/([a-z_]+)/(\d{4})", scene_id)
    if match is None:
        raise KeyError(
            f"no house {scene_id!r}: expected 'houses/<group>/<four digits>', e.g. 'houses/train/0003'"
        )
    group = match.group(1)
    if group not in GROUPS:
        raise KeyError(f"{scene_id!r}: {unknown_name('house group', group, GROUPS)}")
    return group, int(match.group(2))


@lru_cache(maxsize=128)
def house_of(scene_id: str) -> House:
    """The house of that name: "houses/train/0003". The same on every machine.

    Plans are drawn, furnished and repaired until no critic complains.

    Raises:
        KeyError: If the id does not name a house.
        RuntimeError: If no draw satisfied the critics (a bug of the generator).
    """
    group, number = parse_scene_id(scene_id)
    left: tuple[Complaint, ...] = ()
    for draw in range(1, _DRAWS + 1):
        house, left = _drawn(scene_id, draw, VERSION, group, number, draw)
        if not left:
            return house
    raise RuntimeError(f"no plan of {_DRAWS} for {scene_id} satisfied the critics; the last: {left[0].text}")


def _drawn(scene_id: str, draw: int, *name: object) -> tuple[House, tuple[Complaint, ...]]:
    """A house drawn by dice of a name, repaired, and what is still wrong with it."""
    dice = Dice(*name)
    plan = draw_plan(dice)
    doors = hang_doors(plan, dice)
    style = draw_style(dice, CATALOGUE["kitchen counter"])
    floors, walls = draw_floors(plan, dice), draw_walls(plan, dice)

    def furnished(room: Room, *attempt: object) -> tuple[Furniture, ...]:
        own = Dice(*name, "room", room.index, *attempt)
        return furnish_room(plan, room, doors, _of_room(style, own), own)

    by_room = [furnished(room) for room in plan.rooms]
    for repair in range(_REPAIRS + 1):
        pieces = [piece for own in by_room for piece in own]
        house = House(scene_id, plan, doors, numbered(pieces), floors, walls, draw)
        left = complaints(house)
        if not left or repair == _REPAIRS:
            break
        # Pieces are blamed by their short names.
        own_name = {short.name: piece.name for short, piece in zip(house.furniture, pieces, strict=True)}
        for index in sorted({complaint.room for complaint in left if complaint.room >= 0}):
            blamed = [complaint.piece for complaint in left if complaint.room == index]
            if all(blamed) and repair < _REPAIRS // 2:
                by_room[index] = without(by_room[index], {own_name[piece] for piece in blamed})
            else:
                by_room[index] = furnished(plan.rooms[index], "repair", repair)
    return house, left


def _of_room(style: Style, dice: Dice) -> Style:
    """The house's style with an accent of the room's own."""
    return replace(style, accent=draw_style(dice, CATALOGUE["kitchen counter"]).accent)


def without(pieces: tuple[Furniture, ...], names: set[str]) -> tuple[Furniture, ...]:
    """The pieces but for those named and what stands on them."""
    return tuple(piece for piece in pieces if piece.name not in names and piece.support not in names)
