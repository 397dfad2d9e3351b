"""A room with boxes in it whose depth images are computed in closed form, and a slow reference memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from vlnenv.memory import MemoryConfig
from vlnenv.sim.camera import Camera, camera_to_world, ray_directions


@dataclass
class BoxWorld:
    """A closed room and boxes inside it; depth by slab intersection."""

    room: tuple[tuple[float, ...], tuple[float, ...]] = ((-5.0, 0.0, -4.0), (5.0, 2.7, 4.0))
    boxes: list[tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=list)

    def depth(self, position_m: np.ndarray, heading_rad: np.ndarray, camera: Camera) -> np.ndarray:
        """float32 (n, height, width), clipped to the camera's range as a simulator clips it."""
        matrix = camera_to_world(position_m, heading_rad, camera)
        ray = np.einsum("nij,hwj->nhwi", matrix[:, :3, :3], ray_directions(camera).astype(np.float64))
        eye = matrix[:, None, None, :3, 3]
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = (np.asarray(corner) - eye for corner in self.room)
            nearest = np.fmax(low / ray, high / ray).min(axis=-1)
            for box in self.boxes:
                low, high = (np.asarray(corner) - eye for corner in box)
                entry = np.fmin(low / ray, high / ray).max(axis=-1)
                leave = np.fmax(low / ray, high / ray).min(axis=-1)
                hit = (entry <= leave) & (entry > 0)
                nearest = np.where(hit & (entry < nearest), entry, nearest)
        return nearest.clip(camera.min_depth_m, camera.max_depth_m).astype(np.float32)


def random_walk(rng: np.random.Generator, n: int, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Poses of n agents over a walk inside the default room."""
    position = rng.uniform([-4, 0, -3], [4, 0, 3], (n, 3))
    heading = rng.uniform(-np.pi, np.pi, n)
    poses = []
    for _ in range(steps):
        poses.append((position.copy(), heading.copy()))
        heading = heading + rng.uniform(-0.8, 0.8, n)
        ahead = np.stack([-np.sin(heading), np.zeros(n), -np.cos(heading)], axis=1)
        position = (position + 0.4 * ahead).clip([-4.5, 0, -3.5], [4.5, 0, 3.5])
    return poses


@dataclass
class Point:
    """One remembered patch of the reference."""

    id: int
    xyz: tuple[float, float, float]
    direction: float
    scale: float
    feature: np.ndarray


class ReferenceMemory:
    """One environment's memory in plain loops over plain numbers: no index, no batch, no compaction."""

    def __init__(self, config: MemoryConfig, camera: Camera) -> None:
        self.config, self.camera = config, camera
        self.points: list[Point] = []
        self.next_id = 0

    def update(self, features: np.ndarray, depth: np.ndarray, position: np.ndarray, heading: float) -> None:
        camera, config = self.camera, self.config
        tan = camera.tan_half_hfov
        pitch = math.radians(camera.pitch_deg)
        eye = (position[0], position[1] + camera.height_m, position[2])
        forward_flat = (-math.sin(heading), -math.cos(heading))
        kept = []
        for point in self.points:
            dx, dy, dz = (point.xyz[axis] - eye[axis] for axis in range(3))
            level = dx * forward_flat[0] + dz * forward_flat[1]
            right = dx * math.cos(heading) - dz * math.sin(heading)
            ahead = level * math.cos(pitch) + dy * math.sin(pitch)
            up = dy * math.cos(pitch) - level * math.sin(pitch)
            if config.cull_near_m <= ahead <= config.cull_far_m and ahead > 0:
                aspect = camera.height / camera.width
                column = math.floor((right / ahead / tan + 1) / 2 * camera.width)
                row = math.floor((1 - up / ahead / (tan * aspect)) / 2 * camera.height)
                if 0 <= column < camera.width and 0 <= row < camera.height:
                    seen = float(depth[row, column])
                    if seen == 0 or ahead < seen + config.depth_tolerance_m:
                        continue
            kept.append(point)
        fresh = []
        cell_w, cell_h = camera.width // 24, camera.height // 24
        for row in range(24):
            for column in range(24):
                x, y = column * cell_w + cell_w // 2, row * cell_h + cell_h // 2
                d = float(depth[y, x])
                if not 0 < d < camera.max_depth_m:
                    continue
                tan_x = ((x + 0.5) / camera.width * 2 - 1) * tan
                tan_y = ((y + 0.5) / camera.height * 2 - 1) * tan * camera.height / camera.width
                right, level = d * tan_x, d * math.cos(pitch) + d * tan_y * math.sin(pitch)
                up = d * math.sin(pitch) - d * tan_y * math.cos(pitch)
                xyz = (
                    eye[0] + level * forward_flat[0] + right * math.cos(heading),
                    eye[1] + up,
                    eye[2] + level * forward_flat[1] - right * math.sin(heading),
                )
                direction = (heading - math.atan(tan_x)) % (2 * math.pi)
                scale = d * tan * 2 / 24
                fresh.append(Point(self.next_id, xyz, direction, scale, features[row, column]))
                self.next_id += 1
        self.points = [*kept, *fresh][max(0, len(kept) + len(fresh) - config.max_patches) :]

    def panorama(self, position: np.ndarray, heading: float) -> dict[int, Point]:
        """Nearest point of each cell that has one, by angles."""
        best: dict[int, tuple[float, Point]] = {}
        for point in self.points:
            dx, dz = point.xyz[0] - position[0], point.xyz[2] - position[2]
            dy = point.xyz[1] - position[1] - self.camera.height_m
            distance = math.sqrt(dx * dx + dy * dy + dz * dz)
            if distance > self.config.panorama_far_m:
                continue
            bearing = math.atan2(-dx, -dz) - heading  # counter-clockwise from ahead
            clockwise = (math.pi - bearing + math.pi / 4) % (2 * math.pi)  # from the first view's left edge
            view, inside = divmod(clockwise, math.pi / 2)
            view = int(view) % 4
            offset = math.tan(inside - math.pi / 4)
            column = min(11, int((offset + 1) * 6)) + 12 * view
            slope = dy / (math.hypot(dx, dz) * math.cos(inside - math.pi / 4))
            if abs(slope) > 1:
                continue
            cell = min(11, int((1 - slope) * 6)) * 48 + column
            if cell not in best or distance < best[cell][0]:
                best[cell] = (distance, point)
        return {cell: point for cell, (_, point) in best.items()}
