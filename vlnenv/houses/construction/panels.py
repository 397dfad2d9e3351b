"""Flat pieces of floors, ceilings and walls, cut into a grid so that baked light can vary over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlnenv.houses.construction.solids import Solid, Surface

_ACROSS = ((2, 1), (0, 2), (0, 1))
"""The axes that span a panel whose normal is along x, y or z: the first along the texture's u."""
_EDGE_CM = (10, 28)
"""Lines of the grid this far from a panel's ends: light changes fastest in corners."""


def panel(
    axis: int,
    at: float,
    sign: int,
    first: tuple[int, int],
    second: tuple[int, int],
    surface: Surface,
    grid: tuple[Sequence[int], Sequence[int]] = ((), ()),
) -> Solid:
    """A rectangle across an axis, seen from one side.

    Args:
        axis: 0, 1 or 2: its normal is along x, y or z.
        at: Where on that axis, centimetres.
        sign: 1 faces larger coordinates, -1 smaller.
        first: Extent along z (axis 0) or x (axes 1 and 2), whole centimetres.
        second: Extent along y (axes 0 and 2) or z (axis 1).
        surface: Its surface.
        grid: Where to cut it along both; what lies outside does nothing.
    """
    u, v = _cuts(first, grid[0]), _cuts(second, grid[1])
    vertices = np.empty((len(u), len(v), 3))
    vertices[..., axis] = at
    vertices[..., _ACROSS[axis][0]] = u[:, None]
    vertices[..., _ACROSS[axis][1]] = v[None, :]
    corner = np.arange(len(u) * len(v), dtype=np.int32).reshape(len(u), len(v))
    quads = np.stack([corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]], axis=-1)
    faces = quads.reshape(-1, 4)[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    # u x v points along +z for axis 2, and along -x and -y for the others.
    if (sign > 0) != (axis == 2):
        faces = faces[:, ::-1]
    points = vertices.reshape(-1, 3)
    faces = np.ascontiguousarray(faces)
    return Solid(points, faces, points[faces][..., list(_ACROSS[axis])], surface)


def grid_lines(low: int, high: int, step_cm: int) -> list[int]:
    """Lines from `low` to `high` at most `step_cm` apart, closer at both ends, where corners darken."""
    edges = [edge for edge in (0, *_EDGE_CM) if 2 * edge + 20 <= high - low]
    start, end = low + edges[-1], high - edges[-1]
    count = max(1, -(-(end - start) // step_cm))
    middle = [start + (end - start) * k // count for k in range(count + 1)]
    return [*(low + e for e in edges[:-1]), *middle, *(high - e for e in reversed(edges[:-1]))]


def _cuts(extent: tuple[int, int], lines: Sequence[int]) -> np.ndarray:
    low, high = extent
    # No slivers: a line close to an end is dropped.
    inner = [line for line in lines if low + 4 <= line <= high - 4]
    return np.array([low, *inner, high], dtype=np.float64)
