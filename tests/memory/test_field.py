from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from tests.memory.clouds import CAMERA, DIM, cloud, of, pose_of, seen_from_origin, shuffled
from vlnenv.memory.field import blend, blend_by_arrays, make_renderer
from vlnenv.memory.front_points import Footprint, front_points
from vlnenv.memory.geometry import world_to_agent
from vlnenv.memory.learned_field import FieldConfig, FieldNetwork, LearnedRenderer
from vlnenv.memory.panorama import sight_of

FORMS = ("nearest", "weighted")


def random_network(seed: int = 0) -> FieldNetwork:
    """A field network whose residuals and opacities are not zero."""
    torch.manual_seed(seed)
    network = FieldNetwork(FieldConfig("semantic", DIM, hidden=16))
    for values in network.parameters():
        torch.nn.init.normal_(values, std=0.5)
    return network.eval().requires_grad_(False)


RENDERERS = {
    "nearest": make_renderer("nearest", DIM, "semantic"),
    "weighted": make_renderer("weighted", DIM, "semantic"),
    "learned": LearnedRenderer(random_network()),
}


def same(one: tuple[torch.Tensor, ...], two: tuple[torch.Tensor, ...]) -> bool:
    return all(a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_nearest_shows_the_nearest_point_of_each_cell_and_where_it_is() -> None:
    points = cloud([0, 40, 3000, 1])
    tokens, xyz_m, mask = make_renderer("nearest", DIM, "semantic").render(points)
    assert tokens.shape == (4, 576, DIM)
    assert xyz_m.shape == (4, 576, 3)
    assert mask.dtype == torch.bool
    for env, size in enumerate(points.count.tolist()):
        ahead, left, up = world_to_agent(points.xyz_m[:, env : env + 1, :size], pose_of(points.pose, [env]))
        eye_up = up - CAMERA.height_m
        sight = sight_of(ahead, left, eye_up)
        column = sight.view * 12 + sight.across.floor().clamp(max=11)
        cell = sight.down.floor().clamp(max=11) * 48 + column
        cells = torch.where(eye_up.abs() <= sight.depth, cell, 576.0)[0].int().tolist()
        squared = (ahead**2 + left**2 + eye_up**2)[0].tolist()
        best: dict[int, int] = {}
        for i in range(size):
            closer = cells[i] not in best or squared[i] < squared[best[cells[i]]]
            if closer and cells[i] < 576 and squared[i] <= points.far_m**2:
                best[cells[i]] = i
        assert mask[env].nonzero()[:, 0].tolist() == sorted(best)
        assert not tokens[env, ~mask[env]].any()
        assert not xyz_m[env, ~mask[env]].any()
        for cell, i in best.items():
            assert torch.equal(tokens[env, cell], points.features[env, i])
            assert torch.equal(xyz_m[env, cell], torch.stack([ahead[0, i], left[0, i], up[0, i]]))


@pytest.mark.parametrize("form", RENDERERS)
def test_an_empty_memory_shows_nothing(form: str) -> None:
    renderer = RENDERERS[form]
    for points in (cloud([0, 0]), of(cloud([5, 5]), [])):
        tokens, xyz_m, mask = renderer.render(points)
        assert tokens.shape == (len(points.envs), 576, DIM)
        assert not mask.any()
        assert not tokens.any()
        assert not xyz_m.any()


@pytest.mark.parametrize("form", RENDERERS)
def test_nobody_sees_what_others_remember(form: str) -> None:
    points = cloud([2500, 0, 700, 4000, 1, 900, 350, 20, 5, 1, 0, 2, 3000, 100, 64, 2000])
    renderer = RENDERERS[form]
    everyone = renderer.render(points)
    for rows in ([0], [3], [5, 2, 8, 9], [7, 6, 4, 3, 1], list(range(16))[::-1]):
        assert same(renderer.render(of(points, rows)), tuple(part[rows] for part in everyone))


@pytest.mark.parametrize("form", RENDERERS)
@pytest.mark.parametrize("steps_m", [0.0, 0.5])
def test_the_order_of_the_store_does_not_matter(form: str, steps_m: float) -> None:
    points = cloud([2997], seed=1, steps_m=steps_m)
    renderer = RENDERERS[form]
    assert same(renderer.render(points), renderer.render(shuffled(points)))


@pytest.mark.parametrize("form", RENDERERS)
def test_what_is_overhead_or_too_far_shows_nothing(form: str) -> None:
    points = seen_from_origin(np.array([[3.0, 0.1, 0.1], [0.0, 0.0, 1.0]]), np.ones((2, DIM)), 0.02)
    renderer = RENDERERS[form]
    assert int(renderer.render(points)[2].sum()) == 1  # the other is right overhead
    assert not renderer.render(dataclasses.replace(points, far_m=2.9))[2].any()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("heading_rad", [0.0, 2.0, -0.7])
def test_views_lie_behind_left_ahead_and_right_of_the_agent(form: str, heading_rad: float) -> None:
    # A hair above and to the right of the middle of each view: row 5, columns 6, 18, 30, 42.
    camera_xyz_m = np.array([[-2, 0.1, 0.1], [0.1, 2, 0.1], [2, -0.1, 0.1], [-0.1, -2, 0.1]])
    points = seen_from_origin(camera_xyz_m, np.eye(4, DIM), 0.02, heading_rad)
    tokens, xyz_m, mask = make_renderer(form, DIM, "semantic").render(points)
    cells = [5 * 48 + column for column in (6, 18, 30, 42)]
    assert mask[0].nonzero()[:, 0].tolist() == cells
    assert torch.equal(tokens[0, cells], torch.eye(4, DIM))
    expected = camera_xyz_m + np.array([0.0, 0.0, CAMERA.height_m])  # from the feet
    np.testing.assert_allclose(xyz_m[0, cells], expected, atol=1e-5)


def wall_before_wall() -> tuple[np.ndarray, np.ndarray]:
    """A wall 2 m ahead, its points 0.5 m apart (a cell is 0.33 m there), and a dense one 4 m ahead."""
    near = np.array([(2.0, y, z) for y in np.arange(-1.75, 2, 0.5) for z in np.arange(-1.75, 2, 0.5)])
    far = np.array([(4.0, y, z) for y in np.arange(-3.9, 4, 0.1) for z in np.arange(-3.9, 4, 0.1)])
    features = np.repeat(np.eye(2, DIM), [len(near), len(far)], axis=0)
    return np.concatenate([near, far]), features


def test_a_near_wall_hides_a_far_one_also_where_it_is_sparser_than_the_cells() -> None:
    ahead = [row * 48 + 24 + column for row in range(12) for column in range(12)]
    points = seen_from_origin(*wall_before_wall(), scale_m=0.5)
    tokens, xyz_m, mask = make_renderer("weighted", DIM, "semantic").render(points)
    assert mask[0, ahead].all()
    assert torch.equal(tokens[0, ahead], torch.eye(2, DIM)[:1].expand(144, DIM))
    np.testing.assert_allclose(xyz_m[0, ahead, 0], 2.0, atol=1e-5)
    tokens, _, _ = make_renderer("nearest", DIM, "semantic").render(points)
    assert int((tokens[0, ahead, 1] > 0).sum()) > 40  # shines through


def test_weighted_shows_the_parts_of_a_cell_that_two_surfaces_fill() -> None:
    # One finer cell of four of cell (5, 30) at 1 m, the other three at 3 m: a unit vector of (1, 3).
    corner = (1.0, -1 / 24, 1 / 24)
    others = [(3.0, -3 / 24, 9 / 24), (3.0, -9 / 24, 9 / 24), (3.0, -9 / 24, 3 / 24)]
    features = np.eye(2, DIM)[[0, 1, 1, 1]]
    points = seen_from_origin(np.array([corner, *others]), features, scale_m=0.05)
    tokens, xyz_m, mask = make_renderer("weighted", DIM, "semantic").render(points)
    assert mask[0].nonzero()[:, 0].tolist() == [5 * 48 + 30]
    np.testing.assert_allclose(tokens[0, 5 * 48 + 30, :2], [1 / math.sqrt(10), 3 / math.sqrt(10)], atol=1e-6)
    np.testing.assert_allclose(xyz_m[0, 5 * 48 + 30, 0], 3.0, atol=1e-6)


def test_weighted_weighs_the_points_of_a_surface_by_their_depth_behind_its_front() -> None:
    # In one finer cell: the front at 1.0 m (tolerance 0.2 m), one half way behind it, one beyond it.
    direction = np.array([1.0, -1 / 24, 1 / 24])
    direction = direction / np.linalg.norm(direction)
    points = seen_from_origin(direction * np.array([[1.0], [1.1], [1.25]]), np.eye(3, DIM), scale_m=0.01)
    tokens, xyz_m, _ = make_renderer("weighted", DIM, "semantic").render(points)
    np.testing.assert_allclose(tokens[0, 5 * 48 + 30, :3], np.array([2, 1, 0]) / math.sqrt(5), atol=1e-5)
    np.testing.assert_allclose(xyz_m[0, 5 * 48 + 30, 0], (2 * 1.0 + 1.1) / 3 * direction[0], atol=1e-5)


def test_blending_by_arrays_and_by_the_compiled_loop_agree() -> None:
    points = cloud([3000, 1, 0, 700], seed=3)
    column, _ = front_points(points, Footprint(1, 16, 1.6, 2))
    weight = torch.rand(column.shape, generator=torch.Generator().manual_seed(0)) - 0.3
    weight = weight.clamp(min=0.0).masked_fill(column < 0, 0.0)
    assert torch.equal(blend(points, column, weight), blend_by_arrays(points, column, weight))


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="nearest"):
        make_renderer("nearst", DIM, "semantic")
