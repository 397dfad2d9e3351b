"""The points in front: of all that is remembered, the nearest few in each direction.

One pass over the stores, whatever is kept: each point is turned into the agent's frame, finds the cells that
it covers and is put in its place among the nearest of each. On a CPU a compiled loop does it, elsewhere array
operations of torch do; on a CPU both give the same points and the same distances to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit

from vlnenv.memory.geometry import Pose, world_to_agent
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS, PANORAMA_VIEW, sight_of

_BLOCK = 512
_ZERO, _HALF, _ONE, _TWO, _THREE = (np.float32(number) for number in (0.0, 0.5, 1.0, 2.0, 3.0))
_INFINITE = np.float32(np.inf)
_LARGEST = torch.iinfo(torch.int64).max


@dataclass(frozen=True, eq=False)
class PanoramaPoints:
    """What n agents remember and where they stand: the stores of all environments as they lie, contiguous."""

    xyz_m: torch.Tensor
    """float32 (3, e, c) world frame, metres: room for c points of each of e environments."""
    features: torch.Tensor
    """float32 (e, c, dim)."""
    direction_rad: torch.Tensor
    """float32 (e, c) heading that each point was seen along, in [0, 2 pi]."""
    scale_m: torch.Tensor
    """float32 (e, c) width of each point's patch, metres."""
    patch_id: torch.Tensor
    """int64 (e, c) in [0, 2**32), unique among an environment's points."""
    envs: torch.Tensor
    """int64 (n,) the environments that are read."""
    count: torch.Tensor
    """int64 (n,) points of each; they fill the first rows of its store."""
    pose: Pose
    """The n agents."""
    camera_height_m: float
    """Height of the camera over the feet, metres: the centre of the panorama."""
    far_m: float
    """Points farther than this from the camera are hidden, metres."""


@dataclass(frozen=True)
class Footprint:
    """How finely directions are told apart, and how much of them a point covers."""

    fine: int = 1
    """Finer cells along each side of a cell of the panorama."""
    keep: int = 1
    """Nearest points kept in each finer cell."""
    width: float = 0.0
    """A point covers the finer cells whose centre lies in a square of this times its patch's width around it,
    as seen from the camera, beside the one that it falls in."""
    reach: int = 0
    """It covers none that is more than so many columns or rows from the one that it falls in."""


