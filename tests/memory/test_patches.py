from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vlnenv.memory.geometry import make_pose
from vlnenv.memory.patches import lift_patches, make_patch_rays, patch_centre_pixels
from vlnenv.sim.camera import Camera

CPU = torch.device("cpu")
ORIGIN = np.zeros((1, 3))


def lift(depth: np.ndarray, camera: Camera, heading: float = 0.0, position: np.ndarray = ORIGIN):
    pose = make_pose(position, np.array([heading]), camera, CPU)
    return lift_patches(torch.from_numpy(depth)[None], pose, make_patch_rays(camera, CPU), camera.max_depth_m)


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
