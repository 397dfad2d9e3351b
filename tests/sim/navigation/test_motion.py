"""Steps: never into an obstacle, along it where sliding."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from tests.shared_data import shared_data
from tests.sim.navigation.plans import Plan, block, merged, plane
from vlnenv.sim.navigation.distance import clearance_field
from vlnenv.sim.navigation.field import NavigationField
from vlnenv.sim.simulator import AgentBody

BODY = AgentBody()
TOLERANCE_M = 0.025
"""Half a cell: a quarter is given away by the field, the rest is rasterisation and interpolation."""


def corridor():
    """A room with a wall on the side of -z, along x."""
    return NavigationField.build(*merged([plane(0, 0, 6, 4), block(0, 0, 6, 0.5, 0, 2)]), None, BODY)


@pytest.mark.parametrize("sliding", [True, False])
def test_random_moves_never_end_in_an_obstacle(sliding):
    for seed in range(10):
        plan = Plan(seed)
        field = NavigationField.build(*plan.mesh(), None, BODY)
        rng = np.random.default_rng(seed)
        position = field.sample(rng, 1000)
        reached = []
        for _ in range(5):
            length = rng.uniform(0, 0.6, len(position))
            before = position
            position, collided = field.move(
                position, rng.uniform(0, 2 * np.pi, len(position)), length, sliding
            )
            moved = np.hypot(*(position - before)[:, [0, 2]].T)
            assert (moved <= length + 1e-9).all()
            assert np.array_equal(collided, moved < length - 1e-3)
            reached.append(position)
        reached = np.concatenate(reached)
        assert field.is_navigable(reached).all()
        clear = shapely.distance(shapely.points(reached[:, [0, 2]]), plan.obstacles)
        assert clear.min() > BODY.radius_m - TOLERANCE_M


@pytest.mark.parametrize(("cell_m", "radius_m"), [(0.02, 0.1), (0.1, 0.2), (0.05, 0.3)])
def test_other_cells_and_bodies(cell_m, radius_m):
    plan = Plan(6)
    field = NavigationField.build(*plan.mesh(), None, AgentBody(radius_m=radius_m), cell_m)
    rng = np.random.default_rng(0)
    position = field.sample(rng, 500)
    for _ in range(5):
        position, _ = field.move(position, rng.uniform(0, 2 * np.pi, 500), 0.5)
    assert field.is_navigable(position).all()
    clear = shapely.distance(shapely.points(position[:, [0, 2]]), plan.obstacles)
    assert clear.min() > radius_m - 0.5 * cell_m


def test_sliding_follows_the_wall_and_not_sliding_stops():
    field = corridor()
    start = np.array([[2.0, 0, 0.7]])
    heading = -np.pi / 4  # towards +x and -z
    slid, collided = field.move(start, heading, 1.0)
    assert collided.all()
    assert slid[0, 0] == pytest.approx(2 + np.sqrt(0.5), abs=0.03)
    assert slid[0, 2] == pytest.approx(0.6, abs=0.02)
    stopped, collided = field.move(start, heading, 1.0, sliding=False)
    assert collided.all()
    assert stopped[0] == pytest.approx([2.1, 0, 0.6], abs=0.02)
    head_on, collided = field.move(start, 0.0, 1.0)
    assert collided.all()
    assert head_on[0] == pytest.approx([2, 0, 0.6], abs=0.02)


def test_free_moves_are_exact():
    field = corridor()
    heading = np.array([0.0, np.pi / 2, np.pi, -np.pi / 2, 0.3])
    start = np.tile([3.0, 0, 2.0], (5, 1))
    end, collided = field.move(start, heading, 0.25)
    assert not collided.any()
    expected = start + 0.25 * np.column_stack([-np.sin(heading), np.zeros(5), -np.cos(heading)])
    assert end == pytest.approx(expected, abs=1e-6)
    same, collided = field.move(start, heading, 0.0)
    assert same == pytest.approx(start, abs=1e-6)
    assert not collided.any()


def test_batch_equals_one_by_one():
    field = NavigationField.build(*Plan(4).mesh(), None, BODY)
    rng = np.random.default_rng(0)
    position, heading = field.sample(rng, 64), rng.uniform(0, 6, 64)
    together, flags = field.move(position, heading, 0.4)
    for i in range(64):
        alone, flag = field.move(position[i : i + 1], heading[i : i + 1], 0.4)
        assert np.array_equal(alone[0], together[i])
        assert flag[0] == flags[i]


def test_starts_off_the_floor():
    field = corridor()
    too_near = np.array([[3.0, 0, 0.54]])
    away, collided = field.move(too_near, np.pi, 0.25)
    assert not collided.any()
    assert away[0, 2] == pytest.approx(0.79, abs=1e-6)
    inward, collided = field.move(too_near, 0.0, 0.25, sliding=False)
    assert collided.all()
    assert inward[0, 2] > 0.53
    inside_wall = np.array([[3.0, 0, 0.2]])
    out, _ = field.move(inside_wall, np.pi, 0.25)
    assert field.is_navigable(out).all()
    lost = np.array([[3.0, 0, -3.0]])
    stays, collided = field.move(lost, np.pi, 0.25)
    assert collided.all()
    assert np.array_equal(stays, lost)


def test_negative_distance_is_an_error():
    with pytest.raises(ValueError, match="negative"):
        corridor().move(np.array([[3.0, 0, 2]]), 0.0, -0.1)


def test_clearance_field_equals_brute_force():
    rng = np.random.default_rng(0)
    side = 60
    blocked = rng.random((side, side)) < 0.01
    blocked[[0, -1]] = blocked[:, [0, -1]] = True
    mask = np.where(blocked, rng.integers(1, 0x10000, (side, side)), 0).astype(np.uint16).ravel()
    index = np.arange(side * side).reshape(side, side)
    padded = np.pad(index, 1, constant_values=-1)
    steps = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)]
    links = np.stack([padded[1 + a : side + 1 + a, 1 + b : side + 1 + b].ravel() for a, b in steps], axis=1)
    found = clearance_field(
        links.astype(np.int32), np.arange(side * side, dtype=np.int32), mask, ~blocked.ravel(), side, 0.05
    )
    bits = (mask[:, None] >> np.arange(16)) & 1
    cell, bit = np.nonzero(bits)
    points = np.column_stack([cell // side, cell % side]) + (np.column_stack([bit % 4, bit // 4]) - 1.5) / 4
    centres = np.column_stack([index.ravel() // side, index.ravel() % side])
    exact = np.sqrt(((centres[:, None] - points[None]) ** 2).sum(axis=2)).min(axis=1) * 0.05
    free = ~blocked.ravel()
    assert (found[free] >= exact[free] - 1e-9).all()
    assert np.abs(found - exact)[free].max() < 0.1 * 0.05
    assert (np.abs(found - exact)[free] > 1e-9).mean() < 0.01


@pytest.fixture(scope="module")
def flat():
    import trimesh

    loaded = trimesh.load_scene(shared_data("scenes/aws_small_house.glb")).to_geometry()
    vertices = np.asarray(loaded.vertices)[:, [0, 2, 1]] * (1, 1, -1)  # the file is Z-up
    return NavigationField.build(vertices, np.asarray(loaded.faces), None, BODY)


def test_real_flat_is_one_island_of_floor(flat):
    assert flat.cells.island.max() == 0
    assert 120 < flat.area_m2 < 160
    assert np.abs(flat.cells.height_m[flat.cells.island >= 0]).max() < 0.1, "no furniture, no wall tops"
    assert len(flat.floor_levels()) == 1


@pytest.mark.parametrize("sliding", [True, False])
def test_random_moves_in_the_real_flat(flat, sliding):
    rng = np.random.default_rng(0)
    position = flat.sample(rng, 1000)
    goal = flat.sample(rng, 1)[0]
    for _ in range(50):
        position, _ = flat.move(position, rng.uniform(0, 2 * np.pi, 1000), 0.25, sliding)
        assert (flat.clearance(position) >= flat.cells.radius_m - 1e-9).all()
    assert np.isfinite(flat.geodesic(position, goal)).all()
    assert flat.is_navigable(position).all()
