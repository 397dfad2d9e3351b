"""Parts that many pieces share: panelled fronts, pulls, feet, and boxes that show a whole picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from vlnenv.houses.catalogue.parts import panel
from vlnenv.houses.catalogue.shape import Shape, Top, compose
from vlnenv.houses.construction.solids import Solid, Surface, box, cylinder
from vlnenv.houses.looks.textures import FINISHES

STEEL: Surface = ("metal", "silver")
BRASS: Surface = ("metal", "gold")
IRON: Surface = ("metal", "black")
BLACK: Surface = ("plastic", "black")
DARK: Surface = ("plastic", "dark grey")
WHITE: Surface = ("enamel", "white")
GLASS: Surface = ("glass", "glass")
SCREEN: Surface = ("plain", "screen")
GLOW: Surface = ("plain", "glow")

WOOD_COLORS = ("brown", "brown", "white", "black", "grey", "beige")
BRIGHT = ("red", "blue", "green", "yellow", "orange", "purple", "pink", "turquoise", "white", "grey")
CALM = ("white", "white", "grey", "black", "beige", "blue", "green")


def front(
    x0: float, y0: float, x1: float, y1: float, z: float, surface: Surface, style: str = "flat"
) -> list[Solid]:
    """A door or drawer front from z to z + 2 cm with a gap around it; `style` as in `parts.panel`."""
    return panel(style, x0 + 0.4, y0 + 0.4, x1 - 0.4, y1 - 0.4, z, surface)


def pull(x: float, y: float, z: float, length: float, upright: bool, surface: Surface) -> Solid:
    """A square bar handle around (x, y) on a front at z, standing out 3 cm."""
    half = length / 2
    if upright:
        return box(x - 0.8, y - half, z, x + 0.8, y + half, z + 3, surface)
    return box(x - half, y - 0.8, z, x + half, y + 0.8, z + 3, surface)


def feet(
    x0: float, z0: float, x1: float, z1: float, high: float, thick: float, surface: Surface
) -> list[Solid]:
    """Four square feet at the corners of a rectangle."""
    return [
        box(x, 0, z, x + thick, high, z + thick, surface) for x in (x0, x1 - thick) for z in (z0, z1 - thick)
    ]


def studs(
    x0: float, z0: float, x1: float, z1: float, high: float, radius: float, surface: Surface
) -> list[Solid]:
    """Four round feet inside the corners of a rectangle."""
    return [
        cylinder(x, z, 0, high, radius, surface, 8)
        for x in (x0 + radius, x1 - radius)
        for z in (z0 + radius, z1 - radius)
    ]


def fitted(width: int, depth: int, solids: Sequence[Solid], tops: Iterable[Top] = ()) -> Shape:
    """A shape just as high as its solids, in whole centimetres."""
    high = max(float(solid.vertices[:, 1].max()) for solid in solids)
    return compose(width, depth, math.ceil(high), solids, tops)


def stretched(shape: Shape, across: int, up: int, deep: int) -> Shape:
    """A shape without tops in other proportions; each in percent."""
    share = np.array((across, up, deep)) / 100
    solids = [replace(solid, vertices=np.round(solid.vertices * share, 2)) for solid in shape.solids]
    return fitted(math.ceil(shape.width * share[0]), math.ceil(shape.depth * share[2]), solids)


def shown(
    x0: float,
    y0: float,
    z0: float,
    x1: float,
    y1: float,
    z1: float,
    surface: Surface,
) -> Solid:
    """A box whose front (+z) shows its texture once and whole."""
    return painted(box(x0, y0, z0, x1, y1, z1, surface), x0, y0, x1, y1)


def painted(solid: Solid, x0: float, y0: float, x1: float, y1: float, lying: bool = False) -> Solid:
    """A solid with its texture spread once over a rectangle in x and y, or in x and -z where it lies."""
    corners = solid.vertices[solid.faces]
    across = (corners[..., 0] - x0) / (x1 - x0)
    up = ((y1 - corners[..., 2]) if lying else (corners[..., 1] - y0)) / (y1 - y0)
    # Not quite to the edge, where the texture begins again.
    share = 0.01 + 0.98 * np.stack([across, up], axis=-1)
    return replace(solid, uv=share * FINISHES[solid.surface[0]])
