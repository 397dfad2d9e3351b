"""The token memory of a batch of environments: what each has seen, in 3D, ready to be read as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vlnenv.memory.config import PATCH_TOKENS, MemoryConfig
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.files import load_memory, save_memory
from vlnenv.memory.geometry import Pose, make_pose, world_to_agent
from vlnenv.memory.panorama import nearest_per_cell
from vlnenv.memory.patches import contradicted, lift_patches, make_patch_rays
from vlnenv.memory.tiles import TileGrid
from vlnenv.sim.camera import Camera

_FIRST_CAPACITY = 4096
_FEW_POINTS = 12_000
"""So many stored points of a batch are culled sooner than the tiles in view are found."""
_LARGEST_ID = torch.iinfo(torch.int64).max


@dataclass(frozen=True, eq=False)
class MemorySnapshot:
    """One environment's memory at one moment; a copy that later steps do not touch."""

    xyz_m: torch.Tensor
    """float32 (3, k) of the k live points, world frame, metres."""
    features: torch.Tensor
    """float32 (k, dim)."""
    direction_rad: torch.Tensor
    """float32 (k,)."""
    scale_m: torch.Tensor
    """float32 (k,)."""
    patch_id: torch.Tensor
    """int64 (k,)."""
    next_id: int
    """Id of the next point."""
    view_features: torch.Tensor
    """float32 (576, dim) of the last view; (0, dim) unless the memory shows egocentric patches."""
    view_xyz_m: torch.Tensor
    """float32 (3, 576) world frame, metres; (3, 0) unless the memory shows egocentric patches."""
    view_mask: torch.Tensor
    """bool (576,); (0,) unless the memory shows egocentric patches."""


