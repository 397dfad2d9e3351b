"""Expert routes between places of a scene, and the episodes that instructions make of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.episodes.episode import Episode, Vector3
from vlnenv.houses.dice import Dice
from vlnenv.houses.house import House
from vlnenv.houses.instructions import write
from vlnenv.houses.instructions.facts import route_facts
from vlnenv.houses.instructions.landmarks import Landmark, landmarks_of
from vlnenv.houses.routes.places import Goal, draw_goal, draw_start
from vlnenv.houses.routes.polyline import arc_lengths, heading_of, resampled
from vlnenv.houses.routes.route import Route
from vlnenv.houses.routes.smoothing import smoothed, waypoints
from vlnenv.houses.routes.trajectory import follow_path
from vlnenv.sim.camera import heading_to_quaternion
from vlnenv.sim.fields import navigation_field
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

MIN_M, MAX_M = 5.0, 20.0
"""Length of a route."""
REACH_M = 0.3
"""The expert ends at most this far from the goal."""
LEAST_SPL = 0.95
"""The expert's way is at most so much longer than the shortest."""

_NOTCH_RAD = math.pi / 12.0
_STARTS_PER_GOAL = 4
_TRIES_PER_ROUTE = 30
_SHORT_M = ((3.0, False), (2.0, True))
"""Least lengths for places too small or too empty, and whether two routes may join the same places then."""


@dataclass(frozen=True)
class DescribedRoute:
    """A route with its instructions."""

    route: Route
    texts: dict[str, list[str]]
    """Style -> paraphrases."""


