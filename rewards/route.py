"""Progress along a reference route: in order, monotone, in [0, 1]."""

from __future__ import annotations

import numpy as np

SPACING_M = 0.25
"""Arc length between resampled route points: one forward step of R2R-CE."""
RADIUS_M = 1.5
"""A route point counts as passed within this straight-line distance: half of R2R-CE's success distance."""


def resample_route(route_m: np.ndarray, spacing_m: float = SPACING_M) -> np.ndarray:
    """Points at equal arc length along a polyline, both ends included.

    Args:
        route_m: (r, 3) waypoints, metres. Repeated points are allowed.
        spacing_m: Largest arc length between neighbours; the spacing is made equal by shrinking it.

    Returns:
        float64 (n, 3); a single point if the route has no length.

    Raises:
        ValueError: If the route is empty, not (r, 3), or not finite; if the spacing is not positive.
    """
    route_m = _points(route_m, "route_m")
    if not spacing_m > 0.0:
        raise ValueError(f"spacing_m must be positive, got {spacing_m}")
    arc_m = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(route_m, axis=0), axis=1))))
    if arc_m[-1] == 0.0:
        return route_m[:1].copy()
    # the slack keeps a length of 5.000000001 m at 20 intervals
    count = max(1, int(np.ceil(arc_m[-1] / spacing_m - 1e-6)))
    at_m = np.linspace(0.0, arc_m[-1], count + 1)
    return np.stack([np.interp(at_m, arc_m, route_m[:, axis]) for axis in range(3)], axis=1)


def advance_route(
    points_m: np.ndarray, pointer: int, position_m: np.ndarray, radius_m: float = RADIUS_M
) -> int:
    """Move the pointer on while the next route point lies within reach; the incremental form of progress.

    Args:
        points_m: (n, 3) points of `resample_route`.
        pointer: Index of the furthest point passed so far; -1 before the first.
        position_m: (3,) where the agent is, same frame.
        radius_m: A point counts as passed within this straight-line distance, metres.

    Returns:
        The new pointer in [pointer, n - 1].
    """
    ahead = points_m[pointer + 1 :]
    offset = ahead - position_m
    is_beyond = np.einsum("ij,ij->i", offset, offset) > radius_m * radius_m
    first = int(is_beyond.argmax()) if is_beyond.size else 0
    if is_beyond.size and not is_beyond[first]:
        first = is_beyond.size
    return pointer + first


def start_pointer(points_m: np.ndarray, start_m: np.ndarray, radius_m: float = RADIUS_M) -> int:
    """The pointer of an agent at `start_m` that has not moved: at least 0, the route's first point."""
    return max(0, advance_route(points_m, -1, start_m, radius_m))


def route_progress(pointer: int, first_pointer: int, count: int) -> float:
    """Fraction completed of what lay ahead at the start.

    Args:
        pointer: Index of the furthest point passed.
        first_pointer: The pointer at the start of the episode: what lies within reach from there earns
            nothing.
        count: Number of route points.

    Returns:
        A value in [0, 1]; 1 if nothing lay ahead.
    """
    ahead = count - 1 - first_pointer
    return 1.0 if ahead <= 0 else (pointer - first_pointer) / ahead


def route_completion(
    path_m: np.ndarray, route_m: np.ndarray, radius_m: float = RADIUS_M, spacing_m: float = SPACING_M
) -> float:
    """Fraction of the reference route that the path has passed, in order; the whole-path form of progress.

    Args:
        path_m: (t, 3) agent positions so far, oldest first. World frame.
        route_m: (r, 3) reference waypoints, start to goal, same frame.
        radius_m: A point counts as passed within this straight-line distance.
        spacing_m: Arc length between the points that the route is resampled to.

    Returns:
        A value in [0, 1]: 0 at the start (unless nothing of the route lies ahead then), never falling as
        `path_m` grows. Walking the route backwards, or cutting off a detour of it, does not complete it.

    Raises:
        ValueError: If either array is empty, not (n, 3), or not finite.

    Source: route completion of CaRL's reward (Jaeger et al. 2025); differs from it in
    what counts as passed, a radius where CaRL projects a car onto its lane.
    """
    path_m = _points(path_m, "path_m")
    points_m = resample_route(route_m, spacing_m)
    first = pointer = start_pointer(points_m, path_m[0], radius_m)
    for position_m in path_m[1:]:
        pointer = advance_route(points_m, pointer, position_m, radius_m)
    return route_progress(pointer, first, len(points_m))


def distance_to_route(position_m: np.ndarray, route_m: np.ndarray) -> float:
    """Straight-line distance from a point to the nearest point of a polyline.

    Args:
        position_m: (3,), metres.
        route_m: (r, 3) waypoints, r >= 1.
    """
    start = route_m[:-1] if len(route_m) > 1 else route_m
    along = route_m[1:] - start if len(route_m) > 1 else np.zeros_like(start)
    offset = position_m - start
    squared = np.einsum("ij,ij->i", along, along)
    fraction = np.einsum("ij,ij->i", offset, along) / np.where(squared > 0.0, squared, 1.0)
    gap = offset - np.minimum(np.maximum(fraction, 0.0), 1.0)[:, None] * along
    return float(np.sqrt(np.einsum("ij,ij->i", gap, gap).min()))


def _points(value: np.ndarray, name: str) -> np.ndarray:
    points = np.asarray(value, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"{name} must have shape (n, 3) with n >= 1, got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError(f"{name} must be finite")
    return points
