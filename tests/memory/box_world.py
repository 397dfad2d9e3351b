"""A room with boxes in it whose depth images are computed in closed form."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

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