def generate_episodes(
    simulator: Simulator,
    scene: Scene,
    count: int,
    seed: int | str,
    *,
    house: House | None = None,
    style: str = "r2r",
    first_id: int = 1,
    min_length_m: float = MIN_M,
    max_length_m: float = MAX_M,
    rejections: Counter[str] | None = None,
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
        count: How many episodes, each on a route of its own.
        seed: Equal seeds give equal episodes.
        house: Facts of a built-in house.
        style: "r2r", or where the house is known "reverie" or "navrag".
        first_id: Episode id of the first one; the others count on. Trajectory ids are the same.
        min_length_m: Shortest route.
        max_length_m: Longest route.
        rejections: Counts routes that were drawn and dropped, by reason.

    Returns:
        `count` episodes.

    Raises:
        ValueError: If the scene has fewer than two objects to name, or not enough routes were found.
    """
    described = describe_routes(
        simulator,
        scene,
        count,
        seed,
        house=house,
        styles=(style,),
        paraphrases=1,
        lengths_m=(min_length_m, max_length_m),
        rejections=rejections,
    )
    return [
        episode_of(each.route, each.texts[style][0], first_id + number, first_id + number)
        for number, each in enumerate(described)
    ]


def describe_routes(
    simulator: Simulator,
    scene: Scene,
    count: int,
    seed: int | str,
    *,
    house: House | None = None,
    styles: Sequence[str] = ("r2r",),
    paraphrases: int = 1,
    lengths_m: tuple[float, float] = (MIN_M, MAX_M),
    rejections: Counter[str] | None = None,
) -> list[DescribedRoute]:
    """Routes that instructions of every style can describe; see `generate_episodes`.

    Args:
        simulator: Moves, measures and renders in `scene`.
        scene: The place.
        count: How many routes.
        seed: Equal seeds give equal routes.
        house: Facts of a built-in house.
        styles: Styles of instructions; a route that cannot be told in one of them is dropped.
        paraphrases: Instructions a route and style.
        lengths_m: Shortest and longest route.
        rejections: Counts what was dropped, by reason.

    Raises:
        ValueError: If the scene has fewer than two objects to name, or not enough routes were found.
    """
    landmarks = landmarks_of(scene, house)
    if len(landmarks) < 2:
        raise ValueError(
            f"scene {scene.id!r} has {len(landmarks)} named objects; routes need at least 2. Instance names "
            "come from the mesh nodes of the file"
        )
    rejections = Counter() if rejections is None else rejections
    dice = Dice("routes-v1", scene.id, seed)
    low, high = lengths_m
    found: list[DescribedRoute] = []
    used: set[tuple[int, int]] = set()
    for low_m, may_repeat in ((low, False), *((min(short, low), repeat) for short, repeat in _SHORT_M)):
        for _ in range(_TRIES_PER_ROUTE * count):
            if len(found) == count:
                return found
            goal = draw_goal(simulator, scene, house, landmarks, dice)
            if goal is None:
                continue
            for start, place in _starts(simulator, scene, house, landmarks, goal, dice):
                if (place, goal.target.id) in used and not may_repeat:
                    continue
                route = make_route(simulator, scene, house, start, goal, (low_m, high), dice, rejections)
                if route is None:
                    continue
                texts = texts_of(simulator, scene, house, route, styles, paraphrases, dice, rejections)
                if texts is not None:
                    used.add((place, goal.target.id))
                    found.append(DescribedRoute(route, texts))
                    break
    if len(found) == count:
        return found
    raise ValueError(
        f"found only {len(found)} of {count} routes of {low} to {high} m between named objects of scene "
        f"{scene.id!r}; ask for fewer or shorter ones. Dropped: {dict(rejections)}"
    )


def make_route(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    start_m: np.ndarray,
    goal: Goal,
    lengths_m: tuple[float, float],
    dice: Dice,
    rejections: Counter[str],
) -> Route | None:
    """The route between two standing places; None (and the reason counted) if no expert walks it well."""
    length = float(simulator.geodesic(scene, start_m[None], goal.position_m)[0])
    if not lengths_m[0] <= length <= lengths_m[1]:
        rejections["no way" if math.isinf(length) else "length"] += 1
        return None
    shortest = simulator.path(scene, start_m, goal.position_m)
    if len(shortest) < 2:
        rejections["no way"] += 1
        return None
    path = smoothed(navigation_field(scene, simulator.body), shortest)
    rooms: tuple[int, ...] = ()
    if house is not None:
        rooms = rooms_along(house, path)
        if -1 in rooms:
            rejections["leaves the house"] += 1
            return None
    heading = _first_heading(path, dice)
    rollout = follow_path(simulator, scene, path, heading)
    walked = float(arc_lengths(rollout.positions_m)[-1])
    gap = rollout.positions_m[-1] - goal.position_m
    if math.sqrt(float((gap * gap).sum())) > REACH_M or length < LEAST_SPL * walked:
        rejections["expert"] += 1
        return None
    return Route(scene.id, start_m, heading, goal.position_m, path, length, goal.target, rollout, rooms)


def texts_of(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    route: Route,
    styles: Sequence[str],
    paraphrases: int,
    dice: Dice,
    rejections: Counter[str],
) -> dict[str, list[str]] | None:
    """Style -> paraphrases; None (and the reason counted) for a route that cannot be told in all styles."""
    facts = route_facts(simulator, scene, house, route, rejections)
    if facts is None:
        return None
    texts = {}
    for style in styles:
        texts[style] = write(facts, style, paraphrases, dice, rejections)
        if not texts[style]:
            return None
    return texts


def rooms_along(house: House, path_m: np.ndarray) -> tuple[int, ...]:
    """Rooms that a path leads through, in order; -1 stands for places outside the house."""
    visited: list[int] = []
    for x, y, z in resampled(path_m, 0.05):
        room = house.room_at(float(x), float(z), float(y))
        if not visited or visited[-1] != room:
            visited.append(room)
    return tuple(visited)


def episode_of(route: Route, text: str, episode_id: int, trajectory_id: int) -> Episode:
    """The episode that a route and one of its instructions make, in R2R-CE's form."""
    reference = waypoints(route.path_m)
    reference[0], reference[-1] = route.start_m, route.goal_m
    x, y, z, w = heading_to_quaternion(route.heading_rad)
    return Episode(
        episode_id=str(episode_id),
        trajectory_id=str(trajectory_id),
        scene_id=route.scene_id,
        start_position_m=_rounded(route.start_m),
        start_rotation_xyzw=(round(x, 9), round(y, 9), round(z, 9), round(w, 9)),
        instruction=text,
        goal_position_m=_rounded(route.goal_m),
        reference_path_m=tuple(_rounded(point) for point in reference),
        geodesic_distance_m=round(route.length_m, 3),
        gt_locations_m=tuple(_rounded(point) for point in route.rollout.positions_m),
        gt_actions=route.rollout.actions,
        extra={"info": {"goal_object": route.target.name, "goal_category": route.target.category}},
    )


def _starts(
    simulator: Simulator,
    scene: Scene,
    house: House | None,
    landmarks: Sequence[Landmark],
    goal: Goal,
    dice: Dice,
) -> Iterator[tuple[np.ndarray, int]]:
    for _ in range(_STARTS_PER_GOAL):
        start, place = draw_start(simulator, scene, house, landmarks, goal, dice)
        if start is not None:
            yield start, place


def _rounded(point_m: np.ndarray) -> Vector3:
    return (round(float(point_m[0]), 3), round(float(point_m[1]), 3), round(float(point_m[2]), 3))


def _first_heading(path_m: np.ndarray, dice: Dice) -> float:
    """A multiple of 15 degrees: mostly towards the way, sometimes anywhere."""
    ahead = round(heading_of(resampled(path_m, 0.75)[1] - path_m[0]) / _NOTCH_RAD)
    kind = dice.below(100)
    offset = dice.between(-2, 2) if kind < 55 else dice.between(-8, 8) if kind < 85 else dice.below(24)
    return math.remainder((ahead + offset) * _NOTCH_RAD, 2.0 * math.pi)
