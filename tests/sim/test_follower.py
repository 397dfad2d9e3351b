from __future__ import annotations

import math

import numpy as np
import pytest

from vlnenv.houses import load_scene
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import Follower, FollowerConfig, follow, next_action


@pytest.fixture(scope="module")
def place():
    simulator = EmbreeSimulator(load_scene=load_scene)
    return simulator, simulator.load("houses/test/0001")


def test_shortest_ways_are_kept(place):
    simulator, scene = place
    rng = np.random.default_rng(0)
    points = simulator.sample(scene, rng, 40)
    spl = []
    for start, goal in zip(points[::2], points[1::2], strict=True):
        length = simulator.geodesic(scene, start[None], goal)[0]
        rollout = follow(simulator, scene, start, float(rng.integers(24)) * math.pi / 12, goal)
        assert rollout.actions[-1] == 0
        assert len(rollout.actions) < 200
        left = simulator.geodesic(scene, rollout.positions_m[-1:], goal)[0]
        assert left <= 0.25
        walked = np.linalg.norm(np.diff(rollout.positions_m, axis=0), axis=1).sum()
        spl.append(length / max(length, walked))
        # No weaving: a turn is never undone at once.
        pairs = list(zip(rollout.actions, rollout.actions[1:], strict=False))
        assert (2, 3) not in pairs
        assert (3, 2) not in pairs
    assert np.mean(spl) >= 0.99
    assert min(spl) >= 0.97


def test_turns_towards_the_goal(place):
    simulator, scene = place
    start = simulator.snap(scene, np.array([[scene.bounds_m[1, 0] / 2, 0.0, scene.bounds_m[1, 2] / 2]]))[0]
    goal = None
    for heading in np.arange(24) * math.pi / 12:
        step = np.array([-math.sin(heading), 0.0, -math.cos(heading)])
        if simulator.geodesic(scene, start[None], start + step)[0] < 1.01:
            goal, towards = start + step, heading
            break
    assert goal is not None
    assert next_action(simulator, scene, start, towards, goal) == 1
    assert next_action(simulator, scene, start, towards - math.pi / 3, goal) == 2
    assert next_action(simulator, scene, start, towards + math.pi / 3, goal) == 3
    assert next_action(simulator, scene, goal, towards, goal) == 0


def test_waypoints_are_visited_in_order(place):
    simulator, scene = place
    rng = np.random.default_rng(1)
    start, a, b = simulator.sample(scene, rng, 3)
    rollout = follow(simulator, scene, start, 0.0, np.stack([a, b, start]))
    gaps = [np.linalg.norm(rollout.positions_m - p, axis=1) for p in (a, b)]
    assert gaps[0].min() < 0.5
    assert gaps[1].min() < 0.5
    assert gaps[0].argmin() < gaps[1].argmin()
    assert np.linalg.norm(rollout.positions_m[-1] - start) < 0.3


def test_no_way_means_stop(place):
    simulator, scene = place
    start = simulator.sample(scene, np.random.default_rng(2), 1)[0]
    assert next_action(simulator, scene, start, 0.0, np.array([500.0, 0.0, 500.0])) == 0
    assert follow(simulator, scene, start, 0.0, np.array([500.0, 0.0, 500.0])).actions == (0,)


def test_steps_run_out(place):
    simulator, scene = place
    start, goal = simulator.sample(scene, np.random.default_rng(3), 2)
    assert len(follow(simulator, scene, start, 0.0, goal, max_steps=4).actions) == 4


def test_bad_configurations(place):
    with pytest.raises(ValueError, match="divide 360"):
        FollowerConfig(turn_deg=50.0)
    with pytest.raises(ValueError, match="positive"):
        FollowerConfig(step_m=0.0)
    with pytest.raises(ValueError, match="waypoints_m"):
        Follower(place[0], place[1], np.zeros((2, 2)))
