"""Scenes in habitat-sim: poses and points go in as arrays, pictures and distances come out as arrays.

World frame: x right, y up, -z ahead, metres, radians; Habitat's own. Written for habitat-sim 0.2.5 to 0.3.x;
names and signatures are those of its bindings (src/esp/bindings and src_python of the repository).
"""

from __future__ import annotations

import math
import platform
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

NEAR_M = 0.01
FAR_M = 1000.0
OFF_FLOOR_M = 0.1
"""A point farther from the navigation mesh than this, seen from above, is not on the floor. Habitat itself
takes every point within 2 m for its nearest one on the mesh."""
OFF_FLOOR_Y_M = 0.5
"""The same in height; Habitat's own default in `is_navigable`."""
OLDEST = (0, 2, 5)

_VIEWS = 12
_SENSOR_TYPES = {"rgb": "COLOR", "depth": "DEPTH", "semantic": "SEMANTIC"}
_COLLISION_EPS = 1e-5


class HabitatWorlds:
    """A few scenes, each in a habitat-sim `Simulator` of its own.

    Args:
        gpu_device_id: GPU that renders; -1 renders in software.
        kept: Scenes that stay open; the one that was used longest ago is closed first.

    Raises:
        ImportError: If habitat-sim is not installed.
        RuntimeError: If it is older than 0.2.5.
    """

    def __init__(self, gpu_device_id: int = 0, kept: int = 4) -> None:
        import habitat_sim

        version = tuple(int(part) for part in habitat_sim.__version__.split(".")[:3] if part.isdigit())
        if version < OLDEST:
            raise RuntimeError(
                f"habitat-sim {habitat_sim.__version__} is too old: 0.2.5 to 0.3.x are supported"
            )
        self._habitat_sim = habitat_sim
        self._gpu_device_id = int(gpu_device_id)
        self._kept = int(kept)
        self._specs: dict[str, dict[str, Any]] = {}
        self._open: OrderedDict[str, World] = OrderedDict()

    def versions(self) -> dict[str, Any]:
        """What runs here."""
        return {"habitat_sim": self._habitat_sim.__version__, "python": platform.python_version()}

    def call(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Call a method by name.

        Args:
            method: One of `METHODS`.
            fields: Its arguments.

        Returns:
            Name -> numpy array or JSON value.
        """
        if method not in METHODS:
            raise ValueError("no method {!r}; known: {}".format(method, ", ".join(METHODS)))
        return getattr(self, method)(**fields)

    def open(self, name: str, **spec: Any) -> dict[str, Any]:
        """Open a scene, and say what is in it; see `World` for the arguments after its name."""
        if name in self._open:
            self._open.pop(name).close()
        self._specs[name] = spec
        return self._world(name).contents()

    def render(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.render`."""
        return self._world(name).render(**fields)

    def top_down(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.top_down`."""
        return self._world(name).top_down(**fields)

    def move(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.move`."""
        return self._world(name).move(**fields)

    def geodesic(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.geodesic`."""
        return self._world(name).geodesic(**fields)

    def path(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.path`."""
        return self._world(name).path(**fields)

    def snap(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.snap`."""
        return self._world(name).snap(**fields)

    def is_navigable(self, name: str, **fields: Any) -> dict[str, Any]:
        """See `World.is_navigable`."""
        return self._world(name).is_navigable(**fields)

    def close(self) -> dict[str, Any]:
        """Close all scenes; they are opened again when they are next asked for."""
        while self._open:
            self._open.popitem()[1].close()
        return {}

    def _world(self, name: str) -> World:
        if name not in self._open:
            if name not in self._specs:
                raise KeyError(f"scene {name!r} was not opened")
            while len(self._open) >= self._kept:
                self._open.popitem(last=False)[1].close()
            self._open[name] = World(self._habitat_sim, self._gpu_device_id, **self._specs[name])
        self._open.move_to_end(name)
        return self._open[name]


METHODS = ("open", "render", "top_down", "move", "geodesic", "path", "snap", "is_navigable", "close")
"""What `HabitatWorlds.call` answers."""


class World:
    """One scene.

    `get_sensor_observations` draws all sensors of an agent and a simulator's agents cannot be changed later,
    so each view (a camera and what it is to give) gets one of a few agents that wait without sensors. When
    all are taken, the simulator is made anew.

    Args:
        habitat_sim: The module.
        gpu_device_id: See `HabitatWorlds`.
        stage: File of the scene, or of its `stage_config.json`.
        dataset_config: A `scene_dataset_config.json`, or "default".
        navmesh: File of the navigation mesh; None computes one. One that was made for another body is
            computed anew, as Habitat does.
        radius_m, height_m, max_climb_m: The body.
    """

    def __init__(
        self,
        habitat_sim: Any,
        gpu_device_id: int,
        stage: str,
        dataset_config: str,
        navmesh: str | None,
        radius_m: float,
        height_m: float,
        max_climb_m: float,
    ) -> None:
        self._habitat_sim = habitat_sim
        self._gpu_device_id = gpu_device_id
        self._stage = stage
        self._dataset_config = dataset_config
        self._navmesh = navmesh
        self._body = (float(radius_m), float(height_m), float(max_climb_m))
        self._start()

    def _start(self) -> None:
        backend = self._habitat_sim.SimulatorConfiguration()
        backend.scene_id = self._stage
        backend.scene_dataset_config_file = self._dataset_config
        backend.gpu_device_id = self._gpu_device_id
        backend.enable_physics = False
        backend.load_semantic_mesh = True
        backend.random_seed = 0
        # Textures, depth and semantics are loaded for the sensors that exist now: one tiny one of each.
        first = [self._sensor(f"first_{output}", output, 1, 1) for output in sorted(_SENSOR_TYPES)]
        agents = [self._agent(first)] + [self._agent([]) for _ in range(_VIEWS)]
        self._sim = self._habitat_sim.Simulator(self._habitat_sim.Configuration(backend, agents))
        self._views: dict[tuple[Any, ...], int] = {}
        try:
            self._prepare_navmesh()
        except BaseException:
            self._sim.close()
            raise

    def close(self) -> None:
        """Free the scene and its OpenGL context."""
        self._sim.close()

    def contents(self) -> dict[str, Any]:
        """Semantic objects, regions and the navigation mesh.

        Returns:
            Of k objects "ids" int64 (k,), "categories", "object_regions" (-1 for none) and "bounds" float64
            (k, 2, 3); "regions" as [id, category, level, bounds] each; "vertices" float32 (v, 3) and "faces"
            int32 (f, 3) of the navigation mesh.
        """
        scene = self._sim.semantic_scene
        objects = [] if scene is None else scene.objects
        objects = [each for each in objects if each is not None and each.category is not None]
        regions = [] if scene is None else [each for each in scene.regions if each is not None]
        number = {each.id: _number(each.id, row) for row, each in enumerate(regions)}
        pathfinder = self._sim.pathfinder
        return {
            "ids": np.array([int(each.semantic_id) for each in objects], dtype=np.int64),
            "categories": [self._category(each.category) for each in objects],
            "object_regions": [
                -1 if each.region is None else number.get(each.region.id, -1) for each in objects
            ],
            "bounds": np.array([_bounds(each.aabb) for each in objects]).reshape(-1, 2, 3),
            "regions": [
                [
                    number[each.id],
                    "" if each.category is None else str(each.category.name()),
                    0 if each.level is None else _number(each.level.id, 0),
                    _bounds(each.aabb).tolist(),
                ]
                for each in regions
            ],
            "vertices": _points(pathfinder.build_navmesh_vertices()).astype(np.float32),
            "faces": np.array(pathfinder.build_navmesh_vertex_indices(), dtype=np.int32).reshape(-1, 3),
        }

    def render(
        self,
        position: np.ndarray,
        heading: np.ndarray,
        width: int,
        height: int,
        hfov_deg: float,
        height_m: float,
        pitch_deg: float,
        outputs: Sequence[str],
    ) -> dict[str, np.ndarray]:
        """Pictures of n poses.

        Args:
            position: (n, 3) the agent's feet.
            heading: (n,) counter-clockwise about +y, 0 looks along -z.
            width: Pixels across.
            height: Pixels down.
            hfov_deg: Horizontal field of view.
            height_m: The camera above the feet.
            pitch_deg: Positive looks up.
            outputs: Of "rgb", "depth", "semantic".

        Returns:
            "rgb" uint8 (n, h, w, 3), "depth" float32 (n, h, w), 0 where nothing is, "semantic" int64
            (n, h, w) as Habitat numbers its objects; those asked for.
        """
        key = (width, height, hfov_deg, height_m, pitch_deg, tuple(sorted(outputs)))
        options = {
            "hfov": float(hfov_deg),
            "position": [0.0, float(height_m), 0.0],
            "orientation": [math.radians(pitch_deg), 0.0, 0.0],
        }
        view = self._view(key, width, height, outputs, options)
        return self._pictures(view, position, heading, width, height, outputs)

    def top_down(
        self, center: np.ndarray, width: int, height: int, meters_per_pixel: float
    ) -> dict[str, np.ndarray]:
        """Orthographic picture looking straight down from `center`, world x to the right and z down.

        Returns:
            "rgb" uint8 (h, w, 3) and "depth" float32 (h, w), 0 where nothing is below.
        """
        outputs = ("depth", "rgb")
        options = {
            "sensor_subtype": self._habitat_sim.SensorSubType.ORTHOGRAPHIC,
            "orientation": [-math.pi / 2.0, 0.0, 0.0],
            # The picture is 1 / ortho_scale metres wide (CameraSensor::recomputeBaseProjectionMatrix).
            "ortho_scale": 1.0 / (width * meters_per_pixel),
            "position": [0.0, 0.0, 0.0],
        }
        key = ("top_down", width, height, meters_per_pixel)
        view = self._view(key, width, height, outputs, options)
        position = np.asarray(center, dtype=np.float64).reshape(1, 3)
        pictures = self._pictures(view, position, np.zeros(1), width, height, outputs)
        return {name: pictures[name][0] for name in outputs}

    def move(
        self, position: np.ndarray, heading: np.ndarray, distance: np.ndarray, sliding: bool
    ) -> dict[str, np.ndarray]:
        """Walk ahead from n poses.

        Returns:
            "position" float64 (n, 3); "collided" bool (n,): got less far than asked, Habitat's own rule.
        """
        pathfinder = self._sim.pathfinder
        step = pathfinder.try_step if sliding else pathfinder.try_step_no_sliding
        reached = np.empty((len(position), 3))
        collided = np.zeros(len(position), dtype=bool)
        for row in range(len(position)):
            start = np.asarray(position[row], dtype=np.float32)
            ahead = np.array([-math.sin(heading[row]), 0.0, -math.cos(heading[row])])
            end = (start + distance[row] * ahead).astype(np.float32)
            reached[row] = _point(step(start, end))
            asked, walked = end - start, reached[row] - start
            collided[row] = walked.dot(walked) + _COLLISION_EPS < asked.dot(asked)
        return {"position": reached, "collided": collided}

    def geodesic(self, position: np.ndarray, goals: np.ndarray) -> dict[str, np.ndarray]:
        """Walking distances "distance" float64 (n,) to the nearest of the goals (g, 3); inf for no way."""
        distance = np.full(len(position), np.inf)
        ends = [_float32(goal) for goal in goals if self._is_on_floor(goal)]
        if ends:
            path = self._habitat_sim.MultiGoalShortestPath()
            path.requested_ends = ends
            for row in range(len(position)):
                if self._is_on_floor(position[row]):
                    path.requested_start = _float32(position[row])
                    if self._sim.pathfinder.find_path(path):
                        distance[row] = path.geodesic_distance
        return {"distance": distance}

    def path(self, start: np.ndarray, goal: np.ndarray) -> dict[str, np.ndarray]:
        """Shortest path "points" float64 (k, 3), both ends as they were given; (0, 3) for no way."""
        path = self._habitat_sim.ShortestPath()
        path.requested_start, path.requested_end = _float32(start), _float32(goal)
        is_on_floor = self._is_on_floor(start) and self._is_on_floor(goal)
        if not (is_on_floor and self._sim.pathfinder.find_path(path)):
            return {"points": np.empty((0, 3))}
        points = _points(path.points)
        if len(points) < 2:
            points = np.empty((2, 3))
        points[0], points[-1] = start, goal
        return {"points": points}

    def snap(self, position: np.ndarray) -> dict[str, np.ndarray]:
        """Nearest points "position" float64 (n, 3) on the navigation mesh; NaN where none is within 2 m."""
        snapped = [_point(self._sim.pathfinder.snap_point(_float32(point))) for point in position]
        return {"position": np.array(snapped, dtype=np.float64).reshape(-1, 3)}

    def is_navigable(self, position: np.ndarray, max_y_delta: float) -> dict[str, np.ndarray]:
        """Whether the body may stand there: "navigable" bool (n,)."""
        pathfinder = self._sim.pathfinder
        answers = [pathfinder.is_navigable(_float32(point), float(max_y_delta)) for point in position]
        return {"navigable": np.array(answers, dtype=bool)}

    def _category(self, category: Any) -> str:
        """Matterport3D's own word ("dining table") says more than its 40 classes do ("table")."""
        if isinstance(category, self._habitat_sim.scene.Mp3dObjectCategory):
            return str(category.name("raw")) or str(category.name())
        return str(category.name())

    def _agent(self, sensors: list[Any]) -> Any:
        agent = self._habitat_sim.agent.AgentConfiguration()
        agent.radius, agent.height = self._body[:2]
        agent.sensor_specifications = sensors
        return agent

    def _sensor(self, uuid: str, output: str, width: int, height: int) -> Any:
        sensor = self._habitat_sim.CameraSensorSpec()
        sensor.uuid = uuid
        sensor.sensor_type = getattr(self._habitat_sim.SensorType, _SENSOR_TYPES[output])
        sensor.sensor_subtype = self._habitat_sim.SensorSubType.PINHOLE
        sensor.resolution = [height, width]
        sensor.near, sensor.far = NEAR_M, FAR_M
        return sensor

    def _view(
        self, key: tuple[Any, ...], width: int, height: int, outputs: Sequence[str], options: dict[str, Any]
    ) -> int:
        """Number of the agent that carries the sensors of a view."""
        if key in self._views:
            return self._views[key]
        if len(self._views) == _VIEWS:
            self._sim.close()
            self._start()
        agent = 1 + len(self._views)
        for output in outputs:
            sensor = self._sensor(f"view_{agent}_{output}", output, width, height)
            for option in options:
                setattr(sensor, option, options[option])
            self._sim.add_sensor(sensor, agent)
        self._views[key] = agent
        return agent

    def _pictures(
        self,
        view: int,
        position: np.ndarray,
        heading: np.ndarray,
        width: int,
        height: int,
        outputs: Sequence[str],
    ) -> dict[str, np.ndarray]:
        shapes = {"rgb": (np.uint8, (3,)), "depth": (np.float32, ()), "semantic": (np.int64, ())}
        pictures = {}
        for output in outputs:
            dtype, channels = shapes[output]
            pictures[output] = np.empty((len(position), height, width, *channels), dtype=dtype)
        agent = self._sim.get_agent(view)
        for row in range(len(position)):
            state = self._habitat_sim.AgentState()
            state.position = _float32(position[row])
            half = float(heading[row]) / 2.0
            state.rotation = [0.0, math.sin(half), 0.0, math.cos(half)]
            agent.set_state(state)
            seen = self._sim.get_sensor_observations(view)
            for output in outputs:
                picture = np.asarray(seen[f"view_{view}_{output}"])
                pictures[output][row] = picture[..., :3] if output == "rgb" else picture
        return pictures

    def _prepare_navmesh(self) -> None:
        # Up to 0.2.x Habitat computes a mesh where it finds none, or one for another body, so one that fits
        # may be there already; a file that fits is better, and is tried where it does not overwrite that.
        pathfinder = self._sim.pathfinder
        if self._navmesh is not None:
            candidate = self._habitat_sim.PathFinder()
            if not candidate.load_nav_mesh(self._navmesh):
                raise RuntimeError(f"habitat-sim cannot read the navigation mesh {self._navmesh}")
            if self._fits(candidate):
                pathfinder.load_nav_mesh(self._navmesh)
                return
        if self._fits(pathfinder):
            return
        settings = self._habitat_sim.NavMeshSettings()
        settings.set_defaults()
        settings.agent_radius, settings.agent_height, settings.agent_max_climb = self._body
        if not self._sim.recompute_navmesh(pathfinder, settings):
            raise RuntimeError(
                "habitat-sim finds no floor to walk on: check the up axis (docs/habitat.md) and the unit"
            )

    def _fits(self, pathfinder: Any) -> bool:
        settings = pathfinder.nav_mesh_settings if pathfinder.is_loaded else None
        if settings is None:
            return False
        made_for = (settings.agent_radius, settings.agent_height, settings.agent_max_climb)
        return all(abs(made_for[i] - self._body[i]) < 1e-4 for i in range(3))

    def _is_on_floor(self, point: np.ndarray) -> bool:
        offset = _point(self._sim.pathfinder.snap_point(_float32(point))) - np.asarray(point)
        # NaN compares false.
        return bool(math.hypot(offset[0], offset[2]) <= OFF_FLOOR_M and abs(offset[1]) <= OFF_FLOOR_Y_M)


def _float32(point: np.ndarray) -> np.ndarray:
    """What the bindings take for a vector, of all versions."""
    return np.asarray(point, dtype=np.float32)


def _point(vector: Any) -> np.ndarray:
    """float64 (3,) of a vector that the bindings gave: numpy's or magnum's."""
    return np.array([vector[0], vector[1], vector[2]], dtype=np.float64)


def _points(vectors: Any) -> np.ndarray:
    return np.array([_point(vector) for vector in vectors], dtype=np.float64).reshape(-1, 3)


def _number(text: str, other: int) -> int:
    """The number at the end of an id such as "0_12"; `other` where there is none."""
    end = text.split("_")[-1]
    return int(end) if end.isdigit() else other


def _bounds(box: Any) -> np.ndarray:
    """Corners (2, 3) of a box: 0.2.x has `center` and `sizes`, 0.3.x a magnum Range3D with methods."""
    if callable(box.center):
        center, size = _point(box.center()), _point(box.size())
    else:
        center, size = _point(box.center), _point(box.sizes)
    half = np.abs(size) / 2.0
    corners = np.array([center - half, center + half])
    return corners if np.isfinite(corners).all() else np.zeros((2, 3))
