from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from vlnenv.memory.field import PanoramaPoints, make_renderer
from vlnenv.memory.geometry import Pose, make_pose, world_to_agent
from vlnenv.memory.panorama import panorama_cells
from vlnenv.sim.camera import Camera

CAMERA = Camera(width=96, height=96)
DIM = 5
FORMS = ("nearest",)
CPU = torch.device("cpu")


def pose_rows(pose: Pose, rows: list[int]) -> Pose:
    return Pose(
        feet_m=pose.feet_m[:, rows],
        cos_heading=pose.cos_heading[rows],
        sin_heading=pose.sin_heading[rows],
        heading_rad=pose.heading_rad[rows],
        world_from_camera=pose.world_from_camera[:, :, rows],
    )


def cloud(sizes: list[int], seed: int = 0, far_m: float = 5.0) -> PanoramaPoints:
    """Random points, an environment a size, each looked at from a random pose."""
    rng = np.random.default_rng(seed)
    e, c = len(sizes), max(sizes) + 3
    return PanoramaPoints(
        xyz_m=torch.from_numpy(rng.uniform(-4, 4, (3, e, c)).astype(np.float32)),
        features=torch.from_numpy(rng.normal(size=(e, c, DIM)).astype(np.float32)),
        direction_rad=torch.from_numpy(rng.uniform(0, 2 * math.pi, (e, c)).astype(np.float32)),
        scale_m=torch.from_numpy(rng.uniform(0.01, 0.4, (e, c)).astype(np.float32)),
        patch_id=torch.from_numpy(np.stack([rng.permutation(c) for _ in range(e)])),
        envs=torch.arange(e),
        count=torch.tensor(sizes),
        pose=make_pose(rng.uniform(-1, 1, (e, 3)), rng.uniform(-9, 9, e), CAMERA, CPU),
        camera_height_m=CAMERA.height_m,
        far_m=far_m,
    )


def of(points: PanoramaPoints, rows: list[int]) -> PanoramaPoints:
    """Some environments of the same stores."""
    return dataclasses.replace(
        points, envs=points.envs[rows], count=points.count[rows], pose=pose_rows(points.pose, rows)
    )


def same(one: tuple[torch.Tensor, ...], two: tuple[torch.Tensor, ...]) -> bool:
    return all(
        a.dtype == b.dtype and a.shape == b.shape and bool((a == b).all())
        for a, b in zip(one, two, strict=True)
    )


def test_nearest_shows_the_nearest_point_of_each_cell_and_where_it_is() -> None:
    points = cloud([0, 40, 3000, 1])
    tokens, xyz_m, mask = make_renderer("nearest", DIM, "semantic").render(points)
    assert tokens.shape == (4, 576, DIM)
    assert xyz_m.shape == (4, 576, 3)
    assert mask.dtype == torch.bool
    for env, size in enumerate(points.count.tolist()):
        ahead, left, up = world_to_agent(points.xyz_m[:, env : env + 1, :size], pose_rows(points.pose, [env]))
        eye_up = up - CAMERA.height_m
        cells = panorama_cells(ahead, left, eye_up)[0].int().tolist()
        distance = (ahead**2 + left**2 + eye_up**2).sqrt()[0]
        for cell in range(576):
            inside = [i for i in range(size) if cells[i] == cell and distance[i] <= points.far_m]
            assert bool(mask[env, cell]) == bool(inside)
            if inside:
                best = min(inside, key=lambda i: float(distance[i]))
                assert torch.equal(tokens[env, cell], points.features[env, best])
                assert torch.equal(
                    xyz_m[env, cell], torch.stack([ahead[0, best], left[0, best], up[0, best]])
                )
            else:
                assert not tokens[env, cell].any()
                assert not xyz_m[env, cell].any()


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_memory_shows_nothing(form: str) -> None:
    renderer = make_renderer(form, DIM, "semantic")
    for points in (cloud([0, 0]), of(cloud([5, 5]), [])):
        tokens, xyz_m, mask = renderer.render(points)
        assert tokens.shape == (len(points.envs), 576, DIM)
        assert not mask.any()
        assert not tokens.any()
        assert not xyz_m.any()


@pytest.mark.parametrize("form", FORMS)
def test_nobody_sees_what_others_remember(form: str) -> None:
    points = cloud([2500, 0, 700, 4000, 1, 900, 350, 20])
    renderer = make_renderer(form, DIM, "semantic")
    everyone = renderer.render(points)
    for rows in ([0], [3], [5, 2], [7, 6, 4, 3, 1]):
        assert same(renderer.render(of(points, rows)), tuple(part[rows] for part in everyone))


@pytest.mark.parametrize("form", FORMS)
def test_the_order_of_the_store_does_not_matter(form: str) -> None:
    points = cloud([3000], seed=1)
    order = torch.randperm(3000, generator=torch.Generator().manual_seed(0))
    shuffled = {
        name: getattr(points, name)[:, order] for name in ("features", "direction_rad", "scale_m", "patch_id")
    }
    renderer = make_renderer(form, DIM, "semantic")
    other = dataclasses.replace(points, xyz_m=points.xyz_m[:, :, order], **shuffled)
    assert same(renderer.render(points), renderer.render(other))


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="nearest"):
        make_renderer("nearst", DIM, "semantic")
