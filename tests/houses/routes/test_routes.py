from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from tests.shared_data import shared_data
from vlnenv.houses import generate_episodes, house_of, load_scene
from vlnenv.houses.instructions import STYLES
from vlnenv.houses.instructions.landmarks import LEAST_SHARE, landmarks_of, seen_shares
from vlnenv.houses.routes.places import NEAR_M
from vlnenv.houses.routes.polyline import arc_lengths, heading_of
from vlnenv.houses.routes.routes import (
    LEAST_SPL,
    MAX_M,
    MIN_M,
    REACH_M,
    DescribedRoute,
    describe_routes,
    rooms_along,
)
from vlnenv.houses.routes.routes import generate_episodes as generate
from vlnenv.houses.routes.smoothing import MAX_STRETCH
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.fields import navigation_field
from vlnenv.sim.follower import follow
from vlnenv.sim.loading import load_scene as load_file


@pytest.fixture(scope="module")
def simulator() -> EmbreeSimulator:
    return EmbreeSimulator(load_scene=load_scene)


@pytest.fixture(scope="module")
def two_floors(simulator) -> str:
    """The first house of the test group with stairs."""
    names = (f"houses/test/{number:04d}" for number in range(20))
    return next(name for name in names if any(room.level for room in house_of(name).rooms))


@pytest.fixture(scope="module")
def described(simulator, two_floors) -> tuple[list[DescribedRoute], Counter[str]]:
    rejections: Counter[str] = Counter()
    scene, house = simulator.load(two_floors), house_of(two_floors)
    routes = describe_routes(
        simulator, scene, 12, "test", house=house, styles=STYLES, paraphrases=3, rejections=rejections
    )
    return routes, rejections


def test_a_route_is_walkable_and_smooth(simulator, two_floors, described):
    scene = simulator.load(two_floors)
    field = navigation_field(scene, simulator.body)
    for route in (each.route for each in described[0]):
        assert MIN_M <= route.length_m <= MAX_M
        assert route.length_m == simulator.geodesic(scene, route.start_m[None], route.goal_m)[0]
        assert field.is_navigable(route.path_m).all()
        assert arc_lengths(route.path_m)[-1] <= 1.01 * MAX_STRETCH * route.length_m
        shortest = simulator.path(scene, route.start_m, route.goal_m)
        near_ends = 2.0 * simulator.body.radius_m
        assert field.clearance(route.path_m).min() >= min(field.clearance(shortest).min(), near_ends)
    clearance = [field.clearance(each.route.path_m).min() for each in described[0]]
    assert np.median(clearance) > 0.17


def test_experts_reach_the_goal(simulator, two_floors, described):
    scene = simulator.load(two_floors)
    spl = []
    for route in (each.route for each in described[0]):
        shortest = follow(simulator, scene, route.start_m, route.heading_rad, route.goal_m)
        for rollout in (route.rollout, shortest):
            assert rollout.actions[-1] == 0
            assert np.linalg.norm(rollout.positions_m[-1] - route.goal_m) <= REACH_M
        walked = arc_lengths(route.rollout.positions_m)[-1]
        spl.append(route.length_m / max(walked, route.length_m))
    assert min(spl) >= LEAST_SPL
    assert np.mean(spl) >= 0.97


def test_routes_lead_through_rooms_and_between_floors(two_floors, described):
    house = house_of(two_floors)
    levels = set()
    for route in (each.route for each in described[0]):
        assert route.rooms == rooms_along(house, route.path_m)
        assert -1 not in route.rooms
        assert len(route.rooms) >= 2
        assert route.rooms[-1] == route.target.room != route.rooms[0]
        ends = (house.rooms[route.rooms[0]], house.rooms[route.rooms[-1]])
        assert "stairs" not in [room.kind for room in ends]
        for room, point in zip(ends, (route.start_m, route.goal_m), strict=True):
            assert point[1] == pytest.approx(room.floor_cm / 100.0, abs=0.03)
        levels.add((ends[0].level, ends[1].level))
    assert {(0, 1), (1, 0)} & levels


