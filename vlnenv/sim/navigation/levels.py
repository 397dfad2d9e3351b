"""Which free surfaces are floor and which are furniture, roofs or pockets.

The rule, for surfaces whose faces carry no hint 1 (those with it are floor):

1. Surfaces joined by steps of at most `LEVEL_TOLERANCE_M` are one plateau. A plateau of `MIN_FLOOR_M2` or
   more is a floor, and so is the largest.
2. A smaller plateau stays if it is a way between floors: steps only up lead from it to one floor and steps
   only down to another (a stair's treads, a landing). A low one, at most `SILL_M` from a floor that it
   touches, stays too (a sill, a shower tray). The rest is furniture that could be climbed step by step; it
   becomes an obstacle.
3. Of what is then connected, a part under the open sky with another surface below is a roof, or the upper
   side of a ceiling, and is dropped, as are the narrow (tops of walls) and a part smaller than
   `MIN_FLOOR_M2` (`MIN_HINTED_M2` if hinted).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.sim.navigation.columns import FREE, HINTED_FLOOR, LEVEL_TOLERANCE_M, OPEN_SKY
from vlnenv.sim.navigation.leaf import leaf

MIN_FLOOR_M2 = 5.0
"""Larger than any bed, smaller than the smallest floor that no door joins to another one."""
MIN_HINTED_M2 = 0.5
"""Smallest island of surely walkable faces that is kept."""
MIN_HALF_WIDTH_M = 0.25
"""See `MIN_CORE_M2`."""
MIN_CORE_M2 = 1.0
"""So much of a floor lies `MIN_HALF_WIDTH_M` from its edge on all eight sides; tops of walls do not."""
ROOF_HEIGHT_M = 1.0
"""A roof is at least this far above what is below it."""
SILL_M = 0.12
"""A plateau this little above or below the floor beside it is part of the floor."""


@leaf
def _root(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def components(
    links: np.ndarray, height: np.ndarray, member: np.ndarray, max_step_m: float
) -> tuple[np.ndarray, int]:
    """Label the members that links of at most `max_step_m` join, over four directions.

    Args:
        links: int32 (s, 8).
        height: float32 (s,).
        member: bool (s,).
        max_step_m: Highest step inside a component.

    Returns:
        int32 (s,) labels in order of the first member, -1 for others; the number of labels.
    """
    parent = np.arange(len(height))
    for i in range(len(height)):
        if not member[i]:
            continue
        for d in range(4):
            j = links[i, d]
            if j >= 0 and member[j] and abs(height[i] - height[j]) <= max_step_m:
                a, b = _root(parent, i), _root(parent, j)
                if a < b:
                    parent[b] = a
                elif b < a:
                    parent[a] = b
    label = np.full(len(height), -1, dtype=np.int32)
    count = 0
    for i in range(len(height)):
        if member[i]:
            r = _root(parent, i)
            if r == i:
                label[i] = count
                count += 1
            else:
                label[i] = label[r]
    return label, count


@njit(cache=True)
def _core_cells(links: np.ndarray, label: np.ndarray, count: int, reach: int) -> np.ndarray:
    """Int (count,): nodes of each component from which `reach` links lead to all eight sides."""
    cores = np.zeros(count, dtype=np.int64)
    for i in range(len(label)):
        if label[i] < 0:
            continue
        is_core = True
        for d in range(8):
            j = i
            for _ in range(reach):
                j = links[j, d]
                if j < 0 or label[j] != label[i]:
                    is_core = False
                    break
            if not is_core:
                break
        if is_core:
            cores[label[i]] += 1
    return cores


@njit(cache=True)
def _plateau_edges(
    links: np.ndarray,
    height: np.ndarray,
    label: np.ndarray,
    is_floor: np.ndarray,
    mean: np.ndarray,
    order: np.ndarray,
) -> np.ndarray:
    """Bool (plateaus,): which plateaus are ways between floors, or sills."""
    count = len(mean)
    keep = is_floor.copy()
    pairs = 0
    for i in range(len(height)):
        if label[i] >= 0:
            for d in range(4):
                j = links[i, d]
                if j >= 0 and label[j] >= 0 and label[j] != label[i]:
                    pairs += 1
    low = np.empty(pairs, dtype=np.int32)
    high = np.empty(pairs, dtype=np.int32)
    pairs = 0
    for i in range(len(height)):
        if label[i] < 0:
            continue
        for d in range(4):
            j = links[i, d]
            if j >= 0 and label[j] >= 0 and label[j] != label[i]:
                a, b = label[i], label[j]
                if is_floor[a] and not is_floor[b] and abs(height[i] - height[j]) <= SILL_M:
                    keep[b] = True
                if mean[a] <= mean[b]:
                    low[pairs], high[pairs] = a, b
                    pairs += 1
    low, high = low[:pairs], high[:pairs]
    up = is_floor.copy()
    down = is_floor.copy()
    rank = np.empty(count, dtype=np.int64)
    for r in range(count):
        rank[order[r]] = r
    by_high = np.argsort(-rank[high], kind="mergesort")
    for e in by_high:  # highest first: an upper plateau is settled before the lower ones that lead to it
        if up[high[e]]:
            up[low[e]] = True
    by_low = np.argsort(rank[low], kind="mergesort")
    for e in by_low:
        if down[low[e]]:
            down[high[e]] = True
    for p in range(count):
        if up[p] and down[p]:
            keep[p] = True
    return keep


def floor_surfaces(
    column: np.ndarray,
    height: np.ndarray,
    flags: np.ndarray,
    links: np.ndarray,
    cell_m: float,
    climb_m: float,
) -> np.ndarray:
    """Bool (s,): the free surfaces that are floor, by the rule at the top of this file.

    Args:
        column: int32 (s,) column of each surface, ascending.
        height: float32 (s,) metres.
        flags: uint8 (s,) of `Columns`.
        links: int32 (s, 8) of `links_of`.
        cell_m: Side of a cell.
        climb_m: Highest step.
    """
    free = (flags & FREE) != 0
    hinted = free & ((flags & HINTED_FLOOR) != 0)
    cell_m2 = cell_m * cell_m
    free = free & ~_roofs(column, height, flags, links, free, cell_m2, climb_m)
    label, count = components(links, height, free, min(LEVEL_TOLERANCE_M, climb_m))
    if count == 0:
        return free
    area = np.bincount(label[free], minlength=count) * cell_m2
    hinted_area = np.bincount(label[free & hinted], minlength=count) * cell_m2
    mean = np.bincount(label[free], weights=height[free], minlength=count) * cell_m2 / area
    reach = max(1, round(MIN_HALF_WIDTH_M / cell_m))
    roomy = _core_cells(links, label, count, reach) * cell_m2 >= MIN_CORE_M2
    is_floor = ((area >= MIN_FLOOR_M2) & roomy) | (hinted_area >= 0.5 * area)
    is_floor[np.argmax(area)] = True
    order = np.argsort(mean, kind="stable")
    keep = _plateau_edges(links, height, label, is_floor, mean, order)
    floor = free & keep[label]
    label, count = components(links, height, floor, climb_m)
    area = np.bincount(label[floor], minlength=count) * cell_m2
    hinted_area = np.bincount(label[floor & hinted], minlength=count) * cell_m2
    large = (area >= MIN_FLOOR_M2) | ((hinted_area >= 0.5 * area) & (area >= MIN_HINTED_M2))
    large &= (_core_cells(links, label, count, reach) * cell_m2 >= MIN_CORE_M2) | (hinted_area >= 0.5 * area)
    large[np.argmax(area)] = True
    return floor & large[label]


def _roofs(
    column: np.ndarray,
    height: np.ndarray,
    flags: np.ndarray,
    links: np.ndarray,
    free: np.ndarray,
    cell_m2: float,
    climb_m: float,
) -> np.ndarray:
    """Bool (s,): parts open to the sky, with something else below most of their area, above another floor."""
    label, count = components(links, height, free, climb_m)
    if count == 0:
        return free
    area = np.bincount(label[free], minlength=count) * cell_m2
    indices = np.flatnonzero(free)
    over = np.zeros(count)
    # Surfaces are sorted by column and height, so the first of a column is its lowest.
    first_of = np.searchsorted(column, column[indices])
    is_over = (label[first_of] != label[indices]) & (height[first_of] < height[indices] - ROOF_HEIGHT_M)
    np.add.at(over, label[indices[is_over]], cell_m2)
    sky = np.bincount(label[free & ((flags & OPEN_SKY) != 0)], minlength=count) * cell_m2
    hinted = np.bincount(label[free & ((flags & HINTED_FLOOR) != 0)], minlength=count) * cell_m2
    mean = np.bincount(label[free], weights=height[free], minlength=count) * cell_m2 / area
    lowest_floor = mean[area >= MIN_FLOOR_M2].min(initial=np.inf)
    is_roof = (sky >= 0.9 * area) & (over >= 0.5 * area) & (hinted < 0.5 * area)
    is_roof &= mean > lowest_floor + ROOF_HEIGHT_M
    roof: np.ndarray = np.where(label >= 0, is_roof[label], False)
    return roof
