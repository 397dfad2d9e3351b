"""Beyond the culling range one point a voxel is kept: the one that was seen from nearest."""

from __future__ import annotations

import torch

from vlnenv.memory.cubes import KEY_BITS
from vlnenv.memory.scans import in_cubes
from vlnenv.memory.store import PatchStore


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
    at, stored_row, column = in_cubes(store.voxel, envs, store.count[envs], cubes)
    stored_best = torch.full((len(cubes),), torch.inf, device=device)
    stored_best.scatter_reduce_(0, at, store.scale_m[envs[stored_row], column], "amin")
    is_kept = best < stored_best
    superseded = is_kept[at]
    return first[is_kept].sort().values, stored_row[superseded], column[superseded]
