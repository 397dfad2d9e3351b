"""The store of patch feature points: padded arrays, a row of them for each environment."""

from __future__ import annotations

from typing import ClassVar

import torch

from vlnenv.memory.cubes import cube_keys
from vlnenv.memory.patches import Points

_FIRST_CAPACITY = 4096
_LARGEST_ID = torch.iinfo(torch.int64).max


class PatchStore:
    """Points of `num_envs` environments.

    An environment's live points fill the first columns of its row: a hole left by a deleted point is filled
    with the last point, so nothing is ever copied as a whole but when the capacity doubles. A point's place
    says nothing; its id does. `place` numbers the flattened (num_envs, capacity) store.

    Methods take `envs`, int64 (n,), and number its environments by `row`, in [0, n).

    Args:
        num_envs: Environments.
        dim: Length of a feature.
        max_points: Most points of an environment.
        voxel_m: Side of the cubes that points are found by, metres; 0 for none.
        device: Where the arrays live.
    """

    xyz_m: torch.Tensor
    """float32 (3, num_envs, capacity) world frame, metres."""
    features: torch.Tensor
    """float32 (num_envs, capacity, dim)."""
    direction_rad: torch.Tensor
    """float32 (num_envs, capacity)."""
    scale_m: torch.Tensor
    """float32 (num_envs, capacity)."""
    patch_id: torch.Tensor
    """int64 (num_envs, capacity) counting up from 0 in each environment."""
    slot: torch.Tensor
    """int64 (num_envs, capacity) of the instance that a point belongs to; -1 for none."""
    voxel: torch.Tensor
    """int64 (num_envs, capacity), follows from the position."""

    _COLUMNS: ClassVar = ("direction_rad", "scale_m", "patch_id", "slot", "voxel")

    def __init__(
        self, num_envs: int, dim: int, max_points: int, voxel_m: float, device: torch.device
    ) -> None:
        self.num_envs, self.dim, self.max_points = num_envs, dim, max_points
        self.voxel_m, self.device = voxel_m, device
        self.count = torch.zeros(num_envs, dtype=torch.int64, device=device)
        self.capacity = 0
        self._allocate(min(_FIRST_CAPACITY, max_points))

    def live(self, envs: torch.Tensor) -> tuple[int, torch.Tensor]:
        """The longest row of `envs`, m, and bool (n, m): which of its places hold a point."""
        count = self.count[envs]
        longest = int(count.max()) if len(envs) else 0
        return longest, torch.arange(longest, device=self.device) < count[:, None]

    def flat(self) -> Points:
        """All places, (num_envs * capacity) of them, as a view."""
        return Points(
            self.xyz_m.view(3, -1),
            self.features.view(-1, self.dim),
            self.direction_rad.view(-1),
            self.scale_m.view(-1),
        )

    def append(
        self,
        envs: torch.Tensor,
        row: torch.Tensor,
        points: Points,
        patch_id: torch.Tensor,
        slot: torch.Tensor,
    ) -> None:
        """Put points behind the live ones of their environments.

        Args:
            envs: int64 (n,).
            row: int64 (k,) ascending, in [0, n).
            points: k of them.
            patch_id: int64 (k,).
            slot: int64 (k,).
        """
        incoming = torch.bincount(row, minlength=len(envs))
        count = self.count[envs]
        self.reserve(int((count + incoming).max()))
        first = incoming.cumsum(0) - incoming
        rank = torch.arange(len(row), device=self.device) - first[row]
        place = envs[row] * self.capacity + count[row] + rank
        flat = self.flat()
        flat.xyz_m.index_copy_(1, place, points.xyz_m)
        flat.features.index_copy_(0, place, points.features)
        flat.direction_rad.index_copy_(0, place, points.direction_rad)
        flat.scale_m.index_copy_(0, place, points.scale_m)
        self.patch_id.view(-1).index_copy_(0, place, patch_id)
        self.slot.view(-1).index_copy_(0, place, slot)
        if self.voxel_m > 0.0:
            self.voxel.view(-1).index_copy_(0, place, cube_keys(points.xyz_m, self.voxel_m))
        self.count[envs] = count + incoming

    def fill(self, env: int, points: Points, patch_id: torch.Tensor, slot: torch.Tensor) -> None:
        """Put k points, from any device, in place of those of one environment."""
        live = len(patch_id)
        self.reserve(live)
        self.xyz_m[:, env, :live] = points.xyz_m.to(self.device)
        self.features[env, :live] = points.features.to(self.device)
        self.direction_rad[env, :live] = points.direction_rad.to(self.device)
        self.scale_m[env, :live] = points.scale_m.to(self.device)
        self.patch_id[env, :live] = patch_id.to(self.device)
        self.slot[env, :live] = slot.to(self.device)
        xyz_m = self.xyz_m[:, env, :live]
        if self.voxel_m > 0.0:
            self.voxel[env, :live] = cube_keys(xyz_m, self.voxel_m)
        self.count[env] = live

    def remove(self, envs: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> None:
        """Delete points and fill the holes with each environment's last points.

        Args:
            envs: int64 (n,).
            row: int64 (k,) ascending, in [0, n).
            column: int64 (k,) of the points, none twice.
        """
        if not len(row):
            return
        removed = torch.bincount(row, minlength=len(envs))
        kept = self.count[envs] - removed
        # As many holes lie below the new end as points lie above it, in each environment; both lists are in
        # the order of environments, so they pair up one to one.
        is_low = column < kept[row]
        hole = envs[row[is_low]] * self.capacity + column[is_low]
        # The places from the new end to the old one, of all environments in a row: as many as were removed.
        first = removed.cumsum(0) - removed
        is_last = torch.ones(len(row), dtype=torch.bool, device=self.device)
        is_last[(first[row] + column - kept[row])[~is_low]] = False
        last_column = torch.arange(len(row), device=self.device) - first[row] + kept[row]
        last = (envs[row] * self.capacity + last_column)[is_last]
        for name in self._COLUMNS:
            flat = getattr(self, name).view(-1)
            flat.index_copy_(0, hole, flat.index_select(0, last))
        xyz, features = self.xyz_m.view(3, -1), self.features.view(-1, self.dim)
        xyz.index_copy_(1, hole, xyz.index_select(1, last))
        features.index_copy_(0, hole, features.index_select(0, last))
        self.count[envs] = kept

    def oldest(self, envs: torch.Tensor, incoming: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The points of lowest ids that must go before `incoming` (n,) more can come: row and column (k,)."""
        excess = (self.count[envs] + incoming - self.max_points).clamp(min=0)
        if not excess.any():
            nothing = torch.zeros(0, dtype=torch.int64, device=self.device)
            return nothing, nothing
        longest, live = self.live(envs)
        patch_id = self.patch_id[envs, :longest].masked_fill(~live, _LARGEST_ID)
        lowest = patch_id.topk(int(excess.max()), dim=1, largest=False).values
        newest_out = lowest.gather(1, (excess[:, None] - 1).clamp(min=0))
        row, column = ((patch_id <= newest_out) & (excess > 0)[:, None]).nonzero(as_tuple=True)
        return row, column

    def reserve(self, points: int) -> None:
        """Make room for so many points in each environment."""
        if points > self.capacity:
            capacity = self.capacity
            while capacity < points:
                capacity *= 2
            self._allocate(min(capacity, self.max_points))

    def _allocate(self, capacity: int) -> None:
        old, shape = self.capacity, (self.num_envs, capacity)
        xyz = torch.zeros(3, *shape, device=self.device)
        features = torch.zeros(*shape, self.dim, device=self.device)
        for name in self._COLUMNS:
            dtype = torch.float32 if name in ("direction_rad", "scale_m") else torch.int64
            column = torch.zeros(shape, dtype=dtype, device=self.device)
            if old:
                column[:, :old] = getattr(self, name)
            setattr(self, name, column)
        if old:
            xyz[..., :old], features[:, :old] = self.xyz_m, self.features
        self.xyz_m, self.features, self.capacity = xyz, features, capacity
