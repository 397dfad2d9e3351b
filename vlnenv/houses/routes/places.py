"""Where routes begin and end: comfortable standing places, and goals beside objects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.houses.dice import Dice
from vlnenv.houses.house import House
from vlnenv.houses.instructions.landmarks import LEAST_SHARE, Landmark, seen_shares
from vlnenv.houses.plans.plan import Room
from vlnenv.houses.routes.polyline import heading_of
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

NEAR_M = 1.5
"""A goal lies at most this far from its landmark."""

_CLEAR_M = 0.15
_RING_M = _CLEAR_M * np.array(
    [[math.cos(a * math.pi / 4.0), 0.0, math.sin(a * math.pi / 4.0)] for a in range(8)]
)
_REACH_CM = 110
_RIVAL_MARGIN_M = 0.5
"""Another object of the landmark's kind is at least so much farther from the goal."""
_STOREY_M = (-1.0, 2.4)
"""Objects whose foot is within these heights of the walker's are on the same floor."""


@dataclass(frozen=True, eq=False)
class Goal:
    """A standing place beside an object."""

    position_m: np.ndarray
    """float64 (3,), rounded to a millimetre."""
    target: Landmark


def draw_goal(
    simulator: Simulator, scene: Scene, house: House | None, landmarks: Sequence[Landmark], dice: Dice
) -> Goal | None:
    """A standing place near a random landmark, in view of it and nearer to it than to another of its kind.

    Every room of a house is as likely as any other. None where the draw did not fit.
    """
    around = list(landmarks)
    if house is not None:
        room = dice.pick(_lived_in(house))
        around = [each for each in landmarks if each.room == room.index]
    if not around:
        return None
    target = dice.pick(around)
    position = stand_near(simulator, scene, target, house, dice)
    if position is None:
        return None
    if _has_rival(target, landmarks, position):
        return None
    towards = heading_of(target.center_m - position)
    if seen_shares(simulator, scene, position[None], np.array([towards]))[0, target.id] < LEAST_SHARE:
        return None
    return Goal(position, target)


def draw_start(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    landmarks: Sequence[Landmark],
    goal: Goal,
    dice: Dice,
) -> tuple[np.ndarray | None, int]:
    """A standing place (3,) in another room than the goal's, and the number of that room.

    Where rooms are not known it is near another object, and the number is that object's.
    """
    if house is None:
        other = dice.pick([each for each in landmarks if each.id != goal.target.id])
        return stand_near(simulator, scene, other, house, dice), other.id
    room = dice.pick([room for room in _lived_in(house) if room.index != goal.target.room])
    inner = room.inner.grown(-25)
    x, z = dice.between(inner.x0, inner.x1), dice.between(inner.z0, inner.z1)
    return _standing(simulator, scene, np.array([[x / 100.0, room.floor_cm / 100.0, z / 100.0]])), room.index


def stand_near(
    simulator: Simulator, scene: Scene, landmark: Landmark, house: House | None, dice: Dice
) -> np.ndarray | None:
    """A comfortable standing place on the centimetre grid around a landmark, in its room; None if none."""
    low = [math.floor(100 * v) for v in landmark.low_m]
    high = [math.ceil(100 * v) for v in landmark.high_m]
    floor_m = low[1] / 100.0 if house is None else house.rooms[landmark.room].floor_cm / 100.0
    for _ in range(6):
        x = dice.between(low[0] - _REACH_CM, high[0] + _REACH_CM)
        z = dice.between(low[2] - _REACH_CM, high[2] + _REACH_CM)
        wanted = np.array([[x / 100.0, floor_m, z / 100.0]])
        if not 0.3 <= float(landmark.distance_m(wanted)[0]) <= _REACH_CM / 100.0:
            continue
        if house is not None and house.room_at(x / 100.0, z / 100.0, floor_m) != landmark.room:
            continue
        position = _standing(simulator, scene, wanted)
        if position is not None:
            return position
    return None


def _has_rival(target: Landmark, landmarks: Sequence[Landmark], position_m: np.ndarray) -> bool:
    """Whether another object of the target's kind on this floor is about as near to a position (3,)."""
    point = position_m[None]
    limit = float(target.distance_m(point)[0]) + _RIVAL_MARGIN_M
    return any(
        _STOREY_M[0] < other.low_m[1] - position_m[1] < _STOREY_M[1]
        and float(other.distance_m(point)[0]) < limit
        for other in landmarks
        if other.category == target.category and other.id != target.id
    )


def _lived_in(house: House) -> list[Room]:
    return [room for room in house.rooms if room.kind != "stairs"]


def _standing(simulator: Simulator, scene: Scene, wanted_m: np.ndarray) -> np.ndarray | None:
    """The floor point (3,) at or below a wanted point (1, 3), if there is room to stand."""
    position = simulator.snap(scene, wanted_m, 2.0)[0]
    if not np.isfinite(position).all() or np.abs((position - wanted_m[0])[[0, 2]]).max() > 0.005:
        return None
    # Rounded as it will be written, so that the file and the generator mean the same point.
    position = np.array([wanted_m[0, 0], round(float(position[1]), 3), wanted_m[0, 2]]).round(3)
    may_stand = simulator.is_navigable(scene, np.vstack([position[None], position + _RING_M]))
    return position if may_stand.all() else None
