from __future__ import annotations

import numpy as np
import pytest
import torch

from vlnenv.memory.geometry import camera_to_world_points, make_pose, world_to_agent
from vlnenv.sim.camera import Camera, camera_to_world

CPU = torch.device("cpu")


def agent_frame(point: list[float], position: list[float], heading: float) -> list[float]:
    pose = make_pose(np.array([position]), np.array([heading]), Camera(), CPU)
    xyz = torch.tensor(point)[:, None, None]
    return [float(axis) for axis in world_to_agent(xyz, pose)]


def test_agent_frame_is_ahead_left_up_from_the_feet() -> None:
    # Heading 0 looks along -z; +x is on the right.
    assert agent_frame([0, 0, -2], [0, 0, 0], 0.0) == pytest.approx([2, 0, 0])
    assert agent_frame([3, 0, 0], [0, 0, 0], 0.0) == pytest.approx([0, -3, 0])
    assert agent_frame([1, 1.5, 1], [1, 0.5, 1], 0.0) == pytest.approx([0, 0, 1])
    # A quarter turn counter-clockwise looks along -x, and has +z on the left.
    assert agent_frame([-2, 0, 0], [0, 0, 0], np.pi / 2) == pytest.approx([2, 0, 0], abs=1e-6)
    assert agent_frame([0, 0, 2], [0, 0, 0], np.pi / 2) == pytest.approx([0, 2, 0], abs=1e-6)


@pytest.mark.parametrize("pitch", [-30.0, 0.0, 20.0])
def test_camera_points_go_through_the_simulators_own_matrix(pitch: float) -> None:
    rng = np.random.default_rng(0)
    camera = Camera(pitch_deg=pitch, height_m=0.9)
    position, heading = rng.uniform(-5, 5, (3, 3)), rng.uniform(-7, 7, 3)
    points = rng.uniform(-3, 3, (3, 3, 10))
    moved = camera_to_world_points(
        torch.from_numpy(points.astype(np.float32)), make_pose(position, heading, camera, CPU)
    )
    matrix = camera_to_world(position, heading, camera)
    expected = np.einsum("nij,jnm->inm", matrix[:, :3, :3], points) + matrix[:, :3, 3].T[..., None]
    np.testing.assert_allclose(moved.numpy(), expected, atol=1e-5)


def test_bad_poses_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        make_pose(np.array([[0, np.nan, 0]]), np.zeros(1), Camera(), CPU)
    with pytest.raises(ValueError, match=r"\(n, 3\)"):
        make_pose(np.zeros((2, 3)), np.zeros(1), Camera(), CPU)


def test_a_pose_has_the_same_bits_in_any_batch() -> None:
    rng = np.random.default_rng(1)
    position, heading = rng.uniform(-50, 50, (37, 3)), rng.uniform(-20, 20, 37)
    together = make_pose(position, heading, Camera(), CPU)
    for i in range(37):
        alone = make_pose(position[i : i + 1], heading[i : i + 1], Camera(), CPU)
        assert torch.equal(alone.world_from_camera[..., 0, 0], together.world_from_camera[..., i, 0])
        assert torch.equal(alone.sin_heading[0], together.sin_heading[i])
        assert torch.equal(alone.cos_heading[0], together.cos_heading[i])
