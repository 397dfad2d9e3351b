"""The house as a walker knows it: rooms joined by doors, arches and stairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vlnenv.houses.house import House
from vlnenv.houses.plans.plan import OUTSIDE
from vlnenv.houses.routes.polyline import heading_of

STAIRS = "stairs"
"""Kind of the room that a flight of stairs stands in, on both levels."""


@dataclass(frozen=True)
class Passage:
    """A door or an arch between two rooms of one level."""

    rooms: tuple[int, int]
    """Both sides, the room at smaller coordinates first."""
    kind: str
    """"door" or "arch"."""
    along_x: bool
    """Its wall runs along x."""
    center_m: tuple[float, float]
    """x, z of its middle."""
    width_m: float

    def beyond(self, room: int) -> int:
        """The room on the other side."""
        return self.rooms[1] if self.rooms[0] == room else self.rooms[0]

    def heading_from(self, room: int) -> float:
        """Heading, radians, of one who walks out of `room` through it."""
        sign = 1.0 if self.rooms[0] == room else -1.0
        return heading_of(np.array((0.0, 0.0, sign) if self.along_x else (sign, 0.0, 0.0)))

    def distance_m(self, x_m: float, z_m: float) -> float:
        """Distance of a point on the plan from its middle."""
        return math.hypot(self.center_m[0] - x_m, self.center_m[1] - z_m)


def passages_of(house: House) -> tuple[Passage, ...]:
    """All passages that can be walked through; the closed front door is none."""
    return tuple(
        Passage(
            door.rooms,
            door.kind,
            door.along_x,
            (door.center[0] / 100.0, door.center[1] / 100.0),
            (door.opening.width if door.along_x else door.opening.depth) / 100.0,
        )
        for door in house.doors
        if OUTSIDE not in door.rooms
    )


def other_end_of_stairs(house: House, room: int) -> int | None:
    """The stairwell that a stairwell's stairs lead to; None where the room has no stairs."""
    stairs = house.plan.stairs
    if stairs is None or room not in (stairs.lower, stairs.upper):
        return None
    return stairs.upper if room == stairs.lower else stairs.lower
