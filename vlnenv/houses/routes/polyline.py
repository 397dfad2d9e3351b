"""Polylines on the floor: lengths, directions, corners. Headings grow counter-clockwise, 0 is along -z."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np


def heading_of(step_m: np.ndarray) -> float:
    """Heading, radians, of a step (3,) in the world frame."""
    return math.atan2(-float(step_m[0]), -float(step_m[2]))


def turn_deg(before_rad: float, after_rad: float) -> float:
    """Turn from one heading to another, degrees in [-180, 180]; positive is to the left."""
    return math.degrees(math.remainder(after_rad - before_rad, 2.0 * math.pi))


def arc_lengths(points_m: np.ndarray) -> np.ndarray:
    """Way along the line to each of its points, float64 (k,), metres; the first is 0."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points_m, axis=0), axis=1))])


def resampled(points_m: np.ndarray, step_m: float) -> np.ndarray:
    """Points (n, 3) at most `step_m` apart along the line, its ends included, evenly spaced."""
    at = arc_lengths(points_m)
    count = max(2, math.ceil(at[-1] / step_m) + 1)
    wanted = np.linspace(0.0, at[-1], count)
    return np.stack([np.interp(wanted, at, points_m[:, axis]) for axis in range(3)], axis=1)


def simplified(points_m: np.ndarray, tolerance_m: float) -> np.ndarray:
    """The line without the corners that deviate less than the tolerance on the floor (Douglas-Peucker)."""
    if len(points_m) < 3:
        return points_m
    chord = (points_m[-1] - points_m[0])[[0, 2]]
    offset = (points_m[1:-1] - points_m[0])[:, [0, 2]]
    length = math.hypot(*chord)
    if length < 1e-9:
        distance = np.linalg.norm(offset, axis=1)
    else:
        along = np.clip(offset @ chord / length**2, 0.0, 1.0)
        distance = np.linalg.norm(offset - along[:, None] * chord, axis=1)
    far = int(np.argmax(distance))
    if distance[far] <= tolerance_m:
        return points_m[[0, -1]]
    middle = far + 1
    return np.concatenate(
        [simplified(points_m[: middle + 1], tolerance_m)[:-1], simplified(points_m[middle:], tolerance_m)]
    )


def turns_along(points_m: np.ndarray, least_deg: float = 38.0) -> list[tuple[float, float]]:
    """(arc length, turn in degrees) of the turns that a walker would call turns.

    Small wiggles are smoothed away and corners closer than 0.8 m count as one.
    """
    line = simplified(points_m, 0.3)
    steps = np.diff(line, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    legs = [i for i in range(len(steps)) if lengths[i] >= 0.8]
    found = []
    for a, b in pairwise(legs):
        angle = turn_deg(heading_of(steps[a]), heading_of(steps[b]))
        if abs(angle) >= least_deg:
            found.append((float(starts[a + 1] + starts[b]) / 2.0, angle))
    return found
