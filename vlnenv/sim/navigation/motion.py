"""Moving over the floor: sliding steps, lines of sight, the nearest navigable point."""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.cells import Cells, clearance_at, height_at, locate, moved_node
from vlnenv.sim.navigation.leaf import leaf

SUBSTEP_M = 0.025
"""Motion is cut into pieces of this length, or of half a cell if that is less."""
RESCUE_M = 0.5
"""A start with no floor under it is first put on the nearest navigable point, if that is this near."""
COLLISION_M = 1e-3
"""A move shorter than asked by more than this has collided."""


@leaf
def _allowed(cells: Cells, node: int, x: float, z: float, needed: float) -> bool:
    if node < 0:
        return False
    value, _, _ = clearance_at(cells, node, x, z)
    return value >= needed


@leaf
def _walk(
    cells: Cells, node: int, x: float, z: float, ux: float, uz: float, distance: float, sliding: bool
) -> tuple[int, float, float]:
    """Walk along the unit vector (ux, uz); the new node and position."""
    remaining = distance
    substep = min(SUBSTEP_M, 0.5 * cells.cell_m)  # so that a piece ends in the same cell or the next
    while remaining > 1e-12:
        piece = min(substep, remaining)
        remaining -= piece
        here, gx, gz = clearance_at(cells, node, x, z)
        # Off the navigable floor the clearance may only grow; on it the body's radius is kept.
        needed = min(cells.radius_m, here)
        tx, tz = x + piece * ux, z + piece * uz
        target = moved_node(cells, node, tx, tz)
        if _allowed(cells, target, tx, tz, needed):
            node, x, z = target, tx, tz
            continue
        if not sliding:
            low, high = 0.0, piece
            for _ in range(8):
                middle = 0.5 * (low + high)
                tx, tz = x + middle * ux, z + middle * uz
                if _allowed(cells, moved_node(cells, node, tx, tz), tx, tz, needed):
                    low = middle
                else:
                    high = middle
            tx, tz = x + low * ux, z + low * uz
            return moved_node(cells, node, tx, tz), tx, tz
        if target >= 0:
            _, gx, gz = clearance_at(cells, target, tx, tz)
        length = np.hypot(gx, gz)
        if length < 1e-9:
            return node, x, z
        gx, gz = gx / length, gz / length
        inward = min(0.0, ux * gx + uz * gz)
        sx, sz = piece * (ux - inward * gx), piece * (uz - inward * gz)
        if sx * sx + sz * sz < 1e-12:
            return node, x, z
        moved = False
        scale = 1.0
        for _ in range(3):
            tx, tz = x + scale * sx, z + scale * sz
            target = moved_node(cells, node, tx, tz)
            for _push in range(2):  # the obstacle may be curved: back out along its gradient
                if target < 0:
                    break
                value, px, pz = clearance_at(cells, target, tx, tz)
                if value >= needed:
                    moved = True
                    break
                slope = px * px + pz * pz
                if slope < 1e-6:
                    break
                back = min((needed - value) * 1.02 + 1e-9, 0.5 * substep) / slope
                tx, tz = tx + back * px, tz + back * pz
                if max(abs(tx - x), abs(tz - z)) > 2 * substep - 1e-9:
                    break
                target = moved_node(cells, node, tx, tz)
                moved = _allowed(cells, target, tx, tz, needed)
                if moved:
                    break
            # Backing out must not make the step longer than asked.
            if moved and (tx - x) ** 2 + (tz - z) ** 2 <= piece * piece:
                break
            moved = False
            scale -= 0.1 if scale == 1.0 else 0.45
        # Progress against the wish would be jitter in a corner.
        if not moved or (tx - x) * ux + (tz - z) * uz <= 1e-9:
            return node, x, z
        node, x, z = target, tx, tz
    return node, x, z


