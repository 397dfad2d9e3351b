"""The landmarks that a walker passes, each on the straight part of the way where a text would say so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from vlnenv.houses.house import House
from vlnenv.houses.instructions.landmarks import LEAST_SHARE, Landmark
from vlnenv.houses.instructions.legs import Leg
from vlnenv.houses.routes.polyline import arc_lengths, heading_of, turn_deg

LEAST_FRAMES = 2
"""A landmark is named only where it is seen in so many frames, 0.5 m apart, before it is passed."""
BESIDE_M = 1.2
"""A landmark beside the way is at most so far from it."""
STANDING = ("", "floor", "wall")
"""Supports of what does not stand on another piece."""
_ENDS_M = 0.75
_TURNED_DEG = 30.0
"""Who has turned by less than that is still on the way before the turn."""
_DOORSIDE_M = 0.4
"""Who is so close to the way out does not pass what stands beside it."""
_ABREAST_M = 0.3
"""How far ahead or behind the nearest point of a piece may be when the walker is beside it."""
_LEAST_ASIDE_M = 0.15


@dataclass(frozen=True)
class Passed:
    """A landmark beside the way that the walker sees in time."""

    landmark: Landmark
    at_m: float
    """Way along the route to the closest approach."""
    side: str
    """"left" or "right" of the walker."""
    distance_m: float
    """Closest approach on the floor plan."""
    frames: int
    """Frames, 0.5 m apart, that it is in view before it is passed."""
    share: float
    """Largest share of the picture that it fills in one of them."""


def passed_landmarks(
    house: House | None,
    legs: Sequence[Leg],
    landmarks: Sequence[Landmark],
    line_m: np.ndarray,
    looks: np.ndarray,
    shares: np.ndarray,
) -> tuple[Passed, ...]:
    """The landmarks that are passed, in the order of the way.

    Texts name them between the first and the last turn of a leg: there the walker has to come abreast of
    them. A piece that the walker turns away from before reaching it is not passed.

    Args:
        house: Rooms; None where they are not known.
        legs: Of the way; empty without a house.
        landmarks: All but the target.
        line_m: (n, 3) the way in short steps.
        looks: (k,) rows of the line from which pictures were taken.
        shares: (k, ids) what each landmark filled of them.
    """
    at, headings = arc_lengths(line_m), _headings_behind(line_m)
    is_inside = (at > _ENDS_M) & (at < at[-1] - _ENDS_M)
    rooms = np.full(len(line_m), -1)
    if house is not None:
        rooms = np.array([house.room_at(float(x), float(z), float(y)) for x, y, z in line_m])
    stretches = [(at >= leg.begin_m) & (at < leg.end_m - _DOORSIDE_M) for leg in legs]
    stretches = stretches or [np.ones(len(at), dtype=bool)]
    for number in range(len(legs)):
        stretches[number] &= _is_between_turns(legs, number, headings)
    found = []
    for landmark in landmarks:
        if landmark.support not in STANDING:
            continue
        distance = landmark.distance_m(line_m)
        floor_gap = landmark.low_m[1] - line_m[:, 1]
        is_near = is_inside & (distance > 0.05) & (distance <= BESIDE_M) & (abs(floor_gap - 0.65) < 1.15)
        if house is not None:
            is_near &= rooms == landmark.room
        for number, stretch in enumerate(stretches):
            rows = np.flatnonzero(is_near & stretch)
            if not len(rows) or (legs and not _lies_along(legs[number], landmark, line_m, at)):
                continue
            offset = np.clip(line_m[rows], landmark.low_m, landmark.high_m) - line_m[rows]
            forward_x, forward_z = -np.sin(headings[rows]), -np.cos(headings[rows])
            along = offset[:, 0] * forward_x + offset[:, 2] * forward_z
            # Left of (fx, fz) is (fz, -fx) where x grows to the right and z towards the viewer.
            left = offset[:, 0] * forward_z - offset[:, 2] * forward_x
            abreast = (abs(along) <= _ABREAST_M) & (abs(left) >= _LEAST_ASIDE_M)
            rows, left = rows[abreast], left[abreast]
            if not len(rows) or (left > 0).any() != (left > 0).all():
                continue
            i = int(rows[np.argmin(distance[rows])])
            seen = shares[looks <= i + 1, landmark.id]
            frames = int((seen >= LEAST_SHARE).sum())
            if frames >= LEAST_FRAMES:
                side = "left" if left[0] > 0 else "right"
                found.append(
                    Passed(landmark, float(at[i]), side, float(distance[i]), frames, float(seen.max()))
                )
                break
    return tuple(sorted(found, key=lambda passed: (passed.at_m, passed.landmark.id)))


def is_along(landmark: Landmark, start: ArrayLike, end: ArrayLike, slack_m: float = 0.0) -> bool:
    """Whether a landmark lies neither before the start nor beyond the end of a straight way, (x, z)."""
    way = np.subtract(end, start)
    length = float(np.linalg.norm(way))
    along = (np.array(landmark.corners_m) - np.asarray(start)) @ way / max(length, 1e-9)
    return bool(along.min() <= length + slack_m and along.max() >= -slack_m)


def _lies_along(leg: Leg, landmark: Landmark, line_m: np.ndarray, at: np.ndarray) -> bool:
    begin, end = np.searchsorted(at, (leg.begin_m, leg.end_m - 1e-6))
    return is_along(landmark, line_m[begin, [0, 2]], line_m[min(end, len(at) - 1), [0, 2]])


def _is_between_turns(legs: Sequence[Leg], number: int, headings_rad: np.ndarray) -> np.ndarray:
    """Where (n,) a walker who heads so has turned into a leg's way and not yet out of it."""
    leg = legs[number]
    is_on = np.ones(len(headings_rad), dtype=bool)
    way_in = legs[number - 1].way_out if number else None
    if leg.first_turn and way_in is not None:
        heading_in = way_in.heading_from(way_in.beyond(leg.room))
        is_on &= np.array([abs(turn_deg(heading_in, each)) >= _TURNED_DEG for each in headings_rad])
    if leg.last_turn and leg.way_out is not None:
        heading_out = leg.way_out.heading_from(leg.room)
        is_on &= np.array([abs(turn_deg(each, heading_out)) >= _TURNED_DEG for each in headings_rad])
    return is_on


def _headings_behind(line_m: np.ndarray) -> np.ndarray:
    """Heading (n,) of the last two steps before each point of a line."""
    rows = np.arange(len(line_m))
    ends = np.maximum(rows, 1)
    return np.array(
        [heading_of(line_m[b] - line_m[a]) for a, b in zip(np.maximum(ends - 2, 0), ends, strict=True)]
    )
