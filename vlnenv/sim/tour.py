"""A tour of a scene: places to stand at from which the whole walkable floor has been near."""

from __future__ import annotations

import math

import numpy as np

from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

SAMPLES = 512
"""Points of the floor that a tour is to cover."""
SPACING_M = 2.5
"""Every sampled point lies within this walking distance of a stop."""


def tour_stops(
    simulator: Simulator, scene: Scene, spacing_m: float = SPACING_M, samples: int = SAMPLES
) -> np.ndarray:
    """Where a tour of a scene stops, in the order of the walk.

    Floor points are sampled with a fixed seed. The largest part of the floor that can be walked without
    leaving it is covered: stop after stop is put where the walking distance to the stops so far is largest,
    until none is above `spacing_m`. They are then walked nearest first, from the first one on. Nothing is
    random: equal scenes have equal tours.

    Args:
        simulator: Samples and measures.
        scene: The place, edited or not.
        spacing_m: Walking distance from a stop that counts as covered, metres.
        samples: Floor points that are to be covered.

    Returns:
        float64 (k, 3) feet, world frame, k >= 1.

    Raises:
        ValueError: If an argument is not positive.
    """
    if not spacing_m > 0.0 or samples < 1:
        raise ValueError(f"spacing_m and samples must be positive, got {spacing_m} and {samples}")
    points_m = simulator.sample(scene, np.random.default_rng(0), samples)
    part, distance_m = _largest_part(simulator, scene, points_m)
    points_m, nearest_m = points_m[part], distance_m[part]
    chosen = [int(np.argmin(nearest_m))]
    between = [simulator.geodesic(scene, points_m, points_m[chosen[0]])]
    nearest_m = between[0].copy()
    while nearest_m.max() > spacing_m:
        chosen.append(int(np.argmax(nearest_m)))
        between.append(simulator.geodesic(scene, points_m, points_m[chosen[-1]]))
        between[-1][chosen[-1]] = 0.0
        nearest_m = np.minimum(nearest_m, between[-1])
    stops = points_m[chosen]
    apart_m = np.stack(between)[:, chosen]
    order, waiting = [0], list(range(1, len(chosen)))
    while waiting:
        order.append(min(waiting, key=lambda stop: (apart_m[order[-1], stop], stop)))
        waiting.remove(order[-1])
    return stops[order]


def look_around(hfov_deg: float) -> np.ndarray:
    """Headings float64 (k,) at which a camera of that field of view sees all around, radians."""
    views = math.ceil(360.0 / hfov_deg)
    return np.arange(views) * (2.0 * math.pi / views)


def _largest_part(simulator: Simulator, scene: Scene, points_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the points in the largest walkable part, and all points' distances to the part's first."""
    left = np.ones(len(points_m), dtype=bool)
    best, best_m = np.zeros(0, dtype=np.int64), np.zeros(0)
    while left.sum() > len(best):
        first = int(np.flatnonzero(left)[0])
        distance_m = simulator.geodesic(scene, points_m, points_m[first])
        distance_m[first] = 0.0
        rows = np.flatnonzero(np.isfinite(distance_m) & left)
        if len(rows) > len(best):
            best, best_m = rows, distance_m
        left[rows] = False
    return best, best_m
