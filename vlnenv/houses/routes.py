"""Expert routes between places of a scene, with the instructions that describe them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.episodes.episode import Episode, Vector3
from vlnenv.houses.dice import Dice
from vlnenv.houses.floorplan import Rect
from vlnenv.houses.furnish import front_strip
from vlnenv.houses.house import House
from vlnenv.houses.instructions import Passed, StopCondition, write_house_route, write_open_route
from vlnenv.houses.landmarks import (
    LEAST_SHARE,
    Landmark,
    landmarks_of,
    noun_phrase,
    seen_shares,
)
from vlnenv.houses.legs import legs_of
from vlnenv.houses.polyline import arc_lengths, heading_of, resampled, turn_deg, turns_along, waypoints
from vlnenv.sim.camera import heading_to_quaternion
from vlnenv.sim.follower import follow
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

MIN_M, MAX_M = 5.0, 20.0
"""Length of a route."""
NEAR_M = 1.5
"""A goal lies at most this far from its landmark."""
_CLEAR_M = 0.15
_NOTCH_RAD = math.pi / 12.0
_STARTS_PER_GOAL = 4
_RIVAL_MARGIN_M = 0.5
"""Another object of the landmark's kind is at least so much farther from the goal."""


@dataclass(frozen=True)
class _Goal:
    position_m: np.ndarray
    landmark: Landmark
    stop: StopCondition


def generate_episodes(
    simulator: Simulator,
    scene: Scene,
    count: int,
    seed: int | str,
    *,
    house: House | None = None,
    first_id: int = 1,
    min_length_m: float = MIN_M,
    max_length_m: float = MAX_M,
) -> list[Episode]:
    """Episodes with instructions and ground truth in any scene with named instances.

    In a built-in house a route leads from one room to another and the instruction names rooms, doors and
    landmarks. Elsewhere it leads from near one object to near another, and the instruction has turns and
    landmarks only. A goal is at most 1.5 m from the landmark that the instruction ends with, sees it, and is
    nearer to it than to any other of its kind.

    A place too small or too empty for `count` routes gets routes from 3 m, then from 2 m on, and then several
    routes between the same two objects.

    Args:
        simulator: Moves, measures and renders in `scene`.
        scene: The place.
        count: How many episodes.
        seed: Equal seeds give equal episodes.
        house: Facts of a built-in house.
        first_id: Episode id of the first one; the others count on. Trajectory ids are the same.
        min_length_m: Shortest route.
        max_length_m: Longest route.

    Returns:
        `count` episodes.

    Raises:
        ValueError: If the scene has fewer than two objects to name, or not enough routes were found.
    """
    landmarks = landmarks_of(scene, house)
    if len(landmarks) < 2:
        raise ValueError(
            f"scene {scene.id!r} has {len(landmarks)} named objects; routes need at least 2. Instance names "
            "come from the mesh nodes of the file"
        )
    dice = Dice("routes-v0", scene.id, seed)
    episodes: list[Episode] = []
    used: set[tuple[int, int]] = set()
    stages = [(min_length_m, False)] + [(min(low, min_length_m), low < 3.0) for low in (3.0, 2.0)]
    for low, may_repeat in stages:
        for _ in range(30 * count):
            if len(episodes) == count:
                return episodes
            goal = _draw_goal(simulator, scene, house, landmarks, dice)
            if goal is None:
                continue
            for start, place in _starts(simulator, scene, house, landmarks, goal, dice):
                if (place, goal.landmark.id) in used and not may_repeat:
                    continue
                number = first_id + len(episodes)
                episode = _episode(
                    simulator, scene, house, landmarks, goal, start, (low, max_length_m), number, dice
                )
                if episode is not None:
                    used.add((place, goal.landmark.id))
                    episodes.append(episode)
                    break
    if len(episodes) == count:
        return episodes
    raise ValueError(
        f"found only {len(episodes)} of {count} routes of {min_length_m} to {max_length_m} m between named "
        f"objects of scene {scene.id!r}; ask for fewer or shorter ones"
    )


def _draw_goal(
    simulator: Simulator, scene: Scene, house: House | None, landmarks: Sequence[Landmark], dice: Dice
) -> _Goal | None:
    """A standing place near a random landmark that words can single out."""
    if house is not None:
        room = dice.below(len(house.rooms))
        around = [each for each in landmarks if each.room == room]
    else:
        around = list(landmarks)
    if not around:
        return None
    landmark = dice.pick(around)
    phrase = noun_phrase(landmark, around, with_color=bool(landmark.color) and dice.chance(60))
    if phrase is None:
        return None
    position = _near(simulator, scene, landmark, house, dice)
    if position is None:
        return None
    point = position[None]
    distance = float(landmark.distance_m(point)[0])
    rivals = [o for o in landmarks if o.category == landmark.category and o.id != landmark.id]
    if any(float(o.distance_m(point)[0]) < distance + _RIVAL_MARGIN_M for o in rivals):
        return None
    towards = heading_of(landmark.center_m - position)
    if seen_shares(simulator, scene, point, np.array([towards]))[0, landmark.id] < LEAST_SHARE:
        return None
    return _Goal(position, landmark, StopCondition(phrase, _is_in_front(landmark, position)))


