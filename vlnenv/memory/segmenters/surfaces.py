"""What depth says of the surface in each cell of the patch grid, and of two cells side by side."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from vlnenv.memory.encoder import PATCH_GRID

_UNKNOWN = 1e9
_AGREE = 0.01  # of the inverse depth, over the reach
_STRAIGHTER = 0.001  # of the inverse depth
_SIDES = ((0, 1), (1, 0), (1, 1), (1, -1))  # right, down, down right, down left


def _grid_edges() -> np.ndarray:
    pairs = []
    for row_step, column_step in _SIDES:
        for row in range(PATCH_GRID - row_step):
            for column in range(max(0, -column_step), PATCH_GRID - max(0, column_step)):
                first = row * PATCH_GRID + column
                pairs.append((first, first + row_step * PATCH_GRID + column_step))
    return np.array(pairs, dtype=np.int64)


GRID_EDGES = _grid_edges()
"""int64 (2162, 2) the pairs of 8-neighbours of the patch grid, cells row by row."""


@njit(cache=True)
def _side_slope(inverse: np.ndarray, start: int, step: int, reach: int) -> tuple[float, float]:
    """Slope a pixel from `start` over `reach` pixels to one side, and how far from straight it runs there."""
    last = start + step * reach
    if last < 0 or last >= len(inverse) or inverse[last] <= 0.0:
        return 0.0, _UNKNOWN
    slope = (inverse[last] - inverse[start]) / (step * reach)
    bend = 0.0
    for i in range(1, reach):
        here = inverse[start + step * i]
        if here <= 0.0:
            return 0.0, _UNKNOWN
        bend = max(bend, abs(here - inverse[start] - slope * step * i))
    return slope, bend


@njit(cache=True)
def _axis_slope(inverse: np.ndarray, start: int, reach: int) -> float:
    """Slope a pixel at `start`: the mean of both sides where they agree, else that of the straighter side."""
    before, before_bend = _side_slope(inverse, start, -1, reach)
    after, after_bend = _side_slope(inverse, start, 1, reach)
    if before_bend >= _UNKNOWN:
        return after  # 0 where neither side is known
    if after_bend >= _UNKNOWN:
        return before
    if abs(before - after) * reach < _AGREE * inverse[start]:
        return 0.5 * (before + after)
    if abs(before_bend - after_bend) > _STRAIGHTER * inverse[start]:
        return before if before_bend < after_bend else after
    return before if abs(before) < abs(after) else after  # a step is steep and may be as straight


@njit(cache=True)
def cell_planes(
    depth_m: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    focal_px: float,
    max_depth_m: float,
    reach: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The plane through the surface at each cell's pixel.

    The inverse depth of a plane is an affine function of the image coordinates, so its slopes across and down
    give the plane with no bias from perspective. Each slope is taken to the side on which the surface runs
    straight, so that a cell beside an edge gets its own surface's plane and not a mixture.

    Args:
        depth_m: float32 (height, width) along the optical axis, 0 where nothing was hit.
        rows: int64 (24,) the cells' pixel rows.
        columns: int64 (24,) their pixel columns.
        focal_px: Focal length, pixels.
        max_depth_m: A depth of at least this counts as nothing.
        reach: How many pixels to each side a slope is taken over, at least 1.

    Returns:
        bool (576,) whether the cell shows a surface; float64 (576, 3) inverse depth and its slopes a pixel
        across and down; float64 (576, 3) points and (576, 3) unit normals that face the camera, both in the
        camera frame (x right, y up, z = -depth), metres.
    """
    height, width = depth_m.shape
    grid = len(rows)
    inverse = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            d = depth_m[i, j]
            if d > 0.0 and d < max_depth_m:
                inverse[i, j] = 1.0 / d
    valid = np.zeros(grid * grid, dtype=np.bool_)
    plane = np.zeros((grid * grid, 3))
    point = np.zeros((grid * grid, 3))
    normal = np.zeros((grid * grid, 3))
    for i in range(grid):
        for j in range(grid):
            row, column, cell = rows[i], columns[j], i * grid + j
            q = inverse[row, column]
            if q <= 0.0:
                continue
            valid[cell] = True
            across = _axis_slope(inverse[row], column, reach)
            down = _axis_slope(inverse[:, column], row, reach)
            u = (column + 0.5 - width / 2.0) / focal_px
            v = -(row + 0.5 - height / 2.0) / focal_px
            plane[cell] = q, across, down
            point[cell] = u / q, v / q, -1.0 / q
            # n . (u, v, -1) is proportional to q on the plane n . x = const.
            nx, ny = across * focal_px, -down * focal_px
            nz = -(q - nx * u - ny * v)
            length = math.sqrt(nx * nx + ny * ny + nz * nz)
            normal[cell] = -nx / length, -ny / length, -nz / length
    return valid, plane, point, normal


@njit(cache=True)
def edge_geometry(
    edges: np.ndarray,
    valid: np.ndarray,
    plane: np.ndarray,
    point: np.ndarray,
    normal: np.ndarray,
    row_px: int,
    column_px: int,
    grid: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How two neighbouring cells' surfaces meet.

    Args:
        edges: int64 (e, 2) cells.
        valid: bool (c,) as `cell_planes` gives it, like the next three.
        plane: float64 (c, 3).
        point: float64 (c, 3).
        normal: float64 (c, 3).
        row_px: Pixels from a cell to the one below.
        column_px: Pixels from a cell to the one on its right.
        grid: Cells across.

    Returns:
        bool (e,) whether both show a surface; float64 (e,) gap: how far apart their planes stay between the
        two pixels, metres along the optical axis, 0 where they meet; float64 (e,) angle between the normals,
        radians, positive where the two surfaces form a ridge (convex), negative for a valley (concave). Gap
        and angle are 0 where one shows none.
    """
    count = len(edges)
    usable = np.zeros(count, dtype=np.bool_)
    gap, angle = np.zeros(count), np.zeros(count)
    for e in range(count):
        a, b = edges[e]
        if not (valid[a] and valid[b]):
            continue
        usable[e] = True
        down = (b // grid - a // grid) * row_px
        across = (b % grid - a % grid) * column_px
        # Difference of the planes' inverse depths at either pixel; where its sign changes they meet between.
        at_a = plane[a, 0] - (plane[b, 0] - plane[b, 1] * across - plane[b, 2] * down)
        at_b = plane[a, 0] + plane[a, 1] * across + plane[a, 2] * down - plane[b, 0]
        if at_a * at_b > 0.0:
            middle = 0.5 * (plane[a, 0] + plane[b, 0])
            gap[e] = min(abs(at_a), abs(at_b)) / (middle * middle)
        dx, dy, dz = point[b, 0] - point[a, 0], point[b, 1] - point[a, 1], point[b, 2] - point[a, 2]
        from_a = normal[a, 0] * dx + normal[a, 1] * dy + normal[a, 2] * dz
        from_b = -(normal[b, 0] * dx + normal[b, 1] * dy + normal[b, 2] * dz)
        cosine = normal[a, 0] * normal[b, 0] + normal[a, 1] * normal[b, 1] + normal[a, 2] * normal[b, 2]
        turn = math.acos(min(1.0, max(-1.0, cosine)))
        # On a ridge each point lies behind the other's plane, whose normal faces the camera.
        angle[e] = turn if from_a + from_b < 0.0 else -turn
    return usable, gap, angle
