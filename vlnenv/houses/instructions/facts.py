"""What an instruction can be written from: a route's rooms, turns, keyframes, and landmarks in view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vlnenv.houses.furnishing.furniture import front_strip
from vlnenv.houses.house import House
from vlnenv.houses.instructions.landmarks import LEAST_SHARE, Landmark, landmarks_of, mention_of, seen_shares
from vlnenv.houses.instructions.legs import Leg, legs_of
from vlnenv.houses.instructions.passing import STANDING, Passed, passed_landmarks
from vlnenv.houses.plans.rect import Rect
from vlnenv.houses.routes.polyline import arc_lengths, heading_of, resampled, turn_deg, turns_along
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

if TYPE_CHECKING:  # A route's target is a landmark: at run time the import would be a circle.
    from vlnenv.houses.routes.route import Route

TARGET_LAST_M = 4.0
"""The target has to be seen within so much of the end of the way."""
MOST_LEGS = 7
"""Routes through more rooms are not described."""
_STEP_M = 0.25
_ROUND = frozenset(("rug", "floor lamp", "plant", "trash can", "stool", "ottoman", "bean bag", "side table"))
"""Categories without a front that people would speak of."""


@dataclass(frozen=True, eq=False)
class RouteFacts:
    """What can be said about a route."""

    route: Route
    house: House | None
    landmarks: tuple[Landmark, ...]
    """All objects of the scene that can be named."""
    legs: tuple[Leg, ...]
    """Rooms and turns; empty where rooms are not known."""
    start_turn: str
    """From the first heading: "", "left", "right" or "around"."""
    turns: tuple[tuple[float, str], ...]
    """(way along the route in metres, "left" or "right") of its corners, whatever the rooms."""
    passed: tuple[Passed, ...]
    """In the order of the way."""
    is_in_front: bool
    """The goal lies in front of the target, not beside it."""
    keyframes: tuple[int, ...]
    """Rows of the route's path at its start, its turns and its end."""
    in_view: tuple[tuple[int, ...], ...]
    """Ids of the landmarks in view at each keyframe on the way's heading, largest first."""

    def kind(self, leg: int) -> str:
        """Kind of a leg's room."""
        assert self.house is not None
        return self.house.rooms[self.legs[leg].room].kind


def route_facts(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    route: Route,
    rejections: Counter[str] | None = None,
) -> RouteFacts | None:
    """The facts of a route, or None where it is not worth describing (the information filter).

    Args:
        simulator: Renders what the walker sees.
        scene: The place.
        house: Its facts, where it is a built-in house.
        route: The way and its target.
        rejections: Counts the reason where the answer is None.
    """
    reasons = Counter[str]() if rejections is None else rejections
    landmarks = landmarks_of(scene, house)
    legs: tuple[Leg, ...] = ()
    if house is not None:
        if mention_of(route.target, [each for each in landmarks if each.room == route.target.room]) is None:
            reasons["target has no name of its own"] += 1
            return None
        found = legs_of(house, route.path_m, route.heading_rad)
        if found is None:
            reasons["way along a threshold"] += 1
            return None
        if len(found) > MOST_LEGS:
            reasons["too many rooms"] += 1
            return None
        legs = found
    line = resampled(route.path_m, _STEP_M)
    at, headings = arc_lengths(line), headings_along(line)
    corners = turns_along(route.path_m)
    keyframes = _keyframes(route.path_m, [way for way, _ in corners], legs)
    path_headings = headings_along(route.path_m)
    looks = np.arange(0, len(line), 2)
    keys = list(keyframes)
    shares = seen_shares(
        simulator,
        scene,
        np.vstack([line[looks], route.path_m[keys]]),
        np.concatenate([headings[looks], path_headings[keys]]),
    )
    shares, key_shares = shares[: len(looks)], shares[len(looks) :]
    if not (shares[at[looks] >= at[-1] - TARGET_LAST_M, route.target.id] >= LEAST_SHARE).any():
        reasons["target not in view at the end"] += 1
        return None
    ids = np.array([landmark.id for landmark in landmarks])
    in_view = [
        tuple(int(i) for i in ids[np.argsort(-row[ids], kind="stable")] if row[i] >= LEAST_SHARE)
        for row in key_shares
    ]
    others = [landmark for landmark in landmarks if landmark.id != route.target.id]
    first = turn_deg(route.heading_rad, heading_of(resampled(route.path_m, 0.75)[1] - route.path_m[0]))
    return RouteFacts(
        route=route,
        house=house,
        landmarks=landmarks,
        legs=legs,
        start_turn=(
            "around" if abs(first) > 135 else "" if abs(first) < 40 else "left" if first > 0 else "right"
        ),
        turns=tuple((way, "left" if angle > 0 else "right") for way, angle in corners),
        passed=passed_landmarks(house, legs, others, line, looks, shares),
        is_in_front=is_in_front(route.target, route.goal_m),
        keyframes=keyframes,
        in_view=tuple(in_view),
    )


def headings_along(line_m: np.ndarray) -> np.ndarray:
    """Heading (n,) of a walker at each point of a line, over about the next three points."""
    ahead = np.minimum(np.arange(len(line_m)) + 3, len(line_m) - 1)
    behind = np.minimum(ahead - 1, np.maximum(np.arange(len(line_m)) - 1, 0))
    steps = line_m[ahead] - line_m[behind]
    return np.arctan2(-steps[:, 0], -steps[:, 2])


def is_in_front(landmark: Landmark, position_m: np.ndarray) -> bool:
    """Whether a point (3,) lies in front of a landmark that has a front."""
    if landmark.facing is None or landmark.category in _ROUND or landmark.support not in STANDING:
        return False
    x0, z0, x1, z1 = (
        round(100 * v) for v in (landmark.low_m[0], landmark.low_m[2], landmark.high_m[0], landmark.high_m[2])
    )
    front = front_strip(Rect(x0, z0, x1, z1), landmark.facing, 150)
    x, z = 100 * position_m[0], 100 * position_m[2]
    return bool(front.x0 <= x <= front.x1 and front.z0 <= z <= front.z1)


def _keyframes(path_m: np.ndarray, corners_m: Sequence[float], legs: Sequence[Leg]) -> tuple[int, ...]:
    """Rows of the path at its ends, its corners, and the doors before and after which it turns."""
    at = arc_lengths(path_m)
    ways = [0.0, float(at[-1]), *corners_m]
    ways += [leg.begin_m for leg in legs if leg.first_turn or leg.climb]
    ways += [leg.end_m for leg in legs if leg.last_turn or leg.climb]
    rows = sorted({int(np.argmin(np.abs(at - way))) for way in ways})
    # Corners and doors that are one turn to the walker are one keyframe.
    kept = [rows[0]]
    for row in rows[1:-1]:
        if at[row] - at[kept[-1]] >= 0.8 and at[-1] - at[row] >= 0.8:
            kept.append(row)
    return (*kept, rows[-1])
