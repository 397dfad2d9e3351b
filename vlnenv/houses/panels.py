"""Flat pieces of floors, ceilings and walls, cut into a grid so that baked light can vary over them."""

from __future__ import annotations

import numpy as np

from vlnenv.houses.solids import Solid, Surface

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
    step_cm: int = 50,
) -> Solid:
    """A rectangle across an axis, seen from one side.

    Args:
        axis: 0, 1 or 2: its normal is along x, y or z.
        at: Where on that axis, centimetres.
        sign: 1 faces larger coordinates, -1 smaller.
        first: Extent along z (axis 0) or x (axes 1 and 2), whole centimetres.
        second: Extent along y (axes 0 and 2) or z (axis 1).
        surface: Its surface.
        step_cm: Largest side of a cell of the grid.
    """
    u, v = _ticks(*first, step_cm), _ticks(*second, step_cm)
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
    vertices = vertices.reshape(-1, 3)
    faces = np.ascontiguousarray(faces)
    return Solid(vertices, faces, vertices[faces][..., list(_ACROSS[axis])], surface)


def _ticks(low: int, high: int, step_cm: int) -> np.ndarray:
    """Ends of the cells from `low` to `high`, narrower at both ends."""
    length = high - low
    if length <= step_cm // 2 or step_cm >= length:
        return np.array([low, high], dtype=np.float64)
    edges = [edge for edge in _EDGE_CM if 2 * edge + 20 <= length]
    start, end = low + (edges[-1] if edges else 0), high - (edges[-1] if edges else 0)
    count = max(1, -(-(end - start) // step_cm))
    inner = [start + (end - start) * k // count for k in range(count + 1)]
    outer = [low + edge for edge in (0, *edges[:-1])] if edges else []
    return np.array([*outer, *inner, *(low + high - tick for tick in reversed(outer))], dtype=np.float64)