class TokenMemory:
    """Patch feature points of `num_envs` environments, updated and read in batches.

    A point is {feature, position, viewing direction, scale, id}. Ids count up from 0 in each environment and
    are never used twice before a reset. An environment's live points fill the first rows of its store: a hole
    left by a deleted point is filled with the last point, so nothing is ever copied as a whole but when the
    capacity doubles. A row's place says nothing; its id does.

    Each point's tile of a coarse grid over the floor plan (`vlnenv.memory.tiles`) is kept beside it, so that
    a cull of many points computes with those of the tiles in view alone; the others cost one look-up each.

    All work is array operations over the environments of a call, in torch, on `device`. What an environment
    holds and reads has the same bits whichever others share its calls.

    Source: Dynam3D (arXiv 2505.11383), sections on dynamic update; differs from its released code in the ids
    (theirs point at wrong rows after the first cull), compaction, the cap, and sampling at cell centres.
    """

    def __init__(
        self,
        num_envs: int,
        dim: int,
        config: MemoryConfig | None = None,
        camera: Camera | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        """An empty memory.

        Args:
            num_envs: Environments, each with a memory of its own.
            dim: Length of a feature.
            config: Limits and thresholds; None for the defaults.
            camera: The camera whose depth comes in; its image must be a multiple of 24 pixels each way. None
                for 96 x 96 pixels with the other defaults.
            device: Where the store lives; the encoder's.

        Raises:
            ValueError: If a count is below 1 or the camera's image does not divide into 24 x 24 cells.
        """
        if num_envs < 1 or dim < 1:
            raise ValueError(f"num_envs and dim must be at least 1, got {num_envs} and {dim}")
        self.num_envs = num_envs
        self.dim = dim
        self.config = config if config is not None else MemoryConfig()
        self.camera = camera if camera is not None else Camera(width=96, height=96)
        self.device = torch.device(device)
        self._rays = make_patch_rays(self.camera, self.device)
        self._count = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._next_id = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._grid = TileGrid(self.camera, self.config.cull_far_m)
        self._capacity = 0
        self._xyz = torch.zeros(3, num_envs, 0, device=self.device)
        self._features = torch.zeros(num_envs, 0, dim, device=self.device)
        self._direction = torch.zeros(num_envs, 0, device=self.device)
        self._scale = torch.zeros(num_envs, 0, device=self.device)
        self._id = torch.zeros(num_envs, 0, dtype=torch.int64, device=self.device)
        self._tile = torch.zeros(num_envs, 0, dtype=torch.int64, device=self.device)
        self._allocate(min(_FIRST_CAPACITY, self.config.max_patches))
        # The last view, for egocentric patches only.
        view = PATCH_TOKENS if self.config.patches == "egocentric" else 0
        self._view_features = torch.zeros(num_envs, view, dim, device=self.device)
        self._view_xyz = torch.zeros(3, num_envs, view, device=self.device)
        self._view_mask = torch.zeros(num_envs, view, dtype=torch.bool, device=self.device)

    def __len__(self) -> int:
        """Live points of all environments together."""
        return int(self._count.sum())

    @property
    def token_counts(self) -> dict[str, int]:
        """Tokens of each level in an observation."""
        return {
            "patch": PATCH_TOKENS,
            "instance": self.config.max_instances,
            "zone": self.config.max_zones,
        }

    def count(self) -> np.ndarray:
        """Live points of each environment, int64 (num_envs,)."""
        return self._count.cpu().numpy().copy()

    def reset(self, indices: Sequence[int] | np.ndarray | None = None) -> None:
        """Forget everything, and start the ids at 0 again.

        Args:
            indices: Which environments, any order, no repetition; None for all.
        """
        envs = self._envs(range(self.num_envs) if indices is None else indices)
        self._count[envs] = 0
        self._next_id[envs] = 0
        self._view_mask[envs] = False

    @torch.no_grad()
    def update(
        self,
        indices: Sequence[int] | np.ndarray,
        features: torch.Tensor | np.ndarray,
        depth: np.ndarray | torch.Tensor,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
    ) -> None:
        """Take in one view of each of n environments: cull what it contradicts, then insert its patches.

        Args:
            indices: (n,) the environments, any order, no repetition.
            features: float32 (n, 24, 24, dim), rows from the top, as an encoder gives them.
            depth: float32 (n, height, width) metres along the optical axis at the camera's full resolution; 0
                where nothing was hit.
            position_m: (n, 3) feet, world frame, metres.
            heading_rad: (n,) counter-clockwise about +y; 0 looks along -z.

        Raises:
            ValueError: If a shape is wrong, an index repeats, or a pose is not finite. The memory is then as
                before.
            IndexError: If an index is out of range.
        """
        envs = self._envs(indices)
        n = len(envs)
        features, depth = self._tensor(features), self._tensor(depth)
        if features.shape != (n, PATCH_GRID, PATCH_GRID, self.dim):
            raise ValueError(
                f"features must be ({n}, {PATCH_GRID}, {PATCH_GRID}, {self.dim}), got {tuple(features.shape)}"
            )
        if depth.shape != (n, self.camera.height, self.camera.width):
            raise ValueError(
                f"depth must be ({n}, {self.camera.height}, {self.camera.width}), got {tuple(depth.shape)}"
            )
        pose = self._pose(position_m, heading_rad, n)
        if n == 0:
            return
        features = features.reshape(n, PATCH_TOKENS, self.dim)
        self._cull(envs, depth, pose, position_m, heading_rad)
        lifted = lift_patches(depth, pose, self._rays, self.camera.max_depth_m)
        self._insert(envs, features, lifted.xyz_m, lifted.direction_rad, lifted.scale_m, lifted.valid)
        if self.config.patches == "egocentric":
            self._view_features[envs] = features
            self._view_xyz[:, envs] = lifted.xyz_m
            self._view_mask[envs] = lifted.valid

    @torch.no_grad()
    def read(
        self, indices: Sequence[int] | np.ndarray, position_m: np.ndarray, heading_rad: np.ndarray
    ) -> dict[str, np.ndarray]:
        """What n agents remember from where they stand.

        Args:
            indices: (n,) the environments, any order, no repetition.
            position_m: (n, 3) feet, world frame, metres.
            heading_rad: (n,) counter-clockwise about +y; 0 looks along -z.

        Returns:
            Fresh arrays, for each of patch (P = 576), instance (P = `max_instances`) and zone (P =
            `max_zones`): `*_tokens` float32 (n, P, dim), `*_xyz` float32 (n, P, 3) in the agent frame (x
            ahead, y left, z up, origin at the feet, metres), `*_mask` int8 (n, P), 1 where there is a token.
            Tokens and positions are 0 where the mask is. Patches are the cells of the panorama (see
            `vlnenv.memory.panorama`) or of the last view, row by row from the top left. Instances and zones
            are masked out: nothing fills them yet.

        Raises:
            ValueError: If a shape is wrong, an index repeats, or a pose is not finite.
            IndexError: If an index is out of range.
        """
        envs = self._envs(indices)
        pose = self._pose(position_m, heading_rad, len(envs))
        if self.config.patches == "egocentric":
            tokens, xyz, mask = self._read_view(envs, pose)
        else:
            tokens, xyz, mask = self._read_panorama(envs, pose)
        observation = {
            "patch_tokens": tokens.cpu().numpy(),
            "patch_xyz": xyz.cpu().numpy(),
            "patch_mask": mask.cpu().numpy(),
        }
        for level in ("instance", "zone"):
            slots = self.token_counts[level]
            observation[f"{level}_tokens"] = np.zeros((len(envs), slots, self.dim), dtype=np.float32)
            observation[f"{level}_xyz"] = np.zeros((len(envs), slots, 3), dtype=np.float32)
            observation[f"{level}_mask"] = np.zeros((len(envs), slots), dtype=np.int8)
        return observation

    def snapshot(self, index: int) -> MemorySnapshot:
        """A copy of one environment's memory; its cost follows the live points.

        Raises:
            IndexError: If the index is out of range.
        """
        env = int(self._envs([index])[0])
        live = int(self._count[env])
        return MemorySnapshot(
            xyz_m=self._xyz[:, env, :live].clone(),
            features=self._features[env, :live].clone(),
            direction_rad=self._direction[env, :live].clone(),
            scale_m=self._scale[env, :live].clone(),
            patch_id=self._id[env, :live].clone(),
            next_id=int(self._next_id[env]),
            view_features=self._view_features[env].clone(),
            view_xyz_m=self._view_xyz[:, env].clone(),
            view_mask=self._view_mask[env].clone(),
        )

    def restore(self, index: int, snapshot: MemorySnapshot) -> None:
        """Put one environment's memory back, from this or any memory of the same `dim` and patch source.

        Args:
            index: The environment, not necessarily the one that the snapshot was taken of.
            snapshot: Copied, so it can be restored any number of times.

        Raises:
            ValueError: If the snapshot's features, its size or its patch source do not fit this memory.
            IndexError: If the index is out of range.
        """
        env = int(self._envs([index])[0])
        live = len(snapshot.patch_id)
        if snapshot.features.shape[1] != self.dim or snapshot.view_mask.shape != self._view_mask[env].shape:
            raise ValueError(
                f"the snapshot has features of {snapshot.features.shape[1]} and {len(snapshot.view_mask)} "
                f"view patches, this memory of {self.dim} and {self._view_mask.shape[1]}; "
                "restore into a memory of the same encoder and patch source"
            )
        if live > self.config.max_patches:
            raise ValueError(
                f"the snapshot has {live} points, this memory keeps at most {self.config.max_patches}"
            )
        self._reserve(live)
        self._xyz[:, env, :live] = snapshot.xyz_m.to(self.device)
        self._features[env, :live] = snapshot.features.to(self.device)
        self._direction[env, :live] = snapshot.direction_rad.to(self.device)
        self._scale[env, :live] = snapshot.scale_m.to(self.device)
        self._id[env, :live] = snapshot.patch_id.to(self.device)
        self._tile[env, :live] = self._grid.tiles(self._xyz[:, env, :live])
        self._count[env] = live
        self._next_id[env] = snapshot.next_id
        self._view_features[env] = snapshot.view_features.to(self.device)
        self._view_xyz[:, env] = snapshot.view_xyz_m.to(self.device)
        self._view_mask[env] = snapshot.view_mask.to(self.device)

    def save(self, index: int, path: str | Path, about: Mapping[str, str] | None = None) -> None:
        """Write one environment's memory to a safetensors file, atomically.

        Args:
            index: The environment.
            path: The file; its folder is created where missing.
            about: Facts of the caller's, such as the scene, that `load` gives back.

        Raises:
            IndexError: If the index is out of range.
            OSError: If the file cannot be written.
        """
        save_memory(self.snapshot(index), self.config, path, about)

    def load(self, index: int, path: str | Path) -> dict[str, str]:
        """Put a saved memory in place of one environment's.

        Args:
            index: The environment.
            path: A file of `save`.

        Returns:
            What the writer said about it.

        Raises:
            IndexError: If the index is out of range.
            FileNotFoundError: If there is no such file.
            ValueError: If it is no memory, or one of another `dim` or config; the message names both sides.
                The memory is then as before.
        """
        self._envs([index])
        snapshot, about = load_memory(path, self.dim, self.config, self.device)
        self.restore(index, snapshot)
        return about

    # ---- the store ----

    def _envs(self, indices: Sequence[int] | np.ndarray | range) -> torch.Tensor:
        """Checked environment indices as int64 (n,) on the device."""
        envs = np.asarray(indices, dtype=np.int64).reshape(-1)
        if len(envs) and (envs.min() < 0 or envs.max() >= self.num_envs):
            raise IndexError(f"environment indices must lie in [0, {self.num_envs}), got {envs.tolist()}")
        if len(set(envs.tolist())) != len(envs):
            raise ValueError(f"environment indices must not repeat, got {envs.tolist()}")
        return torch.as_tensor(envs.copy(), device=self.device)

    def _tensor(self, values: torch.Tensor | np.ndarray) -> torch.Tensor:
        if isinstance(values, np.ndarray) and not values.flags.writeable:
            values = values.copy()  # torch warns about read-only arrays
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

    def _pose(self, position_m: np.ndarray, heading_rad: np.ndarray, n: int) -> Pose:
        pose = make_pose(position_m, heading_rad, self.camera, self.device)
        if pose.feet_m.shape[1] != n:
            raise ValueError(f"{n} environments need as many poses, got {pose.feet_m.shape[1]}")
        return pose

    def _allocate(self, capacity: int) -> None:
        """Give every environment room for `capacity` points, keeping what is there."""
        old, shape = self._capacity, (self.num_envs, capacity)
        xyz = torch.zeros(3, *shape, device=self.device)
        features = torch.zeros(*shape, self.dim, device=self.device)
        direction, scale = torch.zeros(shape, device=self.device), torch.zeros(shape, device=self.device)
        patch_id = torch.zeros(shape, dtype=torch.int64, device=self.device)
        tile = torch.zeros(shape, dtype=torch.int64, device=self.device)
        xyz[..., :old] = self._xyz
        features[:, :old] = self._features
        direction[:, :old] = self._direction
        scale[:, :old] = self._scale
        patch_id[:, :old] = self._id
        tile[:, :old] = self._tile
        self._xyz, self._features, self._direction = xyz, features, direction
        self._scale, self._id, self._tile, self._capacity = scale, patch_id, tile, capacity

    def _reserve(self, points: int) -> None:
        if points > self._capacity:
            capacity = self._capacity
            while capacity < points:
                capacity *= 2
            self._allocate(min(capacity, self.config.max_patches))

    def _live(self, envs: torch.Tensor) -> tuple[int, torch.Tensor]:
        """The longest store of `envs`, m, and bool (n, m): which rows of each hold a point."""
        count = self._count[envs]
        longest = int(count.max()) if len(envs) else 0
        return longest, torch.arange(longest, device=self.device) < count[:, None]

    def _cull(
        self,
        envs: torch.Tensor,
        depth_m: torch.Tensor,
        pose: Pose,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
    ) -> None:
        longest, near = self._live(envs)
        config = self.config
        if near.numel() > _FEW_POINTS:
            # One look-up for each stored point; all else is for the points of the tiles in view.
            in_view = torch.from_numpy(self._grid.in_view(position_m, heading_rad)).to(self.device)
            near &= in_view.gather(1, self._tile[:, :longest].index_select(0, envs))
        row, column = near.nonzero(as_tuple=True)
        place = envs[row] * self._capacity + column
        gone = contradicted(
            self._xyz.view(3, -1).index_select(1, place),
            row,
            depth_m,
            pose,
            self.camera,
            config.cull_near_m,
            config.cull_far_m,
            config.depth_tolerance_m,
        )
        self._remove(envs, row[gone], column[gone])

    def _evict(self, envs: torch.Tensor, incoming: torch.Tensor) -> None:
        """Delete the oldest points of the environments that `incoming` (n,) more would push over the cap."""
        excess = self._count[envs] + incoming - self.config.max_patches
        full = (excess > 0).nonzero()[:, 0]
        if not len(full):
            return
        envs, excess = envs[full], excess[full]
        longest, live = self._live(envs)
        patch_id = self._id[envs, :longest].masked_fill(~live, _LARGEST_ID)
        oldest = patch_id.topk(int(excess.max()), dim=1, largest=False).values
        row, column = (patch_id <= oldest.gather(1, excess[:, None] - 1)).nonzero(as_tuple=True)
        self._remove(envs, row, column)

    def _remove(self, envs: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> None:
        """Delete points (row of `envs`, column) and fill the holes with each environment's last points."""
        if not len(row):
            return
        removed = torch.bincount(row, minlength=len(envs))
        kept = self._count[envs] - removed
        # As many holes lie below the new end as points lie above it, in each environment; both lists are in
        # the order of environments, so they pair up one to one.
        is_low = column < kept[row]
        hole = envs[row[is_low]] * self._capacity + column[is_low]
        # The rows from the new end to the old one, of all environments in a row: as many as were removed.
        first = removed.cumsum(0) - removed
        is_last = torch.ones(len(row), dtype=torch.bool, device=self.device)
        is_last[(first[row] + column - kept[row])[~is_low]] = False
        last_column = torch.arange(len(row), device=self.device) - first[row] + kept[row]
        last = (envs[row] * self._capacity + last_column)[is_last]
        for store in (self._direction, self._scale, self._id, self._tile):
            flat = store.view(-1)
            flat.index_copy_(0, hole, flat.index_select(0, last))
        xyz = self._xyz.view(3, -1)
        xyz.index_copy_(1, hole, xyz.index_select(1, last))
        features = self._features.view(-1, self.dim)
        features.index_copy_(0, hole, features.index_select(0, last))
        self._count[envs] = kept

    def _insert(
        self,
        envs: torch.Tensor,
        features: torch.Tensor,
        xyz_m: torch.Tensor,
        direction_rad: torch.Tensor,
        scale_m: torch.Tensor,
        valid: torch.Tensor,
    ) -> None:
        """Append the valid points of n views behind the live ones, with the next ids."""
        incoming = valid.sum(dim=1)
        self._evict(envs, incoming)
        count = self._count[envs]
        self._reserve(int((count + incoming).max()))
        row, cell = valid.nonzero(as_tuple=True)
        rank = valid.cumsum(dim=1)[row, cell] - 1
        place = envs[row] * self._capacity + count[row] + rank
        patch = row * PATCH_TOKENS + cell
        points_m = xyz_m.flatten(1).index_select(1, patch)
        self._xyz.view(3, -1).index_copy_(1, place, points_m)
        self._tile.view(-1).index_copy_(0, place, self._grid.tiles(points_m))
        self._features.view(-1, self.dim).index_copy_(0, place, features.flatten(0, 1).index_select(0, patch))
        self._direction.view(-1).index_copy_(0, place, direction_rad.view(-1).index_select(0, patch))
        self._scale.view(-1).index_copy_(0, place, scale_m.view(-1).index_select(0, patch))
        self._id.view(-1).index_copy_(0, place, self._next_id[envs][row] + rank)
        self._count[envs] = count + incoming
        self._next_id[envs] += incoming

    # ---- reading ----

    def _read_panorama(
        self, envs: torch.Tensor, pose: Pose
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        n = len(envs)
        longest, live = self._live(envs)
        ahead, left, up = world_to_agent(self._xyz[..., :longest].index_select(1, envs), pose)
        nearest = nearest_per_cell(
            ahead,
            left,
            up - self.camera.height_m,
            live,
            self._id[:, :longest].index_select(0, envs),
            self.config.panorama_far_m,
        )
        row, column = nearest.row, nearest.column
        token = row * PATCH_TOKENS + nearest.cell
        tokens = torch.zeros(n * PATCH_TOKENS, self.dim, device=self.device)
        xyz = torch.zeros(n * PATCH_TOKENS, 3, device=self.device)
        mask = torch.zeros(n * PATCH_TOKENS, dtype=torch.int8, device=self.device)
        stored = envs[row] * self._capacity + column
        tokens.index_copy_(0, token, self._features.view(-1, self.dim).index_select(0, stored))
        xyz[token] = torch.stack([ahead[row, column], left[row, column], up[row, column]], dim=-1)
        mask[token] = 1
        return (
            tokens.view(n, PATCH_TOKENS, self.dim),
            xyz.view(n, PATCH_TOKENS, 3),
            mask.view(n, PATCH_TOKENS),
        )

    def _read_view(self, envs: torch.Tensor, pose: Pose) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mask = self._view_mask[envs]
        xyz = torch.stack(world_to_agent(self._view_xyz[:, envs], pose), dim=-1)
        tokens = self._view_features[envs]
        hidden = ~mask[..., None]
        return tokens.masked_fill_(hidden, 0.0), xyz.masked_fill_(hidden, 0.0), mask.to(torch.int8)
