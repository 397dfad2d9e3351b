"""The token memory of a batch of environments: what each has seen, in 3D, ready to be read as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vlnenv.memory import instances as instance_levels
from vlnenv.memory import zones as zone_levels
from vlnenv.memory.config import PATCH_TOKENS, MemoryConfig
from vlnenv.memory.cubes import cube_coordinates, cube_keys, keys_of_cubes
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.field import PanoramaPoints, PanoramaRenderer, make_renderer
from vlnenv.memory.files import load_memory, save_memory
from vlnenv.memory.geometry import Pose, make_pose, world_to_agent
from vlnenv.memory.instances import Segments, Votes
from vlnenv.memory.levels import Levels, MeanLevels
from vlnenv.memory.patches import LiftedPatches, Points, lift_patches, make_patch_rays, pixel_patches
from vlnenv.memory.reading import Tokens, read_slots
from vlnenv.memory.sighting import contradicted, seen_again, sight
from vlnenv.memory.slots import Slots
from vlnenv.memory.snapshot import MemorySnapshot
from vlnenv.memory.store import PatchStore
from vlnenv.memory.voxels import finest
from vlnenv.sim.camera import Camera


class TokenMemory:
    """Patches, instances and zones of `num_envs` environments, updated and read in batches.

    A patch is a point {feature, position, viewing direction, scale, id}; an instance is what its patches show
    together, a zone what the instances in a cube of the world do. Ids count up from 0 in each environment and
    are never used twice before a reset. Deletion runs upwards: an instance without a patch goes, a zone
    without an instance goes, and nothing outlives the update that its last member went in.

    An update's cost follows the view: a stored patch costs a few nanoseconds (a look at its depth, its
    instance and its voxel, in compiled loops on a CPU), all else is for those in view; of an instance that
    changed only a bounded sample is encoded, in one call for all. All other work is array operations over the
    environments of a call, in torch, on `device`.
    What an environment holds and reads has the same bits whichever others share its calls (on a CPU).

    Source: Dynam3D (arXiv 2505.11383), sections on dynamic update; differs from its released code in the ids
    (theirs point at wrong rows after the first cull), compaction, the caps, sampling at cell centres, fresh
    centres and zones after every deletion, bounded encoding, votes of points seen again (`match` in
    `vlnenv.memory.instances`) and thinning far points (`vlnenv.memory.voxels`).
    """

    def __init__(
        self,
        num_envs: int,
        dim: int,
        config: MemoryConfig | None = None,
        camera: Camera | None = None,
        device: str | torch.device = "cpu",
        levels: Levels | None = None,
        renderer: PanoramaRenderer | None = None,
    ) -> None:
        """An empty memory.

        Args:
            num_envs: Environments, each with a memory of its own.
            dim: Length of a feature.
            config: Limits and thresholds; None for the defaults.
            camera: The camera whose depth comes in; its image must be a multiple of 24 pixels each way. None
                for 96 x 96 pixels with the other defaults.
            device: Where the store lives; the encoder's.
            levels: Encodes and compares instances; None for the parameter-free `MeanLevels`.
            renderer: Renders the panorama; None for the one named in the config.

        Raises:
            ValueError: If a count is below 1, the camera's image does not divide into 24 x 24 cells, or the
                levels are for features of another length.
        """
        if num_envs < 1 or dim < 1:
            raise ValueError(f"num_envs and dim must be at least 1, got {num_envs} and {dim}")
        self.num_envs = num_envs
        self.dim = dim
        self.config = config if config is not None else MemoryConfig()
        self.camera = camera if camera is not None else Camera(width=96, height=96)
        self.device = torch.device(device)
        self.levels: Levels = levels if levels is not None else MeanLevels(dim)
        if self.levels.dim != dim:
            raise ValueError(f"the levels are for features of {self.levels.dim}, the memory's have {dim}")
        self._renderer = renderer or make_renderer(self.config.panorama, dim, "", self.device)
        self._rays = make_patch_rays(self.camera, self.device)
        self._patch_of_pixel = pixel_patches(self.camera, self.device)
        self._sight_far_m = max(self.config.cull_far_m, self.config.match_far_m)
        self._next_id = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._next_instance_id = torch.zeros(num_envs, dtype=torch.int64, device=self.device)
        self._patches = PatchStore(
            num_envs, dim, self.config.max_patches, self.config.dedup_voxel_m, self.device
        )
        self._instances = Slots(num_envs, dim, self.device)
        self._zones = Slots(num_envs, dim, self.device)
        # The last view, for egocentric patches only.
        view = PATCH_TOKENS if self.config.patches == "egocentric" else 0
        self._view_features = torch.zeros(num_envs, view, dim, device=self.device)
        self._view_xyz = torch.zeros(3, num_envs, view, device=self.device)
        self._view_mask = torch.zeros(num_envs, view, dtype=torch.bool, device=self.device)

    def __len__(self) -> int:
        """Live points of all environments together."""
        return int(self._patches.count.sum())

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
        return self._patches.count.cpu().numpy().copy()

    def reset(self, indices: Sequence[int] | np.ndarray | None = None) -> None:
        """Forget everything, and start the ids at 0 again.

        Args:
            indices: Which environments, any order, no repetition; None for all.
        """
        envs = self._envs(range(self.num_envs) if indices is None else indices)
        self._patches.count[envs] = 0
        self._instances.clear(envs)
        self._zones.clear(envs)
        self._next_id[envs] = 0
        self._next_instance_id[envs] = 0
        self._view_mask[envs] = False

    @torch.no_grad()
    def update(
        self,
        indices: Sequence[int] | np.ndarray,
        features: torch.Tensor | np.ndarray,
        depth: np.ndarray | torch.Tensor,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        segments: torch.Tensor | np.ndarray | None = None,
    ) -> None:
        """Take in one view of each of n environments.

        What the view contradicts is culled, its patches are inserted, each of its segments joins an instance
        that is known or founds one, and all instances and zones that this changed are made anew.

        Args:
            indices: (n,) the environments, any order, no repetition.
            features: float32 (n, 24, 24, dim), rows from the top, as an encoder gives them.
            depth: float32 (n, height, width) metres along the optical axis at the camera's full resolution; 0
                where nothing was hit.
            position_m: (n, 3) feet, world frame, metres.
            heading_rad: (n,) counter-clockwise about +y; 0 looks along -z.
            segments: integers (n, 24, 24), the segment of each patch as a segmenter gives it, 0 for none;
                None for no segments: patches then belong to no instance.

        Raises:
            ValueError: If a shape is wrong, an index repeats, a pose is not finite, or a segment lies outside
                [0, 576]. The memory is then as before.
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
        labels = self._labels(segments, n)
        if n == 0:
            return

        lifted = lift_patches(depth, pose, self._rays, self.camera.max_depth_m)
        points = Points(
            lifted.xyz_m.flatten(1),
            features.reshape(-1, self.dim),
            lifted.direction_rad.view(-1),
            lifted.scale_m.view(-1),
        )
        patch_id = self._next_id[envs][:, None] + lifted.valid.cumsum(dim=1) - 1
        self._next_id[envs] += lifted.valid.sum(dim=1)
        seen = instance_levels.describe(
            labels * lifted.valid, points, patch_id, self.levels, self.config.instance_members
        )
        touched = torch.zeros(n, self._instances.capacity, dtype=torch.bool, device=self.device)
        votes = self._cull(envs, depth, pose, seen, touched)
        joined = self._match(envs, seen, votes)
        kept = self._thin_out(envs, lifted, points, touched)
        touched = self._insert(envs, points, patch_id, kept, seen, joined, touched)
        self._refresh(envs, touched)
        if self.config.patches == "egocentric":
            self._view_features[envs] = points.features.view(n, PATCH_TOKENS, self.dim)
            self._view_xyz[:, envs] = lifted.xyz_m
            self._view_mask[envs] = lifted.valid

    def _cull(
        self,
        envs: torch.Tensor,
        depth_m: torch.Tensor,
        pose: Pose,
        seen: Segments,
        touched: torch.Tensor,
    ) -> Votes:
        """Look at the stored points in view: count those seen again by segment, delete those contradicted."""
        config, store = self.config, self._patches
        sighting = sight(store.xyz_m, envs, store.count[envs], depth_m, pose, self.camera, self._sight_far_m)
        row, column = sighting.row, sighting.column
        (again,) = seen_again(sighting, config.match_far_m, config.depth_tolerance_m).nonzero(as_tuple=True)
        patch = row[again] * PATCH_TOKENS + self._patch_of_pixel[sighting.pixel[again]]
        votes = instance_levels.count_votes(
            row[again],
            store.slot[envs[row[again]], column[again]],
            seen.of_patch.view(-1)[patch],
            seen,
            self._instances.capacity,
        )
        gone = contradicted(sighting, config.cull_near_m, config.cull_far_m, config.depth_tolerance_m)
        self._remove(envs, row[gone], column[gone], touched)
        return votes

    def _match(self, envs: torch.Tensor, seen: Segments, votes: Votes) -> torch.Tensor:
        """The slot of the instance that each segment joins, -1 where it founds one: int64 (s,)."""
        return instance_levels.match(
            seen,
            votes,
            envs,
            self._instances,
            self.levels,
            self.config.candidates,
            self.config.merge_probability,
        )

    def _thin_out(
        self, envs: torch.Tensor, lifted: LiftedPatches, points: Points, touched: torch.Tensor
    ) -> torch.Tensor:
        """Which patches are kept, bool (n, 576); far ones take the place of coarser ones in their voxel."""
        if self.config.dedup_voxel_m == 0.0:
            return lifted.valid
        is_far = lifted.valid & (lifted.depth_m > self.config.cull_far_m)
        (far,) = is_far.view(-1).nonzero(as_tuple=True)
        if not len(far):
            return lifted.valid
        kept, row, column = finest(
            envs,
            self._patches,
            far.div(PATCH_TOKENS, rounding_mode="floor"),
            cube_keys(points.xyz_m.index_select(1, far), self.config.dedup_voxel_m),
            points.scale_m[far],
        )
        self._remove(envs, row, column, touched)
        is_kept = lifted.valid & ~is_far
        is_kept.view(-1)[far[kept]] = True
        return is_kept

    def _insert(
        self,
        envs: torch.Tensor,
        points: Points,
        patch_id: torch.Tensor,
        kept: torch.Tensor,
        seen: Segments,
        joined: torch.Tensor,
        touched: torch.Tensor,
    ) -> torch.Tensor:
        """Make room, found the new instances, and append the patches that are kept; returns `touched`."""
        row, column = self._patches.oldest(envs, kept.sum(dim=1))
        self._remove(envs, row, column, touched)
        (patch,) = kept.view(-1).nonzero(as_tuple=True)
        row, segment = patch.div(PATCH_TOKENS, rounding_mode="floor"), seen.of_patch.view(-1)[patch]
        is_member = segment >= 0
        has_patch = torch.bincount(segment[is_member], minlength=len(joined)) > 0
        slot_of_segment = instance_levels.found(
            envs, seen, joined, has_patch, self._instances, self._next_instance_id
        )
        missing = self._instances.capacity - touched.shape[1]
        if missing:
            touched = torch.nn.functional.pad(touched, (0, missing))
        slot = torch.full_like(segment, -1)
        slot[is_member] = slot_of_segment[segment[is_member]]
        touched[row[is_member], slot[is_member]] = True
        self._patches.append(envs, row, points.take(patch), patch_id.view(-1)[patch], slot)
        return touched

    def _refresh(self, envs: torch.Tensor, touched: torch.Tensor) -> None:
        """Make the touched instances anew, and the zones that they were in and are in."""
        config = self.config
        before = zone_levels.zones_of(envs, touched, self._instances, config.zone_m)
        instance_levels.refresh(
            envs, touched, self._patches, self._instances, self.levels, config.instance_members
        )
        after = zone_levels.zones_of(envs, touched, self._instances, config.zone_m)
        zone_levels.refresh(
            envs,
            torch.cat([before, after]),
            self._instances,
            self._zones,
            self.levels,
            config.zone_m,
            config.zone_members,
        )

    def _remove(
        self, envs: torch.Tensor, row: torch.Tensor, column: torch.Tensor, touched: torch.Tensor
    ) -> None:
        """Delete points, and mark the instances that lose them in `touched`, bool (n, c)."""
        slot = self._patches.slot[envs[row], column]
        is_member = slot >= 0
        touched[row[is_member], slot[is_member]] = True
        self._patches.remove(envs, row, column)

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
            within their radius come nearest first; their positions are their centres.

        Raises:
            ValueError: If a shape is wrong, an index repeats, or a pose is not finite.
            IndexError: If an index is out of range.
        """
        config, envs = self.config, self._envs(indices)
        pose = self._pose(position_m, heading_rad, len(envs))
        levels = {
            "patch": self._read_view(envs, pose)
            if config.patches == "egocentric"
            else self._read_panorama(envs, pose),
            "instance": read_slots(
                self._instances, envs, pose, config.instance_radius_m, config.max_instances
            ),
            "zone": read_slots(self._zones, envs, pose, config.zone_radius_m, config.max_zones),
        }
        observation = {}
        for level, (tokens, xyz, mask) in levels.items():
            observation[f"{level}_tokens"] = tokens.cpu().numpy()
            observation[f"{level}_xyz"] = xyz.cpu().numpy()
            observation[f"{level}_mask"] = mask.to(torch.int8).cpu().numpy()
        return observation

    def _read_panorama(self, envs: torch.Tensor, pose: Pose) -> Tokens:
        store = self._patches
        return self._renderer.render(
            PanoramaPoints(
                xyz_m=store.xyz_m,
                features=store.features,
                direction_rad=store.direction_rad,
                scale_m=store.scale_m,
                patch_id=store.patch_id,
                envs=envs,
                count=store.count[envs],
                pose=pose,
                camera_height_m=self.camera.height_m,
                far_m=self.config.panorama_far_m,
            )
        )

    def _read_view(self, envs: torch.Tensor, pose: Pose) -> Tokens:
        mask = self._view_mask[envs]
        xyz = torch.stack(world_to_agent(self._view_xyz[:, envs], pose), dim=-1)
        hidden = ~mask[..., None]
        return self._view_features[envs].masked_fill_(hidden, 0.0), xyz.masked_fill_(hidden, 0.0), mask

    def snapshot(self, index: int) -> MemorySnapshot:
        """A copy of one environment's memory; its cost follows the live points.

        Raises:
            IndexError: If the index is out of range.
        """
        env = int(self._envs([index])[0])
        store, live = self._patches, int(self._patches.count[env])
        instance_ids, instance_xyz, instance_features = self._instances.contents(env)
        zone_keys, zone_xyz, zone_features = self._zones.contents(env)
        slot = store.slot[env, :live]
        instance_id = torch.where(slot >= 0, self._instances.key[env, slot.clamp(min=0)], -1)
        return MemorySnapshot(
            xyz_m=store.xyz_m[:, env, :live].clone(),
            features=store.features[env, :live].clone(),
            direction_rad=store.direction_rad[env, :live].clone(),
            scale_m=store.scale_m[env, :live].clone(),
            patch_id=store.patch_id[env, :live].clone(),
            instance_id=instance_id,
            instance_ids=instance_ids,
            instance_xyz_m=instance_xyz,
            instance_features=instance_features,
            zone_keys=cube_coordinates(zone_keys),
            zone_xyz_m=zone_xyz,
            zone_features=zone_features,
            next_id=int(self._next_id[env]),
            next_instance_id=int(self._next_instance_id[env]),
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
            ValueError: If the snapshot's features, its size or its patch source do not fit this memory, or
                its patches belong to instances that it does not hold. The memory is then as before.
            IndexError: If the index is out of range.
        """
        env = int(self._envs([index])[0])
        live, store = len(snapshot.patch_id), self._patches
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
        # Instances come to live in the slots 0, 1, ... in the order of their ids.
        known, member = snapshot.instance_ids.to(self.device), snapshot.instance_id.to(self.device)
        if not torch.isin(member[member >= 0], known).all():
            raise ValueError("the snapshot's patches belong to instances that it does not hold")
        slot = torch.where(member >= 0, torch.searchsorted(known, member), -1)
        store.fill(
            env,
            Points(snapshot.xyz_m, snapshot.features, snapshot.direction_rad, snapshot.scale_m),
            snapshot.patch_id,
            slot,
        )
        self._instances.fill(env, known, snapshot.instance_xyz_m, snapshot.instance_features)
        zone_keys = keys_of_cubes(snapshot.zone_keys.to(self.device))
        self._zones.fill(env, zone_keys, snapshot.zone_xyz_m, snapshot.zone_features)
        self._next_id[env] = snapshot.next_id
        self._next_instance_id[env] = snapshot.next_instance_id
        self._view_features[env] = snapshot.view_features.to(self.device)
        self._view_xyz[:, env] = snapshot.view_xyz_m.to(self.device)
        self._view_mask[env] = snapshot.view_mask.to(self.device)

    def to_open3d(self, index: int, color: str = "pca", query: str | np.ndarray | None = None) -> Any:
        """One environment's patches as an `open3d.geometry.PointCloud`; see `vlnenv.viewer.point_cloud`."""
        from vlnenv.viewer.point_cloud import to_open3d

        return to_open3d(self.snapshot(index), color, query)

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

    # ---- what comes in ----

    def _labels(self, segments: torch.Tensor | np.ndarray | None, n: int) -> torch.Tensor:
        """Checked segments as int64 (n, 576) on the device."""
        if segments is None:
            return torch.zeros(n, PATCH_TOKENS, dtype=torch.int64, device=self.device)
        if isinstance(segments, np.ndarray) and not segments.flags.writeable:
            segments = segments.copy()
        labels = torch.as_tensor(segments, device=self.device)
        if labels.shape != (n, PATCH_GRID, PATCH_GRID) or labels.is_floating_point():
            raise ValueError(
                f"segments must be integers ({n}, {PATCH_GRID}, {PATCH_GRID}), "
                f"got {labels.dtype} {tuple(labels.shape)}"
            )
        labels = labels.long().reshape(n, PATCH_TOKENS)
        if n and (int(labels.min()) < 0 or int(labels.max()) > PATCH_TOKENS):
            raise ValueError(
                f"segments must lie in [0, {PATCH_TOKENS}], got {int(labels.min())} to {int(labels.max())}"
            )
        return labels

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
