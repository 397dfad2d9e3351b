"""The default simulator: Embree casts the rays, a numba kernel shades, a height field is walked on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import numpy as np

from vlnenv.sim import edits
from vlnenv.sim.camera import Camera, camera_to_world, ray_directions
from vlnenv.sim.fields import navigation_field
from vlnenv.sim.loading import load_scene as load_scene_file
from vlnenv.sim.prepared import prepare
from vlnenv.sim.rays import depth_image, pinhole_rays
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import OUTPUTS, AgentBody, Frames, TopDown, check_outputs, checked_poses
from vlnenv.sim.top_down import top_down

if TYPE_CHECKING:
    from vlnenv.sim.navigation.field import NavigationField

_RAYS_PER_CAST = 1 << 16
"""Rays cast and shaded at once. Sizes from 8 K to 128 K measure alike; more spills the cache (-15 %)."""

_SCENES_KEPT = 4
_loaded: WeakValueDictionary[tuple[str, str], Scene] = WeakValueDictionary()


class EmbreeSimulator:
    """A `Simulator` on the CPU without OpenGL.

    Search trees, packed textures and navigation fields belong to the process, not to a simulator: they are
    found by `Scene.key`, so any number of simulators and environments hold one scene once, and an edited copy
    of a scene shares all but its edits. Nothing random, no clock: equal calls give equal bytes.

    Args:
        body: The cylinder that walks.
        load_scene: Gives the scene of an id; by default the id is a path for `loading.load_scene`.

    Frames a second on one core of an Intel Xeon, on a furnished flat of 145,840 triangles, one pose a call:
    145-155 for RGB, depth and instances at 224 x 224 (5.3 ms in Embree, 1.4 ms of shading, 0.3 ms of making
    rays and clipping), about 1000 for depth and instances at 96 x 96; batches are as fast a frame. On a grid
    of 0.9 million triangles: 92. The search trees of these take 0.16 s and 0.8 s to build; Embree cannot
    store them, so the disk cache holds what goes into them. A moved instance adds 2 ms a frame.
    """

    def __init__(
        self, body: AgentBody | None = None, load_scene: Callable[[str], Scene] = load_scene_file
    ) -> None:
        self.body = AgentBody() if body is None else body
        self._load_scene = load_scene
        self._scenes: WeakValueDictionary[str, Scene] = WeakValueDictionary()
        self._recent: OrderedDict[str, Scene] = OrderedDict()

    def load(self, scene_id: str) -> Scene:
        """The scene of that name, from memory or the source; see `Simulator.load`.

        It stays in memory as long as anyone holds it, and the last few a while longer.
        """
        scene = self._scenes.get(scene_id)
        if scene is None:
            scene = edits.with_key(self._load_scene(scene_id))
            # One set of arrays for all simulators of the process.
            scene = _loaded.setdefault((scene.id, scene.key), scene)
            self._scenes[scene_id] = scene
        self._recent[scene_id] = scene
        self._recent.move_to_end(scene_id)
        if len(self._recent) > _SCENES_KEPT:
            self._recent.popitem(last=False)
        return scene

    def render(
        self,
        scene: Scene,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        camera: Camera,
        outputs: Sequence[str] = OUTPUTS,
    ) -> Frames:
        """What the camera sees from n poses; see `Simulator.render`.

        Raises:
            ValueError: If an output is unknown or a pose is not finite or of the wrong shape.
        """
        check_outputs(outputs)
        position_m, heading_rad = checked_poses(position_m, heading_rad)
        n, height, width = len(position_m), camera.height, camera.width
        pixels = height * width
        rgb = np.empty((n * pixels, 3), dtype=np.uint8) if "rgb" in outputs else None
        depth = np.empty(n * pixels, dtype=np.float32) if "depth" in outputs else None
        instance = np.empty(n * pixels, dtype=np.int32) if "instance" in outputs else None
        prepared = prepare(scene)
        cameras = camera_to_world(position_m, heading_rad, camera)
        pixel_direction = _pixel_directions(camera.width, camera.height, camera.hfov_deg)
        for first in range(0, n * pixels if outputs else 0, _RAYS_PER_CAST):
            last = min(first + _RAYS_PER_CAST, n * pixels)
            origin, direction = pinhole_rays(cameras, pixel_direction, first, last)
            found = prepared.cast(scene, origin, direction)
            if depth is not None:
                depth[first:last] = depth_image(
                    found.hits.t, found.hits.face, camera.min_depth_m, camera.max_depth_m
                )
            if instance is not None:
                instance[first:last] = found.instance
            if rgb is not None:
                rgb[first:last] = found.colors(direction, found.hits.t / np.float32(camera.focal_px))
        shape = (n, height, width)
        return Frames(
            rgb=None if rgb is None else rgb.reshape(*shape, 3),
            depth=None if depth is None else depth.reshape(shape),
            instance=None if instance is None else instance.reshape(shape),
        )

    def move(
        self,
        scene: Scene,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        distance_m: np.ndarray | float,
        sliding: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Walk ahead from n poses; see `Simulator.move`."""
        position_m, heading_rad = checked_poses(position_m, heading_rad)
        return self._field(scene).move(position_m, heading_rad, distance_m, sliding)

    def geodesic(self, scene: Scene, position_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Walking distances to the nearest goal; see `Simulator.geodesic`."""
        return self._field(scene).geodesic(position_m, goal_m)

    def path(self, scene: Scene, start_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Shortest path; see `Simulator.path`."""
        return self._field(scene).path(start_m, goal_m)

    def snap(self, scene: Scene, position_m: np.ndarray, max_distance_m: float = 2.0) -> np.ndarray:
        """Nearest navigable points; see `Simulator.snap`."""
        return self._field(scene).snap(position_m, max_distance_m)

    def is_navigable(self, scene: Scene, position_m: np.ndarray) -> np.ndarray:
        """Whether the body may stand there; see `Simulator.is_navigable`."""
        return self._field(scene).is_navigable(position_m)

    def sample(self, scene: Scene, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random navigable points; see `Simulator.sample`."""
        return self._field(scene).sample(rng, count)

    def top_down(
        self, scene: Scene, floor_y_m: float, meters_per_pixel: float = 0.05, cut_m: float = 1.8
    ) -> TopDown:
        """Picture from above; see `top_down.top_down`."""
        return top_down(scene, floor_y_m, meters_per_pixel, cut_m)

    def edit(self, scene: Scene, instance_id: int, transform: np.ndarray | None) -> Scene:
        """A scene with one instance moved or removed; see `edits.edit`. Costs nothing up front."""
        return edits.edit(scene, instance_id, transform)

    def add(self, scene: Scene, addition: Scene, transform: np.ndarray) -> Scene:
        """A scene with instances added; see `edits.add`."""
        return edits.add(scene, addition, transform)

    def close(self) -> None:
        """Let go of the loaded scenes; the simulator can go on and loads them again."""
        self._scenes.clear()
        self._recent.clear()

    def __reduce__(self) -> tuple[object, ...]:
        # What is loaded belongs to the process; another one loads it again.
        return (type(self), (self.body, self._load_scene))

    def _field(self, scene: Scene) -> NavigationField:
        return navigation_field(scene, self.body)


@lru_cache(maxsize=8)
def _pixel_directions(width: int, height: int, hfov_deg: float) -> np.ndarray:
    return ray_directions(Camera(width, height, hfov_deg)).reshape(-1, 3)
