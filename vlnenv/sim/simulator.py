"""The simulator protocol: poses go in, frames come out. A backend holds scenes, never agents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vlnenv.errors import unknown_name
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene

OUTPUTS = ("rgb", "depth", "instance")
"""What `Simulator.render` can give."""


@dataclass(frozen=True)
class AgentBody:
    """The cylinder that moves through a scene. Defaults are VLN-CE's."""

    radius_m: float = 0.1
    height_m: float = 1.5
    max_climb_m: float = 0.2
    """Highest step that the body takes, metres."""


@dataclass(frozen=True)
class Frames:
    """What n cameras see; a field that was not asked for is None."""

    rgb: np.ndarray | None = None
    """uint8 (n, height, width, 3)."""
    depth: np.ndarray | None = None
    """float32 (n, height, width) metres along the optical axis; 0 where nothing was hit."""
    instance: np.ndarray | None = None
    """int32 (n, height, width) instance ids; 0 where nothing was hit."""


@dataclass(frozen=True)
class TopDown:
    """An orthographic picture of a scene from above, cut below the ceiling."""

    rgb: np.ndarray
    """uint8 (h, w, 3)."""
    origin_m: tuple[float, float]
    """World (x, z) of the picture's top left corner; world x grows to the right, world z downwards."""
    meters_per_pixel: float

    def to_pixel(self, position_m: np.ndarray) -> np.ndarray:
        """World positions (..., 3) to float pixel coordinates (..., 2): column, row."""
        position_m = np.asarray(position_m, dtype=np.float64)
        return (position_m[..., [0, 2]] - np.asarray(self.origin_m)) / self.meters_per_pixel


class Simulator(Protocol):
    """What an environment needs from a backend. All arrays are in the world frame, metres and radians.

    Poses are the agent's feet (n, 3) and headings (n,); n poses are one call. Scenes are immutable, so one
    loaded scene serves any number of environments.
    """

    body: AgentBody

    def load(self, scene_id: str) -> Scene:
        """The scene of that name, from memory, the disk cache or its source."""
        ...

    def render(
        self,
        scene: Scene,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        camera: Camera,
        outputs: Sequence[str] = ("rgb", "depth", "instance"),
    ) -> Frames:
        """What the camera sees from n poses; work is done for the named outputs only."""
        ...

    def move(
        self,
        scene: Scene,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        distance_m: np.ndarray | float,
        sliding: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Walk ahead by `distance_m` from n poses.

        Returns:
            New positions float64 (n, 3), on the floor and never inside an obstacle, and bool (n,) whether the
            move met one. Without `sliding` a blocked move stops at the obstacle.
        """
        ...

    def geodesic(self, scene: Scene, position_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Walking distance from n positions to one goal (3,), or to the nearest of several (g, 3).

        Returns:
            float64 (n,); inf where there is no way, or where a point is off the navigable floor.
        """
        ...

    def path(self, scene: Scene, start_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Shortest path float64 (k, 3), start and goal included; (0, 3) when there is none."""
        ...

    def snap(self, scene: Scene, position_m: np.ndarray, max_distance_m: float = 2.0) -> np.ndarray:
        """Nearest navigable points float64 (n, 3); rows of NaN where none lies within `max_distance_m`."""
        ...

    def is_navigable(self, scene: Scene, position_m: np.ndarray) -> np.ndarray:
        """Bool (n,): whether the body's centre may stand there (height within the body's climb)."""
        ...

    def sample(self, scene: Scene, rng: np.random.Generator, count: int) -> np.ndarray:
        """`count` navigable points (count, 3), uniform over the walkable floor area."""
        ...

    def top_down(
        self, scene: Scene, floor_y_m: float, meters_per_pixel: float = 0.05, cut_m: float = 1.8
    ) -> TopDown:
        """Picture from above of everything lower than `cut_m` above the floor at `floor_y_m`."""
        ...

    def edit(self, scene: Scene, instance_id: int, transform: np.ndarray | None) -> Scene:
        """A scene in which one instance is moved (4 x 4 T_world_rest) or removed (None); `scene` stays."""
        ...

    def add(self, scene: Scene, addition: Scene, transform: np.ndarray) -> Scene:
        """A scene with `addition`'s instances added at a 4 x 4 transform, under new ids; `scene` stays."""
        ...

    def close(self) -> None:
        """Free what the backend holds; calling it twice is harmless."""
        ...

    def __hash__(self) -> int:
        """By identity: caches may be keyed by simulators."""
        ...


def check_outputs(outputs: Sequence[str]) -> None:
    """Raise ValueError for an output that `Simulator.render` cannot give; names the nearest one."""
    for output in outputs:
        if output not in OUTPUTS:
            raise ValueError(unknown_name("output", output, OUTPUTS))


def checked_poses(position_m: np.ndarray, heading_rad: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses as float64 (n, 3) and (n,).

    Raises:
        ValueError: If they are of other shapes or not finite.
    """
    position_m = np.asarray(position_m, dtype=np.float64)
    heading_rad = np.asarray(heading_rad, dtype=np.float64)
    if position_m.ndim != 2 or position_m.shape[1] != 3 or heading_rad.shape != position_m.shape[:1]:
        raise ValueError(
            f"expected positions (n, 3) and headings (n,), got {position_m.shape} and {heading_rad.shape}"
        )
    if not (np.isfinite(position_m).all() and np.isfinite(heading_rad).all()):
        raise ValueError("positions and headings must be finite")
    return position_m, heading_rad


def checked_positions(position_m: np.ndarray, name: str) -> np.ndarray:
    """Positions as contiguous float64 (n, 3).

    Raises:
        ValueError: If they are of another shape or not finite; the message says `name`.
    """
    position = np.ascontiguousarray(position_m, dtype=np.float64)
    if position.ndim != 2 or position.shape[1] != 3:
        raise ValueError(f"{name} must be (n, 3), got {position.shape}")
    if not np.isfinite(position).all():
        raise ValueError(f"{name} must be finite, got NaN or infinity (a failed snap gives NaN)")
    return position
