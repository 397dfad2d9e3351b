"""Geodesic distance to goals on the layered floor, by second-order fast marching."""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.cells import Cells, clearance_at, corners, locate
from vlnenv.sim.navigation.heap import pop, push
from vlnenv.sim.navigation.leaf import leaf
from vlnenv.sim.navigation.motion import line_of_sight

SOURCE_RADIUS_M = 2.0
"""Around a goal, what it sees in a straight line gets the exact distance."""


@leaf
def _upwind(
    cells: Cells, distance: np.ndarray, done: np.ndarray, node: int, axis: int
) -> tuple[float, float, float]:
    """One-sided derivative along an axis: (value, weight, sign) so that it is weight * (T - value) * sign."""
    first, link = np.inf, -1
    for d in (axis, axis + 2):
        j = cells.links[node, d]
        if j >= 0 and done[j] and distance[j] < first:
            first = distance[j]
            link = d
    if link < 0:
        return np.inf, 0.0, 0.0
    sign = 1.0 if link >= 2 else -1.0  # T grows away from the neighbour
    j = cells.links[cells.links[node, link], link]
    if j >= 0 and done[j] and distance[j] <= first:
        return (4.0 * first - distance[j]) / 3.0, 1.5 / cells.cell_m, sign
    return first, 1.0 / cells.cell_m, sign


@leaf
def _solve(cells: Cells, distance: np.ndarray, done: np.ndarray, node: int) -> float:
    """Arrival at a node from its settled neighbours: |grad T| = 1 on the sloping floor.

    With the height's gradient h the metric is I + h h^T, whose inverse is I - c c^T with c = h / sqrt(1 +
    h.h).
    """
    hx, hz = float(cells.slope[node, 0]), float(cells.slope[node, 1])
    scale = 1.0 / (1.0 + hx * hx + hz * hz)
    mxx, mzz, mxz = 1.0 - hx * hx * scale, 1.0 - hz * hz * scale, -hx * hz * scale
    x, wx, sx = _upwind(cells, distance, done, node, 0)
    z, wz, sz = _upwind(cells, distance, done, node, 1)
    best = np.inf
    if wx > 0.0:
        best = x + np.sqrt(1.0 + hx * hx) / wx
    if wz > 0.0:
        best = min(best, z + np.sqrt(1.0 + hz * hz) / wz)
    if wx > 0.0 and wz > 0.0:
        cross = 2.0 * mxz * wx * wz * sx * sz
        a = mxx * wx * wx + mzz * wz * wz + cross
        b = -2.0 * (mxx * wx * wx * x + mzz * wz * wz * z) - cross * (x + z)
        c = mxx * wx * wx * x * x + mzz * wz * wz * z * z + cross * x * z - 1.0
        root = b * b - 4.0 * a * c
        if root >= 0.0:
            both = (-b + np.sqrt(root)) / (2.0 * a)
            if both >= x and both >= z:
                best = min(best, both) if mxz != 0.0 else both
    return best


@njit(cache=True)
def march(cells: Cells, goal_m: np.ndarray) -> np.ndarray:
    """Walking distance of every node to the nearest of several goals.

    Args:
        cells: The floor.
        goal_m: float64 (g, 3); those off the floor are passed over.

    Returns:
        float64 (n,) metres, inf where no goal can be reached. Nodes beside the navigable ones carry a linear
        extension, for interpolation.
    """
    n = len(cells.column)
    distance = np.full(n, np.inf)
    fixed = np.zeros(n, dtype=np.bool_)
    done = np.zeros(n, dtype=np.bool_)
    heap = np.empty(n, dtype=np.int32)
    slot = np.full(n, -1, dtype=np.int32)
    size = 0
    reach = int(SOURCE_RADIUS_M / cells.cell_m)
    for g in range(len(goal_m)):
        gx, gy, gz = goal_m[g, 0], goal_m[g, 1], goal_m[g, 2]
        source = locate(cells, gx, gy, gz, cells.climb_m + 1e-6)
        if source < 0:
            continue
        here = clearance_at(cells, source, gx, gz)[0]
        if here < cells.radius_m - 1.5 * cells.cell_m:
            continue
        needed = min(here, cells.radius_m) - 1e-6
        cx, cz = cells.column[source] // cells.shape_z, cells.column[source] % cells.shape_z
        for ix in range(max(cx - reach, 0), min(cx + reach, cells.shape_x - 1) + 1):
            for iz in range(max(cz - reach, 0), min(cz + reach, cells.shape_z - 1) + 1):
                x = cells.origin_x + (ix + 0.5) * cells.cell_m
                z = cells.origin_z + (iz + 0.5) * cells.cell_m
                if (x - gx) ** 2 + (z - gz) ** 2 > SOURCE_RADIUS_M**2:
                    continue
                column = ix * cells.shape_z + iz
                for k in range(cells.start[column], cells.start[column + 1]):
                    if cells.island[k] < 0 or abs(cells.height_m[k] - gy) > SOURCE_RADIUS_M:
                        continue
                    seen, length = line_of_sight(cells, source, gx, gz, x, z, needed)
                    if seen == k and length < distance[k]:
                        distance[k] = length
                        fixed[k] = True
                        size = push(heap, size, slot, distance, k)
    while size > 0:
        i = pop(heap, size, slot, distance)
        size -= 1
        done[i] = True
        for d in range(4):
            j = cells.links[i, d]
            if j < 0 or done[j] or fixed[j] or cells.island[j] < 0:
                continue
            arrival = _solve(cells, distance, done, j)
            if arrival < distance[j]:
                distance[j] = arrival
                size = push(heap, size, slot, distance, j)
    _extend(cells, distance, done)
    return distance


