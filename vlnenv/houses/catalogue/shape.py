"""What a drawn piece of furniture is: solids in a frame of its own, and the tops where small things stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from vlnenv.houses.construction.solids import Solid, Surface, merged, mirrored
from vlnenv.houses.dice import Dice

OPEN_ROOM = 60
"""Free height above a top with nothing over it, centimetres."""


@dataclass(frozen=True)
class Top:
    """A flat place where small things can stand, centimetres in the shape's frame."""

    x0: int
    z0: int
    x1: int
    z1: int
    y: int
    room: int = OPEN_ROOM
    """Free height above it."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One drawn piece in its own frame: back on z = 0, front looking along +z, x across, feet on y = 0."""

    width: int
    depth: int
    height: int
    """Whole centimetres: all vertices lie in [0, width] x [0, height] x [0, depth]."""
    solids: tuple[Solid, ...]
    """One for each surface; the first is of the main one."""
    tops: tuple[Top, ...] = ()


@dataclass(frozen=True)
class FurnitureClass:
    """How a class is drawn."""

    name: str
    """Category as instructions say it: "coffee table"."""
    finishes: tuple[str, ...]
    """Finishes of the main surface, repeated by weight."""
    colors: tuple[str, ...]
    """Colours of the main surface, repeated by weight."""
    draw: Callable[[Dice, Surface], Shape]
    """Draws one piece with its main surface."""
    stands: str = "floor"
    """What carries it: "floor", "wall" (hung), "ceiling" (hung) or "top" (on a `Top`)."""
    front_cm: int = 0
    """Floor in front of it that its use needs, centimetres."""


def flipped(shape: Shape) -> Shape:
    """The shape with left and right swapped."""
    tops = [replace(top, x0=shape.width - top.x1, x1=shape.width - top.x0) for top in shape.tops]
    solids = tuple(mirrored(solid, shape.width) for solid in shape.solids)
    return replace(shape, solids=solids, tops=tuple(tops))


def compose(width: int, depth: int, height: int, solids: Iterable[Solid], tops: Iterable[Top] = ()) -> Shape:
    """A shape of many solids, joined by surface."""
    return Shape(width, depth, height, merged(solids), tuple(tops))
