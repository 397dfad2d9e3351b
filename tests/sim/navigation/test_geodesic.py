"""Geodesics and paths against exact visibility graphs."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from tests.sim.navigation.plans import Plan, exact_distances
from vlnenv.sim.navigation.field import NavigationField
from vlnenv.sim.simulator import AgentBody

BODY = AgentBody()


def errors_of(seeds):
    """Relative errors of 30 pairs a plan."""
    errors = []
    for seed in seeds:
        plan = Plan(seed)
        field = NavigationField.build(*plan.mesh(), None, BODY)
        rng = np.random.default_rng(1000 + seed)
        points, goals = field.sample(rng, 30, island=0), field.sample(rng, 3, island=0)
        found = np.concatenate([field.geodesic(points[10 * k : 10 * k + 10], goals[k]) for k in range(3)])
        pairs = np.stack([points[:, [0, 2]], np.repeat(goals, 10, axis=0)[:, [0, 2]]], axis=1)
        free = plan.free_space(BODY.radius_m)
        inside = shapely.covers(free, shapely.points(pairs)).all(axis=1)
        exact = exact_distances(free, pairs)[inside]
        assert np.array_equal(np.isfinite(found[inside]), np.isfinite(exact)), (
            f"plan {seed}: other rooms connect"
        )
        far = np.isfinite(exact) & (exact > 0.1)
        errors.append(found[inside][far] / exact[far] - 1.0)
    return np.concatenate(errors)


def test_geodesics_match_visibility_graphs():
    errors = errors_of(range(40))
    assert len(errors) > 1000
    assert np.abs(errors).mean() < 0.010
    assert np.abs(errors).max() < 0.05


@pytest.mark.slow
def test_geodesics_match_visibility_graphs_of_200_plans():
    errors = errors_of(range(200))
    assert np.abs(errors).mean() < 0.010
    assert np.abs(errors).max() < 0.05


@pytest.mark.parametrize("seed", range(6))
def test_paths_are_clear_and_as_long_as_the_geodesic(seed):
    plan = Plan(seed)
    field = NavigationField.build(*plan.mesh(), None, BODY)
    rng = np.random.default_rng(seed)
    starts, goals = field.sample(rng, 40, island=0), field.sample(rng, 40, island=0)
    ratios = []
    for start, goal in zip(starts, goals, strict=True):
        path = field.path(start, goal)
        assert path[[0, -1]] == pytest.approx(np.stack([start, goal]), abs=1e-6)
        assert (
            shapely.LineString(path[:, [0, 2]]).distance(plan.obstacles)
            > BODY.radius_m - 0.5 * field.cells.cell_m
        )
        distance = field.geodesic(start[None], goal)[0]
        if distance > 0.5:
            ratios.append(np.linalg.norm(np.diff(path, axis=0), axis=1).sum() / distance)
    assert abs(np.mean(ratios) - 1.0) < 0.01
    assert min(ratios) > 0.96
    assert max(ratios) < 1.03


def test_distance_is_symmetric_and_zero_at_the_goal():
    field = NavigationField.build(*Plan(1).mesh(), None, BODY)
    points = field.sample(np.random.default_rng(2), 12, island=0)
    table = np.stack([field.geodesic(points, goal) for goal in points])
    assert np.diag(table) == pytest.approx(0.0, abs=1e-9)
    assert table == pytest.approx(table.T, rel=0.03)


def test_memory_of_fields_is_bounded_and_does_not_change_answers(monkeypatch):
    field = NavigationField.build(*Plan(2).mesh(), None, BODY)
    points = field.sample(np.random.default_rng(0), 20, island=0)
    first = field.geodesic(points, points[0])
    monkeypatch.setattr(
        "vlnenv.sim.navigation.field.CACHED_BYTES", 10.5 * next(iter(field._fields.values())).nbytes
    )
    for goal in points:
        field.geodesic(points[:1], goal)
    assert len(field._fields) == 10
    assert np.array_equal(field.geodesic(points, points[0]), first)
