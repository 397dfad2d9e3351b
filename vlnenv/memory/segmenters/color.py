"""The mean colour of each cell of the patch grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from vlnenv.memory.encoder import PATCH_GRID

_XYZ_OF_RGB = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


@njit(cache=True)
def _cell_means(rgb: np.ndarray, grid: int) -> np.ndarray:
    rows, columns = rgb.shape[0] // grid, rgb.shape[1] // grid
    top, left = rows // 4, columns // 4
    means = np.empty((grid * grid, 3))
    count = (rows - 2 * top) * (columns - 2 * left)
    for i in range(grid):
        for j in range(grid):
            for channel in range(3):
                total = 0
                for row in range(i * rows + top, (i + 1) * rows - top):
                    for column in range(j * columns + left, (j + 1) * columns - left):
                        total += rgb[row, column, channel]
                means[i * grid + j, channel] = total / (255.0 * count)
    return means


def cell_lab(rgb: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of the mean sRGB colour in the middle half of each cell, across and down.

    Args:
        rgb: uint8 (height, width, 3), multiples of 24.

    Returns:
        float64 (576, 3): lightness 0 to 100, a and b about -100 to 100; white point D65.
    """
    color = _cell_means(rgb, PATCH_GRID)
    linear = np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4)
    # A sum of three products each, not a matrix product, whose rounding could differ between machines.
    xyz = sum(linear[:, k, None] * _XYZ_OF_RGB[None, :, k] for k in range(3)) / _WHITE
    root = np.where(xyz > 216.0 / 24389.0, np.cbrt(xyz), (24389.0 / 27.0 * xyz + 16.0) / 116.0)
    return np.stack(
        [116.0 * root[:, 1] - 16.0, 500.0 * (root[:, 0] - root[:, 1]), 200.0 * (root[:, 1] - root[:, 2])],
        axis=1,
    )
