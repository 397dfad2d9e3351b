"""Patch feature points: lifting a view's 24 x 24 patches to 3D, and culling what a new view contradicts."""

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


@dataclass(frozen=True, eq=False)
class LiftedPatches:
    """n views' patches as points, cells row by row; rows where `valid` is False are meaningless."""

    xyz_m: torch.Tensor
    """float32 (3, n, 576) world frame, metres."""
    direction_rad: torch.Tensor
    """float32 (n, 576) heading that the patch was seen along, in [0, 2 pi]."""
    scale_m: torch.Tensor
    """float32 (n, 576) width of the patch where it hit, metres."""
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
        valid=(depth > 0.0) & (depth < max_depth_m),
    )


def culled(
    xyz_m: torch.Tensor,
    live: torch.Tensor,
    depth_m: torch.Tensor,
    pose: Pose,
    camera: Camera,
    near_m: float,
    far_m: float,
    tolerance_m: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which stored points a new view contradicts or sees again.

    A point goes when it lies in the image, near <= z <= far along the optical axis, and z < D + tolerance for
    the depth D of the pixel that it falls in: it is on the surface seen (and is inserted anew) or in front of
    it (and is no longer there). Points behind the surface, out of the image or out of range stay. Where
    nothing was hit (D = 0) the view goes on for ever, and what it is seen through goes.

    Args:
        xyz_m: float32 (3, n, m) stored points, world frame, metres.
        live: bool (n, m) which of them exist.
        depth_m: float32 (n, height, width) the new view at full resolution; 0 where nothing was hit,
            NaN where nothing is known (culls nothing).
        pose: The n agents.
        camera: Their camera.
        near_m: Nearest depth that is culled, metres.
        far_m: Farthest depth that is culled, metres.
        tolerance_m: How far behind the surface a point may lie and still count as on it, metres.

    Returns:
        Row in [0, n) and column in [0, m) of each culled point, int64 (k,), ordered by row, then column.

    Source: Dynam3D's released code; differs in flooring to the pixel (it truncates towards 0, which adds a
    column and a row of pixels) and in asking z > 0.
    """
    row, column = live.nonzero(as_tuple=True)
    points_m = xyz_m.flatten(1).index_select(1, row * live.shape[1] + column)
    gone = contradicted(points_m, row, depth_m, pose, camera, near_m, far_m, tolerance_m)
    return row[gone], column[gone]


def contradicted(
    xyz_m: torch.Tensor,
    row: torch.Tensor,
    depth_m: torch.Tensor,
    pose: Pose,
    camera: Camera,
    near_m: float,
    far_m: float,
    tolerance_m: float,
) -> torch.Tensor:
    """Which of k points their view contradicts or sees again: `culled` for chosen points.

    Args:
        xyz_m: float32 (3, k) world frame, metres.
        row: int64 (k,) in [0, n) which view each is looked at in.
        depth_m: float32 (n, height, width), as for `culled`.
        pose: The n agents.
        camera: Their camera.
        near_m: As for `culled`.
        far_m: As for `culled`.
        tolerance_m: As for `culled`.

    Returns:
        int64 (g,) indices of those that go, ascending.
    """
    matrix = pose.world_from_camera[..., 0]
    if matrix.shape[2] > 1:
        matrix = matrix.index_select(2, row)
    # Depth first, for all points; the image coordinates only for those in the range of depth.
    dx, dy, dz = xyz_m[0] - matrix[0, 3], xyz_m[1] - matrix[1, 3], xyz_m[2] - matrix[2, 3]
    ahead = -(dx * matrix[0, 2] + dy * matrix[1, 2] + dz * matrix[2, 2])
    nearest = max(near_m, torch.finfo(torch.float32).tiny)
    (place,) = ((ahead >= nearest) & (ahead <= far_m)).nonzero(as_tuple=True)
    dx, dy, dz, ahead = (values.index_select(0, place) for values in (dx, dy, dz, ahead))
    if matrix.shape[2] > 1:
        matrix = matrix.index_select(2, place)
    right = dx * matrix[0, 0] + dy * matrix[1, 0] + dz * matrix[2, 0]
    up = dx * matrix[0, 1] + dy * matrix[1, 1] + dz * matrix[2, 1]
    pixel_x = (right / ahead * camera.focal_px + camera.width / 2.0).floor()
    pixel_y = (camera.height / 2.0 - up / ahead * camera.focal_px).floor()
    inside = (pixel_x >= 0) & (pixel_x < camera.width) & (pixel_y >= 0) & (pixel_y < camera.height)
    pixel = pixel_y.clamp(0, camera.height - 1) * camera.width + pixel_x.clamp(0, camera.width - 1)
    view = row.index_select(0, place) * (camera.height * camera.width)
    seen = depth_m.reshape(-1).index_select(0, view + pixel.long())
    return place[inside & ((ahead < seen + tolerance_m) | (seen == 0.0))]
