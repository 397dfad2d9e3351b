"""Groups of things that are scattered over one list: their sizes, their centres, a bounded sample of each.

On a CPU a compiled loop looks at each thing once; elsewhere array operations of torch do. Both give the same
samples, on a CPU also the same means to the last bit. (On a GPU sums of many numbers are added up in no fixed
order; in float64, so that hardly a mean's last bit depends on it.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit

_ORDERS = 1 << 32


@dataclass(frozen=True, eq=False)
class Groups:
    """g groups of things."""

    size: torch.Tensor
    """int64 (g,)."""
    centre_m: torch.Tensor
    """float32 (3, g) mean position, added up in float64; 0 of an empty group."""
    member: torch.Tensor
    """int64 (g, most) places of those whose ids come first in the order of `spread`, in that order from the
    left; any where there are fewer."""
    mask: torch.Tensor
    """bool (g, most) where there is one."""

    def take(self, index: torch.Tensor) -> Groups:
        """Those at `index`, int64 (k,)."""
        return Groups(self.size[index], self.centre_m[:, index], self.member[index], self.mask[index])


def spread(ids: torch.Tensor) -> torch.Tensor:
    """A number in [0, 2^32) for each id, int64; consecutive ids lie far apart.

    Multiplied by an odd number modulo 2^32, so no two of 2^32 consecutive ids share one. The lowest numbers
    of a set are a sample of it that is even over time, and that hardly changes as the set grows or shrinks.
    """
    return _spread.py_func(ids)


@njit(cache=True, inline="always")
def _spread(ids):
    return (ids * 2654435761) & (_ORDERS - 1)


def gather(
    xyz_m: torch.Tensor, ids: torch.Tensor, place: torch.Tensor, group: torch.Tensor, groups: int, most: int
) -> Groups:
    """Sort k things into their groups.

    Args:
        xyz_m: float32 (3, s) where all things are.
        ids: int64 (s,) of all things, unique within a group.
        place: int64 (k,) which of them.
        group: int64 (k,) in [0, groups) of each.
        groups: How many.
        most: Largest sample.
    """
    if xyz_m.device.type != "cpu":
        return gather_by_arrays(xyz_m, ids, place, group, groups, most)
    size = np.zeros(groups, dtype=np.int64)
    centre = np.empty((3, groups), dtype=np.float32)
    member = np.zeros((groups, most), dtype=np.int64)
    _scan(xyz_m.numpy(), ids.numpy(), place.numpy(), group.numpy(), size, centre, member)
    mask = np.arange(most) < size[:, None]
    return Groups(*(torch.from_numpy(values) for values in (size, centre, member, mask)))


@njit(cache=True)
def _scan(
    xyz: np.ndarray,
    ids: np.ndarray,
    place: np.ndarray,
    group: np.ndarray,
    size: np.ndarray,
    centre: np.ndarray,
    member: np.ndarray,
) -> None:
    """Fill the last three."""
    groups, most = member.shape
    total = np.zeros((groups, 3))
    order = np.empty(member.shape, dtype=np.int64)
    for k in range(len(place)):
        p, g = place[k], group[k]
        for axis in range(3):
            total[g, axis] += xyz[axis, p]
        own = _spread(ids[p])
        held = min(size[g], most)
        size[g] += 1
        if held == most and order[g, most - 1] < own:
            continue
        j = min(held, most - 1)
        while j > 0 and order[g, j - 1] > own:
            order[g, j], member[g, j] = order[g, j - 1], member[g, j - 1]
            j -= 1
        order[g, j], member[g, j] = own, p
    for g in range(groups):
        for axis in range(3):
            centre[axis, g] = total[g, axis] / max(size[g], 1)


def gather_by_arrays(
    xyz_m: torch.Tensor, ids: torch.Tensor, place: torch.Tensor, group: torch.Tensor, groups: int, most: int
) -> Groups:
    """`gather` by torch's array operations, on any device."""
    order, size = spread(ids[place]), torch.bincount(group, minlength=groups)
    sums = [torch.bincount(group, weights=axis[place].double(), minlength=groups) for axis in xyz_m]
    centre = (torch.stack(sums) / size.clamp(min=1)).float()
    sorting = (group * _ORDERS + order).argsort()
    group, place = group[sorting], place[sorting]
    rank = torch.arange(len(place), device=place.device) - (size.cumsum(0) - size)[group]
    (first,) = (rank < most).nonzero(as_tuple=True)
    member = torch.zeros(groups, most, dtype=torch.int64, device=place.device)
    member[group[first], rank[first]] = place[first]
    return Groups(size, centre, member, torch.arange(most, device=place.device) < size[:, None])


def relative(xyz_m: torch.Tensor, centre_m: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Where members lie around their centre: x, y, z and distance, metres, float32 (groups, most) each.

    Args:
        xyz_m: float32 (3, groups, most).
        centre_m: float32 (3, groups).
    """
    x, y, z = xyz_m - centre_m[..., None]
    return x, y, z, (x * x + y * y + z * z).sqrt()