def _is_in_front(landmark: Landmark, position_m: np.ndarray) -> bool:
    if landmark.facing is None or landmark.category in ("rug", "floor lamp", "plant", "trash can", "stool"):
        return False
    x0, z0, x1, z1 = (
        round(100 * v) for v in (landmark.low_m[0], landmark.low_m[2], landmark.high_m[0], landmark.high_m[2])
    )
    front = front_strip(Rect(x0, z0, x1, z1), landmark.facing, 150)
    x, z = 100 * position_m[0], 100 * position_m[2]
    return bool(front.x0 <= x <= front.x1 and front.z0 <= z <= front.z1)


def _near(
    simulator: Simulator, scene: Scene, landmark: Landmark, house: House | None, dice: Dice
) -> np.ndarray | None:
    """A comfortable standing place on the centimetre grid around a landmark, in its room; None if none."""
    low = [math.floor(100 * v) for v in landmark.low_m]
    high = [math.ceil(100 * v) for v in landmark.high_m]
    for _ in range(6):
        x, z = dice.between(low[0] - 110, high[0] + 110), dice.between(low[2] - 110, high[2] + 110)
        wanted = np.array([[x / 100.0, low[1] / 100.0, z / 100.0]])
        distance = float(landmark.distance_m(wanted)[0])
        if not 0.3 <= distance <= 1.1:
            continue
        if house is not None and house.room_at(x / 100.0, z / 100.0) != landmark.room:
            continue
        position = _standing(simulator, scene, wanted, house)
        if position is not None:
            return position
    return None


def _standing(
    simulator: Simulator, scene: Scene, wanted_m: np.ndarray, house: House | None
) -> np.ndarray | None:
    """The floor point (3,) at or below a wanted point (1, 3), if there is room to stand."""
    if house is not None:
        wanted_m = wanted_m * [1.0, 0.0, 1.0]
    position = simulator.snap(scene, wanted_m, 2.0)[0]
    if not np.isfinite(position).all() or np.abs((position - wanted_m[0])[[0, 2]]).max() > 0.005:
        return None
    # Rounded as it will be written, so that the file and the generator mean the same point.
    position = np.array([wanted_m[0, 0], round(float(position[1]), 3), wanted_m[0, 2]]).round(3)
    angles = np.arange(8) * math.pi / 4.0
    ring = position + _CLEAR_M * np.stack([np.cos(angles), np.zeros(8), np.sin(angles)], axis=1)
    return position if simulator.is_navigable(scene, np.vstack([position[None], ring])).all() else None


def _starts(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    landmarks: Sequence[Landmark],
    goal: _Goal,
    dice: Dice,
) -> Iterator[tuple[np.ndarray, int]]:
    """Start positions, each with the number of the room or landmark that it belongs to."""
    for _ in range(_STARTS_PER_GOAL):
        if house is not None:
            room = dice.pick([room for room in house.rooms if room.index != goal.landmark.room])
            inner = room.inner.grown(-25)
            x, z = dice.between(inner.x0, inner.x1), dice.between(inner.z0, inner.z1)
            start = _standing(simulator, scene, np.array([[x / 100.0, 0.0, z / 100.0]]), house)
            place = room.index
        else:
            other = dice.pick([each for each in landmarks if each.id != goal.landmark.id])
            start, place = _near(simulator, scene, other, house, dice), other.id
        if start is not None:
            yield start, place


