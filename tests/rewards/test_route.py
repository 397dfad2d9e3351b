from __future__ import annotations

import math

import numpy as np
import pytest

from rewards import (
    advance_route,
    distance_to_route,
    resample_route,
    route_completion,
    route_progress,
    start_pointer,
)

ROUTE = np.array([[0.0, 0.0, 0.0], [6.0, 0.0, 0.0], [6.0, 0.0, -4.0]])


def walk(*waypoints: tuple[float, float, float]) -> np.ndarray:
    return resample_route(np.array(waypoints), 0.25)


def random_route(rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.normal(size=(int(rng.integers(1, 8)), 3)) * [2.0, 0.1, 2.0], axis=0)


def test_resampled_points_are_evenly_spaced_and_keep_the_ends() -> None:
    points = resample_route(ROUTE, 0.25)
    assert len(points) == 41
    assert np.allclose(np.linalg.norm(np.diff(points, axis=0), axis=1), 0.25)
    assert np.array_equal(points[0], ROUTE[0])
    assert np.array_equal(points[-1], ROUTE[-1])
    assert len(resample_route(np.array([[0, 0, 0], [1.1, 0, 0]]), 0.25)) == 6


def test_route_without_length_is_one_point() -> None:
    assert resample_route(np.ones((3, 3))).shape == (1, 3)
    assert route_completion(np.zeros((1, 3)), np.ones((1, 3))) == 1.0


@pytest.mark.parametrize("route", [np.zeros((0, 3)), np.zeros(3), np.zeros((4, 2)), np.full((2, 3), np.nan)])
def test_bad_routes_are_refused(route: np.ndarray) -> None:
    with pytest.raises(ValueError, match="route_m must"):
        resample_route(route)
    with pytest.raises(ValueError, match="path_m must"):
        route_completion(route, ROUTE)


def test_completion_by_hand() -> None:
    # 40 intervals of 0.25 m, 6 of them (1.5 m) within reach at the start: 34 lie ahead
    assert route_completion(ROUTE[:1], ROUTE) == 0.0
    assert route_completion(walk((0, 0, 0), (0.25, 0, 0)), ROUTE) == 1 / 34
    assert route_completion(walk((0, 0, 0), (2, 0, 0)), ROUTE) == 8 / 34
    assert route_completion(walk(*ROUTE), ROUTE) == 1.0
    assert route_completion(walk((0, 0, 0), (6, 0, 0), (6, 0, -2.5)), ROUTE) == 1.0
    assert route_completion(walk((0, 0, 0), (6, 0, 0), (6, 0, -2.2)), ROUTE) == 32 / 34


def test_going_back_does_not_undo_and_standing_still_earns_nothing() -> None:
    there = walk((0, 0, 0), (3, 0, 0))
    assert route_completion(np.concatenate([there, there[::-1]]), ROUTE) == route_completion(there, ROUTE)
    assert route_completion(np.zeros((50, 3)), ROUTE) == 0.0


def test_reversed_route_and_short_cut_are_not_complete() -> None:
    assert route_completion(walk(*ROUTE[::-1]), ROUTE) < 0.5
    detour = np.array([[0, 0, 0], [0, 0, -6], [4, 0, -6], [4, 0, 0]], dtype=float)
    assert route_completion(walk((0, 0, 0), (4, 0, 0)), detour) < 0.2


def test_another_floor_is_not_on_the_route() -> None:
    assert route_completion(walk((0, 2.6, 0), (6, 2.6, 0)), ROUTE) == 0.0


def test_incremental_form_equals_whole_path_form() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        route = random_route(rng)
        path = route[0] + np.cumsum(rng.normal(size=(60, 3)) * [0.5, 0.02, 0.5], axis=0)
        points = resample_route(route)
        first = pointer = start_pointer(points, path[0])
        last = -1.0
        for index, position in enumerate(path):
            pointer = advance_route(points, pointer, position)
            value = route_progress(pointer, first, len(points))
            assert value == route_completion(path[: index + 1], route)
            assert 0.0 <= value <= 1.0
            assert value >= last
            last = value


def test_walking_any_route_completes_it() -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        route = random_route(rng)
        assert route_completion(resample_route(route, 0.25), route) == 1.0


def test_completion_does_not_depend_on_where_the_world_is() -> None:
    rng = np.random.default_rng(2)
    angle = 0.7
    turn = np.array(
        [[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]]
    )
    for _ in range(20):
        route = random_route(rng)
        path = route[0] + np.cumsum(rng.normal(size=(40, 3)) * 0.5, axis=0)
        moved = route_completion(path @ turn.T + [5, 1, -3], route @ turn.T + [5, 1, -3])
        assert moved == pytest.approx(route_completion(path, route))


def test_distance_to_route() -> None:
    assert distance_to_route(np.array([3.0, 0.0, 2.0]), ROUTE) == 2.0
    assert distance_to_route(np.array([6.0, 0.0, -1.3]), ROUTE) == 0.0
    assert distance_to_route(np.array([-3.0, 0.0, 4.0]), ROUTE) == 5.0
    assert distance_to_route(np.array([3.0, 4.0, 0.0]), ROUTE[:1]) == 5.0
    rng = np.random.default_rng(3)
    for _ in range(50):
        route, position = random_route(rng), rng.normal(size=3) * 3
        dense = resample_route(route, 0.001)
        brute = np.linalg.norm(dense - position, axis=1).min()
        assert distance_to_route(position, route) == pytest.approx(brute, abs=1e-3)
