"""A stand-in for the module `habitat_sim` that takes nothing the real one (0.2.5 to 0.3.x) would refuse.

Names, signatures, types and shapes are those of habitat-sim's bindings (src/esp/bindings) and Python sources
(src_python/habitat_sim): an unknown attribute, keyword or type raises, as pybind11 would. What the simulator
shows and where one can walk comes from Embree and this project's own navigation field, so that the simulator
protocol can be tested without habitat-sim. What only real habitat-sim can show (pictures by OpenGL, Recast's
mesh) is left to the tests with the marker `habitat`.

A bare file is read Z-up, as Habitat reads it, unless a `stage_config.json` says otherwise. Semantic objects
are there for a file with a `.house` beside it, numbered from 0 as in Matterport3D. A `.navmesh` is a JSON
object with the body that it was made for.
"""

from __future__ import annotations

import enum
import json
import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.fields import navigation_field
from vlnenv.sim.loading import load_scene
from vlnenv.sim.prepared import prepare
from vlnenv.sim.simulator import AgentBody

__version__ = os.environ.get("FAKE_HABITAT_VERSION", "0.3.3")

_SNAP_M = 2.0


def _is_03():
    return not __version__.startswith("0.2.")


class SensorType(enum.Enum):
    NONE = 0
    COLOR = 1
    DEPTH = 2
    SEMANTIC = 4


class SensorSubType(enum.Enum):
    NONE = 0
    PINHOLE = 1
    ORTHOGRAPHIC = 2


def _number(value):
    if isinstance(value, bool) or not isinstance(value, int | float | np.floating | np.integer):
        raise TypeError(f"incompatible arguments: expected a float, got {value!r}")
    return float(value)


def _integer(value):
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"incompatible arguments: expected an int, got {value!r}")
    return int(value)


def _text(value):
    if not isinstance(value, str):
        raise TypeError(f"incompatible arguments: expected a str, got {value!r}")
    return value


def _truth(value):
    if not isinstance(value, bool):
        raise TypeError(f"incompatible arguments: expected a bool, got {value!r}")
    return value


def _vector3(value):
    """What pybind converts to a Magnum::Vector3: three floats, in a list or a one-dimensional array."""
    if not isinstance(value, list | tuple | np.ndarray):
        raise TypeError(f"incompatible arguments: expected a Vector3, got {value!r}")
    array = np.asarray(value)
    if array.shape != (3,) or array.dtype.kind != "f":
        raise TypeError(f"incompatible arguments: expected a Vector3, got {value!r}")
    return array.astype(np.float32)


def _resolution(value):
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(f"incompatible arguments: expected a Vector2i, got {value!r}")
    return [_integer(part) for part in value]


def _instance_of(kind):
    def check(value):
        if not isinstance(value, kind):
            raise TypeError(f"incompatible arguments: expected {kind.__name__}, got {value!r}")
        return value

    return check


def _list_of(check):
    def checked(value):
        if not isinstance(value, list):
            raise TypeError(f"incompatible arguments: expected a list, got {value!r}")
        return [check(each) for each in value]

    return checked


class _Bound:
    """A class as pybind11 makes them: no arguments, only the properties that were bound, typed."""

    _properties: dict = {}  # noqa: RUF012

    def __init__(self):
        for name, (_, default) in self._properties.items():
            object.__setattr__(self, name, list(default) if isinstance(default, list) else default)

    def __setattr__(self, name, value):
        if name not in self._properties:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        object.__setattr__(self, name, self._properties[name][0](value))


class SimulatorConfiguration(_Bound):
    _properties = {  # noqa: RUF012
        "scene_dataset_config_file": (_text, "default"),
        "scene_id": (_text, ""),
        "random_seed": (_integer, 0),
        "default_agent_id": (_integer, 0),
        "gpu_device_id": (_integer, 0),
        "allow_sliding": (_truth, True),
        "create_renderer": (_truth, True),
        "frustum_culling": (_truth, True),
        "enable_physics": (_truth, False),
        "use_semantic_textures": (_truth, True),
        "load_semantic_mesh": (_truth, False),
        "requires_textures": (_truth, True),
        "override_scene_light_defaults": (_truth, False),
        "scene_light_setup": (_text, "no_lights"),
    }


