from __future__ import annotations

import math

import numpy as np
import pytest

from tests.sim.navigation.plans import block, merged, plane
from vlnenv.houses import house_of, load_scene
from vlnenv.houses.routes.polyline import arc_lengths, resampled
from vlnenv.houses.routes.routes import describe_routes
from vlnenv.houses.routes.smoothing import MAX_STRETCH, SPACING_M, WAYPOINTS_M, smoothed, waypoints
from vlnenv.houses.routes.trajectory import Limits, camera_frames, follow_path, poses_of, trajectory
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import FORWARD, LEFT, RIGHT, STOP, FollowerConfig
from vlnenv.sim.navigation.field import NavigationField
from vlnenv.sim.simulator import AgentBody

BODY = AgentBody()


def field_of(*parts) -> NavigationField:
    vertices, faces = merged(parts)
    return NavigationField.build(vertices, faces, None, BODY)


@pytest.fixture(scope="module")
def corner() -> NavigationField:
    """A floor of 6 x 6 m with a wall from one side to the middle."""
    return field_of(plane(0, 0, 6, 6), block(0, 2.95, 4, 3.05, 0, 2))


class Walker:
    """The part of a simulator that follows a path."""

    body = BODY

    def __init__(self, field: NavigationField):
        self.field = field

    def move(self, scene, position_m, heading_rad, distance_m, sliding=True):
        return self.field.move(position_m, heading_rad, distance_m, sliding)


START, GOAL = np.array([1.0, 0.0, 1.0]), np.array([1.0, 0.0, 5.0])


@pytest.fixture(scope="module")
def simulator() -> EmbreeSimulator:
    return EmbreeSimulator(load_scene=load_scene)


@pytest.fixture(scope="module")
def path(corner) -> np.ndarray:
    return smoothed(corner, corner.path(START, GOAL))


def bends(line_m: np.ndarray) -> np.ndarray:
    steps = np.diff(resampled(line_m, 0.2)[:, [0, 2]], axis=0)
    angle = np.arctan2(steps[:, 1], steps[:, 0])
    return np.abs(np.angle(np.exp(1j * np.diff(angle)))) / 0.2


def test_a_smooth_path_keeps_clear_of_what_the_shortest_one_grazes(corner, path):
    shortest = corner.path(START, GOAL)
    assert corner.clearance(resampled(shortest, 0.02)).min() < 0.12
    assert corner.clearance(resampled(path, 0.02)).min() > 0.2
    assert arc_lengths(path)[-1] <= MAX_STRETCH * arc_lengths(shortest)[-1]
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() <= SPACING_M + 1e-9
    assert path[0] == pytest.approx(START)
    assert path[-1] == pytest.approx(GOAL)
    assert bends(shortest).max() > 1.5 * bends(path).max()


def test_a_path_in_the_open_stays_straight(corner):
    path = smoothed(corner, corner.path(np.array([1.0, 0.0, 1.0]), np.array([5.0, 0.0, 1.0])))
    assert arc_lengths(path)[-1] == pytest.approx(4.0, abs=1e-3)
    assert np.abs(path[:, 2] - 1.0).max() < 1e-3


def test_a_gap_is_passed_through_its_middle():
    gap = field_of(plane(0, 0, 6, 4), block(0, 1.95, 2.7, 2.05, 0, 2), block(3.3, 1.95, 6, 2.05, 0, 2))
    path = smoothed(gap, gap.path(np.array([1.0, 0.0, 0.5]), np.array([4.0, 0.0, 3.5])))
    at = np.argmin(np.abs(path[:, 2] - 2.0))
    assert path[at, 0] == pytest.approx(3.0, abs=0.08)


def test_stairs_are_climbed_on_their_floor():
    steps = [block(2.0 + 0.28 * i, 0.0, 2.28 + 0.28 * i, 1.0, 0.0, 0.17 * (i + 1)) for i in range(8)]
    stairs = field_of(plane(0, 0, 7, 2), *steps, block(4.24, 0.0, 7.0, 2.0, 0.0, 1.53))
    goal = np.array([6.0, 1.53, 1.5])
    path = smoothed(stairs, stairs.path(np.array([0.5, 0.0, 1.5]), goal))
    assert stairs.is_navigable(path).all()
    assert path[-1] == pytest.approx(goal)
    assert np.ptp(path[:, 1]) == pytest.approx(1.53, abs=0.02)
    assert (np.diff(path[:, 1]) > -0.01).all()
    points = waypoints(path)
    assert stairs.is_navigable(points).all()
    assert np.abs(stairs.snap(points)[:, 1] - points[:, 1]).max() < 0.03


def test_waypoints_are_sparse_points_of_the_path(path):
    points = waypoints(path)
    assert points[0].tolist() == path[0].tolist()
    assert points[-1].tolist() == path[-1].tolist()
    assert {tuple(point) for point in points.tolist()} <= {tuple(point) for point in path.tolist()}
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= WAYPOINTS_M
    assert len(points) < len(path) / 4
    dense = resampled(points, 0.05)
    assert max(np.linalg.norm(dense - each, axis=1).min() for each in path) < 0.16


