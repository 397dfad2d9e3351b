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
What lies steeper than a view's 90 degrees, above or below, is in no cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

PANORAMA_ROWS = 12
PANORAMA_COLUMNS = 48
_VIEW = 12  # cells across and down one of the four views


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
        ahead_m: float32, any shape, from the camera, metres; or any other common unit.
        left_m: The same shape.
        up_m: The same shape, 0 at the height of the camera.

    Returns:
        int64, the same shape: cell in [0, 576), or -1 for a direction that is too steep or has no length.
        Cells hold their left and top edges and not their right and bottom ones.
    """
    depth = torch.maximum(ahead_m.abs(), left_m.abs())
    # The four views meet in the diagonals ahead + left = 0 and left - ahead = 0.
    total, difference = ahead_m + left_m, left_m - ahead_m
    is_first_half = (difference > 0) | ((difference == 0) & (total < 0))  # behind or left
    view = torch.where(is_first_half, (total >= 0).long(), 2 + (total <= 0).long())
    # Behind, left, ahead, right of the agent have their own right hand to its left, ahead, right, behind.
    lateral = torch.where(view % 2 == 0, left_m, ahead_m)
    lateral = torch.where(is_first_half, lateral, -lateral)
    half = _VIEW / 2.0
    column = ((lateral / depth + 1.0) * half).floor().clamp(0, _VIEW - 1)
    row = ((1.0 - up_m / depth) * half).floor()
    is_seen = (depth > 0) & (row >= 0) & (row < _VIEW)
    cell = row * PANORAMA_COLUMNS + column
    cell = torch.where(is_seen, cell, torch.zeros_like(cell)).long() + view * _VIEW
    return torch.where(is_seen, cell, -1)


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
        patch_id: int64 (n, m) in [0, 2**31), unique among an environment's live points. Of points that are
            equally far to the last bit the lowest id wins.
        far_m: Points farther than this are left out, metres.

    Returns:
        At most one point a cell.

    Source: ours; the first, parameter-free stand-in for Dynam3D's volume rendering of the feature field, with
    its views and their order. A point fills its own cell only: what lies behind a gap between near points
    shows through it.
    """
    cells = PANORAMA_ROWS * PANORAMA_COLUMNS
    squared = ahead_m * ahead_m + left_m * left_m + up_m * up_m
    is_flat_enough = up_m.abs() <= torch.maximum(ahead_m.abs(), left_m.abs())
    row, column = (live & is_flat_enough & (squared <= far_m * far_m)).nonzero(as_tuple=True)
    cell = panorama_cells(ahead_m[row, column], left_m[row, column], up_m[row, column])
    # Non-negative floats sort like their bits, so one int64 orders by distance, then by id.
    bits = squared[row, column].view(torch.int32).long()
    key = (bits << 32) | patch_id[row, column]
    # One bucket past the end takes what is in no cell.
    bucket = torch.where(cell >= 0, row * cells + cell, len(live) * cells)
    best = torch.full((len(live) * cells + 1,), torch.iinfo(torch.int64).max, device=key.device)
    best.scatter_reduce_(0, bucket, key, "amin")
    winner = ((key == best[bucket]) & (cell >= 0)).nonzero()[:, 0]
    return Nearest(row[winner], column[winner], cell[winner])
