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


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where stored points fall in new views: k of those looked for."""

    point: torch.Tensor
    """int64 (k,) which of those looked for, ascending."""
    depth_m: torch.Tensor
    """float32 (k,) of the point along the optical axis, above 0."""
    pixel: torch.Tensor
    """int64 (k,) that it falls in, in the flattened image."""
    surface_m: torch.Tensor
    """float32 (k,) what the view shows there: depth, 0 where nothing was hit, NaN where nothing is known."""


def sight(
    xyz_m: torch.Tensor,
    row: torch.Tensor,
    depth_m: torch.Tensor,
    pose: Pose,
    camera: Camera,
    far_m: float,
) -> Sighting:
    """Which of m points lie in their view's frame, and what the view shows there.

    Args:
        xyz_m: float32 (3, m) world frame, metres.
        row: int64 (m,) in [0, n) which view each is looked for in.
        depth_m: float32 (n, height, width) the views at full resolution.
        pose: The n agents.
        camera: Their camera.
        far_m: Points farther than this along the optical axis are left out, and those at or behind 0, metres.

    Returns:
        The points in range whose pixel (rounded down: a truncation towards 0, as in Dynam3D's released code,
        adds a column and a row of pixels) lies in the image, whether in front of the surface or behind it.
    """
    matrix = pose.world_from_camera[..., 0]
    if matrix.shape[2] > 1:
        matrix = matrix.index_select(2, row)
    # Depth first, for all points; the image coordinates only for those in the range of depth.
    dx, dy, dz = xyz_m[0] - matrix[0, 3], xyz_m[1] - matrix[1, 3], xyz_m[2] - matrix[2, 3]
    ahead = -(dx * matrix[0, 2] + dy * matrix[1, 2] + dz * matrix[2, 2])
    # Below the smallest normal number the division could overflow to NaN.
    nearest = torch.finfo(torch.float32).tiny
    (point,) = ((ahead >= nearest) & (ahead <= far_m)).nonzero(as_tuple=True)
    dx, dy, dz, ahead = (values.index_select(0, point) for values in (dx, dy, dz, ahead))
    if matrix.shape[2] > 1:
        matrix = matrix.index_select(2, point)
    right = dx * matrix[0, 0] + dy * matrix[1, 0] + dz * matrix[2, 0]
    up = dx * matrix[0, 1] + dy * matrix[1, 1] + dz * matrix[2, 1]
    pixel_x = (right / ahead * camera.focal_px + camera.width / 2.0).floor()
    pixel_y = (camera.height / 2.0 - up / ahead * camera.focal_px).floor()
    is_inside = (pixel_x >= 0) & (pixel_x < camera.width) & (pixel_y >= 0) & (pixel_y < camera.height)
    (inside,) = is_inside.nonzero(as_tuple=True)
    point, ahead = point.index_select(0, inside), ahead.index_select(0, inside)
    pixel = (pixel_y * camera.width + pixel_x).index_select(0, inside).long()
    view = row.index_select(0, point) * (camera.height * camera.width)
    return Sighting(point, ahead, pixel, depth_m.reshape(-1).index_select(0, view + pixel))


def contradicted(sighting: Sighting, near_m: float, far_m: float, tolerance_m: float) -> torch.Tensor:
    """Which points in view are seen anew or seen through: they are culled.

    A point goes when near <= z <= far along the optical axis and z < D + tolerance for the depth D of the
    pixel that it falls in: it is on the surface seen (and is inserted anew) or in front of it (and is no
    longer there). Points behind the surface or out of range stay. Where nothing was hit (D = 0) the view goes
    on for ever, and what it is seen through goes.

    Args:
        sighting: Points in view, at least those in range.
        near_m: Nearest depth that is culled, metres.
        far_m: Farthest depth that is culled, metres.
        tolerance_m: How far behind the surface a point may lie and still count as on it, metres.

    Returns:
        bool (k,).

    Source: Dynam3D's released code; differs in asking z > 0.
    """
    depth, surface = sighting.depth_m, sighting.surface_m
    is_in_range = (depth >= near_m) & (depth <= far_m)
    return is_in_range & ((depth < surface + tolerance_m) | (surface == 0.0))


def seen_again(sighting: Sighting, far_m: float, tolerance_m: float) -> torch.Tensor:
    """Which points in view lie on the surface that the view shows.

    Args:
        sighting: Points in view.
        far_m: Points at a greater depth are left out, metres.
        tolerance_m: How far before or behind the surface a point may lie, metres; of more than 20 times this
            depth, 5 % of its depth.

    Returns:
        bool (k,).
    """
    depth, surface = sighting.depth_m, sighting.surface_m
    off = (depth - surface).abs()
    return (depth <= far_m) & (surface > 0.0) & (off <= (0.05 * depth).clamp(min=tolerance_m))
