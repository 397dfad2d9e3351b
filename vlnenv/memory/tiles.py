"""A coarse grid over the floor plan, to find what can be in view without looking at all that is stored."""

from __future__ import annotations

import math

import numpy as np
import torch

from vlnenv.sim.camera import Camera, camera_to_world

_SIDE = 64
TILES = _SIDE * _SIDE
"""Tiles of the grid. It repeats every 64 tiles in x and z: far apart points may share a tile, which costs a
look at them and changes nothing."""
_TILES_PER_RANGE = 4
_MARGIN_M = 0.01
"""More than all rounding of float32 positions within a kilometre of the origin."""


class TileGrid:
    """Square columns of the world, a quarter of the range of sight wide, numbered 0 to 4095.

    Args:
        camera: Whose view is asked for.
        far_m: Depth along the optical axis at which the view ends, metres.
    """

    def __init__(self, camera: Camera, far_m: float) -> None:
        self.camera = camera
        self.tile_m = max(far_m / _TILES_PER_RANGE, 0.25)
        tan_x = camera.tan_half_hfov
        tan_y = tan_x * camera.height / camera.width
        # The view is the hull of the optical centre and the four far corners, in the camera frame.
        far = [(x * tan_x * far_m, y * tan_y * far_m, -far_m, 1.0) for x in (-1, 1) for y in (-1, 1)]
        self._corners = np.array([(0.0, 0.0, 0.0, 1.0), *far])
        reach_m = far_m * math.sqrt(1.0 + tan_x**2 + tan_y**2) + _MARGIN_M
        reach = math.ceil(reach_m / self.tile_m) + 1
        self._covers_all = 2 * reach + 1 > _SIDE
        offset = np.arange(-reach, reach + 1)
        self._offset = np.stack(np.meshgrid(offset, offset, indexing="ij")).reshape(2, -1)
        self._half_hfov_rad = math.radians(camera.hfov_deg) / 2.0

    def tiles(self, xyz_m: torch.Tensor) -> torch.Tensor:
        """The tile that each point lies in.

        Args:
            xyz_m: float32 (3, ...) world frame, metres.

        Returns:
            int64 (...) in [0, 4096).
        """
        x, z = (xyz_m[::2] / self.tile_m).floor_().long().bitwise_and_(_SIDE - 1)
        return x * _SIDE + z

    def in_view(self, position_m: np.ndarray, heading_rad: np.ndarray) -> np.ndarray:
        """The tiles that may hold a point in view, nearer than the range along the optical axis.

        A tile is left out only where a line on the floor plan separates it from the view: one of the two
        axes, the line across at the range's end, or one of the view's two sides.

        Args:
            position_m: (n, 3) feet, world frame, metres.
            heading_rad: (n,) counter-clockwise about +y; 0 looks along -z.

        Returns:
            bool (n, 4096).
        """
        position_m = np.asarray(position_m, dtype=np.float64)
        heading_rad = np.asarray(heading_rad, dtype=np.float64)
        n = len(position_m)
        if self._covers_all:
            return np.ones((n, TILES), dtype=bool)
        view_m = (
            camera_to_world(position_m, heading_rad, self.camera)[:, [0, 2]] @ self._corners.T
        )  # (n, 2, 5)
        tile = np.floor(position_m[:, [0, 2]] / self.tile_m).astype(np.int64)[:, :, None] + self._offset
        # Unit vectors (n, 2, 5) on the floor plan: x, z, ahead and the normals of the view's two sides.
        ahead = -np.pi / 2.0 - heading_rad
        sides = np.array([0.0, np.pi / 2.0 + self._half_hfov_rad, np.pi / 2.0 - self._half_hfov_rad])
        angle = np.concatenate([np.broadcast_to([0.0, np.pi / 2.0], (n, 2)), ahead[:, None] + sides], axis=1)
        axis = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        view = np.einsum("nca,ncv->nav", axis, view_m)
        middle = np.einsum("nca,nct->nat", axis, (tile + 0.5) * self.tile_m)
        half = np.abs(axis).sum(axis=1)[:, :, None] * (self.tile_m / 2.0) + _MARGIN_M
        overlaps = (middle + half >= view.min(axis=2)[:, :, None]) & (
            middle - half <= view.max(axis=2)[:, :, None]
        )
        row, column = np.nonzero(overlaps.all(axis=1))
        wrapped = tile[row, :, column] & (_SIDE - 1)
        flags = np.zeros((n, TILES), dtype=bool)
        flags[row, wrapped[:, 0] * _SIDE + wrapped[:, 1]] = True
        return flags
