from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from vlnenv.houses import house_of, load_scene
from vlnenv.houses.instructions.facts import route_facts
from vlnenv.houses.instructions.landmarks import LEAST_SHARE, landmarks_of
from vlnenv.houses.instructions.passing import BESIDE_M, LEAST_FRAMES
from vlnenv.houses.routes.polyline import arc_lengths
from vlnenv.houses.routes.routes import describe_routes
from vlnenv.sim.embree import EmbreeSimulator

SCENE = "houses/test/0001"


@pytest.fixture(scope="module")
def place():
    simulator = EmbreeSimulator(load_scene=load_scene)
    scene, house = simulator.load(SCENE), house_of(SCENE)
    routes = [each.route for each in describe_routes(simulator, scene, 6, "facts", house=house)]
    return simulator, scene, house, routes


def test_facts_hold(place):
    simulator, scene, house, routes = place
    passed = 0
    for route in routes:
        facts = route_facts(simulator, scene, house, route)
        assert facts.legs[0].begin_m == 0.0
        assert [leg.room for leg in facts.legs if leg.climb == ""] == [
            room for room in route.rooms if house.rooms[room].kind != "stairs"
        ]
        at = arc_lengths(route.path_m)
        assert facts.keyframes[0] == 0
        assert facts.keyframes[-1] == len(route.path_m) - 1
        assert list(facts.keyframes) == sorted(set(facts.keyframes))
        assert len(facts.in_view) == len(facts.keyframes)
        for each in facts.passed:
            passed += 1
            assert each.landmark.id != route.target.id
            assert float(each.landmark.distance_m(route.path_m).min()) <= BESIDE_M + 0.05
            assert each.frames >= LEAST_FRAMES
            assert each.share >= LEAST_SHARE
            assert 0.0 < each.at_m < at[-1]
            _assert_side(route.path_m, at, each)
    assert passed


def _assert_side(path_m, at, passed):
    i = int(np.searchsorted(at, passed.at_m))
    a, b = path_m[max(0, i - 4)], path_m[min(len(path_m) - 1, i + 4)]
    forward, offset = (b - a)[[0, 2]], (passed.landmark.center_m - path_m[i])[[0, 2]]
    left = offset[0] * forward[1] - offset[1] * forward[0]
    assert (left > 0) == (passed.side == "left")


def test_routes_without_information_are_dropped(place):
    simulator, scene, house, routes = place
    route = routes[0]
    seen = {landmark.id for landmark in landmarks_of(scene, house) if landmark.room in route.rooms}
    unseen = next(each for each in landmarks_of(scene, house) if each.id not in seen)
    reasons: Counter[str] = Counter()
    hidden = type(route)(**{**route.__dict__, "target": unseen})
    assert route_facts(simulator, scene, house, hidden, reasons) is None
    outside = type(route)(**{**route.__dict__, "path_m": route.path_m + 100.0})
    assert route_facts(simulator, scene, house, outside, reasons) is None
    assert reasons == {"target not in view at the end": 1, "way along a threshold": 1}


def test_facts_of_a_place_without_rooms(place):
    simulator, scene, _, routes = place
    facts = route_facts(simulator, scene, None, routes[0])
    assert facts.legs == ()
    assert facts.passed == route_facts(simulator, scene, None, routes[0]).passed


def test_routes_can_be_imported_first():
    subprocess.run([sys.executable, "-c", "import vlnenv.houses.routes.route"], check=True)