class CameraSensorSpec(_Bound):
    # The real one takes unknown attributes in silence (py::dynamic_attr); here they raise.
    _properties = {  # noqa: RUF012
        "uuid": (_text, ""),
        "sensor_type": (_instance_of(SensorType), SensorType.COLOR),
        "sensor_subtype": (_instance_of(SensorSubType), SensorSubType.PINHOLE),
        "position": (_vector3, np.array([0.0, 1.5, 0.0], dtype=np.float32)),
        "orientation": (_vector3, np.zeros(3, dtype=np.float32)),
        "resolution": (_resolution, [128, 128]),
        "near": (_number, 0.01),
        "far": (_number, 1000.0),
        "channels": (_integer, 4),
        "hfov": (_number, 90.0),
        "ortho_scale": (_number, 0.1),
    }


class NavMeshSettings(_Bound):
    _properties = {  # noqa: RUF012
        "cell_size": (_number, 0.05),
        "cell_height": (_number, 0.2),
        "agent_height": (_number, 1.5),
        "agent_radius": (_number, 0.1),
        "agent_max_climb": (_number, 0.2),
        "agent_max_slope": (_number, 45.0),
    }
    if _is_03():
        _properties["include_static_objects"] = (_truth, False)

    def set_defaults(self):
        self.__init__()


class ShortestPath(_Bound):
    _properties = {  # noqa: RUF012
        "requested_start": (_vector3, np.zeros(3, dtype=np.float32)),
        "requested_end": (_vector3, np.zeros(3, dtype=np.float32)),
        "points": (_list_of(_vector3), []),
        "geodesic_distance": (_number, math.inf),
    }


class MultiGoalShortestPath(_Bound):
    _properties = {  # noqa: RUF012
        "requested_start": (_vector3, np.zeros(3, dtype=np.float32)),
        "requested_ends": (_list_of(_vector3), []),
        "points": (_list_of(_vector3), []),
        "geodesic_distance": (_number, math.inf),
    }


class AgentConfiguration:
    """An attrs class with slots."""

    __slots__ = ("action_space", "body_type", "height", "radius", "sensor_specifications")

    def __init__(self, height=1.5, radius=0.1, sensor_specifications=None, action_space=None, body_type=""):
        self.height, self.radius, self.body_type = height, radius, body_type
        self.sensor_specifications = [] if sensor_specifications is None else sensor_specifications
        self.action_space = {} if action_space is None else action_space


class AgentState:
    """An attrs class with slots; checked when it is given to an agent."""

    __slots__ = ("position", "rotation", "sensor_states")

    def __init__(self, position=None, rotation=None, sensor_states=None):
        self.position = np.zeros(3) if position is None else position
        self.rotation = [0.0, 0.0, 0.0, 1.0] if rotation is None else rotation
        self.sensor_states = {} if sensor_states is None else sensor_states


class Configuration:
    """An attrs class with slots."""

    __slots__ = ("agents", "enable_batch_renderer", "metadata_mediator", "sim_cfg")

    def __init__(self, sim_cfg, agents, metadata_mediator=None, enable_batch_renderer=False):
        self.sim_cfg, self.agents = _instance_of(SimulatorConfiguration)(sim_cfg), agents
        self.metadata_mediator, self.enable_batch_renderer = metadata_mediator, enable_batch_renderer


class Agent:
    def __init__(self, configuration):
        self.agent_config = configuration
        self.state = AgentState()

    def set_state(self, state, reset_sensors=True, infer_sensor_states=True, is_initial=False):
        _instance_of(AgentState)(state)
        position = _vector3(state.position)
        if not np.isfinite(position).all():
            raise ValueError(f"{position} contains non-finite values")
        if not isinstance(state.rotation, list | np.ndarray) or len(state.rotation) != 4:
            raise TypeError(f"expected a quaternion [x, y, z, w], got {state.rotation!r}")
        if not np.isclose(np.linalg.norm(state.rotation), 1.0, rtol=1e-4):
            raise ValueError(f"{state.rotation} is not a unit length vector")
        self.state = state

    def get_state(self):
        return self.state


