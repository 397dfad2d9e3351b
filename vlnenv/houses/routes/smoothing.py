"""Paths made fit to walk: pushed away from obstacles and rounded on the distance field of the floor."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from vlnenv.houses.routes.polyline import arc_lengths, resampled, simplified
from vlnenv.sim.navigation.field import NavigationField

SPACING_M = 0.1
"""Distance between the points of a smooth path, at most."""
CLEARANCES_M = (0.35, 0.3, 0.25, 0.2, 0.15)
"""How far a path keeps from obstacles where it can; the lower ones where that is a long detour."""
MAX_STRETCH = 1.05
"""A smooth path is at most so many times as long as the shortest one."""

WAYPOINTS_M = 2.5
"""Distance between the points of a reference path, at most."""

_CORNER_M = 0.12
_STEPS = 60
_TENSION = 0.5
_REPULSION = 0.6
_MAX_MOVE_M = 0.02
_PROBE_M = 0.05
_CHECK_M = 0.025


def smoothed(field: NavigationField, path_m: np.ndarray) -> np.ndarray:
    """The shortest path as an elastic band that obstacles repel.

    Gradient steps on the band's tension and on (clearance - wished clearance) ** 2 where that is too small.
    Ends stay where they are. A point never moves to where its clearance is below the body's radius.

    Args:
        field: The floor and its distance field (ESDF).
        path_m: float64 (k, 3) shortest path, start and goal included.

    Returns:
        float64 (n, 3) on the floor, points at most 0.1 m apart; the shortest path itself where every band is
        more than 5 % longer.

    Source: InternVLA-N1's data engine (trajectory optimisation on an ESDF); here as the elastic bands of
    Quinlan and Khatib (1993).
    """
    line = resampled(path_m, SPACING_M)
    longest = MAX_STRETCH * float(arc_lengths(line)[-1])
    for clearance_m in CLEARANCES_M:
        band = resampled(_relaxed(field, line, clearance_m), SPACING_M)
        if arc_lengths(band)[-1] <= longest and _is_clear(field, band):
            return band
    return line


def waypoints(path_m: np.ndarray) -> np.ndarray:
    """Sparse points (w, 3) of a smooth path, as R2R-CE's reference paths have them.

    Its ends, its corners (straight lines between them stay within 0.12 m of the path) and points between,
    none farther from the next than 2.5 m. All are points of the path, so they lie on the floor on stairs too.
    """
    is_corner = (path_m[:, None] == simplified(path_m, _CORNER_M)).all(axis=2).any(axis=1)
    corners = np.flatnonzero(is_corner)
    at = arc_lengths(path_m)
    chosen = [0]
    for a, b in pairwise(corners):
        pieces = math.ceil((at[b] - at[a]) / (WAYPOINTS_M - SPACING_M))
        wanted = at[a] + (at[b] - at[a]) * np.arange(1, pieces + 1) / pieces
        chosen += np.searchsorted(at, wanted - 1e-9).tolist()
    return path_m[chosen]


def _relaxed(field: NavigationField, line_m: np.ndarray, clearance_m: float) -> np.ndarray:
    band = line_m.copy()
    inner = slice(1, len(band) - 1)
    clearance = field.clearance(band[inner])
    for step in range(_STEPS):
        here = band[inner]
        pull = 0.5 * (band[:-2] + band[2:]) - here
        push = np.maximum(clearance_m - clearance, 0.0)[:, None] * _gradient(field, here)
        move = _TENSION * pull[:, [0, 2]] + _REPULSION * push
        length = np.sqrt((move * move).sum(axis=1, keepdims=True))
        move *= np.minimum(1.0, _MAX_MOVE_M / np.maximum(length, 1e-9))
        moved = here.copy()
        moved[:, [0, 2]] += move
        if step % 10 == 9:
            moved = _on_floor(field, moved)
        after = field.clearance(moved)
        may = after >= np.minimum(clearance, field.body.radius_m)
        band[inner] = np.where(may[:, None], moved, here)
        clearance = np.where(may, after, clearance)
    band[inner] = _on_floor(field, band[inner])
    return band


def _gradient(field: NavigationField, points_m: np.ndarray) -> np.ndarray:
    """Gradient (n, 2) of the clearance along x and z; zero on the ridge between two obstacles."""
    offsets = _PROBE_M * np.array([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, -1.0]])
    probes = field.clearance((points_m + offsets[:, None]).reshape(-1, 3)).reshape(4, -1)
    return np.stack([probes[0] - probes[1], probes[2] - probes[3]], axis=1) / (2.0 * _PROBE_M)


def _on_floor(field: NavigationField, points_m: np.ndarray) -> np.ndarray:
    """The points at the floor's height; those that the floor was lost under stay."""
    floor = field.snap(points_m, 0.3)
    found = np.isfinite(floor[:, 1])
    out = points_m.copy()
    out[found, 1] = floor[found, 1]
    return out


def _is_clear(field: NavigationField, band_m: np.ndarray) -> bool:
    return bool(field.is_navigable(resampled(band_m, _CHECK_M)).all())
