"""Slabs to surfaces: at which heights a body could stand in each column, and what stops it elsewhere.

All of it is local: a column's surfaces depend on the slabs of that column and its eight neighbours, so an
edit of the scene is a new rasterisation of a few columns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from vlnenv.sim.navigation.leaf import leaf
from vlnenv.sim.navigation.rasterize import FLOOR, FORBIDDEN, FULL_MASK, HINTED

GROUND_TOLERANCE_M = 0.05
"""A forbidden surface (hint -1) this far above a floor or lower is ignored: rugs, thresholds, noise."""
LEVEL_TOLERANCE_M = 0.08
"""Steps up to this height are unevenness of one floor; stairs' risers are higher."""
FREE, OPEN_SKY, HINTED_FLOOR = 1, 2, 4
"""Surface flags: the body fits here; nothing at all above it; a hint says that it is floor."""


class Columns(NamedTuple):
    """Surfaces of all columns, sorted by column and then height."""

    start: np.ndarray
    """int64 (columns + 1,): surfaces of column c are start[c]..start[c + 1]."""
    height_m: np.ndarray
    """float32 (s,)."""
    mask: np.ndarray
    """uint16 (s,): sub-cells that the obstacle fills, or for a free surface those that it covers itself."""
    flags: np.ndarray
    """uint8 (s,)."""


@leaf
def _blocking_mask(
    first: int,
    last: int,
    heights: np.ndarray,
    masks: np.ndarray,
    flags: np.ndarray,
    y: float,
    climb: float,
    tall: float,
) -> int:
    """Sub-cells filled by something that a body with its feet at `y` would hit."""
    mask = 0
    for s in range(first, last):
        if heights[s, 0] >= y + tall:
            continue
        bottom = y + (GROUND_TOLERANCE_M if flags[s] & FORBIDDEN else climb)
        if heights[s, 1] > bottom:
            mask |= masks[s]
    return mask


