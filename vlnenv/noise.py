"""Sensor noise: errors of pose and depth between the simulator and what an agent is told."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from vlnenv.errors import unknown_name
from vlnenv.sim.camera import Camera


@dataclass(frozen=True)
class SensorNoise:
    """Errors of what an agent measures. Its true pose, its path and the metrics have none.

    Pose: each observation's x, z and heading are off by their own uniform draws. Depth: each pixel's is off
    by a Gaussian whose standard deviation grows with the square of the distance,

        sigma(z) = depth_base_m + depth_growth_per_m * (z - 0.4 m)^2.

    Source: the pose errors of Dynam3D's noise test (+-5 cm, +-3 degrees); the axial noise of a Kinect after
    Nguyen, Izadi and Lovell (2012), equation for angles below 60 degrees. Simplified: no lateral noise, no
    holes at edges, no quantisation, and pixels are independent.
    """

    position_m: float = 0.05
    """The told position is off by up to this in x and in z, metres."""
    heading_deg: float = 3.0
    """The told heading is off by up to this, degrees."""
    depth_base_m: float = 0.0012
    """Standard deviation of depth at 0.4 m, metres."""
    depth_growth_per_m: float = 0.0019
    """Growth of the standard deviation with the squared distance beyond 0.4 m, 1 / metre."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{field.name} must be a number, got {value!r}")
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"{field.name} must be finite and at least 0, got {value}")

    def told_pose(
        self, position_m: np.ndarray, heading_rad: float, rng: np.random.Generator
    ) -> tuple[np.ndarray, float]:
        """The pose that an agent believes: float64 (3,) metres and radians; the height is true."""
        east, south, turn = rng.uniform(-1.0, 1.0, 3)
        offset_m = np.array([east, 0.0, south]) * self.position_m
        return position_m + offset_m, heading_rad + math.radians(self.heading_deg) * turn

    def measured_depth(self, depth_m: np.ndarray, camera: Camera, rng: np.random.Generator) -> np.ndarray:
        """What a depth camera measures, float32 (height, width).

        Args:
            depth_m: float32 (height, width) true depth; 0 (nothing hit) and the camera's largest depth
                (nothing within it) stay as they are.
            camera: Bounds the result.
            rng: Drawn from once for every pixel.
        """
        deviation_m = self.depth_base_m + self.depth_growth_per_m * np.square(depth_m - np.float32(0.4))
        noisy = depth_m + deviation_m * rng.standard_normal(depth_m.shape, dtype=np.float32)
        # A hit stays a hit: 0 would say that nothing is there.
        noisy = np.clip(noisy, max(camera.min_depth_m, 1e-3), camera.max_depth_m)
        measured = (depth_m > 0.0) & (depth_m < camera.max_depth_m)
        return np.where(measured, noisy, depth_m).astype(np.float32)


def make_sensor_noise(noise: SensorNoise | Mapping[str, Any] | None) -> SensorNoise | None:
    """A `SensorNoise` from a dictionary of its fields (those that are missing take the defaults).

    Raises:
        TypeError: If a key is not a field; the message names the nearest one. Also for what is no mapping.
        ValueError: If a value is out of range.
    """
    if noise is None or isinstance(noise, SensorNoise):
        return noise
    if not isinstance(noise, Mapping):
        raise TypeError(f"sensor_noise must be None, a SensorNoise or a dict of its fields, got {noise!r}")
    known = [field.name for field in fields(SensorNoise)]
    for name in noise:
        if name not in known:
            raise TypeError(unknown_name("sensor_noise field", name, known))
    return SensorNoise(**noise)


def noise_key(rng: np.random.Generator, episode_id: str, previous: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Words that an episode's noise is seeded by.

    They follow the state of the environment's random numbers, which is read and not advanced, so that noise
    changes no draw of episodes; the episode; and the key of the episode before, so that an episode that is
    chosen by its id again and again has other noise each time.

    Args:
        rng: The environment's random numbers.
        episode_id: The episode that begins.
        previous: The last episode's key; empty after seeding.
    """
    state = json.dumps(rng.bit_generator.state, sort_keys=True)
    return words_of(f"{state}|{episode_id}|{previous}")


def words_of(text: str) -> tuple[int, ...]:
    """Four 32-bit words to seed random numbers by, from a text; the same on every machine."""
    digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
    return tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 16, 4))
