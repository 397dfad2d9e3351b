"""Groups of things that are scattered over one list: their means, and a bounded sample of each."""

from __future__ import annotations

import torch

_ORDERS = 1 << 32


def spread(ids: torch.Tensor) -> torch.Tensor:
    """A number in [0, 2^32) for each id, int64; consecutive ids lie far apart.

    Multiplied by an odd number modulo 2^32, so no two of 2^32 consecutive ids share one. The lowest numbers
    of a set are a sample of it that is even over time, and that hardly changes as the set grows or shrinks.
    """
    return (ids * 2654435761) & (_ORDERS - 1)


def sample(
    group: torch.Tensor, ids: torch.Tensor, groups: int, most: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each group, those at most `most` of its things whose ids come first in the order of `spread`.

    Args:
        group: int64 (k,) in [0, groups).
        ids: int64 (k,) unique within a group.
        groups: How many.
        most: Largest sample.

    Returns:
        int64 (groups, most) indices into the k things, filled from the left, 0 where there are fewer; bool
        (groups, most) where there is one.
    """
    device = group.device
    order = spread(ids)
    size = torch.bincount(group, minlength=groups)
    wanted = size.clamp(max=most)
    # Large groups are thinned before the sort: the sample is expected in the lowest part of the orders.
    bound = (3 * most * _ORDERS) // size.clamp(min=1)
    (near,) = (order < bound[group]).nonzero(as_tuple=True)
    near_group = group[near]
    found = torch.bincount(near_group, minlength=groups)
    if (found < wanted).any():
        near, near_group, found = torch.arange(len(group), device=device), group, size
    sorting = (near_group * _ORDERS + order[near]).argsort()
    near, near_group = near[sorting], near_group[sorting]
    rank = torch.arange(len(near), device=device) - (found.cumsum(0) - found)[near_group]
    (first,) = (rank < most).nonzero(as_tuple=True)
    member = torch.zeros(groups * most, dtype=torch.int64, device=device)
    member[near_group[first] * most + rank[first]] = near[first]
    mask = torch.arange(most, device=device) < wanted[:, None]
    return member.view(groups, most), mask


def means(xyz_m: torch.Tensor, group: torch.Tensor, groups: int) -> torch.Tensor:
    """Mean position of each group, added up in float64.

    Args:
        xyz_m: float32 (3, k).
        group: int64 (k,) in [0, groups).
        groups: How many.

    Returns:
        float32 (3, groups); 0 of an empty group.
    """
    size = torch.bincount(group, minlength=groups).clamp(min=1)
    sums = [torch.bincount(group, weights=axis.double(), minlength=groups) for axis in xyz_m]
    return (torch.stack(sums) / size).float()


def relative(xyz_m: torch.Tensor, centre_m: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Where members lie around their centre: x, y, z and distance, metres, float32 (groups, most) each.

    Args:
        xyz_m: float32 (3, groups, most).
        centre_m: float32 (3, groups).
    """
    x, y, z = xyz_m - centre_m[..., None]
    return x, y, z, (x * x + y * y + z * z).sqrt()