@njit(cache=True)
def _extend(cells: Cells, distance: np.ndarray, done: np.ndarray) -> None:
    """Continue the field linearly by one and a half cells into the nodes beside the navigable ones."""
    for _ in range(2):
        border = np.empty(len(distance), dtype=np.int32)
        value = np.empty(len(distance))
        count = 0
        for i in range(len(distance)):
            if distance[i] < np.inf or cells.clearance_m[i] < cells.radius_m - 2.0 * cells.cell_m:
                continue
            total, terms = 0.0, 0
            nearest = np.inf
            for d in range(8):
                j = cells.links[i, d]
                if j < 0 or not done[j]:
                    continue
                step = cells.cell_m * (1.0 if d < 4 else np.sqrt(2.0))
                nearest = min(nearest, distance[j] + step)
                k = cells.links[j, d]
                if k >= 0 and done[k]:
                    total += distance[j] + min(max(distance[j] - distance[k], -step), step)
                    terms += 1
            if nearest < np.inf:
                border[count] = i
                value[count] = min(total / terms, nearest) if terms > 0 else nearest
                count += 1
        for b in range(count):
            distance[border[b]] = value[b]
            done[border[b]] = True


@njit(cache=True)
def look_up(cells: Cells, distance: np.ndarray, goal_m: np.ndarray, position_m: np.ndarray) -> np.ndarray:
    """Interpolated walking distance (n,) at each position; straight where a goal is near and in sight."""
    out = np.full(len(position_m), np.inf)
    for i in range(len(position_m)):
        x, y, z = position_m[i, 0], position_m[i, 1], position_m[i, 2]
        node = locate(cells, x, y, z, cells.climb_m + 1e-6)
        if node < 0:
            continue
        here = clearance_at(cells, node, x, z)[0]
        if here < cells.radius_m - 1.5 * cells.cell_m:
            continue
        j, k, m, a, b, _, _ = corners(cells, node, x, z)
        total, weights = 0.0, 0.0
        around = (np.int64(node), np.int64(j), np.int64(k), np.int64(m))
        shares = ((1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b)
        for at in range(4):
            corner, weight = around[at], shares[at]
            if corner >= 0 and distance[corner] < np.inf:
                total += weight * distance[corner]
                weights += weight
        if weights > 0.0:
            out[i] = total / weights
        if out[i] > 0.5 * SOURCE_RADIUS_M:
            continue
        for g in range(len(goal_m)):
            gx, gy, gz = goal_m[g, 0], goal_m[g, 1], goal_m[g, 2]
            if (gx - x) ** 2 + (gz - z) ** 2 > SOURCE_RADIUS_M**2:
                continue
            target = locate(cells, gx, gy, gz, cells.climb_m + 1e-6)
            if target < 0:
                continue
            needed = min(here, cells.radius_m, clearance_at(cells, target, gx, gz)[0]) - 1e-6
            seen, length = line_of_sight(cells, node, x, z, gx, gz, needed)
            if seen == target:
                # In sight: exact, also where a corner of the cell is not.
                out[i] = min(out[i], length) if out[i] < length - cells.cell_m else length
    return out