class PathFinder:
    """Walks on the navigation field that Embree's scenes have."""

    def __init__(self):
        self._field = None
        self._scene = None
        self.nav_mesh_settings = None

    @property
    def is_loaded(self):
        return self.nav_mesh_settings is not None

    def load_nav_mesh(self, path):
        values = json.loads(Path(_text(path)).read_text())
        settings = NavMeshSettings()
        for name, value in values.items():
            setattr(settings, name, value)
        self._build(settings)
        return True

    def seed(self, seed):
        _integer(seed)

    def get_random_navigable_point(self, max_tries=10):
        raise AssertionError("draws of the C library's random numbers do not repeat")

    def find_path(self, path):
        ends = path.requested_ends if isinstance(path, MultiGoalShortestPath) else [path.requested_end]
        start = self.snap_point(path.requested_start)
        path.points, path.geodesic_distance = [], math.inf
        for end in ends:
            end = self.snap_point(end)
            if np.isnan(start).any() or np.isnan(end).any():
                continue
            distance = self._field.geodesic(start[None].astype(float), end.astype(float))[0]
            if distance < path.geodesic_distance:
                path.geodesic_distance = float(distance)
                points = self._field.path(start.astype(float), end.astype(float))
                path.points = [point.astype(np.float32) for point in points]
        return math.isfinite(path.geodesic_distance)

    def try_step(self, start, end):
        return self._step(start, end, True)

    def try_step_no_sliding(self, start, end):
        return self._step(start, end, False)

    def snap_point(self, point):
        return self._field.snap(_vector3(point)[None].astype(float), _SNAP_M)[0].astype(np.float32)

    def is_navigable(self, pt, max_y_delta=0.5):
        point = _vector3(pt)
        _number(max_y_delta)
        snapped = self.snap_point(point)
        apart = np.abs(snapped - point)
        return bool(math.hypot(apart[0], apart[2]) <= 1e-2 and apart[1] <= max_y_delta)

    def build_navmesh_vertices(self):
        return list(self._triangles()[0])

    def build_navmesh_vertex_indices(self):
        return [int(index) for index in self._triangles()[1].ravel()]

    def _build(self, settings):
        body = AgentBody(settings.agent_radius, settings.agent_height, settings.agent_max_climb)
        self.nav_mesh_settings = settings
        if self._scene is not None:
            self._field = navigation_field(self._scene, body)

    def _step(self, start, end, sliding):
        start, end = _vector3(start), _vector3(end)
        ahead = (end - start).astype(float)
        length = math.hypot(ahead[0], ahead[2])
        heading = math.atan2(-ahead[0], -ahead[2])
        moved, _ = self._field.move(start[None].astype(float), np.array([heading]), length, sliding)
        return moved[0].astype(np.float32)

    def _triangles(self):
        """Two for each walkable cell."""
        cells = self._field.cells
        nodes = np.flatnonzero((cells.island >= 0) & (cells.clearance_m >= cells.radius_m))
        x = cells.origin_x + (cells.column[nodes] // cells.shape_z) * cells.cell_m
        z = cells.origin_z + (cells.column[nodes] % cells.shape_z) * cells.cell_m
        corners = [(0, 0), (0, 1), (1, 1), (1, 0)]
        quads = [
            np.stack([x + a * cells.cell_m, cells.height_m[nodes], z + b * cells.cell_m], 1)
            for a, b in corners
        ]
        vertices = np.stack(quads, axis=1).reshape(-1, 3).astype(np.float32)
        first = 4 * np.arange(len(nodes))[:, None, None]
        return vertices, (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3)


class Simulator:
    """An attrs class over the C++ simulator."""

    opened = 0
    """Simulators that have not been closed."""

    def __init__(self, config):
        self.config = _instance_of(Configuration)(config)
        if not config.agents:
            raise RuntimeError("Config has no agents specified.  Must specify at least 1 agent")
        for agent in config.agents:
            _instance_of(AgentConfiguration)(agent)
            _number(agent.height), _number(agent.radius)
        kinds = {spec.sensor_type for agent in config.agents for spec in agent.sensor_specifications}
        config.sim_cfg.create_renderer = bool(kinds)
        config.sim_cfg.requires_textures = SensorType.COLOR in kinds
        config.sim_cfg.load_semantic_mesh |= SensorType.SEMANTIC in kinds
        if config.sim_cfg.gpu_device_id not in (-1, 0):
            raise RuntimeError(f"unable to find CUDA device {config.sim_cfg.gpu_device_id}")
        file, up = _stage(config.sim_cfg)
        self._scene = load_scene(file, up=up)
        self._embree = EmbreeSimulator()
        self.agents = [Agent(agent) for agent in config.agents]
        self.pathfinder = PathFinder()
        self.pathfinder._scene = self._scene
        is_annotated = (file.parent / f"{file.stem}.house").is_file()
        nothing = SimpleNamespace(objects=[], regions=[])
        self.semantic_scene = _semantics(self._scene) if is_annotated else nothing
        self._is_open = True
        Simulator.opened += 1
        self._find_navmesh()

    def get_agent(self, agent_id):
        return self.agents[_integer(agent_id)]

    def add_sensor(self, sensor_spec, attach_to=None):
        _instance_of(CameraSensorSpec)(sensor_spec)
        loaded = {
            SensorType.COLOR: self.config.sim_cfg.requires_textures,
            SensorType.DEPTH: self.config.sim_cfg.create_renderer,
            SensorType.SEMANTIC: self.config.sim_cfg.load_semantic_mesh,
        }
        if not loaded[sensor_spec.sensor_type]:
            raise ValueError(
                f"Data for {sensor_spec.sensor_type} sensor was not loaded during Simulator init."
            )
        agent = self.get_agent(0 if attach_to is None else attach_to)
        specs = agent.agent_config.sensor_specifications
        assert sensor_spec.uuid not in [spec.uuid for spec in specs], f"{sensor_spec.uuid} already exists"
        specs.append(sensor_spec)

    def get_sensor_observations(self, agent_ids=0):
        assert self._is_open, "the simulator was closed"
        agent = self.get_agent(agent_ids)
        return {spec.uuid: self._draw(agent, spec) for spec in agent.agent_config.sensor_specifications}

    def _find_navmesh(self):
        """Load what lies beside the stage's file; 0.2.x computes what is missing or does not fit."""
        beside = Path(os.path.splitext(self.config.sim_cfg.scene_id)[0] + ".navmesh")
        if beside.exists():
            self.pathfinder.load_nav_mesh(str(beside))
        if not _is_03():
            needed, loaded = NavMeshSettings(), self.pathfinder.nav_mesh_settings
            needed.agent_radius = self.config.agents[0].radius
            needed.agent_height = self.config.agents[0].height
            if loaded is None or vars(loaded) != vars(needed):
                self.recompute_navmesh(self.pathfinder, needed)

    def recompute_navmesh(self, pathfinder, navmesh_settings):
        _instance_of(PathFinder)(pathfinder)
        pathfinder._build(_instance_of(NavMeshSettings)(navmesh_settings))
        return len(pathfinder._field.floor_levels()) > 0

    def close(self, destroy=True):
        _truth(destroy)
        if self._is_open:
            Simulator.opened -= 1
        self._is_open = False

    def _draw(self, agent, spec):
        height, width = spec.resolution
        x, y, z, w = agent.state.rotation
        heading = 2.0 * math.atan2(y, w)
        assert abs(x) + abs(z) < 1e-6, "the body stands upright"
        if spec.sensor_subtype == SensorSubType.ORTHOGRAPHIC:
            return self._draw_from_above(agent, spec, heading)
        pitch = math.degrees(spec.orientation[0])
        camera = Camera(width, height, spec.hfov, float(spec.position[1]), pitch, 0.0, spec.far)
        if spec.sensor_type == SensorType.SEMANTIC and not self.semantic_scene.objects:
            raise RuntimeError("The active scene does not contain semantic annotations")
        output = {"COLOR": "rgb", "DEPTH": "depth", "SEMANTIC": "instance"}[spec.sensor_type.name]
        frames = self._embree.render(
            self._scene, np.asarray(agent.state.position, float)[None], np.array([heading]), camera, (output,)
        )
        return self._buffer(spec, getattr(frames, output)[0])

    def _draw_from_above(self, agent, spec, heading):
        height, width = spec.resolution
        assert np.isclose(spec.orientation[0], -math.pi / 2)
        assert heading == 0.0
        pixel = 1.0 / spec.ortho_scale / width
        origin = np.empty((height, width, 3), dtype=np.float32)
        origin[..., 0] = (np.arange(width) + 0.5 - width / 2) * pixel
        origin[..., 1] = 0.0
        origin[..., 2] = ((np.arange(height) + 0.5 - height / 2) * pixel)[:, None]
        origin = (origin + _vector3(agent.state.position) + spec.position).reshape(-1, 3).astype(np.float32)
        down = np.tile(np.array([0.0, -1.0, 0.0], dtype=np.float32), (len(origin), 1))
        found = prepare(self._scene).cast(self._scene, origin, down)
        if spec.sensor_type == SensorType.DEPTH:
            return np.where(found.hits.face >= 0, found.hits.t, 0.0).reshape(height, width).astype(np.float32)
        colors = found.colors(down, np.full(len(origin), pixel, dtype=np.float32))
        return self._buffer(spec, colors.reshape(height, width, 3))

    def _buffer(self, spec, picture):
        if spec.sensor_type == SensorType.COLOR:
            opaque = np.full((*picture.shape[:2], 1), 255, dtype=np.uint8)
            return np.concatenate([picture, opaque], axis=2)
        if spec.sensor_type == SensorType.SEMANTIC:
            return np.maximum(picture - 1, 0).astype(np.uint32)
        return picture


def _stage(configuration):
    """File of the scene and its up axis."""
    if configuration.scene_dataset_config_file != "default":
        assert Path(configuration.scene_dataset_config_file).is_file()
    path = Path(configuration.scene_id)
    config = path
    if not path.name.endswith(".stage_config.json"):
        config = path.parent / f"{path.stem}.stage_config.json"
        if not config.is_file():
            return path, "z"
    content = json.loads(config.read_text())
    up = {(0, 1, 0): "y", (0, 0, 1): "z"}[tuple(content["up"])]
    assert tuple(content["front"]) == {"y": (0, 0, -1), "z": (0, 1, 0)}[up]
    return (config.parent / content["render_asset"]).resolve(), up


class Mp3dObjectCategory:
    def __init__(self, raw):
        self._raw = raw

    def name(self, mapping=""):
        """One of the 40 classes of mpcat40, or, as "raw", the annotators' word."""
        return self._raw.replace(" ", "#") if _text(mapping) == "raw" else self._raw.split()[-1]


def _semantics(scene):
    """Objects and one region of a scene, as of Matterport3D; the first object is none, as of HM3D."""
    low, high = scene.bounds_m
    region = SimpleNamespace(
        id="0_3", category=_category("bedroom"), level=SimpleNamespace(id="0"), aabb=_box(low, high)
    )
    objects = [None]
    for instance in scene.instances:
        number = instance.id - 1
        category = Mp3dObjectCategory(instance.category)
        box = _box(*np.asarray(instance.bounds_m, dtype=np.float32))
        objects.append(
            SimpleNamespace(
                id=f"0_3_{number}", semantic_id=number, aabb=box, category=category, region=region
            )
        )
    return SimpleNamespace(objects=objects, regions=[region])


def _category(name):
    return SimpleNamespace(name=lambda mapping="": name)


def _box(low, high):
    center, size = (low + high) / 2, high - low
    if _is_03():
        return SimpleNamespace(center=lambda: center, size=lambda: size)
    return SimpleNamespace(center=center, sizes=size)


scene = SimpleNamespace(Mp3dObjectCategory=Mp3dObjectCategory)
agent = SimpleNamespace(AgentConfiguration=AgentConfiguration, AgentState=AgentState)
nav = SimpleNamespace(
    NavMeshSettings=NavMeshSettings,
    PathFinder=PathFinder,
    ShortestPath=ShortestPath,
    MultiGoalShortestPath=MultiGoalShortestPath,
)
