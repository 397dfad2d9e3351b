from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import torch

from vlnenv.memory.geometry import make_pose
from vlnenv.memory.patches import lift_patches, make_patch_rays, pixel_patches
from vlnenv.memory.sighting import Sighting, contradicted, seen_again, sight, sight_by_arrays
from vlnenv.sim.camera import Camera

CPU = torch.device("cpu")


def look_for(points: list[list[float]], depth: np.ndarray, camera: Camera, heading: float = 0.0) -> Sighting:
    xyz = torch.tensor(points, dtype=torch.float32).T[:, None].contiguous()
    pose = make_pose(np.zeros((1, 3)), np.array([heading]), camera, CPU)
    count = torch.tensor([len(points)])
    return sight(xyz, torch.tensor([0]), count, torch.from_numpy(depth)[None], pose, camera, 10.0)


def is_culled(
    points: list[list[float]], depth: np.ndarray, camera: Camera, heading: float = 0.0
) -> list[bool]:
    found = look_for(points, depth, camera, heading)
    gone = found.column[contradicted(found, 0.0, 3.0, 0.1)].tolist()
    return [i in gone for i in range(len(points))]


def flat(camera: Camera, metres: float) -> np.ndarray:
    return np.full((camera.height, camera.width), metres, dtype=np.float32)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(width=24, height=24),
        Camera(width=48, height=24, hfov_deg=60, pitch_deg=-30, height_m=0.5),
        Camera(width=24, height=48, hfov_deg=120, pitch_deg=45),
    ],
)
def test_compiled_loop_and_arrays_find_the_same_bits(camera: Camera) -> None:
    rng = np.random.default_rng(0)
    envs, count = torch.tensor([4, 0, 2, 1]), torch.tensor([1500, 0, 3000, 1])
    n = len(envs)
    position, heading = rng.uniform(-50, 50, (n, 3)), rng.uniform(-7, 7, n)
    xyz = torch.full((3, 6, 3100), torch.nan)
    for row, env in enumerate(envs.tolist()):
        near = position[row][:, None] + rng.uniform(-6, 6, (3, 3100))
        xyz[:, env] = torch.from_numpy(near.astype(np.float32))
    xyz[:, 4, 7] = torch.from_numpy((position[0] + [0.0, camera.height_m, 0.0]).astype(np.float32))
    depth = torch.from_numpy(rng.uniform(0, 8, (n, camera.height, camera.width)).astype(np.float32))
    depth[0, :5], depth[2, :5] = 0.0, torch.nan
    pose = make_pose(position, heading, camera, CPU)
    found = sight(xyz, envs, count, depth, pose, camera, 4.0)
    other = sight_by_arrays(xyz, envs, count, depth, pose, camera, 4.0)
    assert len(found.row) > 30
    for field in fields(Sighting):
        one, two = getattr(found, field.name), getattr(other, field.name)
        assert one.dtype == two.dtype
        assert np.array_equal(one.numpy(), two.numpy(), equal_nan=True)
    assert (found.column < count[found.row]).all()


@pytest.mark.parametrize("size", [24, 72, 96, 120, 240])
@pytest.mark.parametrize("pitch", [0.0, -25.0])
def test_a_frame_culls_all_its_own_points_within_range(size: int, pitch: float) -> None:
    # The released code keeps a fifth of them: it samples a cell's corner and lifts through its centre.
    rng = np.random.default_rng(size)
    camera = Camera(width=size, height=size, pitch_deg=pitch, height_m=1.1)
    n = 8
    depth = torch.from_numpy(rng.uniform(0.2, 4.0, (n, size, size)).astype(np.float32))
    pose = make_pose(rng.uniform(-40, 40, (n, 3)), rng.uniform(-9, 9, n), camera, CPU)
    patches = lift_patches(depth, pose, make_patch_rays(camera, CPU), camera.max_depth_m)
    found = sight(patches.xyz_m, torch.arange(n), torch.full((n,), 576), depth, pose, camera, 10.0)
    assert len(found.column) == n * 576
    # Each falls in the pixel that it was lifted through, and so in its own cell.
    assert torch.equal(pixel_patches(camera, CPU)[found.pixel], torch.arange(576).repeat(n))
    assert seen_again(found, 10.0, 0.1).all()
    gone = contradicted(found, 0.0, 3.0, 0.1).view(n, 576)
    distance = patches.scale_m / (2.0 * camera.tan_half_hfov / 24)
    assert gone[distance < 2.9999].all()
    assert not gone[distance > 3.0001].any()


