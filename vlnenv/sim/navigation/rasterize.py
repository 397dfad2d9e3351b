"""Triangles to slabs: what each triangle occupies in each column of the grid.

A slab is one triangle cut to one column: its height range and a 4 x 4 bit mask of the sub-cells that it
touches in plan. The masks let obstacles be placed to a quarter of a cell, so thin walls and chair legs
always block and still are as thin as they are.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.leaf import leaf

SUBCELLS = 4
"""Sub-cells a side of a cell; a mask has 16 bits, bit `4 * row(z) + column(x)`."""
FULL_MASK = 0xFFFF
FLOOR, FORBIDDEN, HINTED = 1, 2, 4
"""Slab flags: flat enough to stand on; surely not walkable (hint -1); surely floor (hint 1)."""


@leaf
def _clip(polygon: np.ndarray, count: int, axis: int, at: float, keep_above: bool, out: np.ndarray) -> int:
    """Cut a convex polygon (count, 3) by the plane `axis = at`; points on the plane stay."""
    kept = 0
    sign = 1.0 if keep_above else -1.0
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        a = sign * (polygon[i, axis] - at)
        b = sign * (polygon[j, axis] - at)
        if a >= 0.0:
            for k in range(3):
                out[kept, k] = polygon[i, k]
            kept += 1
        if (a > 0.0 and b < 0.0) or (a < 0.0 and b > 0.0):
            t = a / (a - b)
            for k in range(3):
                out[kept, k] = polygon[i, k] + t * (polygon[j, k] - polygon[i, k])
            out[kept, axis] = at
            kept += 1
    return kept


@leaf
def _span(low: float, high: float) -> tuple[int, int]:
    """Half-open cells [first, last] that an interval in cell units touches; at least one."""
    first = int(np.floor(low))
    last = int(np.ceil(high)) - 1
    return first, max(first, last)


@leaf
def _submask(polygon: np.ndarray, count: int, ix: int, iz: int, work: np.ndarray) -> int:
    """Sub-cells of cell (ix, iz) that a polygon inside it touches; coordinates in cell units."""
    area = 0.0
    low, high = polygon[0, 2], polygon[0, 2]
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        area += polygon[i, 0] * polygon[j, 2] - polygon[j, 0] * polygon[i, 2]
        low = min(low, polygon[i, 2])
        high = max(high, polygon[i, 2])
    if abs(area) > 1.9999:
        return FULL_MASK
    mask = 0
    first, last = _span((low - iz) * SUBCELLS, (high - iz) * SUBCELLS)
    for row in range(max(first, 0), min(last, SUBCELLS - 1) + 1):
        kept = _clip(polygon, count, 2, iz + row / SUBCELLS, True, work[0])
        kept = _clip(work[0], kept, 2, iz + (row + 1) / SUBCELLS, False, work[1])
        if kept == 0:
            continue
        left, right = work[1, 0, 0], work[1, 0, 0]
        for i in range(1, kept):
            left = min(left, work[1, i, 0])
            right = max(right, work[1, i, 0])
        a, b = _span((left - ix) * SUBCELLS, (right - ix) * SUBCELLS)
        for column in range(min(max(a, 0), SUBCELLS - 1), min(b, SUBCELLS - 1) + 1):
            mask |= 1 << (row * SUBCELLS + column)
    if mask == 0:  # touches the far edge only
        column = min(max(int((polygon[0, 0] - ix) * SUBCELLS), 0), SUBCELLS - 1)
        row = min(max(int((polygon[0, 2] - iz) * SUBCELLS), 0), SUBCELLS - 1)
        mask = 1 << (row * SUBCELLS + column)
    return mask


@njit(cache=True)
def _face_flags(corners: np.ndarray, hint: int, min_normal_y: float, low_relief_m: float) -> int:
    """Flags of a whole face; noisy scans have steep facets smaller than `low_relief_m`, which are floor."""
    ux, uy, uz = corners[1] - corners[0]
    vx, vy, vz = corners[2] - corners[0]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    length = np.sqrt(nx * nx + ny * ny + nz * nz)
    relief = corners[:, 1].max() - corners[:, 1].min()
    flags = 0
    if hint < 0:
        flags |= FORBIDDEN
    elif abs(ny) >= min_normal_y * length or relief <= low_relief_m:
        flags |= FLOOR
        if hint > 0:
            flags |= HINTED
    return flags


@njit(cache=True)
def slabs_of(
    vertices_m: np.ndarray,
    faces: np.ndarray,
    hint: np.ndarray,
    origin_x: float,
    origin_z: float,
    cell_m: float,
    shape_x: int,
    shape_z: int,
    wanted: np.ndarray,
    min_normal_y: float,
    low_relief_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut every face into slabs.

    Args:
        vertices_m: float64 (v, 3), world frame.
        faces: int (f, 3).
        hint: int8 (f,): 1 floor, 0 unknown, -1 never walkable.
        origin_x: World x of the grid's lower edge.
        origin_z: World z of the grid's lower edge.
        cell_m: Side of a cell.
        shape_x: Cells along x.
        shape_z: Cells along z.
        wanted: bool (shape_x, shape_z); other columns give no slabs.
        min_normal_y: Cosine of the steepest slope that is floor.
        low_relief_m: A face lower than this is floor however steep it is (scan noise).

    Returns:
        Slabs sorted by column (stable): start int64 (columns + 1,), heights float32 (s, 3) = low, high and
        mean, masks uint16 (s,), flags uint8 (s,). Column of a cell is `ix * shape_z + iz`.
    """
    column_wanted = np.zeros((shape_x + 1, shape_z + 1), dtype=np.int64)
    for ix in range(shape_x):
        for iz in range(shape_z):
            column_wanted[ix + 1, iz + 1] = (
                column_wanted[ix, iz + 1] + column_wanted[ix + 1, iz] - column_wanted[ix, iz] + wanted[ix, iz]
            )
    capacity = max(1024, 4 * len(faces))
    columns = np.empty(capacity, dtype=np.int32)
    heights = np.empty((capacity, 3), dtype=np.float32)
    masks = np.empty(capacity, dtype=np.uint16)
    flags = np.empty(capacity, dtype=np.uint8)
    count = 0
    corners = np.empty((3, 3))
    triangle = np.empty((3, 3))
    work = np.empty((6, 16, 3))
    for f in range(len(faces)):
        for k in range(3):
            corners[k] = vertices_m[faces[f, k]]
            triangle[k, 0] = (corners[k, 0] - origin_x) / cell_m
            triangle[k, 1] = corners[k, 1]
            triangle[k, 2] = (corners[k, 2] - origin_z) / cell_m
        x0, x1 = _span(triangle[:, 0].min(), triangle[:, 0].max())
        z0, z1 = _span(triangle[:, 2].min(), triangle[:, 2].max())
        x0, x1 = max(x0, 0), min(x1, shape_x - 1)
        z0, z1 = max(z0, 0), min(z1, shape_z - 1)
        if x0 > x1 or z0 > z1:
            continue
        if (
            column_wanted[x1 + 1, z1 + 1]
            - column_wanted[x0, z1 + 1]
            - column_wanted[x1 + 1, z0]
            + column_wanted[x0, z0]
            == 0
        ):
            continue
        face_flags = _face_flags(corners, hint[f], min_normal_y, low_relief_m)
        for iz in range(z0, z1 + 1):
            kept = _clip(triangle, 3, 2, float(iz), True, work[0])
            kept = _clip(work[0], kept, 2, iz + 1.0, False, work[1])
            if kept == 0:
                continue
            left, right = work[1, 0, 0], work[1, 0, 0]
            for i in range(1, kept):
                left = min(left, work[1, i, 0])
                right = max(right, work[1, i, 0])
            a, b = _span(left, right)
            for ix in range(max(a, x0), min(b, x1) + 1):
                if not wanted[ix, iz]:
                    continue
                inside = _clip(work[1], kept, 0, float(ix), True, work[2])
                inside = _clip(work[2], inside, 0, ix + 1.0, False, work[3])
                if inside == 0:
                    continue
                low, high, total = work[3, 0, 1], work[3, 0, 1], 0.0
                for i in range(inside):
                    low = min(low, work[3, i, 1])
                    high = max(high, work[3, i, 1])
                    total += work[3, i, 1]
                if count == capacity:
                    capacity *= 2
                    columns = _grown(columns, capacity)
                    masks = _grown(masks, capacity)
                    flags = _grown(flags, capacity)
                    taller = np.empty((capacity, 3), dtype=np.float32)
                    taller[:count] = heights
                    heights = taller
                columns[count] = ix * shape_z + iz
                heights[count, 0] = low
                heights[count, 1] = high
                heights[count, 2] = total / inside
                masks[count] = _submask(work[3], inside, ix, iz, work[4:])
                flags[count] = face_flags
                count += 1
    start = np.zeros(shape_x * shape_z + 1, dtype=np.int64)
    for i in range(count):
        start[columns[i] + 1] += 1
    for i in range(shape_x * shape_z):
        start[i + 1] += start[i]
    fill = start[:-1].copy()
    sorted_heights = np.empty((count, 3), dtype=np.float32)
    sorted_masks = np.empty(count, dtype=np.uint16)
    sorted_flags = np.empty(count, dtype=np.uint8)
    for i in range(count):
        at = fill[columns[i]]
        fill[columns[i]] += 1
        sorted_heights[at] = heights[i]
        sorted_masks[at] = masks[i]
        sorted_flags[at] = flags[i]
    return start, sorted_heights, sorted_masks, sorted_flags


@njit(cache=True)
def _grown(array: np.ndarray, capacity: int) -> np.ndarray:
    larger = np.empty(capacity, dtype=array.dtype)
    larger[: len(array)] = array
    return larger
