from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vlnenv.memory.geometry import make_pose
from vlnenv.memory.patches import (
    contradicted,
    lift_patches,
    make_patch_rays,
    patch_centre_pixels,
    pixel_patches,
    seen_again,
    sight,
)
from vlnenv.sim.camera import Camera

CPU = torch.device("cpu")
ORIGIN = np.zeros((1, 3))


def lift(depth: np.ndarray, camera: Camera, heading: float = 0.0, position: np.ndarray = ORIGIN):
    pose = make_pose(position, np.array([heading]), camera, CPU)
    return lift_patches(torch.from_numpy(depth)[None], pose, make_patch_rays(camera, CPU), camera.max_depth_m)


def is_culled(
    points: list[list[float]], depth: np.ndarray, camera: Camera, heading: float = 0.0
) -> list[bool]:
    found = look_for(points, depth, camera, heading)
    gone = found.point[contradicted(found, 0.0, 3.0, 0.1)].tolist()
    return [i in gone for i in range(len(points))]


def look_for(points: list[list[float]], depth: np.ndarray, camera: Camera, heading: float = 0.0):
    xyz = torch.tensor(points, dtype=torch.float32).T.contiguous()
    pose = make_pose(ORIGIN, np.array([heading]), camera, CPU)
    row = torch.zeros(len(points), dtype=torch.int64)
    return sight(xyz, row, torch.from_numpy(depth)[None], pose, camera, 10.0)


def flat(camera: Camera, metres: float) -> np.ndarray:
    return np.full((camera.height, camera.width), metres, dtype=np.float32)


@pytest.mark.parametrize(
    ("size", "first"), [(24, [0, 1]), (48, [1, 3]), (72, [1, 4]), (96, [2, 6]), (120, [2, 7])]
)
def test_centre_pixels(size: int, first: list[int]) -> None:
    pixels = patch_centre_pixels(size)
    assert pixels[:2].tolist() == first
    assert len(pixels) == 24
    assert pixels[-1] < size


@pytest.mark.parametrize("size", [0, 23, 100, 224])
def test_an_image_that_does_not_divide_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of 24"):
        patch_centre_pixels(size)


def test_a_wall_ahead_is_lifted_to_a_plane() -> None:
    camera = Camera(width=72, height=72, height_m=1.25)
    patches = lift(flat(camera, 2.0), camera, heading=math.pi / 2)  # looks along -x
    x, y, z = patches.xyz_m[:, 0].reshape(3, 24, 24)
    assert patches.valid.all()
    torch.testing.assert_close(x, torch.full_like(x, -2.0))
    # Exact cell centres, as the cells have an odd number of pixels: (i + .5) / 12 - 1 times the depth.
    centres = ((torch.arange(24) + 0.5) / 12 - 1) * 2.0
    torch.testing.assert_close(y, 1.25 - centres[:, None].expand(24, 24))  # rows run down
    torch.testing.assert_close(z, -centres[None].expand(24, 24))  # columns run right, which is -z here
    torch.testing.assert_close(patches.scale_m, torch.full((1, 576), 2.0 * 2 / 24))


def test_viewing_direction_is_heading_less_the_angle_to_the_right() -> None:
    camera = Camera(width=24, height=24)
    for heading in (0.0, 0.3, -9.0, 2 * math.pi):
        direction = lift(flat(camera, 1.0), camera, heading).direction_rad.reshape(24, 24)
        for column in (0, 11, 12, 23):
            expected = (heading - math.atan((column + 0.5) / 12 - 1)) % (2 * math.pi)
            assert float(direction[5, column]) == pytest.approx(expected, abs=1e-5)


def test_nothing_hit_and_out_of_range_give_no_point() -> None:
    camera = Camera(width=24, height=24, max_depth_m=10.0)
    depth = flat(camera, 5.0)
    depth[0, :6] = [0.0, 10.0, 11.0, np.inf, np.nan, -1.0]
    valid = lift(depth, camera).valid[0]
    assert not valid[:6].any()
    assert valid[6:].all()


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
    row = torch.arange(n).repeat_interleave(576)
    found = sight(patches.xyz_m.flatten(1), row, depth, pose, camera, 10.0)
    assert len(found.point) == n * 576
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
