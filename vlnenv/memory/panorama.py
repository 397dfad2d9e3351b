"""The panorama: what is remembered around the agent, in 12 x 48 directions. Here are the directions.

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
PANORAMA_VIEW = 12
"""Cells across and down one of the four views."""


@dataclass(frozen=True, eq=False)
class Sight:
    """Where points lie as seen from the camera; float32, all of one shape."""

    view: torch.Tensor
    """Which of the four views: 0 behind, 1 left, 2 ahead, 3 right. (A float, as integers are slow.)"""
    depth: torch.Tensor
    """Metres along the axis of that view, at least 0."""
    across: torch.Tensor
    """Cells from the left edge of that view, in [0, 12]."""
    down: torch.Tensor
    """Cells from the top, in [0, 12] unless steeper than the views."""


def sight_of(ahead_m: torch.Tensor, left_m: torch.Tensor, up_m: torch.Tensor, fine: int = 1) -> Sight:
    """The view and the place in it that each point is seen at.

    A point without any depth, straight above, below or at the camera, has no place: NaN or infinite.

    Args:
        ahead_m: float32, any shape, from the camera, metres (or any other common unit).
        left_m: The same shape.
        up_m: The same shape, 0 at the height of the camera.
        fine: Finer cells along each side of a cell, which `across` and `down` then count.
    """
    # What is behind, left, ahead and right has the agent's left, front, right and back on its right: the
    # offset to the right over the depth is -left / ahead in the first and third, ahead / left in the others.
    is_lengthwise = ahead_m.abs() > left_m.abs()
    depth = torch.where(is_lengthwise, ahead_m, left_m)  # signed
    offset = torch.where(is_lengthwise, -left_m, ahead_m)
    is_positive = depth > 0.0
    half = PANORAMA_VIEW * fine / 2.0
    across = offset / depth * half + half
    depth = depth.abs()
    return Sight(
        view=torch.where(is_lengthwise, 2.0 * is_positive, 3.0 - 2.0 * is_positive),
        depth=depth,
        across=across,
        down=half - up_m / depth * half,
    )
