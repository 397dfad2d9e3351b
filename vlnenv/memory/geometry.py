"""Rigid changes of frame on batches of points, one pose a batch row.

Points are coordinate-major, (3, n, m) for m points of each of n environments, so that every step is an
elementwise operation on contiguous rows. Nothing here reduces or multiplies matrices: a row's result has the
same bits whatever other rows stand beside it, which a BLAS call does not promise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vlnenv.sim.camera import Camera, camera_to_world


@dataclass(frozen=True, eq=False)
class Pose:
    """Where n agents stand and what their cameras look along, as tensors on the memory's device."""

    feet_m: torch.Tensor
    """float32 (3, n, 1) world position of the feet, metres."""
    cos_heading: torch.Tensor
    """float32 (n, 1)."""
    sin_heading: torch.Tensor
    """float32 (n, 1)."""
    heading_rad: torch.Tensor
    """float32 (n, 1) counter-clockwise about +y, 0 looks along -z, in [0, 2 pi]."""
    world_from_camera: torch.Tensor
    """float32 (3, 4, n, 1): rotation and optical centre of T_world_camera."""


def make_pose(position_m: np.ndarray, heading_rad: np.ndarray, camera: Camera, device: torch.device) -> Pose:
    """Poses of n agents that carry `camera`.

    Args:
        position_m: (n, 3) feet of each agent, world frame, metres.
        heading_rad: (n,) radians counter-clockwise about +y; 0 looks along -z.
        camera: The camera that each agent carries.
        device: Where the tensors go.

    Returns:
        The poses, computed in float64 and rounded once to float32.

    Raises:
        ValueError: If a shape is wrong or a number is not finite.
    """
    position_m = np.asarray(position_m, dtype=np.float64)
    heading_rad = np.asarray(heading_rad, dtype=np.float64)
    if position_m.ndim != 2 or position_m.shape[1] != 3 or heading_rad.shape != position_m.shape[:1]:
        raise ValueError(
            "poses need position_m (n, 3) and heading_rad (n,), "
            f"got {position_m.shape} and {heading_rad.shape}"
        )
    if not (np.isfinite(position_m).all() and np.isfinite(heading_rad).all()):
        raise ValueError("poses must be finite, got NaN or infinity in position_m or heading_rad")
    # One host array and one copy: on a GPU each transfer costs more than all of this arithmetic.
    packed = np.empty((18, len(heading_rad), 1), dtype=np.float32)
    matrix = camera_to_world(position_m, heading_rad, camera)
    packed[:12, :, 0] = matrix[:, :3, :].reshape(-1, 12).T
    packed[12:15, :, 0] = position_m.T
    packed[15, :, 0] = np.cos(heading_rad)
    packed[16, :, 0] = np.sin(heading_rad)
    packed[17, :, 0] = np.mod(heading_rad, 2.0 * np.pi)
    tensor = torch.from_numpy(packed).to(device)
    return Pose(
        feet_m=tensor[12:15],
        cos_heading=tensor[15],
        sin_heading=tensor[16],
        heading_rad=tensor[17],
        world_from_camera=tensor[:12].unflatten(0, (3, 4)),
    )


def world_to_agent(xyz_m: torch.Tensor, pose: Pose) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """World points in the agent frame: x ahead, y left, z up, origin at the feet.

    Args:
        xyz_m: float32 (3, n, m) world frame, metres.
        pose: The n agents.

    Returns:
        Ahead, left and up, each float32 (n, m), metres.
    """
    east = xyz_m[0] - pose.feet_m[0]
    up = xyz_m[1] - pose.feet_m[1]
    south = xyz_m[2] - pose.feet_m[2]
    # Forward is (-sin h, 0, -cos h), left is (-cos h, 0, sin h).
    ahead = -(east * pose.sin_heading + south * pose.cos_heading)
    left = south * pose.sin_heading - east * pose.cos_heading
    return ahead, left, up


def camera_to_world_points(xyz_m: torch.Tensor, pose: Pose) -> torch.Tensor:
    """Camera points (x right, y up, -z ahead) in the world frame.

    Args:
        xyz_m: float32 (3, n, m) or (3, 1, m) in each agent's camera frame, metres.
        pose: The n agents.

    Returns:
        float32 (3, n, m) world frame, metres.
    """
    matrix = pose.world_from_camera
    return torch.stack(
        [
            xyz_m[0] * matrix[axis, 0]
            + xyz_m[1] * matrix[axis, 1]
            + xyz_m[2] * matrix[axis, 2]
            + matrix[axis, 3]
            for axis in range(3)
        ]
    )
