"""The picture of a scene from above, cut below the ceiling, with walls and furniture outlined at the cut."""

from __future__ import annotations

import numpy as np

from vlnenv.sim.edits import current_geometry
from vlnenv.sim.prepared import prepare
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import TopDown

_EMPTY_RGB = (245, 245, 245)
_CUT_RGB = (50, 50, 60)
_MARGIN_M = 0.25
_MOST_PIXELS = 64_000_000


def top_down(scene: Scene, floor_y_m: float, meters_per_pixel: float = 0.05, cut_m: float = 1.8) -> TopDown:
    """Picture from above of everything lower than `cut_m` above the floor at `floor_y_m`.

    What the cut goes through (walls, wardrobes) is drawn as dark lines: seen from straight above, a thin wall
    would be invisible.

    Args:
        scene: The scene, edited or not.
        floor_y_m: Height of the floor, world frame.
        meters_per_pixel: Size of a pixel.
        cut_m: Height of the cut above the floor.

    Raises:
        ValueError: If a size is not positive, or the picture would have more than 64 million pixels.
    """
    if not (
        meters_per_pixel > 0.0 and cut_m > 0.0 and np.isfinite([floor_y_m, meters_per_pixel, cut_m]).all()
    ):
        raise ValueError(
            f"meters_per_pixel and cut_m must be positive numbers, got {meters_per_pixel} and {cut_m}"
        )
    vertices, faces, _ = current_geometry(scene)
    corners = vertices[faces]
    low, high = corners.min(axis=(0, 1)) - _MARGIN_M, corners.max(axis=(0, 1)) + _MARGIN_M
    width, height = (max(1, int(np.ceil((high[a] - low[a]) / meters_per_pixel))) for a in (0, 2))
    if width * height > _MOST_PIXELS:
        raise ValueError(
            f"a top-down picture of {width} x {height} pixels is too large; raise meters_per_pixel "
            f"(now {meters_per_pixel})"
        )
    grid = np.empty((height, width, 3), dtype=np.float32)
    grid[..., 0] = low[0] + (np.arange(width) + 0.5) * meters_per_pixel
    grid[..., 1] = floor_y_m + cut_m
    grid[..., 2] = (low[2] + (np.arange(height) + 0.5) * meters_per_pixel)[:, None]
    origin = grid.reshape(-1, 3)
    direction = np.tile(np.array([0.0, -1.0, 0.0], dtype=np.float32), (len(origin), 1))
    hits = prepare(scene).cast(scene, origin, direction)
    # Light from a slant gives sides of objects different shades.
    slanted = np.tile(np.array([0.35, -1.0, 0.2], dtype=np.float32), (len(origin), 1))
    rgb = hits.colors(slanted, np.full(len(origin), meters_per_pixel, dtype=np.float32))
    rgb[hits.instance == 0] = _EMPTY_RGB
    rgb = rgb.reshape(height, width, 3)
    outline = _cut_lines(corners, floor_y_m + cut_m)
    _draw(rgb, (outline - low[[0, 2]]) / meters_per_pixel)
    return TopDown(rgb, (float(low[0]), float(low[2])), float(meters_per_pixel))


def _cut_lines(corners: np.ndarray, height_m: float) -> np.ndarray:
    """Where triangles (f, 3, 3) cross a horizontal plane: float64 (k, 2, 2), both ends' x and z."""
    above = corners[..., 1] > height_m
    crossing = above.any(axis=1) & ~above.all(axis=1)
    corners, above = corners[crossing].astype(np.float64), above[crossing]
    # The corner that is alone on its side; the plane cuts the two edges that meet in it.
    alone = np.where(above.sum(axis=1) == 1, above.argmax(axis=1), (~above).argmax(axis=1))
    rows = np.arange(len(corners))
    apex = corners[rows, alone]
    ends = []
    for step in (1, 2):
        other = corners[rows, (alone + step) % 3]
        weight = (height_m - apex[:, 1]) / (other[:, 1] - apex[:, 1])
        ends.append((apex + weight[:, None] * (other - apex))[:, [0, 2]])
    return np.stack(ends, axis=1)


def _draw(rgb: np.ndarray, lines_px: np.ndarray) -> None:
    """Draw lines (k, 2, 2) two pixels wide, in place."""
    if not len(lines_px):
        return
    height, width = rgb.shape[:2]
    length = np.linalg.norm(lines_px[:, 1] - lines_px[:, 0], axis=1)
    samples = np.ceil(2.0 * length).astype(np.int64) + 1
    line = np.repeat(np.arange(len(lines_px)), samples)
    step = np.arange(len(line)) - np.repeat(np.cumsum(samples) - samples, samples)
    weight = step / np.maximum(samples[line] - 1, 1)
    points = lines_px[line, 0] + weight[:, None] * (lines_px[line, 1] - lines_px[line, 0])
    for shift_x in (-0.5, 0.5):
        for shift_y in (-0.5, 0.5):
            column = np.clip(np.floor(points[:, 0] + shift_x).astype(np.int64), 0, width - 1)
            row = np.clip(np.floor(points[:, 1] + shift_y).astype(np.int64), 0, height - 1)
            rgb[row, column] = _CUT_RGB
