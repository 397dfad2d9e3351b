"""The Euclidean distance field (ESDF) of a layered floor, and its smoothed height.

Every free node takes the distance of its centre to the nearest obstacle sub-cell. Nearest obstacles travel
along the links of the floor in order of distance (a vector distance transform), so storeys never mix and no
cut of the building into flat layers is needed. On one flat layer it equals the exact transform but for rare
ties.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.heap import pop, push
from vlnenv.sim.navigation.leaf import leaf
from vlnenv.sim.navigation.rasterize import SUBCELLS


@leaf
def _distance(ox: int, oz: int, mask: int) -> float:
    """Distance in sub-cells from a cell's centre to the nearest set sub-cell of the cell (ox, oz) away."""
    best = 1e30
    for bit in range(SUBCELLS * SUBCELLS):
        if mask >> bit & 1:
            x = ox * SUBCELLS + bit % SUBCELLS - 0.5 * (SUBCELLS - 1)
            z = oz * SUBCELLS + bit // SUBCELLS - 0.5 * (SUBCELLS - 1)
            squared = x * x + z * z
            best = min(best, squared)
    return np.sqrt(best)


@njit(cache=True)
def clearance_field(
    links: np.ndarray, column: np.ndarray, mask: np.ndarray, free: np.ndarray, shape_z: int, cell_m: float
) -> np.ndarray:
    """Distance in metres of each node to the nearest obstacle on its floor.

    Args:
        links: int32 (n, 8).
        column: int32 (n,).
        mask: uint16 (n,) filled sub-cells; read for nodes that are not free.
        free: bool (n,).
        shape_z: Cells along z.
        cell_m: Side of a cell.

    Returns:
        float64 (n,); for a node that is not free the distance to its own filled sub-cells.
    """
    n = len(column)
    best = np.full(n, np.inf)
    nearest = np.full(n, -1, dtype=np.int32)
    heap = np.empty(n, dtype=np.int32)
    slot = np.full(n, -1, dtype=np.int32)
    size = 0
    for i in range(n):
        if not free[i]:
            best[i] = 0.0 if mask[i] == 0xFFFF else _distance(0, 0, mask[i])
            continue
        ix, iz = column[i] // shape_z, column[i] % shape_z
        for d in range(8):
            j = links[i, d]
            if j < 0:  # the grid is padded, so this is the far side of a step that only goes one way
                best[i] = min(best[i], 1.0 * SUBCELLS)
            elif not free[j]:
                distance = _distance(column[j] // shape_z - ix, column[j] % shape_z - iz, mask[j])
                if distance < best[i]:
                    best[i] = distance
                    nearest[i] = j
        if best[i] < np.inf:
            size = push(heap, size, slot, best, i)
    while size > 0:
        i = pop(heap, size, slot, best)
        size -= 1
        source = nearest[i]
        if source < 0:
            continue
        sx, sz = column[source] // shape_z, column[source] % shape_z
        for d in range(8):
            j = links[i, d]
            if j < 0 or not free[j]:
                continue
            distance = _distance(sx - column[j] // shape_z, sz - column[j] % shape_z, mask[source])
            if distance < best[j] - 1e-9:
                best[j] = distance
                nearest[j] = source
                if slot[j] == -2:
                    slot[j] = -1
                size = push(heap, size, slot, best, j)
    return best * (cell_m / SUBCELLS)


@njit(cache=True)
def smoothed_height(
    links: np.ndarray, height: np.ndarray, free: np.ndarray, half_width: int, passes: int
) -> np.ndarray:
    """Heights averaged over `2 * half_width + 1` cells along x, then z, `passes` times, over free nodes.

    A staircase becomes a ramp, so that its length is not the sum of its risers and treads.

    Returns:
        float64 (n,); other nodes take the mean of their free neighbours.
    """
    n = len(height)
    current = height.astype(np.float64)
    other = current.copy()
    for _ in range(passes):
        for axis in range(2):
            for i in range(n):
                if not free[i]:
                    continue
                total, count = current[i], 1
                # Both arms have the same length: a one-sided mean would tilt the ends of a ramp.
                ahead, behind = i, i
                for _step in range(half_width):
                    ahead = links[ahead, axis]
                    behind = links[behind, axis + 2]
                    if ahead < 0 or behind < 0 or not free[ahead] or not free[behind]:
                        break
                    total += current[ahead] + current[behind]
                    count += 2
                other[i] = total / count
            current, other = other, current
    for i in range(n):
        if free[i]:
            continue
        total, count = 0.0, 0
        for d in range(8):
            j = links[i, d]
            if j >= 0 and free[j]:
                total += current[j]
                count += 1
        if count > 0:
            current[i] = total / count
    return current


@njit(cache=True)
def slopes(links: np.ndarray, height: np.ndarray, free: np.ndarray, cell_m: float) -> np.ndarray:
    """Gradient float32 (n, 2) of the height along x and z over free neighbours, metres per metre."""
    out = np.zeros((len(height), 2), dtype=np.float32)
    for i in range(len(height)):
        if not free[i]:
            continue
        for axis in range(2):
            ahead, behind = links[i, axis], links[i, axis + 2]
            span = 0
            high, low = height[i], height[i]
            if ahead >= 0 and free[ahead]:
                high = height[ahead]
                span += 1
            if behind >= 0 and free[behind]:
                low = height[behind]
                span += 1
            if span > 0 and abs(high - low) > 1e-4:
                out[i, axis] = (high - low) / (span * cell_m)
    return out
