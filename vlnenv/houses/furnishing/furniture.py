"""One placed piece of furniture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vlnenv.houses.plans.rect import Rect

if TYPE_CHECKING:
    from vlnenv.houses.construction.solids import Solid


@dataclass(frozen=True, eq=False)
class Furniture:
    """One placed piece."""

    name: str
    """Unique in the house: "sofa_2"."""
    category: str
    color: str
    material: str
    """Adjective of its main surface, "wooden", or empty."""
    room: int
    rect: Rect
    """Its box on the floor plan."""
    bottom: int
    """Absolute height of its foot, centimetres: the upper floor is at 290."""
    top: int
    facing: int
    """Quarter turns: 0 looks along +z, 1 along +x, 2 along -z, 3 along -x."""
    support: str
    """"floor", "wall", "ceiling", or the name of the piece that it stands on."""
    solids: tuple[Solid, ...]
    """World frame, centimetres."""


def front_strip(rect: Rect, facing: int, depth_cm: int) -> Rect:
    """The floor in front of a piece."""
    if facing == 0:
        return Rect(rect.x0, rect.z1, rect.x1, rect.z1 + depth_cm)
    if facing == 1:
        return Rect(rect.x1, rect.z0, rect.x1 + depth_cm, rect.z1)
    if facing == 2:
        return Rect(rect.x0, rect.z0 - depth_cm, rect.x1, rect.z0)
    return Rect(rect.x0 - depth_cm, rect.z0, rect.x0, rect.z1)