def test_what_is_in_front_goes_and_what_is_hidden_stays() -> None:
    camera = Camera(width=24, height=24, height_m=1.0)
    wall = flat(camera, 2.0)
    points = [
        [0, 1, -1.0],
        [0, 1, -2.0],
        [0, 1, -2.09],
        [0, 1, -2.11],
        [0, 1, -3.5],
        [0, 1, 1.0],
        [3, 1, -1.0],
    ]
    expected = [True, True, True, False, False, False, False]
    assert is_culled(points, wall, camera) == expected
    assert is_culled([[0, 1, -2.99], [0, 1, -3.01]], flat(camera, 9.0), camera) == [True, False]


def test_a_view_of_nothing_is_seen_through_and_an_unknown_depth_says_nothing() -> None:
    camera = Camera(width=24, height=24, height_m=1.0)
    assert is_culled([[0, 1, -1.0]], flat(camera, 0.0), camera) == [True]
    assert is_culled([[0, 1, -1.0]], flat(camera, np.inf), camera) == [True]
    assert is_culled([[0, 1, -1.0]], flat(camera, np.nan), camera) == [False]


def test_the_edge_of_the_image_is_exact() -> None:
    # Truncating towards 0 would take points up to a pixel outside the left and top edges for column or row 0.
    camera = Camera(width=24, height=24, height_m=1.0)
    eps = 0.01
    points = [
        [-1 - eps, 1, -1], [-1 + eps, 1, -1], [1 - eps, 1, -1], [1 + eps, 1, -1],
        [0, 2 + eps, -1], [0, 2 - eps, -1], [0, eps, -1], [0, -eps, -1],
    ]  # fmt: skip
    expected = [False, True, True, False, False, True, True, False]
    assert is_culled(points, flat(camera, 5.0), camera) == expected


def test_points_at_and_beside_the_camera_do_no_harm() -> None:
    camera = Camera(width=24, height=24, height_m=1.0)
    assert is_culled([[0, 1, 0], [1, 1, 0], [0, 1, 1e-30]], flat(camera, 5.0), camera) == [False] * 3


def test_the_depth_of_the_points_own_pixel_decides() -> None:
    camera = Camera(width=24, height=24, height_m=1.0)
    depth = flat(camera, 0.5)
    depth[6, 18] = 5.0  # up and to the right: tan_x = 6.5 / 12, tan_y = 5.5 / 12 up
    point = [6.5 / 12, 1 + 5.5 / 12, -1.0]
    mirrored = [[-point[0], point[1], -1.0], [point[0], 2 - point[1], -1.0]]
    assert is_culled([point, *mirrored], depth, camera) == [True, False, False]
    # Turned to the right (clockwise), the same pixel looks at another place.
    turned = [1.0, point[1], point[0]]
    assert is_culled([point, turned], depth, camera, heading=-math.pi / 2) == [False, True]


def test_points_on_the_surface_are_seen_again_and_others_are_not() -> None:
    camera = Camera(width=24, height=24, height_m=1.0)
    points = [[0, 1, -z] for z in (3.7, 3.85, 4.0, 4.15, 4.25)]  # 5 % of 4 m
    assert seen_again(look_for(points, flat(camera, 4.0), camera), 10.0, 0.1).tolist() == [
        False, True, True, True, False,
    ]  # fmt: skip
    near = look_for([[0, 1, -0.91], [0, 1, -0.89]], flat(camera, 1.0), camera)
    assert seen_again(near, 10.0, 0.1).tolist() == [True, False]
    assert not seen_again(look_for(points, flat(camera, 4.0), camera), 3.0, 0.1).any()
    for unknown in (0.0, np.nan):
        assert not seen_again(look_for(points, flat(camera, unknown), camera), 10.0, 0.1).any()
