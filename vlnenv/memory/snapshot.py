"""One environment's memory at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class MemorySnapshot:
    """What one environment remembers: k points, j instances, z zones. Later steps do not touch it."""

    xyz_m: torch.Tensor
    """float32 (3, k) of the live points, world frame, metres."""
    features: torch.Tensor
    """float32 (k, dim)."""
    direction_rad: torch.Tensor
    """float32 (k,)."""
    scale_m: torch.Tensor
    """float32 (k,)."""
    patch_id: torch.Tensor
    """int64 (k,)."""
    instance_id: torch.Tensor
    """int64 (k,) of the instance that each point belongs to; -1 for none."""
    instance_ids: torch.Tensor
    """int64 (j,) of the instances, ascending."""
    instance_xyz_m: torch.Tensor
    """float32 (3, j) their centres, world frame, metres."""
    instance_features: torch.Tensor
    """float32 (j, dim)."""
    zone_keys: torch.Tensor
    """int64 (z, 3) of the zones' cubes, lexicographically ascending: floor(position / `zone_m`)."""
    zone_xyz_m: torch.Tensor
    """float32 (3, z) their centres, world frame, metres."""
    zone_features: torch.Tensor
    """float32 (z, dim)."""
    next_id: int
    """Id of the next point."""
    next_instance_id: int
    """Id of the next instance."""
    view_features: torch.Tensor
    """float32 (576, dim) of the last view; (0, dim) unless the memory shows egocentric patches."""
    view_xyz_m: torch.Tensor
    """float32 (3, 576) world frame, metres; (3, 0) unless the memory shows egocentric patches."""
    view_mask: torch.Tensor
    """bool (576,); (0,) unless the memory shows egocentric patches."""
