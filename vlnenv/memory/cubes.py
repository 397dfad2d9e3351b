"""Cubes of a regular grid as one integer each: zones, and the voxels that thin out far points."""

from __future__ import annotations

import torch

KEY_BITS = 48
_BITS = KEY_BITS // 3
_HALF = 1 << (_BITS - 1)
_MASK = (1 << _BITS) - 1


def cube_keys(xyz_m: torch.Tensor, side_m: float) -> torch.Tensor:
    """The cube that each point lies in.

    Args:
        xyz_m: float32 (3, ...) world frame, metres.
        side_m: Side of a cube, metres.

    Returns:
        int64 (...) in [0, 2^48), ascending as the cubes' x, y, z do in lexicographic order. The grid repeats
        after 65,536 cubes: 131 km for zones, 16 km for voxels of 0.25 m.
    """
    x, y, z = (xyz_m / side_m).floor_().long().add_(_HALF).bitwise_and_(_MASK)
    return (x << 2 * _BITS) | (y << _BITS) | z


def cube_coordinates(keys: torch.Tensor) -> torch.Tensor:
    """x, y and z of cubes, int64 (k, 3), out of their keys (k,): floor(position / side)."""
    return torch.stack([keys >> 2 * _BITS, (keys >> _BITS) & _MASK, keys & _MASK], dim=1) - _HALF


def keys_of_cubes(coordinates: torch.Tensor) -> torch.Tensor:
    """Keys int64 (k,) of cubes, out of their x, y and z (k, 3): undoes `cube_coordinates`."""
    x, y, z = ((coordinates + _HALF) & _MASK).unbind(1)
    return (x << 2 * _BITS) | (y << _BITS) | z
