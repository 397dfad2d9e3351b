"""Dynam3D's memory as the paper describes it, plainly: the baseline of `benchmarks.memory`.

Every instance that a segment merges with is encoded again from all of its patches, whatever their number. Of
the released code's slips (`vlnenv.memory.memory` names them) those that would flatter or hurt its speed are
left out: ids are stable, deleted rows go away, depth is sampled where the point is placed. Networks have the
paper's sizes and random weights: they cost what trained ones cost and decide nothing, so which segment shows
which instance is told by the simulator.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import nn

from vlnenv.memory.geometry import Pose, make_pose
from vlnenv.memory.patches import lift_patches, make_patch_rays
from vlnenv.sim.camera import Camera

FAR_M, TOLERANCE_M, ZONE_M = 3.0, 0.1, 2.0


class PaperEncoder(nn.Module):
    """Two transformer layers over a learned query and a set's tokens; the query's row comes out.

    Args:
        dim: Length of a feature.
        position_dim: Numbers that say where a member lies.
        heads: Attention heads.
        ffn: Width of the feed-forward layers.
    """

    def __init__(self, dim: int, position_dim: int, heads: int = 12, ffn: int = 3072) -> None:
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, dim))
        self.place = nn.Sequential(
            nn.Linear(position_dim, dim), nn.LayerNorm(dim), nn.GELU(), nn.Linear(dim, dim)
        )
        layer = nn.TransformerEncoderLayer(dim, heads, ffn, activation="gelu", batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, features: torch.Tensor, position: torch.Tensor) -> torch.Tensor:
        """One feature (dim,) of a set of m members: features (m, dim), position (m, position_dim)."""
        tokens = torch.cat([self.query, (features + self.place(position))[None]], dim=1)
        row: torch.Tensor = self.layers(tokens)[0, 0]
        return row


class PaperMemory:
    """One environment's patches, instances and zones.

    Args:
        dim: Length of a feature.
        camera: The camera whose depth comes in.
        candidates: Nearest instances that a segment is compared with.
        seed: Of the random weights.
    """

    def __init__(self, dim: int, camera: Camera, candidates: int = 2, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.camera, self.candidates = camera, candidates
        self.encode_instance = PaperEncoder(dim, 7).eval().requires_grad_(False)
        self.encode_zone = PaperEncoder(dim, 4).eval().requires_grad_(False)
        self.merging = nn.Sequential(
            nn.Linear(2 * dim + 3, 3072), nn.LayerNorm(3072), nn.GELU(), nn.Linear(3072, 2)
        ).requires_grad_(False)
        self._rays = make_patch_rays(camera, torch.device("cpu"))
        self.xyz = torch.zeros(3, 0)
        self.features = torch.zeros(0, dim)
        self.direction, self.scale = torch.zeros(0), torch.zeros(0)
        self.id = torch.zeros(0, dtype=torch.int64)
        self.next_id = 0
        self.truth: dict[int, int] = {}
        """True object of each patch that was ever stored: what the simulator tells."""
        self.members: dict[int, set[int]] = {}
        """Patch ids of each instance."""
        self.instance_of: dict[int, int] = {}
        """Instance of each live patch in one."""
        self.centres: dict[int, torch.Tensor] = {}
        self.instance_features: dict[int, torch.Tensor] = {}
        self.next_instance = 0
        self.zone_of: dict[int, tuple[int, ...]] = {}
        self.zones: dict[tuple[int, ...], torch.Tensor] = {}
        self.milliseconds: dict[str, float] = defaultdict(float)
        """Of each part of the last step."""
        self.tokens = 0
        """Patches that were encoded in the last step."""
        self.uses_networks = True
        """False encodes by the mean: a quick way to a late step, since features decide nothing."""

    def __len__(self) -> int:
        return len(self.id)

    @torch.no_grad()
    def update(
        self,
        features: torch.Tensor,
        depth: np.ndarray,
        position_m: np.ndarray,
        heading_rad: float,
        segments: np.ndarray,
        truth: np.ndarray,
    ) -> None:
        """Take in one view.

        Args:
            features: float32 (24, 24, dim).
            depth: float32 (height, width) metres.
            position_m: (3,) feet, world frame, metres.
            heading_rad: Counter-clockwise about +y; 0 looks along -z.
            segments: int (24, 24), 0 for no segment.
            truth: int (24, 24) the true object of each patch.
        """
        self.milliseconds.clear()
        self.tokens = 0
        pose = make_pose(position_m[None], np.array([heading_rad]), self.camera, torch.device("cpu"))
        image = torch.from_numpy(depth)[None]
        touched: set[tuple[int, ...]] = set()
        with self._timed("cull"):
            kept = ~self._contradicted(image[0], pose)
            for patch in self.id[~kept].tolist():
                instance = self.instance_of.pop(patch, None)
                if instance is not None:
                    self.members[instance].discard(patch)
                    if not self.members[instance]:
                        touched.add(self._forget(instance))
        with self._timed("insert"):
            lifted = lift_patches(image, pose, self._rays, self.camera.max_depth_m)
            (cells,) = lifted.valid[0].nonzero(as_tuple=True)
            ids = torch.arange(self.next_id, self.next_id + len(cells))
            self.next_id += len(cells)
            self.xyz = torch.cat([self.xyz[:, kept], lifted.xyz_m[:, 0, cells]], dim=1)
            self.features = torch.cat([self.features[kept], features.flatten(0, 1)[cells]])
            self.direction = torch.cat([self.direction[kept], lifted.direction_rad[0, cells]])
            self.scale = torch.cat([self.scale[kept], lifted.scale_m[0, cells]])
            self.id = torch.cat([self.id[kept], ids])
            self.truth.update(zip(ids.tolist(), truth.reshape(-1)[cells].tolist(), strict=True))
        labels = torch.from_numpy(segments).reshape(-1)[cells]
        patches_of = [ids[labels == label].tolist() for label in labels.unique().tolist() if label]
        with self._timed("encode segments"):
            segments_2d = [self._encode(patches) for patches in patches_of]
        with self._timed("merge"):
            joined = self._joined(patches_of, segments_2d)
        with self._timed("encode instances"):
            for instance, patches in joined.items():
                self.members.setdefault(instance, set()).update(patches)
                self.instance_of.update(dict.fromkeys(patches, instance))
                encoded = self._encode(sorted(self.members[instance]))
                self.centres[instance], self.instance_features[instance] = encoded
        with self._timed("zones"):
            for instance in joined:
                key = tuple((self.centres[instance] / ZONE_M).floor().long().tolist())
                touched |= {self.zone_of.get(instance, key), key}
                self.zone_of[instance] = key
            for key in touched:
                self._renew_zone(key)

    def _contradicted(self, depth: torch.Tensor, pose: Pose) -> torch.Tensor:
        """Mask (k,) of the stored points that are in view, in range, and not behind the surface."""
        camera = self.camera
        matrix = pose.world_from_camera[..., 0, 0]
        right, up, back = matrix[:, :3].T @ (self.xyz - matrix[:, 3:])
        ahead = (-back).clamp(min=1e-6)
        column = (right / ahead * camera.focal_px + camera.width / 2.0).floor()
        row = (camera.height / 2.0 - up / ahead * camera.focal_px).floor()
        inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
        pixel = row.clamp(0, camera.height - 1), column.clamp(0, camera.width - 1)
        seen = depth[pixel[0].long(), pixel[1].long()]
        return (back < 0) & (ahead <= FAR_M) & inside & ((ahead < seen + TOLERANCE_M) | (seen == 0))

    def _encode(self, patches: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Centre and feature of all these patches; ids ascend in the store, so their rows are looked up."""
        rows = torch.searchsorted(self.id, torch.tensor(patches))
        self.tokens += len(patches)
        xyz = self.xyz[:, rows].T
        centre = xyz.mean(dim=0)
        if not self.uses_networks:
            return centre, self.features[rows].mean(dim=0)
        away, direction = xyz - centre, self.direction[rows, None]
        position = torch.cat(
            [
                away,
                away.norm(dim=1, keepdim=True),
                direction.sin(),
                direction.cos(),
                self.scale[rows, None],
            ],
            dim=1,
        )
        return centre, self.encode_instance(self.features[rows], position)

    def _joined(
        self, patches_of: list[list[int]], segments_2d: list[tuple[torch.Tensor, torch.Tensor]]
    ) -> dict[int, list[int]]:
        """The new patches of each instance that a segment merges with or founds."""
        joined: dict[int, list[int]] = defaultdict(list)
        known = list(self.centres)
        main = {instance: self._main_object(self.members[instance]) for instance in known}
        count = min(self.candidates, len(known))
        tree = cKDTree(torch.stack([self.centres[i] for i in known]).numpy()) if known else None
        for patches, (centre, feature) in zip(patches_of, segments_2d, strict=True):
            found = None
            if tree is not None:
                nearest = [known[i] for i in np.atleast_1d(tree.query(centre.numpy(), count)[1])]
                pairs = [
                    torch.cat([self.instance_features[i], feature, centre - self.centres[i]]) for i in nearest
                ]
                self.merging(torch.stack(pairs)).softmax(dim=1)  # for its cost
                own = self._main_object(patches)
                found = next((i for i in nearest if main[i] == own), None)
            if found is None:
                found, self.next_instance = self.next_instance, self.next_instance + 1
            joined[found] += patches
        return joined

    def _main_object(self, patches: list[int] | set[int]) -> int:
        objects, counts = np.unique([self.truth[patch] for patch in patches], return_counts=True)
        return int(objects[counts.argmax()])

    def _forget(self, instance: int) -> tuple[int, ...]:
        """Delete an instance; the zone that it lay in."""
        del self.members[instance], self.centres[instance], self.instance_features[instance]
        return self.zone_of.pop(instance)

    def _renew_zone(self, key: tuple[int, ...]) -> None:
        inside = [instance for instance, zone in self.zone_of.items() if zone == key]
        if not inside:
            self.zones.pop(key, None)
            return
        xyz = torch.stack([self.centres[i] for i in inside])
        away = xyz - xyz.mean(dim=0)
        position = torch.cat([away, away.norm(dim=1, keepdim=True)], dim=1)
        features = torch.stack([self.instance_features[i] for i in inside])
        network = self.encode_zone if self.uses_networks else lambda features, _: features.mean(dim=0)
        self.zones[key] = network(features, position)

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        start = time.thread_time()
        yield
        self.milliseconds[part] += 1e3 * (time.thread_time() - start)
