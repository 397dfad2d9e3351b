import math

import numpy as np
import pytest

from vlnenv.sim.camera import (
    Camera,
    camera_to_world,
    heading_to_quaternion,
    quaternion_to_heading,
    ray_directions,
)


def test_rays_have_unit_depth_and_span_the_field_of_view():
    camera = Camera(width=8, height=4, hfov_deg=90.0)
    rays = ray_directions(camera)
    assert rays.shape == (4, 8, 3)
    assert rays.dtype == np.float32
    assert (rays[..., 2] == -1).all()
    np.testing.assert_allclose(rays[0, 0], [-7 / 8, 3 / 8, -1])
    np.testing.assert_allclose(rays[..., :2].mean(axis=(0, 1)), 0, atol=1e-7)
    edge = rays[0, -1, 0] + 0.5 / camera.focal_px
    assert math.degrees(2 * math.atan(edge)) == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("heading", "ahead"), [(0.0, [0, 0, -1]), (math.pi / 2, [-1, 0, 0]), (math.pi, [0, 0, 1]), (-0.5, None)]
)
def test_heading_turns_counter_clockwise(heading, ahead):
    matrix = camera_to_world(np.array([[1.0, 2.0, 3.0]]), np.array([heading]), Camera(height_m=1.25))[0]
    expected = [-math.sin(heading), 0, -math.cos(heading)] if ahead is None else ahead
    np.testing.assert_allclose(-matrix[:3, 2], expected, atol=1e-12)
    np.testing.assert_allclose(matrix[:3, 3], [1.0, 3.25, 3.0])
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_positive_pitch_looks_up():
    matrix = camera_to_world(np.zeros((1, 3)), np.array([0.7]), Camera(pitch_deg=30.0))[0]
    assert -matrix[1, 2] == pytest.approx(0.5)
    np.testing.assert_allclose(matrix[1, 0], 0.0)


def test_heading_and_quaternion_round_trip():
    for heading in np.linspace(-3.1, 3.1, 13):
        assert quaternion_to_heading(np.array(heading_to_quaternion(heading))) == pytest.approx(heading)


@pytest.mark.parametrize(
    "wrong",
    [{"width": 0}, {"height": 0}, {"hfov_deg": 0.0}, {"hfov_deg": 180.0}, {"pitch_deg": 91.0},
     {"min_depth_m": -1.0}, {"min_depth_m": 5.0, "max_depth_m": 5.0}],
)  # fmt: skip
def test_impossible_cameras_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        Camera(**wrong)
