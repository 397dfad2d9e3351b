"""The pinhole camera that an agent carries, and the poses it is carried through."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Camera:
    """A pinhole RGB-D camera above the agent's feet.

    Pixel (0, 0) is the top left one and its centre lies half a pixel inside the image. Pixels are square,
    so the vertical field of view follows from the horizontal one.
    """

    width: int = 224
    """Pixels across."""
    height: int = 224
    """Pixels down."""
    hfov_deg: float = 90.0
    """Horizontal field of view, degrees, in (0, 180)."""
    height_m: float = 1.25
    """Optical centre above the agent's feet, metres."""
    pitch_deg: float = 0.0
    """Tilt of the optical axis, degrees; positive looks up."""
    min_depth_m: float = 0.0
    """Nearer hits are reported at this depth, metres."""
    max_depth_m: float = 10.0
    """Farther hits are reported at this depth, metres."""

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a camera needs at least 1 x 1 pixels, got {self.width} x {self.height}")
        if not 0.0 < self.hfov_deg < 180.0:
            raise ValueError(f"hfov_deg must lie in (0, 180), got {self.hfov_deg}")
        if not -90.0 <= self.pitch_deg <= 90.0:
            raise ValueError(f"pitch_deg must lie in [-90, 90], got {self.pitch_deg}")
        if not 0.0 <= self.min_depth_m < self.max_depth_m:
            raise ValueError(
                f"depth range must satisfy 0 <= min < max, got [{self.min_depth_m}, {self.max_depth_m}]"
            )

    @property
    def tan_half_hfov(self) -> float:
        """Tangent of half the horizontal field of view."""
        return math.tan(math.radians(self.hfov_deg) / 2.0)

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, the same across and down."""
        return self.width / 2.0 / self.tan_half_hfov


def ray_directions(camera: Camera) -> np.ndarray:
    """Direction through each pixel's centre, in the camera frame, of unit depth.

    Args:
        camera: The camera.

    Returns:
        float32 (height, width, 3): x right, y up, z = -1. Not normalised: a hit at ray parameter t lies at
        depth t along the optical axis.
    """
    column = (np.arange(camera.width, dtype=np.float64) + 0.5 - camera.width / 2.0) / camera.focal_px
    row = (np.arange(camera.height, dtype=np.float64) + 0.5 - camera.height / 2.0) / camera.focal_px
    directions = np.empty((camera.height, camera.width, 3), dtype=np.float32)
    directions[..., 0] = column[None, :]
    directions[..., 1] = -row[:, None]
    directions[..., 2] = -1.0
    return directions


def camera_to_world(position_m: np.ndarray, heading_rad: np.ndarray, camera: Camera) -> np.ndarray:
    """T_world_camera of a camera on agents that stand at the given poses.

    Args:
        position_m: (n, 3) feet of each agent, world frame (x right, y up, -z ahead), metres.
        heading_rad: (n,) radians counter-clockwise about +y seen from above; 0 looks along -z.
        camera: The camera.

    Returns:
        float64 (n, 4, 4): maps camera coordinates (x right, y up, -z ahead) to the world.
    """
    position_m = np.asarray(position_m, dtype=np.float64)
    heading_rad = np.asarray(heading_rad, dtype=np.float64)
    cos_h, sin_h = np.cos(heading_rad), np.sin(heading_rad)
    pitch = math.radians(camera.pitch_deg)
    cos_p, sin_p = math.cos(pitch), math.sin(pitch)
    matrix = np.zeros((len(position_m), 4, 4))
    # Rotation about +y by the heading, after a rotation about +x by the pitch.
    matrix[:, 0, 0] = cos_h
    matrix[:, 0, 1] = sin_h * sin_p
    matrix[:, 0, 2] = sin_h * cos_p
    matrix[:, 1, 1] = cos_p
    matrix[:, 1, 2] = -sin_p
    matrix[:, 2, 0] = -sin_h
    matrix[:, 2, 1] = cos_h * sin_p
    matrix[:, 2, 2] = cos_h * cos_p
    matrix[:, :3, 3] = position_m
    matrix[:, 1, 3] += camera.height_m
    matrix[:, 3, 3] = 1.0
    return matrix


def heading_to_quaternion(heading_rad: float) -> list[float]:
    """Unit quaternion [x, y, z, w] of a rotation by `heading_rad` about +y."""
    return [0.0, math.sin(heading_rad / 2.0), 0.0, math.cos(heading_rad / 2.0)]


def quaternion_to_heading(rotation_xyzw: np.ndarray) -> float:
    """Heading in radians, counter-clockwise about +y, in (-pi, pi], of a quaternion [x, y, z, w].

    The direction that the rotation gives to -z is projected on the floor, so a tilt is ignored.
    """
    x, y, z, w = (float(value) for value in rotation_xyzw)
    ahead_x = -2.0 * (x * z + y * w)
    ahead_z = -(1.0 - 2.0 * (x * x + y * y))
    return math.atan2(-ahead_x, -ahead_z)
