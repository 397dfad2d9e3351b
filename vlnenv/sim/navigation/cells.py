"""The walkable cells as plain arrays, and how a kernel finds and interpolates them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vlnenv.sim.navigation.leaf import leaf


class Cells(NamedTuple):
    """Nodes of the layered floor: walkable cells and the blocked ones around them, by column and height."""

    start: np.ndarray
    """int64 (columns + 1,): nodes of column `ix * shape_z + iz` are start[c]..start[c + 1]."""
    column: np.ndarray
    """int32 (n,)."""
    links: np.ndarray
    """int32 (n, 8) neighbours along (+x), (+z), (-x), (-z), (+x +z), (-x +z), (-x -z), (+x -z); -1 for
    none.
    """
    height_m: np.ndarray
    """float64 (n,) smoothed height of the floor."""
    slope: np.ndarray
    """float32 (n, 2) gradient of `height_m` along x and z."""
    clearance_m: np.ndarray
    """float64 (n,) distance from the cell's centre to the nearest obstacle."""
    island: np.ndarray
    """int32 (n,) connected navigable part, 0 the largest; -1 where the body's centre can't be."""
    origin_x: float
    origin_z: float
    cell_m: float
    shape_x: int
    shape_z: int
    radius_m: float
    """Least clearance of the body's centre: its radius less a fraction of a cell."""
    climb_m: float


@leaf
def locate(cells: Cells, x: float, y: float, z: float, reach_m: float) -> int:
    """The node of the column over (x, z) that is nearest in height, or -1 if none is within `reach_m`."""
    fx = (x - cells.origin_x) / cells.cell_m
    fz = (z - cells.origin_z) / cells.cell_m
    if not (0.0 <= fx < cells.shape_x and 0.0 <= fz < cells.shape_z):
        return -1
    c = int(fx) * cells.shape_z + int(fz)
    best, node = reach_m, -1
    for k in range(cells.start[c], cells.start[c + 1]):
        gap = abs(cells.height_m[k] - y)
        if gap <= best:
            best = gap
            node = k
    return node


@leaf
def moved_node(cells: Cells, node: int, x: float, z: float) -> int:
    """The node over (x, z), at most one cell from that of `node`, reached by a link; -1 if there is none."""
    c = cells.column[node]
    dx = int(np.floor((x - cells.origin_x) / cells.cell_m)) - c // cells.shape_z
    dz = int(np.floor((z - cells.origin_z) / cells.cell_m)) - c % cells.shape_z
    if dx == 0:
        if dz == 0:
            return node
        return cells.links[node, 1] if dz > 0 else cells.links[node, 3]
    if dz == 0:
        return cells.links[node, 0] if dx > 0 else cells.links[node, 2]
    if dx > 0:
        return cells.links[node, 4] if dz > 0 else cells.links[node, 7]
    return cells.links[node, 5] if dz > 0 else cells.links[node, 6]


@leaf
def corners(cells: Cells, node: int, x: float, z: float) -> tuple[int, int, int, float, float, float, float]:
    """Neighbours and weights of the bilinear interpolation at (x, z) inside the cell of `node`.

    Returns:
        Nodes along x, along z and across (-1 for none); weights a, b in [0, 0.5] towards x and z; signs of
        both.
    """
    c = cells.column[node]
    a = (x - cells.origin_x) / cells.cell_m - (c // cells.shape_z) - 0.5
    b = (z - cells.origin_z) / cells.cell_m - (c % cells.shape_z) - 0.5
    links = cells.links
    if a >= 0.0:
        side = links[node, 0]
        if b >= 0.0:
            return side, links[node, 1], links[node, 4], a, b, 1.0, 1.0
        return side, links[node, 3], links[node, 7], a, -b, 1.0, -1.0
    side = links[node, 2]
    if b >= 0.0:
        return side, links[node, 1], links[node, 5], -a, b, -1.0, 1.0
    return side, links[node, 3], links[node, 6], -a, -b, -1.0, -1.0


@leaf
def clearance_at(cells: Cells, node: int, x: float, z: float) -> tuple[float, float, float]:
    """Bilinear clearance in metres at (x, z) inside the cell of `node`, and its gradient along x and z."""
    i, j, k, a, b, sx, sz = corners(cells, node, x, z)
    v = cells.clearance_m
    v00 = v[node]
    v10 = v[i] if i >= 0 else 0.0
    v01 = v[j] if j >= 0 else 0.0
    v11 = v[k] if k >= 0 else 0.0
    value = (1 - a) * (1 - b) * v00 + a * (1 - b) * v10 + (1 - a) * b * v01 + a * b * v11
    gx = sx * ((1 - b) * (v10 - v00) + b * (v11 - v01)) / cells.cell_m
    gz = sz * ((1 - a) * (v01 - v00) + a * (v11 - v10)) / cells.cell_m
    return value, gx, gz


@leaf
def height_at(cells: Cells, node: int, x: float, z: float) -> float:
    """Bilinear smoothed height of the floor at (x, z) inside the cell of `node`."""
    i, j, k, a, b, _, _ = corners(cells, node, x, z)
    v = cells.height_m
    v00 = v[node]
    v10 = v[i] if i >= 0 else v00
    v01 = v[j] if j >= 0 else v00
    v11 = v[k] if k >= 0 else v00
    return (1 - a) * (1 - b) * v00 + a * (1 - b) * v10 + (1 - a) * b * v01 + a * b * v11
