"""Where a body can walk in a house, on a raster of each level: an independent check of the furnishing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from vlnenv.houses.plans.plan import OUTSIDE, STOREY_CM
from vlnenv.houses.plans.rect import Rect

if TYPE_CHECKING:
    from vlnenv.houses.house import House

CELL_CM = 5
BODY_RADIUS_CM = 20
BODY_HEIGHT_CM = 150
FRAME_CM = 5
"""What a door's frame takes of the opening on either side."""
_STEP_OVER_CM = 4


@dataclass(frozen=True, eq=False)
class FloorRaster:
    """The floor of one level in cells of `CELL_CM`."""

    origin: tuple[int, int]
    """x, z of the first cell's corner, centimetres."""
    standing: np.ndarray
    """bool (z, x): the middle of a body can be there."""
    reached: np.ndarray
    """bool (z, x): and it can walk there from the front door."""

    def cells(self, rect: Rect) -> tuple[slice, slice]:
        """Rows and columns of all cells that a rectangle touches."""
        x, z = self.origin
        low_x, low_z = max(0, (rect.x0 - x) // CELL_CM), max(0, (rect.z0 - z) // CELL_CM)
        high_x, high_z = max(0, -(-(rect.x1 - x) // CELL_CM)), max(0, -(-(rect.z1 - z) // CELL_CM))
        return slice(low_z, high_z), slice(low_x, high_x)


def floor_rasters(house: House) -> tuple[FloorRaster, ...]:
    """The floors of a house, lowest first, with what a body of 0.2 m radius reaches from the front door."""
    standing = [_standing(house, level) for level in range(house.plan.levels)]
    rasters = [FloorRaster(_origin(house), where, where & False) for where in standing]
    labels = [ndimage.label(where)[0] for where in standing]
    level, start = _front(house)
    reached = {(level, int(label)) for label in np.unique(labels[level][rasters[level].cells(start)])}
    stairs = house.plan.stairs
    if stairs is not None:
        ends = {
            (number, int(label))
            for number in range(house.plan.levels)
            for label in np.unique(labels[number][rasters[number].cells(stairs.entry)])
            if label
        }
        if any(end in reached for end in ends if end[1]):
            reached |= ends
    found = []
    for number, raster in enumerate(rasters):
        own = [label for where, label in reached if where == number and label]
        found.append(FloorRaster(raster.origin, raster.standing, np.isin(labels[number], own)))
    return tuple(found)


def blocking(house: House, level: int) -> list[Rect]:
    """Rectangles of pieces and open door leaves that a body on a level bumps into."""
    base = level * STOREY_CM
    pieces = [
        piece.rect
        for piece in house.furniture
        if house.rooms[piece.room].level == level
        and piece.bottom < base + BODY_HEIGHT_CM
        and piece.top > base + _STEP_OVER_CM
    ]
    return pieces + [door.leaf for door in house.doors if door.leaf is not None and door.level == level]


def _origin(house: House) -> tuple[int, int]:
    bounds = house.plan.bounds.grown(20)
    return bounds.x0, bounds.z0


def _standing(house: House, level: int) -> np.ndarray:
    bounds = house.plan.bounds.grown(20)
    free = np.zeros((-(-bounds.depth // CELL_CM), -(-bounds.width // CELL_CM)), dtype=bool)
    raster = FloorRaster(_origin(house), free, free)
    for room in house.rooms:
        if room.level == level:
            stairs = house.plan.stairs
            floor = room.inner if stairs is None or room.kind != "stairs" else stairs.entry
            free[raster.cells(floor)] = True
    for door in house.doors:
        if door.level == level and OUTSIDE not in door.rooms:
            hole = door.opening
            if door.along_x:
                clear = Rect(hole.x0 + FRAME_CM, hole.z0, hole.x1 - FRAME_CM, hole.z1)
            else:
                clear = Rect(hole.x0, hole.z0 + FRAME_CM, hole.x1, hole.z1 - FRAME_CM)
            free[raster.cells(clear)] = True
    for rect in blocking(house, level):
        free[raster.cells(rect)] = False
    # From cell middle to cell middle, of which the blocked cell's own half is not free.
    return ndimage.distance_transform_edt(free) * CELL_CM - CELL_CM / 2 >= BODY_RADIUS_CM


def _front(house: House) -> tuple[int, Rect]:
    """Level and floor inside the front door, or the middle of the first room where there is none."""
    for door in house.doors:
        if OUTSIDE in door.rooms:
            inside = house.rooms[max(door.rooms)].inner
            x, z = door.center
            x, z = min(max(x, inside.x0 + 45), inside.x1 - 45), min(max(z, inside.z0 + 45), inside.z1 - 45)
            return door.level, Rect(x - 5, z - 5, x + 5, z + 5)
    inner = house.rooms[0].inner
    x, z = (inner.x0 + inner.x1) // 2, (inner.z0 + inner.z1) // 2
    return 0, Rect(x - 5, z - 5, x + 5, z + 5)