@njit(cache=True)
def move_all(
    cells: Cells, position_m: np.ndarray, heading_rad: np.ndarray, distance_m: np.ndarray, sliding: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Walk ahead from n poses; see `NavigationField.move`."""
    out = position_m.copy()
    collided = np.zeros(len(position_m), dtype=np.bool_)
    for i in range(len(position_m)):
        x, y, z = position_m[i, 0], position_m[i, 1], position_m[i, 2]
        node = locate(cells, x, y, z, cells.climb_m + 1e-6)
        if node < 0:
            node, x, z, _gap = nearest(cells, x, y, z, RESCUE_M)
            if node < 0:
                collided[i] = distance_m[i] > COLLISION_M
                continue
        ux, uz = -np.sin(heading_rad[i]), -np.cos(heading_rad[i])
        from_x, from_z = x, z
        node, x, z = _walk(cells, node, x, z, ux, uz, distance_m[i], sliding)
        out[i, 0], out[i, 1], out[i, 2] = x, height_at(cells, node, x, z), z
        collided[i] = np.hypot(x - from_x, z - from_z) < distance_m[i] - COLLISION_M
    return out, collided


@leaf
def line_of_sight(
    cells: Cells, node: int, x0: float, z0: float, x1: float, z1: float, needed_m: float
) -> tuple[int, float]:
    """Walk straight from (x0, z0) over `node` to (x1, z1).

    Returns:
        The node over (x1, z1), or -1 if the clearance falls below `needed_m` on the way; the length in space.
    """
    planar = np.hypot(x1 - x0, z1 - z0)
    steps = int(np.ceil(planar / (0.5 * cells.cell_m)))
    if steps == 0:
        return node, 0.0
    length = 0.0
    piece = planar / steps
    y = height_at(cells, node, x0, z0)
    for s in range(1, steps + 1):
        t = s / steps
        x, z = x0 + t * (x1 - x0), z0 + t * (z1 - z0)
        node = moved_node(cells, node, x, z)
        if not _allowed(cells, node, x, z, needed_m):
            return -1, np.inf
        rise = height_at(cells, node, x, z) - y
        y += rise
        length += np.sqrt(piece * piece + rise * rise)
    return node, length


@njit(cache=True)
def nearest(
    cells: Cells, x: float, y: float, z: float, max_distance_m: float
) -> tuple[int, float, float, float]:
    """The navigable point nearest to (x, y, z).

    Returns:
        Its node (-1 if there is none within `max_distance_m`), x, z and the distance in space.
    """
    cell = cells.cell_m
    node = locate(cells, x, y, z, min(max_distance_m, cells.climb_m))
    if node >= 0 and cells.island[node] >= 0 and clearance_at(cells, node, x, z)[0] >= cells.radius_m:
        return node, x, z, abs(y - height_at(cells, node, x, z))
    cx, cz = int(np.floor((x - cells.origin_x) / cell)), int(np.floor((z - cells.origin_z) / cell))
    best, found = (max_distance_m + cell) ** 2, -1
    rings = max(abs(cx), abs(cx - cells.shape_x), abs(cz), abs(cz - cells.shape_z))
    if max_distance_m < rings * cell:
        rings = int(np.ceil(max_distance_m / cell)) + 1
    for ring in range(rings + 1):
        if ((ring - 1) * cell) ** 2 > best:
            break
        for ix in range(max(cx - ring, 0), min(cx + ring, cells.shape_x - 1) + 1):
            on_side = ix == cx - ring or ix == cx + ring
            iz = max(cz - ring, 0) if on_side else cz - ring
            while iz <= min(cz + ring, cells.shape_z - 1):
                if 0 <= iz < cells.shape_z:
                    dx = cells.origin_x + (ix + 0.5) * cell - x
                    dz = cells.origin_z + (iz + 0.5) * cell - z
                    c = ix * cells.shape_z + iz
                    for k in range(cells.start[c], cells.start[c + 1]):
                        if cells.island[k] >= 0 and cells.clearance_m[k] >= cells.radius_m:
                            dy = cells.height_m[k] - y
                            squared = dx * dx + dz * dz + dy * dy
                            if squared < best:
                                best = squared
                                found = k
                iz += 1 if on_side else 2 * ring
    if found < 0:
        return -1, x, z, np.inf
    # From the cell's centre on towards the point, as far as it is navigable.
    px = cells.origin_x + (cells.column[found] // cells.shape_z + 0.5) * cell
    pz = cells.origin_z + (cells.column[found] % cells.shape_z + 0.5) * cell
    planar = np.hypot(x - px, z - pz)
    if planar > 1e-9:
        reach = min(planar, cell)
        found, px, pz = _walk(cells, found, px, pz, (x - px) / planar, (z - pz) / planar, reach, False)
    dy = height_at(cells, found, px, pz) - y
    distance = np.sqrt((px - x) ** 2 + dy * dy + (pz - z) ** 2)
    if distance > max_distance_m:
        return -1, x, z, np.inf
    return found, px, pz, distance


@njit(cache=True)
def snap_all(cells: Cells, position_m: np.ndarray, max_distance_m: float) -> np.ndarray:
    """Nearest navigable points (n, 3); NaN rows where there is none within `max_distance_m`."""
    out = np.full(position_m.shape, np.nan)
    for i in range(len(position_m)):
        node, x, z, _ = nearest(cells, position_m[i, 0], position_m[i, 1], position_m[i, 2], max_distance_m)
        if node >= 0:
            out[i, 0], out[i, 1], out[i, 2] = x, height_at(cells, node, x, z), z
    return out


@njit(cache=True)
def clearance_all(cells: Cells, position_m: np.ndarray) -> np.ndarray:
    """Clearance (n,) at each position; 0 off the floor."""
    out = np.zeros(len(position_m))
    for i in range(len(position_m)):
        x, z = position_m[i, 0], position_m[i, 2]
        node = locate(cells, x, position_m[i, 1], z, cells.climb_m + 1e-6)
        if node >= 0:
            out[i] = clearance_at(cells, node, x, z)[0]
    return out


@njit(cache=True)
def islands_all(cells: Cells, position_m: np.ndarray, margin_m: float) -> np.ndarray:
    """Island int32 (n,) of each navigable position, -1 elsewhere."""
    out = np.full(len(position_m), -1, dtype=np.int32)
    for i in range(len(position_m)):
        x, z = position_m[i, 0], position_m[i, 2]
        node = locate(cells, x, position_m[i, 1], z, cells.climb_m + 1e-6)
        if node < 0 or clearance_at(cells, node, x, z)[0] < cells.radius_m - margin_m:
            continue
        # The largest label among the corners: a cell whose centre is blocked may have a navigable edge.
        out[i] = cells.island[node]
        for d in range(8):
            j = cells.links[node, d]
            if out[i] < 0 and j >= 0:
                out[i] = cells.island[j]
    return out
