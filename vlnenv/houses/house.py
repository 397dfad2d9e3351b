"""A house: its plan, doors and furniture, drawn from its scene id alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from vlnenv.errors import unknown_name
from vlnenv.houses.dice import Dice
from vlnenv.houses.floorplan import FloorPlan, Room, draw_plan
from vlnenv.houses.furnish import Door, Furniture, furnish, hang_doors

VERSION = "houses-v0"
"""Names the generator; anything that can change a house makes a new version."""
GROUPS = ("train", "val_unseen", "test")
"""House groups; no house is in two of them. The split val_seen uses the houses of train."""

_FLOORS = {
    "wood": (("planks", "brown"), ("planks", "beige"), ("planks", "grey"), ("planks", "light brown")),
    "tiles": (
        ("tiles", "white"),
        ("tiles", "grey"),
        ("tiles", "blue"),
        ("tiles", "beige"),
        ("tiles", "black"),
    ),
    "carpet": (("carpet", "grey"), ("carpet", "beige"), ("carpet", "blue"), ("carpet", "green")),
}
_PAINTS = ("white", "cream", "beige", "light blue", "light green", "pink", "light yellow", "light grey")
_UPPER_FROM_M = 1.45
_TILED = ("bathroom", "kitchen", "laundry room")


@dataclass(frozen=True)
class House:
    """Everything that is known about a house. Centimetres, integers; the instruction writer's facts."""

    scene_id: str
    plan: FloorPlan
    doors: tuple[Door, ...]
    furniture: tuple[Furniture, ...]
    floors: tuple[tuple[str, str], ...]
    """(finish, colour) of each room's floor."""
    walls: tuple[tuple[str, str], ...]
    """(finish, colour) of each room's walls."""
    draws: int = 1
    """How many plans were drawn until every critic passed."""

    @property
    def rooms(self) -> tuple[Room, ...]:
        """The rooms, the hallway first."""
        return self.plan.rooms

    def room_at(self, x_m: float, z_m: float, y_m: float = 0.0) -> int:
        """Index of the room whose cell holds a point on the level of its height; -1 outside the house."""
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

    Raises:
        KeyError: If the id does not name a house.
    """
    group, number = parse_scene_id(scene_id)
    dice = Dice(VERSION, group, number)
    plan = draw_plan(dice)
    doors = hang_doors(plan, dice)
    furniture = furnish(plan, doors, dice)
    floors = []
    walls = []
    shared = dice.pick(_FLOORS["wood"])
    for room in plan.rooms:
        if room.kind in _TILED:
            floors.append(dice.pick(_FLOORS["tiles"]))
        elif room.kind in ("bedroom", "office") and dice.chance(40):
            floors.append(dice.pick(_FLOORS["carpet"]))
        else:
            floors.append(shared)
        walls.append(("paint", dice.pick(_PAINTS)))
    return House(scene_id, plan, doors, furniture, tuple(floors), tuple(walls))