def front_points(points: PanoramaPoints, footprint: Footprint) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest points in each direction, for n panoramas of 12 f x 48 f finer cells.

    A point's footprint bends round the corner between two of the panorama's four views as if they were one
    plane. Points above or below the panorama count where their footprint reaches into it.

    Args:
        points: What is remembered.
        footprint: f = `fine`, and what a point covers.

    Returns:
        column: int64 (n, 12 f * 48 f, keep) row of the store of each point kept, nearest first; of points
            that are equally far to the last bit the lowest id first; -1 where there are fewer.
        squared_m2: float32, the same shape, squared distance from the camera; infinite where there is none.
    """
    shape = (
        len(points.envs),
        PANORAMA_ROWS * PANORAMA_COLUMNS * footprint.fine**2,
        footprint.keep,
    )
    column = torch.full(shape, -1, dtype=torch.int64, device=points.xyz_m.device)
    squared = torch.full(shape, torch.inf, device=points.xyz_m.device)
    if not shape[0]:
        return column, squared
    if points.xyz_m.device.type == "cpu":
        pose = points.pose
        _scan(
            points.xyz_m.numpy(),
            points.scale_m.numpy(),
            points.patch_id.numpy(),
            points.envs.numpy(),
            points.count.numpy(),
            pose.feet_m.numpy(),
            pose.cos_heading.numpy(),
            pose.sin_heading.numpy(),
            np.float32(points.camera_height_m),
            np.float32(points.far_m * points.far_m),
            footprint.fine,
            np.float32(footprint.width / 2.0),
            footprint.reach,
            column.numpy(),
            squared.numpy(),
        )
    else:
        scan_by_arrays(points, footprint, column, squared)
    return column, squared


@njit(cache=True, error_model="numpy")
def _scan(
    xyz: np.ndarray,
    scale: np.ndarray,
    patch_id: np.ndarray,
    envs: np.ndarray,
    count: np.ndarray,
    feet: np.ndarray,
    cos_heading: np.ndarray,
    sin_heading: np.ndarray,
    eye: np.float32,
    far_squared: np.float32,
    fine: int,
    half_width: np.float32,
    reach: int,
    column: np.ndarray,
    squared: np.ndarray,
) -> None:
    """Fill `column` and `squared` of `front_points`."""
    columns, keep = PANORAMA_COLUMNS * fine, squared.shape[2]
    side, bottom, margin = (
        np.float32(PANORAMA_VIEW * fine),
        np.float32(PANORAMA_ROWS * fine - 1),
        np.float32(reach),
    )
    half, right = side * _HALF, side - _ONE
    steepest = _ONE + margin / half
    distance = np.empty(_BLOCK, dtype=np.float32)
    view = np.empty(_BLOCK, dtype=np.float32)
    x0, x1 = np.empty(_BLOCK, dtype=np.float32), np.empty(_BLOCK, dtype=np.float32)
    y0, y1 = np.empty(_BLOCK, dtype=np.float32), np.empty(_BLOCK, dtype=np.float32)
    for n in range(len(envs)):
        env = envs[n]
        cos, sin = cos_heading[n, 0], sin_heading[n, 0]
        feet_x, feet_y, feet_z = feet[0, n, 0], feet[1, n, 0], feet[2, n, 0]
        x_of, y_of, z_of, scale_of, ids = xyz[0, env], xyz[1, env], xyz[2, env], scale[env], patch_id[env]
        squared_of, column_of = squared[n].reshape(-1), column[n].reshape(-1)
        for start in range(0, count[n], _BLOCK):
            size = min(_BLOCK, count[n] - start)
            # Free of branches, so that the compiler takes several points at a time.
            for k in range(size):
                i = start + k
                east, south = x_of[i] - feet_x, z_of[i] - feet_z
                up = (y_of[i] - feet_y) - eye
                ahead = -(east * sin + south * cos)
                left = south * sin - east * cos
                lengthwise = abs(ahead) > abs(left)
                depth = ahead if lengthwise else left
                offset = -left if lengthwise else ahead
                ahead_or_behind = _TWO if depth > _ZERO else _ZERO
                left_or_right = _ONE if depth > _ZERO else _THREE
                view[k] = ahead_or_behind if lengthwise else left_or_right
                across = offset / depth * half + half
                depth = abs(depth)
                down = half - up / depth * half
                is_seen = (abs(up) <= depth * steepest) & (depth > _ZERO)
                distance[k] = ahead * ahead + left * left + up * up if is_seen else _INFINITE
                extent = scale_of[i] / depth * half * half_width
                x = min(max(np.floor(across), _ZERO), right)
                y = min(max(np.floor(down), -margin), bottom + margin)
                low, high = extent + _HALF, extent - _HALF
                x0[k] = max(min(np.ceil(across - low), x), x - margin)
                x1[k] = min(max(np.floor(across + high), x), x + margin)
                y0[k] = max(max(min(np.ceil(down - low), y), y - margin), _ZERO)
                y1[k] = min(min(max(np.floor(down + high), y), y + margin), bottom)
            for k in range(size):
                if not distance[k] <= far_squared:
                    continue
                first = int(view[k]) * PANORAMA_VIEW * fine
                for y in range(int(y0[k]), int(y1[k]) + 1):
                    for x in range(first + int(x0[k]), first + int(x1[k]) + 1):
                        wrapped = x + columns if x < 0 else (x - columns if x >= columns else x)
                        cell = (y * columns + wrapped) * keep
                        if distance[k] <= squared_of[cell + keep - 1]:
                            _insert(squared_of, column_of, cell, keep, distance[k], start + k, ids)


@njit(cache=True, inline="always")
def _insert(
    squared: np.ndarray,
    column: np.ndarray,
    cell: int,
    keep: int,
    distance: np.float32,
    i: int,
    ids: np.ndarray,
) -> None:
    """Put point i in its place in the list of a cell, which is ordered by distance, then id."""
    j = cell + keep - 1
    if distance == squared[j] and ids[column[j]] < ids[i]:
        return
    while j > cell and (
        squared[j - 1] > distance or (squared[j - 1] == distance and ids[column[j - 1]] > ids[i])
    ):
        squared[j], column[j] = squared[j - 1], column[j - 1]
        j -= 1
    squared[j], column[j] = distance, i


def scan_by_arrays(
    points: PanoramaPoints, footprint: Footprint, column: torch.Tensor, squared: torch.Tensor
) -> None:
    """Fill `column` and `squared` of `front_points` by torch's array operations, on any device."""
    fine, reach, n, keep = footprint.fine, footprint.reach, len(points.envs), footprint.keep
    columns, side, rows = PANORAMA_COLUMNS * fine, PANORAMA_VIEW * fine, PANORAMA_ROWS * fine
    longest = int(points.count.max())
    live = torch.arange(longest, device=column.device) < points.count[:, None]
    xyz = points.xyz_m[..., :longest].index_select(1, points.envs)
    ahead, left, up = world_to_agent(xyz, points.pose)
    up = up - points.camera_height_m
    sight = sight_of(ahead, left, up, fine)
    depth, view, across, down = sight.depth, sight.view, sight.across, sight.down
    half = side / 2.0
    steepest = float(_ONE + np.float32(reach) / np.float32(half))
    distance = ahead * ahead + left * left + up * up
    seen = live & (up.abs() <= depth * steepest) & (depth > 0.0)
    row, place = (seen & (distance <= points.far_m * points.far_m)).nonzero(as_tuple=True)
    view, across, depth, down, distance = (
        values[row, place] for values in (view, across, depth, down, distance)
    )
    view = view.long()
    extent = points.scale_m[points.envs[row], place] / depth * half * (footprint.width / 2.0)
    x = across.floor().clamp(0.0, side - 1.0)
    y = down.floor().clamp(-float(reach), rows - 1.0 + reach)
    low, high = extent + 0.5, extent - 0.5
    x0, x1 = torch.minimum((across - low).ceil(), x), torch.maximum((across + high).floor(), x)
    y0, y1 = torch.minimum((down - low).ceil(), y), torch.maximum((down + high).floor(), y)
    # Distances are not negative, so their bits are in their order; the id decides between equals.
    ids = points.patch_id[points.envs[row], place]
    key = (distance.view(torch.int32).long() << 32) | ids
    buckets, entries = [], []
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            cell_y, cell_x = y + dy, x + dx
            covered = (x0 <= cell_x) & (cell_x <= x1) & (y0 <= cell_y) & (cell_y <= y1)
            (entry,) = (covered & (cell_y >= 0.0) & (cell_y < rows)).nonzero(as_tuple=True)
            wrapped = (view[entry] * side + cell_x[entry].long()) % columns
            buckets.append((row[entry] * rows + cell_y[entry].long()) * columns + wrapped)
            entries.append(entry)
    bucket, entry = torch.cat(buckets), torch.cat(entries)
    left_over = key[entry]
    for k in range(keep):
        lowest = torch.full((n * rows * columns,), _LARGEST, device=column.device)
        lowest.scatter_reduce_(0, bucket, left_over, "amin")
        (won,) = ((left_over == lowest[bucket]) & (left_over < _LARGEST)).nonzero(as_tuple=True)
        column.view(-1, keep)[bucket[won], k] = place[entry[won]]
        squared.view(-1, keep)[bucket[won], k] = distance[entry[won]]
        left_over[won] = _LARGEST


def rows_of(points: PanoramaPoints, column: torch.Tensor) -> torch.Tensor:
    """Rows of the flattened stores for rows (n, ...) of the environments' own; any for -1."""
    first = (points.envs * points.features.shape[1]).view(-1, *[1] * (column.dim() - 1))
    return column.clamp(min=0) + first


def seen_from_camera(
    points: PanoramaPoints, column: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Where chosen points are: ahead, left and up from the camera, each float32 (n, m), metres.

    Args:
        points: The stores.
        column: int64 (n, m) rows of the stores; what is said of -1 means nothing.
    """
    rows = rows_of(points, column)
    xyz_m = points.xyz_m.view(3, -1).index_select(1, rows.view(-1)).view(3, *rows.shape)
    ahead, left, up = world_to_agent(xyz_m, points.pose)
    return ahead, left, up - points.camera_height_m
