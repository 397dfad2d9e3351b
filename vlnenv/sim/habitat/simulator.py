"""The `Simulator` whose scenes live in habitat-sim."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from vlnenv.sim import edits
from vlnenv.sim.camera import Camera
from vlnenv.sim.habitat.bridge import Bridge, Worlds
from vlnenv.sim.habitat.stages import find_stage
from vlnenv.sim.scene import Instance, Region, Scene
from vlnenv.sim.simulator import (
    OUTPUTS,
    AgentBody,
    Frames,
    TopDown,
    check_outputs,
    checked_poses,
    checked_positions,
)

SEARCH_M = 2.0
"""How far Habitat looks for the navigation mesh around a point."""
_EMPTY_RGB = (245, 245, 245)
_MARGIN_M = 0.6
_MOST_PIXELS_A_SIDE = 8192
_SCENES_KEPT = 4
_NO_HABITAT = (
    "the habitat simulator needs habitat-sim, which is not installed ({error}). See docs/habitat.md for how "
    'to install it, here or in another Python (simulator="habitat:/path/to/python"), or use '
    'simulator="embree".'
)


class HabitatSimulator:
    """A `Simulator` that renders and walks in habitat-sim 0.2.5 to 0.3.x.

    Motion, distances and collisions are those of Habitat's navigation mesh (Recast), as in VLN-CE. A scene's
    own `.navmesh` is used where it was made for this body, else one is computed. A `Scene` of this simulator
    has the semantic objects as instances (ids are Habitat's plus 1, so that 0 stays "nothing"; none where the
    scene is not annotated) and, as its mesh, the navigation mesh; its looks stay in Habitat. Scenes are one
    static mesh: they cannot be edited.

    Equal calls give equal answers; nothing random is asked of Habitat.

    Args:
        body: The cylinder that walks.
        scene_file: Gives the file of a scene id; by default the id is the path.
        python: Another Python that has habitat-sim, e.g. "~/miniconda3/envs/habitat/bin/python"; None looks
            for habitat-sim in this one.
        gpu_device_id: GPU that renders; -1 renders in software. None takes VLNENV_HABITAT_GPU, else 0 where
            there is an NVIDIA GPU, else -1.
        scene_dataset_config: See `stages.find_stage`.
        timeout_s: Longest wait for an answer of another Python; opening a scene counts, too.

    Raises:
        ImportError: If there is no habitat-sim.
        FileNotFoundError: If there is no such Python.
        HabitatError: If the other Python does not work.
    """

    def __init__(
        self,
        body: AgentBody | None = None,
        scene_file: Callable[[str], str | Path] = Path,
        python: str | None = None,
        gpu_device_id: int | None = None,
        scene_dataset_config: str | None = None,
        timeout_s: float = 600.0,
    ) -> None:
        self.body = AgentBody() if body is None else body
        self._scene_file = scene_file
        self._python = None if python is None else str(Path(python).expanduser())
        self._gpu_device_id = gpu_device_id
        self._scene_dataset_config = scene_dataset_config
        self._timeout_s = timeout_s
        self._scenes: dict[str, Scene] = {}
        self._worlds: Worlds | None = self._connected()

    @property
    def versions(self) -> dict[str, str]:
        """Of "habitat_sim" and of the "python" that it runs in."""
        return self._running().versions()

    def load(self, scene_id: str) -> Scene:
        """The scene of that name; see `Simulator.load`.

        Raises:
            FileNotFoundError: If its file is missing.
            HabitatError, RuntimeError: If Habitat cannot open it or finds no floor in it.
        """
        if scene_id not in self._scenes:
            stage = find_stage(self._scene_file(scene_id), self._scene_dataset_config)
            contents = self._ask(
                "open",
                name=scene_id,
                **dataclasses.asdict(stage),
                radius_m=self.body.radius_m,
                height_m=self.body.height_m,
                max_climb_m=self.body.max_climb_m,
            )
            self._scenes[scene_id] = _scene(scene_id, contents)
        return self._scenes[scene_id]

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
        # Habitat's semantic sensor gives 0 where nothing is, and to its first object: depth tells them apart.
        # Without objects there is nothing to ask it for (and it complains).
        wanted = {"instance": ("semantic", "depth"), "depth": ("depth",), "rgb": ("rgb",)}
        if not scene.instances:
            wanted["instance"] = ()
        sensors = sorted({sensor for output in outputs for sensor in wanted[output]})
        seen: dict[str, np.ndarray] = {}
        if sensors:
            seen = self._ask_in(
                scene,
                "render",
                position=position_m,
                heading=heading_rad,
                width=camera.width,
                height=camera.height,
                hfov_deg=camera.hfov_deg,
                height_m=camera.height_m,
                pitch_deg=camera.pitch_deg,
                outputs=sensors,
            )
        depth = instance = None
        if "depth" in outputs:
            clipped = np.clip(seen["depth"], camera.min_depth_m, camera.max_depth_m)
            depth = np.where(seen["depth"] > 0.0, clipped, 0.0).astype(np.float32)
        if "instance" in outputs:
            instance = np.zeros((len(position_m), camera.height, camera.width), dtype=np.int32)
            if scene.instances:
                instance = np.where(seen["depth"] > 0.0, _instance_ids(seen["semantic"], scene), instance)
        return Frames(rgb=seen["rgb"] if "rgb" in outputs else None, depth=depth, instance=instance)

    def move(
        self,
        scene: Scene,
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        distance_m: np.ndarray | float,
        sliding: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Walk ahead from n poses in one step of Habitat's each; see `Simulator.move`."""
        position_m, heading_rad = checked_poses(position_m, heading_rad)
        distance = np.broadcast_to(np.asarray(distance_m, dtype=np.float64), heading_rad.shape)
        if not (np.isfinite(distance).all() and (distance >= 0.0).all()):
            raise ValueError(
                "distance_m must be finite and not negative; to walk back, turn the heading by pi"
            )
        moved = self._ask_in(
            scene, "move", position=position_m, heading=heading_rad, distance=distance, sliding=bool(sliding)
        )
        return moved["position"], moved["collided"]

    def geodesic(self, scene: Scene, position_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Walking distances to the nearest goal; see `Simulator.geodesic`."""
        position = checked_positions(position_m, "position_m")
        goals = checked_positions(np.atleast_2d(np.asarray(goal_m, dtype=np.float64)), "goal_m")
        return self._ask_in(scene, "geodesic", position=position, goals=goals)["distance"]

    def path(self, scene: Scene, start_m: np.ndarray, goal_m: np.ndarray) -> np.ndarray:
        """Shortest path; see `Simulator.path`."""
        start = checked_positions(np.reshape(start_m, (1, 3)), "start_m")[0]
        goal = checked_positions(np.reshape(goal_m, (1, 3)), "goal_m")[0]
        return self._ask_in(scene, "path", start=start, goal=goal)["points"]

    def snap(self, scene: Scene, position_m: np.ndarray, max_distance_m: float = 2.0) -> np.ndarray:
        """Nearest navigable points; see `Simulator.snap`.

        Habitat looks 2 m around; beyond, the nearest corner of the navigation mesh is taken.
        """
        position = checked_positions(position_m, "position_m")
        if not (np.isfinite(max_distance_m) and max_distance_m >= 0.0):
            raise ValueError(f"max_distance_m must be finite and not negative, got {max_distance_m}")
        snapped = self._ask_in(scene, "snap", position=position)["position"]
        if max_distance_m > SEARCH_M:
            corners = scene.vertices_m.astype(np.float64)
            for row in np.flatnonzero(np.isnan(snapped).any(axis=1)):
                snapped[row] = corners[np.argmin(np.linalg.norm(corners - position[row], axis=1))]
        far = ~(np.linalg.norm(snapped - position, axis=1) <= max_distance_m)
        snapped[far] = np.nan
        return snapped

    def is_navigable(self, scene: Scene, position_m: np.ndarray) -> np.ndarray:
        """Whether the body may stand there; see `Simulator.is_navigable`."""
        position = checked_positions(position_m, "position_m")
        asked = self._ask_in(scene, "is_navigable", position=position, max_y_delta=self.body.max_climb_m)
        return asked["navigable"]

    def sample(self, scene: Scene, rng: np.random.Generator, count: int) -> np.ndarray:
        """Random points of the navigation mesh; see `Simulator.sample`.

        Drawn from its triangles with `rng`: Habitat's own draws depend on the C library's global state.
        """
        corners = scene.vertices_m[scene.faces].astype(np.float64)
        sides = corners[:, 1:] - corners[:, :1]
        area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
        ends = np.cumsum(area)
        found = np.empty((0, 3))
        while len(found) < count:
            draws = rng.random((count - len(found), 3))
            face = np.searchsorted(ends, draws[:, 0] * ends[-1], side="right")
            along = draws[:, 1:]
            along = np.where(along.sum(axis=1, keepdims=True) > 1.0, 1.0 - along, along)
            points = corners[face, 0] + np.einsum("nk,nkd->nd", along, sides[face])
            # The triangles are coarse in height; the mesh's detail is finer.
            points = self.snap(scene, points)
            found = np.concatenate([found, points[np.isfinite(points).all(axis=1)]])
        return found

    def top_down(
        self, scene: Scene, floor_y_m: float, meters_per_pixel: float = 0.05, cut_m: float = 1.8
    ) -> TopDown:
        """Picture from above by an orthographic camera at the cut; see `Simulator.top_down`.

        It covers the navigation mesh and 0.6 m around. Walls are seen from above, where scans are hollow.
        """
        sizes = [floor_y_m, meters_per_pixel, cut_m]
        if not (meters_per_pixel > 0.0 and cut_m > 0.0 and np.isfinite(sizes).all()):
            raise ValueError(
                f"meters_per_pixel and cut_m must be positive numbers, got {meters_per_pixel} and {cut_m}"
            )
        low, high = scene.bounds_m[0] - _MARGIN_M, scene.bounds_m[1] + _MARGIN_M
        width, height = (max(1, int(np.ceil((high[a] - low[a]) / meters_per_pixel))) for a in (0, 2))
        if max(width, height) > _MOST_PIXELS_A_SIDE:
            raise ValueError(
                f"a top-down picture of {width} x {height} pixels is too large; raise meters_per_pixel "
                f"(now {meters_per_pixel})"
            )
        center = [
            low[0] + width * meters_per_pixel / 2.0,
            floor_y_m + cut_m,
            low[2] + height * meters_per_pixel / 2.0,
        ]
        seen = self._ask_in(
            scene,
            "top_down",
            center=np.array(center),
            width=width,
            height=height,
            meters_per_pixel=float(meters_per_pixel),
        )
        seen["rgb"][seen["depth"] <= 0.0] = _EMPTY_RGB
        return TopDown(seen["rgb"], (float(low[0]), float(low[2])), float(meters_per_pixel))

    def edit(self, scene: Scene, instance_id: int, transform: np.ndarray | None) -> NoReturn:
        """Raises NotImplementedError: objects of a stage are parts of one static mesh."""
        _refuse_edits()

    def add(self, scene: Scene, addition: Scene, transform: np.ndarray) -> NoReturn:
        """Raises NotImplementedError, see `edit`."""
        _refuse_edits()

    def close(self) -> None:
        """Close the scenes and the other Python; the simulator can go on and opens them again."""
        if self._worlds is not None:
            self._worlds.close()
        self._worlds = None
        self._scenes.clear()

    def __reduce__(self) -> tuple[object, ...]:
        # Scenes and the other Python belong to the process; another one opens its own.
        return (
            type(self),
            (
                self.body,
                self._scene_file,
                self._python,
                self._gpu_device_id,
                self._scene_dataset_config,
                self._timeout_s,
            ),
        )

    def _connected(self) -> Worlds:
        gpu = _gpu() if self._gpu_device_id is None else self._gpu_device_id
        if self._python is not None:
            return Bridge(self._python, gpu, _SCENES_KEPT, self._timeout_s)
        from vlnenv.sim.habitat.child.worlds import HabitatWorlds

        try:
            return HabitatWorlds(gpu, _SCENES_KEPT)
        except ImportError as error:
            raise ImportError(_NO_HABITAT.format(error=error)) from error

    def _ask_in(self, scene: Scene, method: str, **fields: Any) -> dict[str, Any]:
        if scene.edits:
            _refuse_edits()
        self.load(scene.id)
        return self._ask(method, name=scene.id, **fields)

    def _ask(self, method: str, **fields: Any) -> dict[str, Any]:
        return self._running().call(method, fields)

    def _running(self) -> Worlds:
        if self._worlds is None:
            self._worlds = self._connected()
        return self._worlds


def _scene(scene_id: str, contents: dict[str, Any]) -> Scene:
    instances, used = [], set()
    for row, number in enumerate(contents["ids"].tolist()):
        if number in used:
            continue
        used.add(number)
        category = _category(contents["categories"][row])
        instances.append(
            Instance(
                number + 1,
                f"{category.replace(' ', '_')}_{number}",
                category,
                "",
                _box(contents["bounds"][row].tolist()),
                contents["object_regions"][row],
            )
        )
    regions = tuple(
        Region(number, _category(category, "room"), level, _box(bounds))
        for number, category, level, bounds in contents["regions"]
    )
    faces = np.asarray(contents["faces"], dtype=np.int32)
    nothing = np.zeros(len(faces), dtype=np.int32)
    return edits.with_key(
        Scene(
            id=scene_id,
            vertices_m=contents["vertices"],
            faces=faces,
            face_instance=nothing,
            face_material=nothing,
            corner_uv=None,
            corner_rgb=None,
            materials=(),
            instances=tuple(instances),
            regions=regions,
        )
    )


def _category(name: str, other: str = "object") -> str:
    """Class in words: "chest_of_drawers" is a "chest of drawers", and what has no class is `other`."""
    words = name.lower().replace("_", " ").replace("#", " ").split()
    return other if words in ([], ["unknown"]) else " ".join(words)


def _box(bounds: list[list[float]]) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    low, high = bounds
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _instance_ids(semantic: np.ndarray, scene: Scene) -> np.ndarray:
    """int32 ids of the scene's instances; 0 where Habitat's number belongs to none."""
    known = np.array([instance.id for instance in scene.instances], dtype=np.int64)
    table = np.zeros(int(known.max(initial=0)) + 1, dtype=np.int32)
    table[known] = known
    ids = semantic + 1
    return np.where((ids > 0) & (ids < len(table)), table[np.clip(ids, 0, len(table) - 1)], 0).astype(
        np.int32
    )


def _gpu() -> int:
    configured = os.environ.get("VLNENV_HABITAT_GPU")
    if configured is not None:
        try:
            return int(configured)
        except ValueError:
            raise ValueError(f"VLNENV_HABITAT_GPU must be a GPU's number or -1, got {configured!r}") from None
    return 0 if Path("/dev/nvidia0").exists() else -1


def _refuse_edits() -> NoReturn:
    raise NotImplementedError(
        "scenes of the habitat simulator cannot be edited, because a stage is one static mesh; "
        'use simulator="embree" for worlds that change'
    )
