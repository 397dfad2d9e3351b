"""The three-level token memory of one environment in plain loops: slow, and simple enough to read as true.

Written from the description of the algorithm, apart from `vlnenv.memory.memory` and what it is made of:
points, instances and zones are dictionaries by id, everything is looked at in every step, nothing is indexed,
batched, padded, compacted or kept from one step to the next that could be computed anew. Numbers that decide
something are numpy float32 scalars in the order of operations of `vlnenv.memory.geometry` and `patches`, so
that both memories decide alike to the last bit.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from vlnenv.memory import MemoryConfig
from vlnenv.memory.levels import Levels
from vlnenv.sim.camera import Camera, camera_to_world, ray_directions

GRID = 24
F = np.float32
Vector = tuple[F, F, F]


@dataclass
class Patch:
    """One remembered point."""

    id: int
    xyz: Vector
    direction: F
    scale: F
    feature: np.ndarray
    depth: F
    """Depth that it was seen at; of use in the step that it was seen in."""
    label: int
    """Segment that it was seen in, 0 for none; of use in that step."""
    voxel: tuple[int, int, int] | None
    """Where it is one of many, if they are thinned out."""
    instance: int = -1


@dataclass
class Group:
    """An instance, a zone, or a segment of the view."""

    centre: Vector
    feature: np.ndarray


def order(number: int) -> int:
    """Place in the queue for a bounded sample."""
    return number * 2654435761 % 2**32


def mean(points: Iterable[Vector]) -> Vector:
    """Mean position, accumulated in float64."""
    x = y = z = 0.0
    count = 0
    for point in points:
        x, y, z, count = x + float(point[0]), y + float(point[1]), z + float(point[2]), count + 1
    return F(x / count), F(y / count), F(z / count)


def offset(a: Vector, b: Vector) -> Vector:
    """From b to a."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def distance(a: Vector | np.ndarray, b: Vector | np.ndarray) -> float:
    """Straight-line distance."""
    return math.sqrt(sum((float(a[axis]) - float(b[axis])) ** 2 for axis in range(3)))


def cube(point: Vector, side_m: float) -> tuple[int, int, int]:
    """The cube of a regular grid that a point lies in."""
    side = F(side_m)
    return math.floor(point[0] / side), math.floor(point[1] / side), math.floor(point[2] / side)


