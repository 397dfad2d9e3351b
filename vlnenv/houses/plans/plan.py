"""The facts of a floor plan: rectangles, rooms, walls with openings, stairs. Integer centimetres."""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.plans.rect import Rect
from vlnenv.houses.plans.stairs import Stairs

WALL_CM = 10
"""Thickness of every wall."""
HEIGHT_CM = 260
"""Floor to ceiling."""
STOREY_CM = 290
"""From the floor of one level to the floor of the next."""
DOOR_CM = 100
"""Width of a door's opening in the wall; the frame takes 5 on either side and leaves 90 clear."""
DOOR_HEIGHT_CM = 210
ARCH_HEIGHT_CM = 225
OUTSIDE = -1
"""Room index of the world outside."""


@dataclass(frozen=True)
class Room:
    """A room of the plan."""

    index: int
    kind: str
    """"living room", "kitchen", "hallway", ...: a key of `room_kinds.AREAS_DM2`."""
    name: str
    """Unique in the house: "bedroom_2"."""
    cell: Rect
    """Up to the middle of the walls."""
    level: int = 0
    """0 is the ground floor, 1 the upper floor."""

    @property
    def inner(self) -> Rect:
        """The floor between the walls."""
        return self.cell.grown(-WALL_CM // 2)

    @property
    def floor_cm(self) -> int:
        """Height of the floor."""
        return self.level * STOREY_CM


@dataclass(frozen=True)
class Opening:
    """A hole in a wall: from `low` to `high` along it, from `sill` to `head` above the level's floor."""

    kind: str
    """"door", "front door" (closed), "arch" (wide, without a leaf) or "window"."""
    low: int
    high: int
    sill: int
    head: int


@dataclass(frozen=True)
class Wall:
    """A piece of wall between two rooms, or a room and the outside."""

    along_x: bool
    """Runs along x at z = `line`; else along z at x = `line`."""
    line: int
    """Middle of the wall."""
    low: int
    high: int
    """Ends along the wall."""
    before: int
    """Room on the side of smaller coordinates, or `OUTSIDE`."""
    after: int
    """Room on the side of larger coordinates, or `OUTSIDE`."""
    openings: tuple[Opening, ...] = ()
    level: int = 0
    """Of the rooms beside it."""

    @property
    def rooms(self) -> tuple[int, int]:
        """Both sides."""
        return (self.before, self.after)


@dataclass(frozen=True)
class FloorPlan:
    """Rooms of one or two levels that do not overlap, and the walls between them."""

    rooms: tuple[Room, ...]
    """The rooms of the ground floor first, those that one walks through (hallways) at the head of each."""
    walls: tuple[Wall, ...]
    stairs: Stairs | None = None
    """The way between the levels; None where there is one level only."""

    @property
    def levels(self) -> int:
        """How many floors the house has."""
        return 1 + max(room.level for room in self.rooms)

    @property
    def bounds(self) -> Rect:
        """Up to the middle of the outer walls."""
        cells = [room.cell for room in self.rooms]
        return Rect(
            min(c.x0 for c in cells),
            min(c.z0 for c in cells),
            max(c.x1 for c in cells),
            max(c.z1 for c in cells),
        )
