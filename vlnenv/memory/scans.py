"""Passes over all stored points of some environments: those of some instances, and those in some cubes.

On a CPU a compiled loop looks at each point once, a nanosecond or two for each; elsewhere array operations of
torch do. Both find the same points in the same order: by environment, then by column.
"""

from __future__ import annotations

import numpy as np
import torch
from numba import njit

from vlnenv.memory.cubes import KEY_BITS

_BUCKET_BITS = 15
_HASH = 0x5851F42D4C957F2D


def of_instances(
    slot: torch.Tensor, envs: torch.Tensor, count: torch.Tensor, number: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The stored points that belong to some instances.

    Args:
        slot: int64 (e, c) of the instance that each point belongs to, -1 for none.
        envs: int64 (n,).
        count: int64 (n,) points of each; they fill the first columns of its row.
        number: int64 (n, slots) number of the instance in each slot, -1 where it is not asked for.

    Returns:
        int64 (k,) places in the flattened store, and (k,) the number of each one's instance.
    """
    if slot.device.type != "cpu":
        return of_instances_by_arrays(slot, envs, count, number)
    place, group = (np.empty(int(count.sum()), dtype=np.int64) for _ in range(2))
    found = _scan_slots(slot.numpy(), envs.numpy(), count.numpy(), number.numpy(), place, group)
    return torch.from_numpy(place[:found]), torch.from_numpy(group[:found])


@njit(cache=True)
def _scan_slots(
    slot: np.ndarray,
    envs: np.ndarray,
    count: np.ndarray,
    number: np.ndarray,
    place: np.ndarray,
    group: np.ndarray,
) -> int:
    """Fill the last two, and say how far."""
    found = 0
    for n in range(len(envs)):
        first, own, wanted = envs[n] * slot.shape[1], slot[envs[n]], number[n]
        for i in range(count[n]):
            if own[i] >= 0 and wanted[own[i]] >= 0:
                place[found], group[found] = first + i, wanted[own[i]]
                found += 1
    return found


def of_instances_by_arrays(
    slot: torch.Tensor, envs: torch.Tensor, count: torch.Tensor, number: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """`of_instances` by torch's array operations, on any device."""
    longest = int(count.max())
    live = torch.arange(longest, device=slot.device) < count[:, None]
    own = slot[envs, :longest]
    group = number.gather(1, own.clamp(min=0))
    row, column = (live & (own >= 0) & (group >= 0)).nonzero(as_tuple=True)
    return envs[row] * slot.shape[1] + column, group[row, column]


def in_cubes(
    voxel: torch.Tensor, envs: torch.Tensor, count: torch.Tensor, cubes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The stored points whose voxel is one of some.

    Args:
        voxel: int64 (e, c) the cube that each point lies in.
        envs: int64 (n,).
        count: int64 (n,) points of each.
        cubes: int64 (m,), at least one, ascending: row << 48 | key of each cube.

    Returns:
        int64 (k,) each: which of the cubes, row and column.
    """
    if voxel.device.type != "cpu":
        return in_cubes_by_arrays(voxel, envs, count, cubes)
    at, row, column = (np.empty(int(count.sum()), dtype=np.int64) for _ in range(3))
    found = _scan_voxels(
        voxel.numpy(),
        envs.numpy(),
        count.numpy(),
        cubes.numpy(),
        _table(cubes, len(envs)).numpy(),
        at,
        row,
        column,
    )
    return torch.from_numpy(at[:found]), torch.from_numpy(row[:found]), torch.from_numpy(column[:found])


@njit(cache=True)
def _scan_voxels(
    voxel: np.ndarray,
    envs: np.ndarray,
    count: np.ndarray,
    cubes: np.ndarray,
    table: np.ndarray,
    at: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
) -> int:
    """Fill the last three, and say how far."""
    found = 0
    for n in range(len(envs)):
        own, may_be = voxel[envs[n]], table[n]
        for i in range(count[n]):
            if may_be[_bucket(own[i])]:
                key = (n << KEY_BITS) | own[i]
                k = np.searchsorted(cubes, key)
                if k < len(cubes) and cubes[k] == key:
                    at[found], row[found], column[found] = k, n, i
                    found += 1
    return found


def in_cubes_by_arrays(
    voxel: torch.Tensor, envs: torch.Tensor, count: torch.Tensor, cubes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """`in_cubes` by torch's array operations, on any device."""
    longest = int(count.max())
    live = torch.arange(longest, device=voxel.device) < count[:, None]
    own = voxel[envs, :longest]
    table = _table(cubes, len(envs))
    row, column = (live & table.gather(1, _bucket.py_func(own))).nonzero(as_tuple=True)
    key = (row << KEY_BITS) | own[row, column]
    at = torch.searchsorted(cubes, key).clamp(max=len(cubes) - 1)
    (same,) = (cubes[at] == key).nonzero(as_tuple=True)
    return at[same], row[same], column[same]


def _table(cubes: torch.Tensor, n: int) -> torch.Tensor:
    """Where a cube may be, bool (n, buckets): one look-up rules most points out before they are compared."""
    table = torch.zeros(n, 1 << _BUCKET_BITS, dtype=torch.bool, device=cubes.device)
    table[cubes >> KEY_BITS, _bucket.py_func(cubes & ((1 << KEY_BITS) - 1))] = True
    return table


@njit(cache=True, inline="always")
def _bucket(voxel):
    """A number below 2 ** 15 that few cubes near each other share; of one key or of a tensor of them."""
    return (voxel * _HASH >> (64 - _BUCKET_BITS)) & ((1 << _BUCKET_BITS) - 1)
