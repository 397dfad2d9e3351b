"""The panorama: of all that is remembered, the nearest surface in each of 12 x 48 directions.

Four pinhole views of 12 x 12 cells, 90 x 90 degrees each, level whatever the camera's pitch, from the height
of the camera. They follow each other clockwise as seen from above, starting with the one that looks directly
behind the agent:

    columns  0-11   centred directly behind the agent
    columns 12-23   centred on its left
    columns 24-35   centred ahead
    columns 36-47   centred on its right

Left to right inside each view is a turn to the right (clockwise), so the columns run once round the agent
without a break, from behind-right through behind, left, ahead, right and back to behind-right. Row 0 is the
top (45 degrees up at a view's centre), row 11 the bottom. Cell (row, column) is patch row * 48 + column.
What lies steeper than a view's 90 degrees, above or below, is in no cell. A direction exactly on the diagonal
between two views belongs to the left or the right one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

PANORAMA_ROWS = 12
PANORAMA_COLUMNS = 48
_VIEW = 12  # cells across and down one of the four views
_CELLS = PANORAMA_ROWS * PANORAMA_COLUMNS


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest point of each cell that has one: k entries, in the order of the store."""

    row: torch.Tensor
    """int64 (k,) which of the n environments."""
    column: torch.Tensor
    """int64 (k,) which of its m points."""
    cell: torch.Tensor
    """int64 (k,) cell in [0, 576)."""


def panorama_cells(ahead_m: torch.Tensor, left_m: torch.Tensor, up_m: torch.Tensor) -> torch.Tensor:
    """The cell that each direction falls in.

    Args:
        ahead_m: float32, any shape, from the camera, metres (or any other common unit).
        left_m: The same shape.
        up_m: The same shape, 0 at the height of the camera.

    Returns:
        float32 whole numbers, the same shape: cell in [0, 576), or 576 for a direction that is too steep or
        has no length. (Floats, because this runs over all that is stored and integers are slow.)
    """
    # What is behind, left, ahead and right has the agent's left, front, right and back on its right: the
    # offset to the right over the depth is -left / ahead in the first and third, ahead / left in the others.
    is_lengthwise = ahead_m.abs() > left_m.abs()
    depth = torch.where(is_lengthwise, ahead_m, left_m)  # signed
    offset = torch.where(is_lengthwise, -left_m, ahead_m) / depth
    view_column = torch.where(is_lengthwise, 24.0 * (depth > 0), 36.0 - 24.0 * (depth > 0))
    depth = depth.abs()
    half, last = _VIEW / 2.0, _VIEW - 1.0
    column = (offset * half + half).floor().clamp(0.0, last)
    row = (half - up_m / depth * half).floor().clamp(0.0, last)
    is_seen = (up_m.abs() <= depth) & (depth > 0.0)
    return torch.where(is_seen, row * float(PANORAMA_COLUMNS) + (column + view_column), float(_CELLS))


def nearest_per_cell(
    ahead_m: torch.Tensor,
    left_m: torch.Tensor,
    up_m: torch.Tensor,
    live: torch.Tensor,
    patch_id: torch.Tensor,
    far_m: float,
) -> Nearest:
    """The nearest point in each cell of n panoramas.

    Args:
        ahead_m: float32 (n, m) points from each camera, metres.
        left_m: float32 (n, m).
        up_m: float32 (n, m), 0 at the height of the camera.
        live: bool (n, m) which of them exist.
        patch_id: int64 (n, m), unique among an environment's live points. Of points that are equally far to
            the last bit the lowest id wins.
        far_m: Points farther than this are left out, metres.

    Returns:
        At most one point a cell.

    Source: ours; the first, parameter-free stand-in for Dynam3D's volume rendering of the feature field, with
    its views and their order. A point fills its own cell only: what lies behind a gap between near points
    shows through it.
    """
    n, m = live.shape
    squared = ahead_m * ahead_m + left_m * left_m + up_m * up_m
    cell = panorama_cells(ahead_m, left_m, up_m)
    # One bucket past each environment's cells takes what is in none of them.
    cell = torch.where(live & (squared <= far_m * far_m), cell, float(_CELLS)).long()
    first_bucket = torch.arange(n, device=cell.device)[:, None] * (_CELLS + 1)
    bucket = (cell + first_bucket).view(-1)
    squared = squared.view(-1)
    buckets = n * (_CELLS + 1)
    nearest = torch.full((buckets,), torch.inf, device=cell.device)
    nearest.scatter_reduce_(0, bucket, squared, "amin")
    is_nearest = (squared == nearest.index_select(0, bucket)).view(n, m) & (cell < _CELLS)
    row, column = is_nearest.nonzero(as_tuple=True)
    # Hardly more than one point is left for each cell; among equals, the lowest id.
    cell, ids = cell[row, column], patch_id[row, column]
    bucket = row * (_CELLS + 1) + cell
    lowest = torch.full((buckets,), torch.iinfo(torch.int64).max, device=cell.device)
    lowest.scatter_reduce_(0, bucket, ids, "amin")
    kept = (ids == lowest[bucket]).nonzero()[:, 0]
    return Nearest(row[kept], column[kept], cell[kept])
