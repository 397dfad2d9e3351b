import math

import numpy as np
import pytest

from vlnenv.houses import load_scene
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import FollowerConfig
from vlnenv.sim.strides import MAX_STEPS, next_stride


@pytest.fixture(scope="module")
def place():
    simulator = EmbreeSimulator(load_scene=load_scene)
    return simulator, simulator.load("houses/test/0001")


def walk(simulator, scene, position_m, heading_rad, goal_m, limit=60):
    """Positions, and (turn, moves) of each stride."""
    positions, strides = [position_m], []
    while len(strides) < limit:
        stride = next_stride(simulator, scene, positions[-1], heading_rad, goal_m)
        if stride is None:
            break
        strides.append(stride)
        heading_rad += math.radians(15 * stride[0])
        for _ in range(stride[1]):
            moved, _ = simulator.move(scene, positions[-1][None], np.array([heading_rad]), 0.25, True)
            positions.append(moved[0])
    return np.stack(positions), strides


def test_strides_keep_to_shortest_ways_and_are_few(place):
    simulator, scene = place
    points = simulator.sample(scene, np.random.default_rng(0), 40)
    spl, counts = [], []
    for start, goal in zip(points[::2], points[1::2], strict=True):
        length = float(simulator.geodesic(scene, start[None], goal)[0])
        positions, strides = walk(simulator, scene, start, 0.3, goal)
        assert simulator.geodesic(scene, positions[-1:], goal)[0] <= 0.25
        walked = np.linalg.norm(np.diff(positions, axis=0), axis=1).sum()
        spl.append(length / max(length, walked))
        counts.append(len(strides) / max(1.0, length))
        assert all(-12 < turn <= 12 and 1 <= moves <= MAX_STEPS for turn, moves in strides)
    assert np.mean(spl) >= 0.97
    assert min(spl) >= 0.9
    assert np.mean(counts) < 1.0, "fewer than one decision a metre"


def test_straight_ahead_is_one_long_stride(place):
    simulator, scene = place
    rng = np.random.default_rng(1)
    found = 0
    while found < 5:
        start, goal = simulator.sample(scene, rng, 2)
        offset = goal - start
        distance = float(np.linalg.norm(offset))
        geodesic = float(simulator.geodesic(scene, start[None], goal)[0])
        if not 1.0 < distance < 2.5 or geodesic > 1.001 * distance:
            continue
        found += 1
        heading = math.atan2(-offset[0], -offset[2])
        turn, moves = next_stride(simulator, scene, start, heading, goal)
        assert turn == 0
        assert abs(0.25 * moves - distance) < 0.3
        behind = next_stride(simulator, scene, start, heading + math.pi, goal)
        assert abs(behind[0]) >= 11
        assert next_stride(simulator, scene, start, heading - math.pi / 2, goal)[0] == 6, "left is positive"


def test_at_the_goal_there_is_none(place):
    simulator, scene = place
    goal = simulator.sample(scene, np.random.default_rng(2), 1)[0]
    assert next_stride(simulator, scene, goal, 0.0, goal) is None
    assert next_stride(simulator, scene, goal, 0.0, goal, FollowerConfig(stop_radius_m=1.5)) is None
