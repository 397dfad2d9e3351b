"""Beyond the culling range one point a voxel is kept: the one that was seen from nearest."""

from __future__ import annotations

import torch

from vlnenv.memory.cubes import KEY_BITS
from vlnenv.memory.store import PatchStore

_BUCKET_BITS = 15


def finest(
    envs: torch.Tensor,
    store: PatchStore,
    row: torch.Tensor,
    voxel: torch.Tensor,
    scale_m: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which of k new points are the finest in their voxel, and the stored points that they supersede.

    A new point is dropped where a stored point in its voxel is as fine or finer, or another new one is finer
    (of equally fine ones, where an earlier one is). The scale of a patch grows with the distance that it was
    seen from.

    Args:
        envs: int64 (n,).
        store: The stored points.
        row: int64 (k,) in [0, n) of the new points.
        voxel: int64 (k,) their cubes.
        scale_m: float32 (k,).

    Returns:
        Indices of the new points that are kept, int64 (j,), ascending; row and column of the stored points
        that they take the place of, int64 (g,), ordered by row, then column.
    """
    device = row.device
    cubes, cube = ((row << KEY_BITS) | voxel).unique(return_inverse=True)
    best = torch.full((len(cubes),), torch.inf, device=device)
    best.scatter_reduce_(0, cube, scale_m, "amin")
    # Of equally fine new points the first.
    order = torch.arange(len(row), device=device)
    is_best = scale_m == best[cube]
    first = torch.full((len(cubes),), len(row), dtype=torch.int64, device=device)
    first.scatter_reduce_(0, cube[is_best], order[is_best], "amin")
    # Stored points: one look-up in a coarse table for each, then the exact comparison for the few left.
    longest, live = store.live(envs)
    stored = store.voxel[:, :longest].index_select(0, envs)
    table = torch.zeros(len(envs), 1 << _BUCKET_BITS, dtype=torch.bool, device=device)
    table[row, _bucket(voxel)] = True
    (place,) = (live & table.gather(1, _bucket(stored))).view(-1).nonzero(as_tuple=True)
    stored_row = place.div(max(longest, 1), rounding_mode="floor")
    key = (stored_row << KEY_BITS) | stored.view(-1)[place]
    at = torch.searchsorted(cubes, key).clamp(max=len(cubes) - 1)
    (same,) = (cubes[at] == key).nonzero(as_tuple=True)
    at, stored_row, column = at[same], stored_row[same], (place - stored_row * longest)[same]
    stored_best = torch.full((len(cubes),), torch.inf, device=device)
    stored_best.scatter_reduce_(0, at, store.scale_m[envs[stored_row], column], "amin")
    is_kept = best < stored_best
    superseded = is_kept[at]
    return first[is_kept].sort().values, stored_row[superseded], column[superseded]


def _bucket(voxel: torch.Tensor) -> torch.Tensor:
    return (voxel * 0x5851F42D4C957F2D >> (64 - _BUCKET_BITS)) & ((1 << _BUCKET_BITS) - 1)
