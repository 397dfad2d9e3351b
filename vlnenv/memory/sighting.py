"""Looking for stored points in a new view: where they fall, and what the view says about them.

On a CPU a compiled loop looks at every stored point, a nanosecond or two for each; elsewhere array operations
of torch do. On a CPU both find the same points and the same numbers to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit

from vlnenv.memory.geometry import Pose
from vlnenv.sim.camera import Camera

_BLOCK = 512
_NEAREST = np.finfo(np.float32).tiny
"""Below the smallest normal number the division by the depth could overflow to NaN."""


@dataclass(frozen=True, eq=False)
class Sighting:
    """Where stored points fall in new views: k of them, by view, then column."""

    row: torch.Tensor
    """int64 (k,) the view."""
    column: torch.Tensor
    """int64 (k,) of the point in the store."""
    depth_m: torch.Tensor
    """float32 (k,) of the point along the optical axis, above 0."""
    pixel: torch.Tensor
    """int64 (k,) that it falls in, in the flattened image."""
    surface_m: torch.Tensor
    """float32 (k,) what the view shows there: depth, 0 where nothing was hit, NaN where nothing is known."""


def sight(
    xyz_m: torch.Tensor,
    envs: torch.Tensor,
    count: torch.Tensor,
    depth_m: torch.Tensor,
    pose: Pose,
    camera: Camera,
    far_m: float,
) -> Sighting:
    """The stored points that lie in the frame of their environment's view, and what it shows there.

    Args:
        xyz_m: float32 (3, e, c) world frame, metres: room for c points of each of e environments.
        envs: int64 (n,).
        count: int64 (n,) points of each; they fill the first columns of its store.
        depth_m: float32 (n, height, width) their views at full resolution.
        pose: The n agents.
        camera: Their camera.
        far_m: Points farther than this along the optical axis are left out, and those at or behind 0, metres.

    Returns:
        The points in range whose pixel (rounded down: a truncation towards 0, as in Dynam3D's released code,
        adds a column and a row of pixels) lies in the image, whether in front of the surface or behind it.
    """
    if xyz_m.device.type != "cpu":
        return sight_by_arrays(xyz_m, envs, count, depth_m, pose, camera, far_m)
    room = int(count.sum())
    row, column, pixel = (np.empty(room, dtype=np.int64) for _ in range(3))
    depth, surface = (np.empty(room, dtype=np.float32) for _ in range(2))
    found = _scan(
        xyz_m.numpy(),
        envs.numpy(),
        count.numpy(),
        pose.world_from_camera.numpy(),
        depth_m.contiguous().numpy(),
        np.float32(camera.focal_px),
        np.float32(far_m),
        row,
        column,
        depth,
        pixel,
        surface,
    )
    return Sighting(*(torch.from_numpy(values[:found]) for values in (row, column, depth, pixel, surface)))


@njit(cache=True, error_model="numpy")
def _scan(
    xyz: np.ndarray,
    envs: np.ndarray,
    count: np.ndarray,
    world_from_camera: np.ndarray,
    image: np.ndarray,
    focal: np.float32,
    far: np.float32,
    row: np.ndarray,
    column: np.ndarray,
    depth: np.ndarray,
    pixel: np.ndarray,
    surface: np.ndarray,
) -> int:
    """Fill the last five, and say how far."""
    height, width = image.shape[1], image.shape[2]
    middle_x, middle_y = np.float32(width / 2.0), np.float32(height / 2.0)
    ahead = np.empty(_BLOCK, dtype=np.float32)
    found = 0
    for n in range(len(envs)):
        x_of, y_of, z_of = xyz[0, envs[n]], xyz[1, envs[n]], xyz[2, envs[n]]
        matrix, shown = world_from_camera[:, :, n, 0], image[n]
        right_x, up_x, back_x, eye_x = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[0, 3]
        right_y, up_y, back_y, eye_y = matrix[1, 0], matrix[1, 1], matrix[1, 2], matrix[1, 3]
        right_z, up_z, back_z, eye_z = matrix[2, 0], matrix[2, 1], matrix[2, 2], matrix[2, 3]
        for start in range(0, count[n], _BLOCK):
            size = min(_BLOCK, count[n] - start)
            # Free of branches, so that the compiler takes several points at a time.
            for k in range(size):
                i = start + k
                dx, dy, dz = x_of[i] - eye_x, y_of[i] - eye_y, z_of[i] - eye_z
                ahead[k] = -(dx * back_x + dy * back_y + dz * back_z)
            for k in range(size):
                if not _NEAREST <= ahead[k] <= far:
                    continue
                i = start + k
                dx, dy, dz = x_of[i] - eye_x, y_of[i] - eye_y, z_of[i] - eye_z
                right = dx * right_x + dy * right_y + dz * right_z
                up = dx * up_x + dy * up_y + dz * up_z
                x = np.floor(right / ahead[k] * focal + middle_x)
                y = np.floor(middle_y - up / ahead[k] * focal)
                if 0 <= x < width and 0 <= y < height:
                    row[found], column[found], depth[found] = n, i, ahead[k]
                    pixel[found] = int(y) * width + int(x)
                    surface[found] = shown[int(y), int(x)]
                    found += 1
    return found


def sight_by_arrays(
    xyz_m: torch.Tensor,
    envs: torch.Tensor,
    count: torch.Tensor,
    depth_m: torch.Tensor,
    pose: Pose,
    camera: Camera,
    far_m: float,
) -> Sighting:
    """`sight` by torch's array operations, on any device."""
    longest = int(count.max())
    live = torch.arange(longest, device=xyz_m.device) < count[:, None]
    matrix = pose.world_from_camera
    dx, dy, dz = (xyz_m[axis, envs, :longest] - matrix[axis, 3] for axis in range(3))
    ahead = -(dx * matrix[0, 2] + dy * matrix[1, 2] + dz * matrix[2, 2])
    row, column = (live & (ahead >= float(_NEAREST)) & (ahead <= far_m)).nonzero(as_tuple=True)
    dx, dy, dz, ahead = (values[row, column] for values in (dx, dy, dz, ahead))
    matrix = matrix[:, :, row, 0]
    right = dx * matrix[0, 0] + dy * matrix[1, 0] + dz * matrix[2, 0]
    up = dx * matrix[0, 1] + dy * matrix[1, 1] + dz * matrix[2, 1]
    x = (right / ahead * camera.focal_px + camera.width / 2.0).floor()
    y = (camera.height / 2.0 - up / ahead * camera.focal_px).floor()
    (inside,) = ((x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)).nonzero(as_tuple=True)
    row, column, ahead, x, y = (values[inside] for values in (row, column, ahead, x, y))
    pixel = (y * camera.width + x).long()
    return Sighting(row, column, ahead, pixel, depth_m.flatten(1)[row, pixel])


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