class BruteForceMemory:
    """What one environment remembers."""

    def __init__(self, config: MemoryConfig, camera: Camera, levels: Levels) -> None:
        self.config, self.camera, self.levels = config, camera, levels
        self._rays = ray_directions(camera)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.patches: dict[int, Patch] = {}
        self.instances: dict[int, Group] = {}
        self.zones: dict[tuple[int, int, int], Group] = {}
        self.next_id = 0
        self.next_instance_id = 0
        self.view: dict[int, Patch] = {}
        """The last view's patches by cell."""

    def update(
        self,
        features: np.ndarray,
        depth: np.ndarray,
        position_m: np.ndarray,
        heading_rad: float,
        segments: np.ndarray | None = None,
    ) -> None:
        """Take in one view: features (24, 24, d), depth (height, width), segments (24, 24)."""
        with np.errstate(all="ignore"):
            self._update(features, depth, position_m, heading_rad, segments)

    def _update(
        self,
        features: np.ndarray,
        depth: np.ndarray,
        position_m: np.ndarray,
        heading_rad: float,
        segments: np.ndarray | None,
    ) -> None:
        matrix = camera_to_world(np.array([position_m]), np.array([heading_rad]), self.camera)[0].astype(F)
        segments = np.zeros((GRID, GRID), dtype=int) if segments is None else segments
        self.view = self._lift(features, depth, matrix, heading_rad, segments)
        fresh = list(self.view.values())
        labels = {cell: patch.label for cell, patch in self.view.items()}

        gone, votes, seen = self._look(depth, matrix, labels)
        changed = self._delete(gone)
        joins = {
            label: self._join(label, [patch for patch in fresh if patch.label == label], votes, seen)
            for label in sorted({patch.label for patch in fresh} - {0})
        }

        kept, superseded = self._finer(fresh)
        changed |= self._delete(superseded)
        excess = len(self.patches) + len(kept) - self.config.max_patches
        changed |= self._delete(sorted(self.patches)[: max(excess, 0)])
        for label, instance in joins.items():
            if instance is None and any(patch.label == label for patch in kept):
                joins[label] = self.next_instance_id
                self.next_instance_id += 1
        for patch in kept:
            joined = joins.get(patch.label)
            patch.instance = -1 if joined is None else joined
            self.patches[patch.id] = patch
            changed.add(patch.instance)
        self._refresh(changed - {-1})

    # ---- the steps of an update ----

    def _lift(
        self,
        features: np.ndarray,
        depth: np.ndarray,
        matrix: np.ndarray,
        heading_rad: float,
        segments: np.ndarray,
    ) -> dict[int, Patch]:
        """The view's valid patches by cell, with their ids."""
        camera = self.camera
        patches = {}
        for cell in range(GRID * GRID):
            row, column = divmod(cell, GRID)
            high, wide = camera.height // GRID, camera.width // GRID
            pixel = row * high + high // 2, column * wide + wide // 2
            d = F(depth[pixel])
            if not (d > 0 and d < F(camera.max_depth_m)):
                continue
            x, y, z = (F(value) * d for value in self._rays[pixel])
            xyz = (
                x * matrix[0, 0] + y * matrix[0, 1] + z * matrix[0, 2] + matrix[0, 3],
                x * matrix[1, 0] + y * matrix[1, 1] + z * matrix[1, 2] + matrix[1, 3],
                x * matrix[2, 0] + y * matrix[2, 1] + z * matrix[2, 2] + matrix[2, 3],
            )
            to_the_right = F(math.atan(float(self._rays[pixel][0])))
            direction = F(heading_rad % (2 * math.pi)) - to_the_right
            turn = F(2 * math.pi)
            direction = direction + turn if direction < 0 else direction
            direction = direction - turn if direction >= turn else direction
            patches[cell] = Patch(
                id=self.next_id,
                xyz=xyz,
                direction=direction,
                scale=d * F(2.0 * camera.tan_half_hfov / GRID),
                feature=features[row, column],
                depth=d,
                label=int(segments[row, column]),
                voxel=cube(xyz, self.config.dedup_voxel_m) if self.config.dedup_voxel_m > 0 else None,
            )
            self.next_id += 1
        return patches

    def _look(
        self, depth: np.ndarray, matrix: np.ndarray, labels: dict[int, int]
    ) -> tuple[list[int], Counter[tuple[int, int]], Counter[int]]:
        """Ids that the view culls; votes by (segment, instance); votes by instance, whatever the segment."""
        camera, config = self.camera, self.config
        near, far, reach = F(config.cull_near_m), F(config.cull_far_m), F(config.match_far_m)
        tolerance, share = F(config.depth_tolerance_m), F(0.05)
        focal, half_width, half_height = F(camera.focal_px), F(camera.width / 2), F(camera.height / 2)
        rotation = [[matrix[row, column] for row in range(3)] for column in range(3)]
        (rx, ry, rz), (ux, uy, uz), (bx, by, bz) = rotation
        eye_x, eye_y, eye_z = matrix[:3, 3]
        farthest = max(far, reach)
        gone, votes, seen = [], Counter[tuple[int, int]](), Counter[int]()
        for patch in self.patches.values():
            x, y, z = patch.xyz
            dx, dy, dz = x - eye_x, y - eye_y, z - eye_z
            ahead = -(dx * bx + dy * by + dz * bz)
            if not 0 < ahead <= farthest:
                continue
            pixel_x = np.floor((dx * rx + dy * ry + dz * rz) / ahead * focal + half_width)
            pixel_y = np.floor(half_height - (dx * ux + dy * uy + dz * uz) / ahead * focal)
            if not (0 <= pixel_x < camera.width and 0 <= pixel_y < camera.height):
                continue
            column, row = int(pixel_x), int(pixel_y)
            surface = depth[row, column]
            if near <= ahead <= far and (ahead < surface + tolerance or surface == 0):
                gone.append(patch.id)
            is_on_it = abs(ahead - surface) <= max(tolerance, share * ahead)
            if ahead <= reach and surface > 0 and is_on_it and patch.instance >= 0:
                seen[patch.instance] += 1
                cell = row * GRID // camera.height * GRID + column * GRID // camera.width
                if labels.get(cell, 0) > 0:
                    votes[labels[cell], patch.instance] += 1
        return gone, votes, seen

    def _delete(self, ids: Iterable[int]) -> set[int]:
        """Delete points; the instances that lost one."""
        return {self.patches.pop(patch_id).instance for patch_id in ids}

    def _join(
        self, label: int, patches: list[Patch], votes: Counter[tuple[int, int]], seen: Counter[int]
    ) -> int | None:
        """The instance that a segment of these patches joins; None where it founds one."""
        segment = self._instance(patches)
        known = sorted(self.instances)
        by_distance = sorted(known, key=lambda i: (distance(segment.centre, self.instances[i].centre), i))
        most = max((votes[label, i] for i in known), default=0)
        voted = [i for i in known if votes[label, i] == most][:1] if most else []
        near = [i for i in by_distance if i not in voted][: self.config.candidates]
        for i in (*voted, *near):
            known_as = self.instances[i]
            # A segment's patches can be fewer than the points seen again in it: a share is at most 1.
            overlap = (
                min(F(votes[label, i]) / F(len(patches)), F(1)),
                F(votes[label, i]) / F(max(seen[i], 1)),
            )
            p = self.levels.same(
                tensor([known_as.feature]),
                tensor([segment.feature]),
                tensor([offset(segment.centre, known_as.centre)]),
                tensor([overlap]),
            )
            if float(p[0]) > self.config.merge_probability:
                return i
        return None

    def _finer(self, fresh: list[Patch]) -> tuple[list[Patch], list[int]]:
        """Which of the view's patches are kept, and the stored points that they supersede."""
        if self.config.dedup_voxel_m == 0:
            return fresh, []
        far = [patch for patch in fresh if patch.depth > F(self.config.cull_far_m)]
        stored = defaultdict(list)
        for patch in self.patches.values():
            stored[patch.voxel].append(patch)
        best: dict[tuple[int, int, int] | None, Patch] = {}
        for patch in far:
            if any(old.scale <= patch.scale for old in stored[patch.voxel]):
                continue
            if patch.voxel not in best or patch.scale < best[patch.voxel].scale:
                best[patch.voxel] = patch
        dropped = {patch.id for patch in far} - {patch.id for patch in best.values()}
        kept = [patch for patch in fresh if patch.id not in dropped]
        return kept, [old.id for voxel in best for old in stored[voxel]]

    def _refresh(self, changed: set[int]) -> None:
        """Renew or delete the instances that gained or lost a point, then all zones."""
        members = defaultdict(list)
        for patch in self.patches.values():
            members[patch.instance].append(patch)
        for i in sorted(changed):
            if members[i]:
                self.instances[i] = self._instance(members[i])
            else:
                self.instances.pop(i, None)
        inside = defaultdict(list)
        for i, instance in self.instances.items():
            inside[cube(instance.centre, self.config.zone_m)].append(i)
        self.zones = {key: self._zone(sorted(numbers, key=order)) for key, numbers in inside.items()}

    def _instance(self, members: list[Patch]) -> Group:
        """An instance of these patches."""
        centre = mean(patch.xyz for patch in members)
        sample = sorted(members, key=lambda patch: order(patch.id))[: self.config.instance_members]
        position = []
        for patch in sample:
            away = offset(patch.xyz, centre)
            turn = float(patch.direction)
            position.append((*away, distance(patch.xyz, centre), math.sin(turn), math.cos(turn), patch.scale))
        features = tensor([[patch.feature for patch in sample]])
        everything = torch.ones(1, len(sample), dtype=torch.bool)
        feature = self.levels.encode_instances(features, tensor([position]), everything)
        return Group(centre, feature[0].numpy())

    def _zone(self, numbers: list[int]) -> Group:
        """A zone of these instances, first those to be sampled first."""
        centre = mean(self.instances[i].centre for i in numbers)
        sample = [self.instances[i] for i in numbers[: self.config.zone_members]]
        position = [(*offset(one.centre, centre), distance(one.centre, centre)) for one in sample]
        features = tensor([[one.feature for one in sample]])
        everything = torch.ones(1, len(sample), dtype=torch.bool)
        feature = self.levels.encode_zones(features, tensor([position]), everything)
        return Group(centre, feature[0].numpy())

    # ---- reading ----

    def read(self, position_m: np.ndarray, heading_rad: float) -> dict[str, np.ndarray]:
        """What `TokenMemory.read` gives for this environment, without the batch axis."""
        feet = np.asarray(position_m, dtype=F)
        with np.errstate(all="ignore"):
            if self.config.patches == "egocentric":
                patches = {cell: Group(patch.xyz, patch.feature) for cell, patch in self.view.items()}
            else:
                shown = self.panorama(feet, heading_rad)
                patches = {cell: Group(patch.xyz, patch.feature) for cell, patch in shown.items()}
        instances = self._nearest(self.instances, feet, self.config.instance_radius_m)
        zones = self._nearest(self.zones, feet, self.config.zone_radius_m)
        return {
            **self._slots("patch", patches, GRID * GRID, feet, heading_rad),
            **self._slots("instance", instances, self.config.max_instances, feet, heading_rad),
            **self._slots("zone", zones, self.config.max_zones, feet, heading_rad),
        }

    def panorama(self, feet: np.ndarray, heading_rad: float) -> dict[int, Patch]:
        """The nearest point in each of the 12 x 48 directions that has one, by cell."""
        best: dict[int, tuple[F, int]] = {}
        far = F(self.config.panorama_far_m * self.config.panorama_far_m)
        for patch in self.patches.values():
            ahead, left, up = in_agent_frame(patch.xyz, feet, heading_rad)
            up = up - F(self.camera.height_m)
            squared = ahead * ahead + left * left + up * up
            if not squared <= far:
                continue
            # Four views in turn: behind, left, ahead, right. Depth in the view, and how far to its right.
            if abs(ahead) > abs(left):
                view, depth, right = (0, -ahead, left) if ahead < 0 else (2, ahead, -left)
            else:
                view, depth, right = (3, -left, -ahead) if left < 0 else (1, left, ahead)
            if not (depth > 0 and abs(up) <= depth):
                continue
            column = min(int(np.floor(right / depth * F(6) + F(6))), 11)
            row = min(int(np.floor(F(6) - up / depth * F(6))), 11)
            cell = row * 48 + view * 12 + column
            if cell not in best or (squared, patch.id) < best[cell]:
                best[cell] = (squared, patch.id)
        return {cell: self.patches[patch_id] for cell, (_, patch_id) in best.items()}

    def _nearest(self, groups: dict, feet: np.ndarray, radius_m: float) -> dict[int, Group]:
        """Groups within a distance of the feet by rank, nearest first."""
        near = [(distance(group.centre, feet), key) for key, group in groups.items()]
        return {
            rank: groups[key]
            for rank, (_, key) in enumerate(sorted(pair for pair in near if pair[0] <= radius_m))
        }

    def _slots(
        self, level: str, groups: dict[int, Group], slots: int, feet: np.ndarray, heading_rad: float
    ) -> dict[str, np.ndarray]:
        """Token, position and mask arrays of one level; what has no slot is left out."""
        tokens = np.zeros((slots, self.levels.dim), dtype=F)
        xyz = np.zeros((slots, 3), dtype=F)
        mask = np.zeros(slots, dtype=np.int8)
        for slot, group in groups.items():
            if slot < slots:
                tokens[slot] = group.feature
                xyz[slot] = in_agent_frame(group.centre, feet, heading_rad)
                mask[slot] = 1
        return {f"{level}_tokens": tokens, f"{level}_xyz": xyz, f"{level}_mask": mask}


def in_agent_frame(point: Vector, feet: np.ndarray, heading_rad: float) -> Vector:
    """World to ahead, left, up from the feet."""
    east, up, south = offset(point, feet)  # type: ignore[arg-type]
    cosine, sine = F(math.cos(heading_rad)), F(math.sin(heading_rad))
    return -(east * sine + south * cosine), south * sine - east * cosine, up


def tensor(rows: list) -> torch.Tensor:
    """Nested rows as a float32 tensor."""
    return torch.from_numpy(np.array(rows, dtype=F))