@njit(cache=True)
def standing_surfaces(
    start: np.ndarray,
    heights: np.ndarray,
    masks: np.ndarray,
    flags: np.ndarray,
    climb_m: float,
    tall_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Heights in each column that have floor under them.

    A floor with another one at most `climb_m` above is covered by that one. A surface is free if nothing
    reaches from `climb_m` to `tall_m` above it.

    Args:
        start: int64 (columns + 1,) first slab of each column.
        heights: float32 (s, 3) low, high and mean of each slab.
        masks: uint16 (s,).
        flags: uint8 (s,).
        climb_m: Highest step.
        tall_m: Height of the body.

    Returns:
        start, height, mask and flags as in `Columns`.
    """
    columns = len(start) - 1
    out_start = np.zeros(columns + 1, dtype=np.int64)
    capacity = len(heights)
    out_height = np.empty(capacity, dtype=np.float32)
    out_mask = np.empty(capacity, dtype=np.uint16)
    out_flags = np.empty(capacity, dtype=np.uint8)
    count = 0
    for c in range(columns):
        first, last = start[c], start[c + 1]
        found = 0
        floors = np.empty(last - first, dtype=np.float32)
        for s in range(first, last):
            if flags[s] & FLOOR:
                floors[found] = heights[s, 2]
                found += 1
        floors = np.sort(floors[:found])
        for i in range(found):
            y = floors[i]
            if i + 1 < found and floors[i + 1] - y <= climb_m:
                continue
            mask = _blocking_mask(first, last, heights, masks, flags, y, climb_m, tall_m)
            state = FREE if mask == 0 else 0
            sky = True
            for s in range(first, last):
                if heights[s, 1] > y + climb_m:
                    sky = False
                if flags[s] & FLOOR and abs(heights[s, 2] - y) <= LEVEL_TOLERANCE_M:
                    if state & FREE:
                        mask |= masks[s]
                    if flags[s] & HINTED:
                        state |= HINTED_FLOOR
            if sky:
                state |= OPEN_SKY
            out_height[count] = y
            out_mask[count] = mask
            out_flags[count] = state
            count += 1
        out_start[c + 1] = count
    return out_start, out_height[:count].copy(), out_mask[:count].copy(), out_flags[:count].copy()


@njit(cache=True)
def with_borders(
    surfaces: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    start: np.ndarray,
    heights: np.ndarray,
    masks: np.ndarray,
    flags: np.ndarray,
    shape_x: int,
    shape_z: int,
    climb_m: float,
    tall_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Add, around every free surface, the blocked ones that end it, and close cracks of one cell.

    A neighbour column without a surface in reach gets a blocked one whose mask is the obstacle there, or the
    full cell where there is nothing (a drop, a hole, the edge of the mesh). If there is nothing between two
    opposite free surfaces it is a crack in the mesh, and is floor.

    Returns:
        start, height, mask and flags as in `Columns`.
    """
    s_start, s_height, s_mask, s_flags = surfaces
    columns = shape_x * shape_z
    out_start = np.zeros(columns + 1, dtype=np.int64)
    capacity = 2 * len(s_height) + 1024
    out_height = np.empty(capacity, dtype=np.float32)
    out_mask = np.empty(capacity, dtype=np.uint16)
    out_flags = np.empty(capacity, dtype=np.uint8)
    count = 0
    dx = (1, 0, -1, 0, 1, -1, -1, 1)
    dz = (0, 1, 0, -1, 1, 1, -1, -1)
    for c in range(columns):
        cx, cz = c // shape_z, c % shape_z
        room = s_start[c + 1] - s_start[c] + 1024
        if count + room > capacity:
            capacity = 2 * capacity + room
            bigger_height = np.empty(capacity, dtype=np.float32)
            bigger_mask = np.empty(capacity, dtype=np.uint16)
            bigger_flags = np.empty(capacity, dtype=np.uint8)
            bigger_height[:count] = out_height[:count]
            bigger_mask[:count] = out_mask[:count]
            bigger_flags[:count] = out_flags[:count]
            out_height, out_mask, out_flags = bigger_height, bigger_mask, bigger_flags
        begin = count
        for s in range(s_start[c], s_start[c + 1]):
            out_height[count] = s_height[s]
            out_mask[count] = s_mask[s]
            out_flags[count] = s_flags[s]
            count += 1
        own = count
        for direction in range(8):
            nx, nz = cx + dx[direction], cz + dz[direction]
            if nx < 0 or nz < 0 or nx >= shape_x or nz >= shape_z:
                continue
            n = nx * shape_z + nz
            for s in range(s_start[n], s_start[n + 1]):
                y = s_height[s]
                if not s_flags[s] & FREE:
                    continue
                known = False
                for k in range(begin, count):
                    reach = climb_m if k < own else 0.5 * climb_m
                    if abs(out_height[k] - y) <= reach:
                        known = True
                        break
                if known or count - begin > 1000:
                    continue
                mask = _blocking_mask(start[c], start[c + 1], heights, masks, flags, y, climb_m, tall_m)
                state = 0
                if mask == 0:
                    mask = FULL_MASK
                    ox, oz = cx - dx[direction], cz - dz[direction]
                    if 0 <= ox < shape_x and 0 <= oz < shape_z:
                        o = ox * shape_z + oz
                        for k in range(s_start[o], s_start[o + 1]):
                            if s_flags[k] & FREE and abs(s_height[k] - y) <= LEVEL_TOLERANCE_M:
                                state = s_flags[s] & s_flags[k]
                                y = 0.5 * (y + s_height[k])
                                break
                out_height[count] = y
                out_mask[count] = mask
                out_flags[count] = state
                count += 1
        for i in range(begin + 1, count):  # insertion sort: a handful of surfaces
            j = i
            while j > begin and out_height[j - 1] > out_height[j]:
                out_height[j - 1], out_height[j] = out_height[j], out_height[j - 1]
                out_mask[j - 1], out_mask[j] = out_mask[j], out_mask[j - 1]
                out_flags[j - 1], out_flags[j] = out_flags[j], out_flags[j - 1]
                j -= 1
        out_start[c + 1] = count
    return out_start, out_height[:count].copy(), out_mask[:count].copy(), out_flags[:count].copy()


@njit(cache=True)
def links_of(
    start: np.ndarray, height: np.ndarray, shape_x: int, shape_z: int, climb_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """The surface next to each surface in the eight directions: the nearest in height within `climb_m`.

    Directions 0..7 are (+x), (+z), (-x), (-z), (+x +z), (-x +z), (-x -z), (+x -z).

    Returns:
        int32 (s, 8) indices, -1 for none; int32 (s,) column of each surface.
    """
    links = np.full((len(height), 8), -1, dtype=np.int32)
    column = np.empty(len(height), dtype=np.int32)
    dx = (1, 0, -1, 0, 1, -1, -1, 1)
    dz = (0, 1, 0, -1, 1, 1, -1, -1)
    for cx in range(shape_x):
        for cz in range(shape_z):
            c = cx * shape_z + cz
            for s in range(start[c], start[c + 1]):
                column[s] = c
                for direction in range(8):
                    nx, nz = cx + dx[direction], cz + dz[direction]
                    if nx < 0 or nz < 0 or nx >= shape_x or nz >= shape_z:
                        continue
                    n = nx * shape_z + nz
                    best = climb_m + 1e-5
                    for k in range(start[n], start[n + 1]):
                        gap = abs(height[k] - height[s])
                        if gap <= best:
                            best = gap
                            links[s, direction] = k
    return links, column
