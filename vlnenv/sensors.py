"""What agents sense where they stand: images, and the depth and the poses that they believe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vlnenv.noise import SensorNoise
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames, Simulator


@dataclass(frozen=True)
class Viewpoints:
    """Where n agents truly stand and look, each in its own world."""

    scenes: Sequence[Scene]
    """n scenes; the same one where agents share a world."""
    position_m: np.ndarray
    """float64 (n, 3) feet, world frame, metres."""
    heading_rad: np.ndarray
    """float64 (n,) counter-clockwise about +y; 0 looks along -z."""
    rngs: Sequence[np.random.Generator] = ()
    """n, for sensor noise alone, drawn from in the order in which the sensors are asked; none without it."""


class Sensors:
    """Renders for agents in different scenes at once, and adds the noise of their sensors."""

    def __init__(self, simulator: Simulator, noise: SensorNoise | None = None) -> None:
        self.simulator = simulator
        self.noise = noise

    def look(self, views: Viewpoints, camera: Camera, outputs: Sequence[str]) -> Frames:
        """Frames of n cameras, one render a scene; depth is what the agents measure.

        Args:
            views: Where the cameras are.
            camera: The camera of all.
            outputs: Any of "rgb", "depth", "instance".
        """
        frames = self._render(views, camera, outputs)
        if self.noise is None or frames.depth is None:
            return frames
        images = zip(frames.depth, views.rngs, strict=True)
        measured = [self.noise.measured_depth(depth_m, camera, rng) for depth_m, rng in images]
        return replace(frames, depth=np.stack(measured))

    def told_poses(self, views: Viewpoints) -> tuple[np.ndarray, np.ndarray]:
        """Positions (n, 3) and headings (n,) that the agents believe."""
        if self.noise is None:
            return views.position_m, views.heading_rad
        poses = zip(views.position_m, views.heading_rad, views.rngs, strict=True)
        told = [self.noise.told_pose(*pose) for pose in poses]
        return np.stack([position_m for position_m, _ in told]), np.array([heading for _, heading in told])

    def _render(self, views: Viewpoints, camera: Camera, outputs: Sequence[str]) -> Frames:
        groups = by_scene(views.scenes, np.arange(len(views.scenes)))
        rendered = [
            self.simulator.render(scene, views.position_m[rows], views.heading_rad[rows], camera, outputs)
            for scene, rows in groups
        ]
        if len(rendered) == 1:
            return rendered[0]
        order = np.argsort(np.concatenate([rows for _, rows in groups]))
        return Frames(
            **{
                output: np.concatenate([getattr(frames, output) for frames in rendered])[order]
                for output in outputs
            }
        )


def by_scene(scenes: Sequence[Scene], rows: np.ndarray) -> list[tuple[Scene, np.ndarray]]:
    """Group `rows` by their entry in `scenes`, in order of first appearance."""
    groups: dict[int, tuple[Scene, list[int]]] = {}
    for row in rows:
        scene = scenes[row]
        groups.setdefault(id(scene), (scene, []))[1].append(int(row))
    return [(scene, np.asarray(members)) for scene, members in groups.values()]
