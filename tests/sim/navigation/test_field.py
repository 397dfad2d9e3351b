"""What counts as floor, and the look-ups on it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sim.navigation.plans import Plan, block, merged, plane, prism, quad
from vlnenv.sim.navigation.field import NavigationField
from vlnenv.sim.simulator import AgentBody

BODY = AgentBody()


def build(*parts, hints=None, body=BODY):
    vertices, faces = merged(parts)
    hint = (
        None
        if hints is None
        else np.concatenate([np.full(len(p[1]), h) for p, h in zip(parts, hints, strict=True)])
    )
    return NavigationField.build(vertices, faces, hint, body)


def at(*points):
    return np.array(points, dtype=np.float64)


def same(a: NavigationField, b: NavigationField) -> bool:
    left, right = a.to_arrays(), b.to_arrays()
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


def two_storeys(treads=13, rise=0.18, run=0.28):
    """Stairs up along +z between two floors that lie over each other beyond the stairs."""
    top = (treads + 1) * rise
    end = 3.0 + treads * run
    steps = [block(0, 3.0 + k * run, 1.0, 3.0 + (k + 1) * run, 0.0, (k + 1) * rise) for k in range(treads)]
    upper = [block(0, end, 5, 12, top - 0.1, top), block(3, 0, 5, end, top - 0.1, top)]
    return [plane(0, 0, 5, 12), *steps, *upper], top, end


def test_empty_room_is_navigable_up_to_the_radius():
    field = build(plane(0, 0, 4, 3))
    assert field.is_navigable(at((2, 0, 1.5), (0.15, 0, 1), (3.85, 0, 2.85))).all()
    assert not field.is_navigable(at((0.04, 0, 1.5), (-1, 0, 1), (2, 0.5, 1.5), (2, -0.5, 1.5))).any()
    assert field.area_m2 == pytest.approx(3.8 * 2.8, rel=0.05)
    assert field.clearance(at((2, 0, 1.5), (9, 0, 9))) == pytest.approx([1.5, 0.0], abs=0.05)


@pytest.mark.parametrize("winding", [1, -1])
def test_winding_does_not_matter(winding):
    vertices, faces = plane(0, 0, 4, 3)
    field = NavigationField.build(vertices, faces[:, ::winding], None, BODY)
    assert field.is_navigable(at((2, 0, 1.5))).all()


def test_stairs_connect_and_have_the_length_of_a_ramp():
    parts, top, end = two_storeys()
    field = build(*parts)
    assert field.floor_levels() == pytest.approx([0, top], abs=0.02)
    start, goal = at((0.5, 0, 1.5)), at((0.5, top, end + 1.5))
    run = 14 * 0.28
    expected = np.hypot(run, top) + (end + 1.5 - 1.5 - run)
    assert field.geodesic(start, goal[0])[0] == pytest.approx(expected, rel=0.03)
    assert field.geodesic(goal, start[0])[0] == pytest.approx(expected, rel=0.03)
    path = field.path(start[0], goal[0])
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(expected, rel=0.03)
    assert np.abs(np.diff(path[:, 1])).max() > 0.5, "a ramp needs no point on every step"
    below = at((0.5, 0, end + 1.5))
    assert field.is_navigable(below).all()
    assert field.geodesic(below, goal[0])[0] > expected, "the floor below is another place"


def test_diagonal_stairs_have_the_length_of_a_ramp():
    parts, top, end = two_storeys()
    turn = np.array([[np.sqrt(0.5), 0, np.sqrt(0.5)], [0, 1, 0], [-np.sqrt(0.5), 0, np.sqrt(0.5)]])
    vertices, faces = merged(parts)
    field = NavigationField.build(vertices @ turn.T, faces, None, BODY)
    start, goal = turn @ (0.5, 0, 1.5), turn @ (0.5, top, end + 1.5)
    run = 14 * 0.28
    expected = np.hypot(run, top) + (end - run)
    assert field.geodesic(start[None], goal)[0] == pytest.approx(expected, rel=0.03)


def test_walking_up_and_down_the_stairs():
    parts, top, _ = two_storeys()
    field = build(*parts)
    position = at((0.5, 0, 2.0))
    for _ in range(24):
        position, collided = field.move(position, np.pi, 0.25)
        assert not collided.any()
    assert position[0] == pytest.approx([0.5, top, 8.0], abs=0.05)
    for _ in range(24):
        position, _ = field.move(position, 0.0, 0.25)
    assert position[0] == pytest.approx([0.5, 0, 2.0], abs=0.05)


@pytest.mark.parametrize("rise", [0.1, 0.2])
def test_risers_up_to_the_climb_connect(rise):
    parts, top, end = two_storeys(rise=rise)
    assert np.isfinite(build(*parts).geodesic(at((0.5, 0, 1.5)), at((0.5, top, end + 1.5))[0])).all()


def test_risers_above_the_climb_do_not():
    parts, top, end = two_storeys(rise=0.22)
    assert np.isinf(build(*parts).geodesic(at((0.5, 0, 1.5)), at((0.5, top, end + 1.5))[0])).all()


def test_nobody_walks_off_the_upper_floor():
    parts, top, end = two_storeys()
    field = build(*parts)
    position, collided = field.move(at((2.0, top, end + 0.5)), 0.0, 2.0)
    assert collided.all()
    assert position[0, 1] == pytest.approx(top, abs=0.02)
    assert position[0, 2] >= end + 0.04


@pytest.mark.parametrize("with_hints", [True, False])
def test_furniture_is_not_climbed_step_by_step(with_hints):
    furniture = [
        block(1.0, 1.0, 1.4, 1.4, 0, 0.18),
        block(1.4, 1.0, 2.4, 1.5, 0, 0.36),
        block(1.4, 1.5, 3.4, 3.5, 0, 0.54),
        block(4.0, 4.0, 5.2, 4.8, 0.7, 0.75),
    ]
    parts = [plane(0, 0, 6, 5), *furniture]
    field = build(*parts, hints=[1, -1, -1, -1, -1] if with_hints else None)
    assert not field.is_navigable(
        at((1.2, 0.18, 1.2), (1.9, 0.36, 1.25), (2.4, 0.54, 2.5), (4.6, 0.75, 4.4))
    ).any()
    assert field.is_navigable(at((0.5, 0, 0.5), (5, 0, 1), (1.2, 0, 3))).all()
    assert not field.is_navigable(at((1.2, 0, 1.2), (4.6, 0, 4.4))).any(), (
        "nor is the floor inside or below it"
    )
    assert field.island_of(field.sample(np.random.default_rng(0), 500)).max() == 0
    assert np.abs(field.cells.height_m[field.cells.island >= 0]).max() < 0.01


def test_low_sills_and_rugs_are_floor():
    field = build(plane(0, 0, 6, 4), block(2, 0, 2.3, 4, 0, 0.1), block(4, 1, 5, 2, 0, 0.02))
    assert field.geodesic(at((1, 0, 2)), at((5.5, 0, 2))[0])[0] == pytest.approx(4.5, abs=0.05)
    assert field.is_navigable(at((2.15, 0.1, 2), (4.5, 0.02, 1.5))).all()


def test_a_hinted_podium_is_floor_and_a_forbidden_rug_is_crossed():
    podium = block(1, 1, 2.5, 2.5, 0, 0.18)
    assert build(plane(0, 0, 6, 4), podium, hints=[1, 1]).is_navigable(at((1.75, 0.18, 1.75))).all()
    assert not build(plane(0, 0, 6, 4), podium).is_navigable(at((1.75, 0.18, 1.75))).any()
    assert (
        build(plane(0, 0, 6, 4), block(3, 0, 4, 4, 0, 0.03), hints=[1, -1])
        .is_navigable(at((3.5, 0, 2)))
        .all()
    )


def test_low_ceiling_blocks_and_a_roof_is_no_floor():
    field = build(plane(0, 0, 6, 4), block(0, 0, 3, 4, 1.2, 1.3), block(-1, -1, 7, 5, 2.6, 2.8))
    assert field.is_navigable(at((4.5, 0, 2))).all()
    assert not field.is_navigable(at((1.5, 0, 2), (3, 2.8, 2))).any()
    assert field.floor_levels() == pytest.approx([0.0], abs=0.01)


def test_tops_of_walls_are_no_floor():
    walls = [block(0, 4 * k, 12, 4 * k + 0.4, 0, 2.5) for k in range(4)]
    field = build(plane(0, 0, 12, 12.4), *walls)
    assert not field.is_navigable(at((6, 2.5, 0.2), (6, 2.5, 4.2))).any()
    assert field.cells.height_m[field.cells.island >= 0].max() < 0.1


@pytest.mark.parametrize("tilt", [0.0, 0.3, 1.0])
def test_sheets_and_posts_block(tilt):
    sheet = quad((2, 0, -2), (2 + tilt * 8, 0, 6), (2 + tilt * 8, 2, 6), (2, 2, -2))
    field = build(plane(0, 0, 8, 4), sheet)
    left, right = at((0.5, 0, 2)), at((7.5, 0, 1))
    assert np.isinf(field.geodesic(left, right[0])).all()
    assert field.path(left[0], right[0]).shape == (0, 3)
    assert field.island_of(left)[0] != field.island_of(right)[0]
    post = build(plane(0, 0, 4, 4), block(2.01, 2.01, 2.02, 2.02, 0, 1))
    assert post.clearance(at((2.5, 0, 2.015))) == pytest.approx([0.485], abs=0.015)
    assert not post.is_navigable(at((2.05, 0, 2.0))).any()


def test_door_of_80_cm_is_passable():
    walls = [block(3, 0, 3.1, 1.6, 0, 2.4), block(3, 2.4, 3.1, 4, 0, 2.4), block(3, 1.6, 3.1, 2.4, 2.0, 2.4)]
    field = build(plane(0, 0, 6, 4), *walls)
    assert field.geodesic(at((1, 0, 2)), at((5, 0, 2))[0])[0] == pytest.approx(4.0, abs=0.01)
    position, collided = field.move(at((2.5, 0, 2.0)), -np.pi / 2, 1.5)
    assert not collided.any()
    assert position[0] == pytest.approx([4, 0, 2], abs=1e-6)


def test_holes_stop_and_cracks_do_not():
    around = [plane(0, 0, 6, 1.5), plane(0, 2.5, 6, 4), plane(0, 1.5, 2, 2.5), plane(3, 1.5, 6, 2.5)]
    field = build(*around)
    assert not field.is_navigable(at((2.5, 0, 2))).any()
    assert field.geodesic(at((1, 0, 2)), at((4, 0, 2))[0])[0] > 3.15
    cracked = build(plane(0, 0, 2.998, 4), plane(3.052, 0, 6, 4))
    assert cracked.geodesic(at((1, 0, 2)), at((5, 0, 2))[0])[0] == pytest.approx(4, abs=0.01)


def test_noisy_scan_stays_one_floor():
    rng = np.random.default_rng(3)
    x, z = np.meshgrid(np.arange(0, 5, 0.04), np.arange(0, 4, 0.04), indexing="ij")
    vertices = np.column_stack([x.ravel(), rng.normal(0, 0.015, x.size), z.ravel()])
    corner = (np.arange(x.shape[0] - 1)[:, None] * x.shape[1] + np.arange(x.shape[1] - 1)).ravel()
    a, b, c, d = corner, corner + 1, corner + x.shape[1], corner + x.shape[1] + 1
    faces = np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])
    field = NavigationField.build(vertices, faces, None, BODY)
    assert field.area_m2 > 0.97 * 4.76 * 3.76
    assert field.geodesic(at((0.5, 0, 0.5)), at((4.5, 0, 3.5))[0])[0] == pytest.approx(5.0, rel=0.02)
    assert np.ptp(field.move(at((0.5, 0, 2.0)), -np.pi / 2, 3.0)[0][:, 1]) < 0.05


def test_snap():
    field = build(plane(0, 0, 4, 3), block(1, 1, 2, 2, 0, 2))
    points = at((3, 0, 1), (3, 0.15, 1), (1.9, 0, 1.5), (-0.5, 0, 1.5), (3, 1.0, 1), (9, 0, 1))
    snapped = field.snap(points)
    assert snapped[0] == pytest.approx((3, 0, 1), abs=1e-6)
    assert snapped[1] == pytest.approx((3, 0, 1), abs=1e-6)
    assert snapped[2] == pytest.approx((2.1, 0, 1.5), abs=0.03)
    assert snapped[3] == pytest.approx((0.1, 0, 1.5), abs=0.06)
    assert snapped[4] == pytest.approx((3, 0, 1), abs=0.05)
    assert np.isnan(snapped[5]).all()
    assert np.isnan(field.snap(points[3:4], 0.3)).all()
    assert field.is_navigable(snapped[:5]).all()
    assert field.snap(at((60, 0, 1)), 1e6)[0] == pytest.approx((3.9, 0, 1), abs=0.06)
    assert np.isnan(field.snap(at((1e30, -1e30, 1e30)))).all()


def test_snap_is_the_nearest_of_many_points():
    field = NavigationField.build(*Plan(0).mesh(), None, BODY)
    rng = np.random.default_rng(1)
    dense = field.sample(rng, 40000)
    points = np.column_stack([rng.uniform(-1, 8, 40), rng.uniform(-0.5, 0.5, 40), rng.uniform(-1, 7, 40)])
    nearest = np.linalg.norm(points[:, None] - dense[None], axis=2).min(axis=1)
    found = np.linalg.norm(points - field.snap(points, 5.0), axis=1)
    assert (found < nearest + field.cells.cell_m).all()


def test_sample_is_uniform_and_navigable():
    field = build(plane(0, 0, 5, 5), block(2, 2, 3, 3, 0, 2))
    points = field.sample(np.random.default_rng(0), 20000)
    assert field.is_navigable(points).all()
    expected = np.zeros((5, 5))
    cells = field.cells
    inside = np.flatnonzero((cells.island >= 0) & (cells.clearance_m >= cells.radius_m))
    x = cells.origin_x + (cells.column[inside] // cells.shape_z + 0.5) * cells.cell_m
    z = cells.origin_z + (cells.column[inside] % cells.shape_z + 0.5) * cells.cell_m
    np.add.at(expected, (x.astype(int), z.astype(int)), 1)
    found = np.zeros((5, 5))
    np.add.at(found, (points[:, 0].astype(int), points[:, 2].astype(int)), 1)
    assert found[2, 2] == expected[2, 2] == 0
    expected *= len(points) / expected.sum()
    used = expected > 0
    chi_square = ((found - expected)[used] ** 2 / expected[used]).sum()
    assert chi_square < 60, "23 degrees of freedom; borders move a few points by a part of a cell"
    assert np.array_equal(points, field.sample(np.random.default_rng(0), 20000))


def test_nearest_of_several_goals():
    field = build(plane(0, 0, 10, 4))
    goals = at((1, 0, 2), (9, 0, 2), (50, 0, 50))
    assert field.geodesic(at((3, 0, 2), (8, 0, 2)), goals) == pytest.approx([2, 1], abs=0.01)
    assert np.isinf(field.geodesic(at((3, 0, 2)), goals[2])).all()
    assert np.isinf(field.geodesic(at((3, 3, 2)), goals[0])).all()


def test_same_mesh_same_field_and_round_trip():
    vertices, faces = Plan(3).mesh()
    field = NavigationField.build(vertices, faces, None, BODY)
    assert same(field, NavigationField.build(vertices, faces, None, BODY))
    loaded = NavigationField.from_arrays(field.to_arrays())
    assert same(field, loaded)
    points = field.sample(np.random.default_rng(0), 50)
    assert np.array_equal(field.geodesic(points, points[0]), loaded.geodesic(points, points[0]))
    with pytest.raises(ValueError, match="version"):
        NavigationField.from_arrays({**field.to_arrays(), "version": np.array(0)})


@pytest.mark.parametrize("seed", range(5))
def test_rebuild_equals_build(seed):
    plan = Plan(seed)
    vertices, faces = plan.mesh()
    rng = np.random.default_rng(seed)
    low = rng.uniform((1, 1), (plan.width - 2, plan.depth - 2))
    extra = block(low[0], low[1], low[0] + 0.8, low[1] + 0.5, 0, rng.uniform(0.1, 1.0))
    with_block = merged([(vertices, faces), extra])
    shifted = merged([(vertices, faces), (extra[0] + (0.31, 0, 0.17), extra[1])])
    plain = NavigationField.build(vertices, faces, None, BODY)
    first = NavigationField.build(*with_block, None, BODY)
    box = np.stack([extra[0].min(axis=0), extra[0].max(axis=0)])
    assert same(plain.rebuild(*with_block, None, box[None]), first)
    assert same(first.rebuild(vertices, faces, None, box[None]), plain)
    moved = first.rebuild(*shifted, None, np.stack([box, box + np.array([0.31, 0, 0.17])]))
    assert same(moved, NavigationField.build(*shifted, None, BODY))
    assert not same(moved, first)


def test_rebuild_with_other_bounds():
    field = build(plane(0, 0, 4, 3))
    vertices, faces = merged([plane(0, 0, 4, 3), plane(4, 0, 6, 3)])
    grown = field.rebuild(vertices, faces, None, np.array([[[4, 0, 0], [6, 0, 3]]]))
    assert same(grown, NavigationField.build(vertices, faces, None, BODY))


def test_mesh_without_floor():
    field = NavigationField.build(*prism(np.array([(0, 0), (0.01, 0), (0, 0.01)]), 0, 3), None, BODY)
    assert np.isnan(field.snap(at((0, 0, 0)))).all()
    assert not field.is_navigable(at((0, 0, 0))).any()
    assert np.isinf(field.geodesic(at((0, 0, 0)), at((0, 0, 0))[0])).all()
    assert len(field.floor_levels()) == 0
    with pytest.raises(ValueError, match="nothing is navigable"):
        field.sample(np.random.default_rng(0), 1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_is_an_error(bad):
    vertices, faces = plane(0, 0, 4, 3)
    field = build((vertices, faces))
    point = at((bad, 0, 0))
    calls = [
        lambda: field.geodesic(point, at((1, 0, 1))[0]),
        lambda: field.geodesic(at((1, 0, 1)), point[0]),
        lambda: field.path(point[0], at((1, 0, 1))[0]),
        lambda: field.snap(point),
        lambda: field.is_navigable(point),
        lambda: field.clearance(point),
        lambda: field.move(point, 0.0, 0.25),
        lambda: field.move(at((1, 0, 1)), bad, 0.25),
        lambda: field.move(at((1, 0, 1)), 0.0, bad),
        lambda: NavigationField.build(vertices * bad, faces, None, BODY),
    ]
    for call in calls:
        with np.errstate(invalid="ignore"), pytest.raises(ValueError, match="finite"):
            call()


def test_malformed_meshes_are_errors():
    vertices, faces = plane(0, 0, 4, 3)
    with pytest.raises(ValueError, match=r"vertices 0\.\.9"):
        NavigationField.build(vertices, np.array([[0, 1, 9]]), None, BODY)
    with pytest.raises(ValueError, match="at least one face"):
        NavigationField.build(vertices, np.empty((0, 3), dtype=int), None, BODY)
    with pytest.raises(ValueError, match="one for each face"):
        NavigationField.build(vertices, faces, np.zeros(5, dtype=np.int8), BODY)
    with pytest.raises(ValueError, match="check its unit"):
        NavigationField.build(vertices * 1e5, faces, None, BODY)
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        build((vertices, faces)).is_navigable(np.zeros(3))