@pytest.mark.parametrize("heading_rad", [0.0, -math.pi / 2.0, 2.0])
def test_the_expert_keeps_to_the_path(corner, path, heading_rad: float):
    rollout = follow_path(Walker(corner), None, path, heading_rad)
    assert rollout.actions[-1] == STOP
    assert set(rollout.actions[:-1]) <= {FORWARD, LEFT, RIGHT}
    assert rollout.actions.count(FORWARD) == len(rollout.positions_m) - 1
    assert np.linalg.norm(rollout.positions_m[-1] - GOAL) <= FollowerConfig().stop_radius_m
    for position in rollout.positions_m:
        assert np.linalg.norm(path - position, axis=1).min() < 0.2
    turned = math.radians(15.0) * (rollout.actions.count(LEFT) - rollout.actions.count(RIGHT))
    assert math.remainder(rollout.heading_rad - heading_rad - turned, 2.0 * math.pi) == pytest.approx(0.0)


def test_the_expert_gives_up_before_a_wall(corner):
    through = np.array([[1.0, 0.0, 2.0], [1.0, 0.0, 4.0]])
    rollout = follow_path(Walker(corner), None, through, math.pi)
    assert rollout.actions[-1] == STOP
    assert len(rollout.actions) < 20
    assert rollout.positions_m[-1, 2] < 3.0


def test_a_trajectory_is_bounded(path):
    limits = Limits(speed_mps=0.6, acceleration_mps2=0.5, turn_rate_radps=1.0, curvature_radpm=4.0)
    way = trajectory(path, limits=limits, dt_s=0.1)
    turn = np.abs(np.diff(way.headings_rad))
    step = np.linalg.norm(np.diff(way.positions_m, axis=0), axis=1)
    assert turn.max() <= limits.turn_rate_radps * way.dt_s + 1e-9
    assert step.max() <= limits.speed_mps * way.dt_s + 1e-9
    assert np.abs(np.diff(step)).max() / way.dt_s**2 <= 2.0 * limits.acceleration_mps2
    # A chord is shorter than the arc that was driven.
    assert (turn <= 1.02 * limits.curvature_radpm * step + 1e-9).all()
    assert step[-3:].max() < 0.7 * step.max()
    assert np.linalg.norm(way.positions_m[-1] - path[-1]) < 0.05
    assert max(np.linalg.norm(path - each, axis=1).min() for each in way.positions_m) < 0.08
    assert way.duration_s == pytest.approx(0.1 * (len(step)))


def test_a_trajectory_turns_on_the_spot_first(path):
    ahead = trajectory(path)
    behind = trajectory(path, heading_rad=ahead.headings_rad[0] + math.pi)
    still = (behind.positions_m == behind.positions_m[0]).all(axis=1).sum()
    assert still >= math.pi / (Limits().turn_rate_radps * 0.1)
    assert behind.duration_s > ahead.duration_s + 2.0
    assert behind.positions_m[-1] == pytest.approx(ahead.positions_m[-1], abs=1e-6)


def test_a_sharp_corner_is_rounded():
    corner = np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -2.0], [2.0, 0.0, -2.0]])
    way = trajectory(corner)
    turn, step = np.abs(np.diff(way.headings_rad)), np.linalg.norm(np.diff(way.positions_m, axis=0), axis=1)
    assert (turn <= 1.02 * Limits().curvature_radpm * step + 1e-9).all()
    assert np.linalg.norm(way.positions_m[-1] - corner[-1]) < 0.05


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: trajectory(np.zeros((1, 3))), r"\(1, 3\)"),
        (lambda: trajectory(np.eye(3), dt_s=0.0), "dt_s"),
        (lambda: Limits(speed_mps=0.0), "speed_mps"),
    ],
)
def test_wrong_arguments_are_named(wrong, message: str):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_frames_along_a_route(simulator):
    scene = simulator.load("houses/test/0000")
    route = describe_routes(simulator, scene, 1, 0, house=house_of(scene.id))[0].route
    positions, headings = poses_of(route)
    assert len(positions) == len(route.rollout.actions)
    assert positions[-1].tolist() == route.rollout.positions_m[-1].tolist()
    assert math.remainder(headings[-1] - route.rollout.heading_rad, 2.0 * math.pi) == pytest.approx(0.0)
    frames = camera_frames(simulator, scene, route, Camera(32, 24), ("rgb",))
    assert frames.rgb is not None
    assert frames.rgb.shape == (len(positions), 24, 32, 3)
    assert frames.depth is None
    alone = simulator.render(scene, positions[5:6], headings[5:6], Camera(32, 24), ("rgb",))
    assert (alone.rgb[0] == frames.rgb[5]).all()