def test_a_goal_sees_its_target_and_no_rival_is_near(simulator, two_floors, described):
    scene, house = simulator.load(two_floors), house_of(two_floors)
    for route in (each.route for each in described[0]):
        goal = route.goal_m[None]
        assert route.target.distance_m(goal)[0] <= NEAR_M
        heading = heading_of(route.target.center_m - route.goal_m)
        assert seen_shares(simulator, scene, goal, np.array([heading]))[0, route.target.id] >= LEAST_SHARE
        same = [each for each in landmarks_of(scene, house) if each.category == route.target.category]
        floor = [each for each in same if abs(each.low_m[1] - route.target.low_m[1]) < 1.0]
        assert min(floor, key=lambda each: each.distance_m(goal)[0]).id == route.target.id


def test_every_style_tells_every_route(described):
    for each in described[0]:
        assert set(each.texts) == set(STYLES)
        for texts in each.texts.values():
            assert len(texts) == len(set(texts)) == 3
    assert len({each.route.target.id for each in described[0]}) > 6
    assert described[1], "nothing was rejected: the filters are not asked"


def test_equal_seeds_give_equal_routes(simulator, two_floors):
    scene, house = simulator.load(two_floors), house_of(two_floors)
    first = generate(simulator, scene, 3, 1, house=house)
    assert generate(simulator, scene, 3, 1, house=house) == first
    assert generate(simulator, scene, 3, 2, house=house) != first
    assert generate_episodes(simulator, scene, 3, 1) == first


def test_routes_in_a_real_flat():
    simulator = EmbreeSimulator(load_scene=load_file)
    scene = simulator.load(str(shared_data("scenes/aws_small_house.glb")))
    episodes = generate_episodes(simulator, scene, 50, 3)
    assert episodes[:5] == generate_episodes(simulator, scene, 5, 3)
    assert episodes[:5] != generate_episodes(simulator, scene, 5, 4)
    assert len({e.episode_id for e in episodes}) == 50
    spl = []
    for episode in episodes:
        assert 5.0 <= episode.geodesic_distance_m <= 20.0
        assert episode.instruction.isascii()
        points = np.array(episode.gt_locations_m)
        left = simulator.geodesic(scene, points[-1:], np.array(episode.goal_position_m))[0]
        assert left <= 0.5
        spl.append(episode.geodesic_distance_m / max(arc_lengths(points)[-1], episode.geodesic_distance_m))
        assert any(i.name == episode.extra["info"]["goal_object"] for i in scene.instances)
    assert np.mean(spl) >= 0.97
    assert min(spl) >= LEAST_SPL


def test_rooms_need_not_be_known(simulator):
    scene = dataclasses.replace(simulator.load("houses/test/0000"), id="elsewhere")
    episodes = generate_episodes(simulator, scene, 5, "x")
    assert all(e.scene_id == "elsewhere" for e in episodes)
    assert not any("bedroom" in e.instruction or "hallway" in e.instruction for e in episodes)


def test_a_scene_without_names_is_refused(simulator):
    scene = simulator.load("houses/test/0000")
    bare = tuple(i for i in scene.instances if i.category in ("wall", "floor", "ceiling", "door frame"))
    unnamed = dataclasses.replace(scene, id="elsewhere", instances=bare)
    assert landmarks_of(unnamed) == ()
    with pytest.raises(ValueError, match="0 named objects"):
        generate_episodes(simulator, unnamed, 5, 0)


def test_a_place_too_small_says_so(simulator):
    scene = dataclasses.replace(simulator.load("houses/test/0000"), id="elsewhere")
    with pytest.raises(ValueError, match=r"found only 0 of 1.*Dropped.*length"):
        generate(simulator, scene, 1, 0, max_length_m=0.5)
