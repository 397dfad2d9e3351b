"""Shortest paths: descent of a distance field, then string pulling by lines of sight."""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.cells import Cells, clearance_at, height_at, locate
from vlnenv.sim.navigation.leaf import leaf
from vlnenv.sim.navigation.motion import line_of_sight


@leaf
def _centre(cells: Cells, node: int) -> tuple[float, float]:
    c = cells.column[node]
    return (
        cells.origin_x + (c // cells.shape_z + 0.5) * cells.cell_m,
        cells.origin_z + (c % cells.shape_z + 0.5) * cells.cell_m,
    )


@njit(cache=True)
def descend(
    cells: Cells, distance: np.ndarray, start_m: np.ndarray, goal_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes from the start down the distance field until the goal is in sight.

    Args:
        cells: The floor.
        distance: float64 (n,) of `march` from the goal.
        start_m: (3,).
        goal_m: (3,).

    Returns:
        float64 (k, 2) positions x, z, start and goal included, and int32 (k,) their nodes; empty if there is
        no way.
    """
    none = (np.empty((0, 2)), np.empty(0, dtype=np.int32))
    x, z, gx, gz = start_m[0], start_m[2], goal_m[0], goal_m[2]
    first = locate(cells, x, start_m[1], z, cells.climb_m + 1e-6)
    last = locate(cells, gx, goal_m[1], gz, cells.climb_m + 1e-6)
    if first < 0 or last < 0:
        return none
    needed = min(clearance_at(cells, last, gx, gz)[0], cells.radius_m) - 1e-6
    here = min(clearance_at(cells, first, x, z)[0], cells.radius_m) - 1e-6
    points = [(x, z)]
    nodes = [first]
    node = first
    seen, _ = line_of_sight(cells, first, x, z, gx, gz, min(here, needed))
    if seen != last:
        best, node = np.inf, -1
        for ring in range(2):  # the corners around the start that it sees, then one cell further
            for d in range(-1, 8):
                j = first if d < 0 else cells.links[first, d]
                if j >= 0 and ring == 1 and d >= 0:
                    j = cells.links[j, d]
                if j < 0 or cells.island[j] < 0 or distance[j] == np.inf:
                    continue
                cx, cz = _centre(cells, j)
                seen, length = line_of_sight(cells, first, x, z, cx, cz, here)
                if seen == j and distance[j] + length < best:
                    best = distance[j] + length
                    node = j
            if node >= 0:
                break
        if node < 0:
            return none
        limit = len(cells.column)
        while limit > 0:
            limit -= 1
            cx, cz = _centre(cells, node)
            points.append((cx, cz))
            nodes.append(node)
            if (cx - gx) ** 2 + (cz - gz) ** 2 < 4.0:
                seen, _ = line_of_sight(cells, node, cx, cz, gx, gz, needed)
                if seen == last:
                    break
            steepest, next_node = 0.0, -1
            for d in range(8):
                j = cells.links[node, d]
                if j < 0 or cells.island[j] < 0:
                    continue
                drop = (distance[node] - distance[j]) * (1.0 if d < 4 else np.sqrt(0.5))
                if drop > steepest:
                    jx, jz = _centre(cells, j)
                    if d >= 4 and line_of_sight(cells, node, cx, cz, jx, jz, cells.radius_m - 1e-6)[0] != j:
                        continue
                    steepest = drop
                    next_node = j
            if next_node < 0:
                return none
            node = next_node
    points.append((gx, gz))
    nodes.append(last)
    out = np.empty((len(points), 2))
    out_nodes = np.empty(len(points), dtype=np.int32)
    for i in range(len(points)):
        out[i, 0], out[i, 1] = points[i]
        out_nodes[i] = nodes[i]
    return out, out_nodes


@leaf
def _clear(cells: Cells, node: int, a: np.ndarray, b: np.ndarray, target: int, needed: float) -> bool:
    return line_of_sight(cells, node, a[0], a[1], b[0], b[1], needed)[0] == target


@njit(cache=True)
def pulled(cells: Cells, points: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shorten a chain of points: drop those that a straight line passes over, then slide the rest to the
    inside.

    Returns:
        The points (k, 2) and nodes (k,) that remain.
    """
    needed = cells.radius_m - 1e-6
    for p in (0, len(points) - 1):
        needed = min(needed, clearance_at(cells, nodes[p], points[p, 0], points[p, 1])[0] - 1e-6)
    points = points.copy()
    nodes = nodes.copy()
    for _ in range(4):
        points, nodes = _shortcut(cells, points, nodes, needed)
        shortened = 0.0
        for i in range(1, len(points) - 1):
            # Bisect the vertex towards the middle of its neighbours as far as both legs stay clear.
            a, b, c = points[i - 1].copy(), points[i].copy(), points[i + 1].copy()
            before = np.hypot(b[0] - a[0], b[1] - a[1]) + np.hypot(c[0] - b[0], c[1] - b[1])
            ac = c - a
            share = ((b - a) * ac).sum() / max((ac * ac).sum(), 1e-12)
            foot = a + min(max(share, 0.0), 1.0) * ac
            low, high = 0.0, 1.0
            for _step in range(6):
                t = 0.5 * (low + high)
                trial = b + t * (foot - b)
                seen, _ = line_of_sight(cells, nodes[i], b[0], b[1], trial[0], trial[1], needed)
                if (
                    seen >= 0
                    and _clear(cells, nodes[i - 1], a, trial, seen, needed)
                    and _clear(cells, seen, trial, c, nodes[i + 1], needed)
                ):
                    low = t
                else:
                    high = t
            if low > 0.0:
                trial = b + low * (foot - b)
                nodes[i], _ = line_of_sight(cells, nodes[i], b[0], b[1], trial[0], trial[1], needed)
                points[i] = trial
                after = np.hypot(trial[0] - a[0], trial[1] - a[1]) + np.hypot(
                    c[0] - trial[0], c[1] - trial[1]
                )
                shortened += before - after
        if shortened < 1e-3:
            break
    return points, nodes


@njit(cache=True)
def _shortcut(
    cells: Cells, points: np.ndarray, nodes: np.ndarray, needed: float
) -> tuple[np.ndarray, np.ndarray]:
    """Keep from each point only the farthest later one in sight (doubling, then bisection)."""
    keep = [0]
    at = 0
    last = len(points) - 1
    while at < last:
        good, step = at + 1, 2
        while at + step <= last and _clear(
            cells, nodes[at], points[at], points[at + step], nodes[at + step], needed
        ):
            good = at + step
            step *= 2
        bad = min(at + step, last + 1)
        while bad - good > 1:
            middle = (good + bad) // 2
            if _clear(cells, nodes[at], points[at], points[middle], nodes[middle], needed):
                good = middle
            else:
                bad = middle
        keep.append(good)
        at = good
    out = np.empty((len(keep), 2))
    out_nodes = np.empty(len(keep), dtype=np.int32)
    for i in range(len(keep)):
        out[i] = points[keep[i]]
        out_nodes[i] = nodes[keep[i]]
    return out, out_nodes


@njit(cache=True)
def lifted(
    cells: Cells, points: np.ndarray, nodes: np.ndarray, spacing_m: float, tolerance_m: float
) -> np.ndarray:
    """Put a chain on the floor: heights at its points, and extra points where the floor bends in between.

    Returns:
        float64 (k, 3).
    """
    xs, ys, zs = [points[0, 0]], [height_at(cells, nodes[0], points[0, 0], points[0, 1])], [points[0, 1]]
    for i in range(1, len(points)):
        ax, az = points[i - 1]
        bx, bz = points[i]
        pieces = max(1, int(np.ceil(np.hypot(bx - ax, bz - az) / spacing_m)))
        y0 = height_at(cells, nodes[i - 1], ax, az)
        y1 = height_at(cells, nodes[i], bx, bz)
        profile = np.empty(pieces + 1)
        profile[0], profile[pieces] = y0, y1
        node, px, pz = nodes[i - 1], ax, az
        for s in range(1, pieces):
            t = s / pieces
            x, z = ax + t * (bx - ax), az + t * (bz - az)
            node, _ = line_of_sight(cells, node, px, pz, x, z, -1.0)
            if node < 0:
                profile[s:pieces] = y1
                break
            profile[s] = height_at(cells, node, x, z)
            px, pz = x, z
        # Greedy: the longest run whose chord stays within the tolerance of the floor.
        begin = 0
        while begin < pieces:
            end = pieces
            while end > begin + 1:
                worst = 0.0
                for s in range(begin + 1, end):
                    chord = profile[begin] + (profile[end] - profile[begin]) * (s - begin) / (end - begin)
                    worst = max(worst, abs(profile[s] - chord))
                if worst <= tolerance_m:
                    break
                end -= 1
            t = end / pieces
            xs.append(ax + t * (bx - ax))
            ys.append(profile[end])
            zs.append(az + t * (bz - az))
            begin = end
    out = np.empty((len(xs), 3))
    for i in range(len(xs)):
        out[i, 0], out[i, 1], out[i, 2] = xs[i], ys[i], zs[i]
    return out