def _episode(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    landmarks: Sequence[Landmark],
    goal: _Goal,
    start_m: np.ndarray,
    lengths_m: tuple[float, float],
    number: int,
    dice: Dice,
) -> Episode | None:
    """The whole episode, or None where the route is too short, too long or cannot be described."""
    length = float(simulator.geodesic(scene, start_m[None], goal.position_m)[0])
    if not lengths_m[0] <= length <= lengths_m[1]:
        return None
    path = simulator.path(scene, start_m, goal.position_m)
    if len(path) < 2:
        return None
    heading = _first_heading(path, dice)
    line = resampled(path, 0.25)
    passed, sees_goal = _passed(simulator, scene, house, landmarks, goal, line, dice)
    if not sees_goal:
        return None
    if house is not None:
        legs = legs_of(house, path, heading)
        if legs is None or len(legs) < 2:
            return None
        kinds = [house.rooms[leg.room].kind for leg in legs]
        text = write_house_route(legs, kinds, passed, goal.stop, dice)
    else:
        turns = [(at, "left" if angle > 0 else "right") for at, angle in turns_along(path)]
        first = turn_deg(heading, heading_of(resampled(path, 0.75)[1] - path[0]))
        start_turn = (
            "" if abs(first) < 40 else "around" if abs(first) > 135 else "left" if first > 0 else "right"
        )
        text = write_open_route(start_turn, turns, passed, goal.stop, length, dice)
    rollout = follow(simulator, scene, start_m, heading, goal.position_m)
    if rollout.actions[-1] != 0:
        return None
    name = next(each.name for each in scene.instances if each.id == goal.landmark.id)
    reference = waypoints(path)
    reference[0], reference[-1] = start_m, goal.position_m
    x, y, z, w = heading_to_quaternion(heading)
    return Episode(
        episode_id=str(number),
        trajectory_id=str(number),
        scene_id=scene.id,
        start_position_m=_rounded(start_m),
        start_rotation_xyzw=(round(x, 9), round(y, 9), round(z, 9), round(w, 9)),
        instruction=text,
        goal_position_m=_rounded(goal.position_m),
        reference_path_m=tuple(_rounded(point) for point in reference),
        geodesic_distance_m=round(length, 3),
        gt_locations_m=tuple(_rounded(point) for point in rollout.positions_m),
        gt_actions=rollout.actions,
        extra={"info": {"goal_object": name}},
    )


def _rounded(point_m: np.ndarray) -> Vector3:
    return (round(float(point_m[0]), 3), round(float(point_m[1]), 3), round(float(point_m[2]), 3))


def _first_heading(path_m: np.ndarray, dice: Dice) -> float:
    """A multiple of 15 degrees: mostly towards the way, sometimes anywhere."""
    ahead = round(heading_of(resampled(path_m, 0.75)[1] - path_m[0]) / _NOTCH_RAD)
    kind = dice.below(100)
    offset = dice.between(-2, 2) if kind < 55 else dice.between(-8, 8) if kind < 85 else dice.below(24)
    return math.remainder((ahead + offset) * _NOTCH_RAD, 2.0 * math.pi)


def _passed(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    landmarks: Sequence[Landmark],
    goal: _Goal,
    line_m: np.ndarray,
    dice: Dice,
) -> tuple[list[Passed], bool]:
    """Landmarks beside the way that the walker sees before passing them; and whether the goal's is seen."""
    at = arc_lengths(line_m)
    ahead = np.minimum(np.arange(len(line_m)) + 3, len(line_m) - 1)
    behind = np.minimum(ahead - 1, np.maximum(np.arange(len(line_m)) - 1, 0))
    steps = line_m[ahead] - line_m[behind]
    headings = np.arctan2(-steps[:, 0], -steps[:, 2])
    looks = np.arange(0, len(line_m), 2)
    seen = seen_shares(simulator, scene, line_m[looks], headings[looks]) >= LEAST_SHARE
    found = []
    for landmark in landmarks:
        if landmark.id == goal.landmark.id or landmark.low_m[1] > line_m[0, 1] + 1.8:
            continue
        distance = landmark.distance_m(line_m)
        i = int(np.argmin(distance))
        if not 0.05 < distance[i] <= 1.2 or not 0.75 < at[i] < at[-1] - 0.75:
            continue
        if house is not None and house.room_at(float(line_m[i, 0]), float(line_m[i, 2])) != landmark.room:
            continue
        if int(seen[looks <= i + 1, landmark.id].sum()) < 2:
            continue
        nearest = np.clip(line_m[i], landmark.low_m, landmark.high_m) - line_m[i]
        forward = np.array([-math.sin(headings[i]), -math.cos(headings[i])])
        along = float(nearest[[0, 2]] @ forward)
        # Left of (fx, fz) is (fz, -fx) where x grows to the right and z towards the viewer.
        left = float(nearest[0] * forward[1] - nearest[2] * forward[0])
        if abs(left) < abs(along) or abs(left) < 0.15:
            continue
        others = [o for o in landmarks if o.room == landmark.room]
        phrase = noun_phrase(landmark, others, with_color=bool(landmark.color) and dice.chance(50))
        if phrase is None or landmark.category == goal.landmark.category:
            continue
        found.append(Passed(float(at[i]), phrase, "left" if left > 0 else "right"))
    sees_goal = bool(seen[looks >= max(0, len(line_m) - 16), goal.landmark.id].any())
    return found, sees_goal
