"""Patch feature points: lifting a view's 24 x 24 patches to 3D, and looking for stored ones in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.geometry import Pose, camera_to_world_points
from vlnenv.sim.camera import Camera, ray_directions


@dataclass(frozen=True, eq=False)
class PatchRays:
    """The one pixel that stands for each cell of the patch grid, and the ray through that same pixel.

    Depth, instance ids and the back-projection all use this pixel. (Dynam3D's released code samples a cell's
    top left pixel and lifts through the cell's centre, so a fifth of its points survive a cull by their own
    frame.) With an odd cell size it is the exact centre; with an even one, of the four pixels around the
    centre, the lower right, and the ray is that pixel's and not the cell centre's.
    """

    pixel: torch.Tensor
    """int64 (576,) each cell's pixel in the flattened image."""
    direction: torch.Tensor
    """float32 (3, 1, 576) camera frame (x right, y up, z = -1), cells row by row."""
    azimuth_rad: torch.Tensor
    """float32 (576,) angle of each ray to the right of the optical axis, in the image's horizontal plane."""
    scale_per_m: float
    """Width of a patch at unit depth."""


def patch_centre_pixels(size: int) -> np.ndarray:
    """Index of the pixel that stands for each of the 24 cells along an image side.

    Args:
        size: Pixels along the side, a multiple of 24.

    Returns:
        int64 (24,) ascending.

    Raises:
        ValueError: If `size` is no multiple of 24.
    """
    if size % PATCH_GRID or size < PATCH_GRID:
        below = max(size // PATCH_GRID, 1) * PATCH_GRID
        raise ValueError(
            f"an image side must be a multiple of {PATCH_GRID} pixels, got {size}; "
            f"try {below} or {below + PATCH_GRID}"
        )
    cell = size // PATCH_GRID
    return np.arange(PATCH_GRID, dtype=np.int64) * cell + cell // 2


def make_patch_rays(camera: Camera, device: torch.device) -> PatchRays:
    """The patch grid's pixels and rays for one camera.

    Raises:
        ValueError: If the image is no multiple of 24 pixels in both directions.
    """
    rows, columns = patch_centre_pixels(camera.height), patch_centre_pixels(camera.width)
    directions = ray_directions(camera)[rows[:, None], columns[None, :]].reshape(-1, 3)
    azimuth = np.arctan(directions[:, 0].astype(np.float64)).astype(np.float32)
    return PatchRays(
        pixel=torch.from_numpy((rows[:, None] * camera.width + columns).reshape(-1)).to(device),
        direction=torch.from_numpy(np.ascontiguousarray(directions.T)[:, None]).to(device),
        azimuth_rad=torch.from_numpy(azimuth).to(device),
        scale_per_m=2.0 * camera.tan_half_hfov / PATCH_GRID,
    )


def pixel_patches(camera: Camera, device: torch.device) -> torch.Tensor:
    """The cell of the 24 x 24 grid that each pixel lies in, int64 (height * width,)."""
    rows = torch.arange(camera.height, device=device) * PATCH_GRID // camera.height
    columns = torch.arange(camera.width, device=device) * PATCH_GRID // camera.width
    return (rows[:, None] * PATCH_GRID + columns).view(-1)


@dataclass(frozen=True, eq=False)
class LiftedPatches:
    """n views' patches as points, cells row by row; rows where `valid` is False are meaningless."""

    xyz_m: torch.Tensor
    """float32 (3, n, 576) world frame, metres."""
    direction_rad: torch.Tensor
    """float32 (n, 576) heading that the patch was seen along, in [0, 2 pi]."""
    scale_m: torch.Tensor
    """float32 (n, 576) width of the patch where it hit, metres."""
    depth_m: torch.Tensor
    """float32 (n, 576) of the patch along the optical axis, metres."""
    valid: torch.Tensor
    """bool (n, 576) whether the patch hit something in range."""


def lift_patches(depth_m: torch.Tensor, pose: Pose, rays: PatchRays, max_depth_m: float) -> LiftedPatches:
    """The points that a view's patches lie at.

    Args:
        depth_m: float32 (n, height, width) along the optical axis, full resolution; 0 where nothing was hit.
        pose: The n agents.
        rays: The patch grid of their camera.
        max_depth_m: A depth of 0, at least this, negative or NaN gives no point.

    Returns:
        The points. Viewing direction is heading - atan(tan_x) mod 2 pi and scale d * tan(HFOV / 2) * 2 / 24.

    Source: Dynam3D's released code; differs in sampling depth through the very pixel it lifts through.
    """
    depth = depth_m.flatten(1).index_select(1, rays.pixel)
    direction_rad = pose.heading_rad - rays.azimuth_rad
    full_turn = 2.0 * torch.pi
    direction_rad = torch.where(direction_rad < 0.0, direction_rad + full_turn, direction_rad)
    direction_rad = torch.where(direction_rad >= full_turn, direction_rad - full_turn, direction_rad)
    return LiftedPatches(
        xyz_m=camera_to_world_points(rays.direction * depth, pose),
        direction_rad=direction_rad,
        scale_m=depth * rays.scale_per_m,
        depth_m=depth,
        valid=(depth > 0.0) & (depth < max_depth_m),
    )


@dataclass(frozen=True, eq=False)
class Points:
    """k patch feature points."""

    xyz_m: torch.Tensor
    """float32 (3, k) world frame, metres."""
    features: torch.Tensor
    """float32 (k, dim)."""
    direction_rad: torch.Tensor
    """float32 (k,) heading that the patch was seen along."""
    scale_m: torch.Tensor
    """float32 (k,) width of the patch, metres."""

    def take(self, index: torch.Tensor) -> Points:
        """Those at `index`, int64 (j,)."""
        return Points(
            self.xyz_m.index_select(1, index),
            self.features.index_select(0, index),
            self.direction_rad.index_select(0, index),
            self.scale_m.index_select(0, index),
        )
