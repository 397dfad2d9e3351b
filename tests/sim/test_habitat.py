import ast
import io
import json
import math
import os
import signal
import struct
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import vlnenv  # noqa: F401  # registers the environments
from tests.sim import fake_habitat
from tests.sim.habitat_stand import write_python
from tests.sim.rooms import room, write
from tests.small_houses import HOUSES, with_houses
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.habitat import HabitatError, HabitatSimulator
from vlnenv.sim.habitat.bridge import CHILD, Bridge
from vlnenv.sim.habitat.child import wire
from vlnenv.sim.habitat.child.worlds import METHODS, HabitatWorlds
from vlnenv.sim.habitat.stages import find_stage, up_axis
from vlnenv.sim.simulator import AgentBody
from vlnenv.simulators import simulator_name, simulator_versions

CAMERA = Camera(32, 24)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("VLNENV_CACHE", str(with_houses(tmp_path_factory.getbasetemp() / "cache")))


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setitem(sys.modules, "habitat_sim", fake_habitat)
    return fake_habitat


@pytest.fixture
def annotated(tmp_path):
    """A Z-up scene with semantic objects, as Matterport3D's."""
    path = write(room(up="z"), tmp_path / "X.glb")
    (tmp_path / "X.house").write_text("")
    return path


@pytest.mark.parametrize(
    ("name", "attribute", "value"),
    [
        ("SimulatorConfiguration", "scene", "a.glb"),  # before 0.2
        ("SimulatorConfiguration", "scene_id", Path("a.glb")),
        ("SimulatorConfiguration", "gpu_device_id", 1.0),
        ("SimulatorConfiguration", "enable_physics", 0),
        ("CameraSensorSpec", "parameters", {}),
        ("CameraSensorSpec", "sensor_type", "COLOR"),
        ("CameraSensorSpec", "resolution", [240.0, 320.0]),
        ("CameraSensorSpec", "position", [0.0, 1.0]),
        ("NavMeshSettings", "radius", 0.1),
        ("ShortestPath", "requested_start", np.zeros((1, 3))),
        ("MultiGoalShortestPath", "requested_ends", np.zeros(3)),
    ],
)
def test_the_fake_takes_no_more_than_the_bindings(name, attribute, value):
    with pytest.raises((AttributeError, TypeError)):
        setattr(getattr(fake_habitat, name)(), attribute, value)
    with pytest.raises(TypeError):
        getattr(fake_habitat, name)(value)


def pose(x=1.0, z=1.0, heading=0.0):
    return np.array([[x, 0.0, z]]), np.array([heading])


@pytest.mark.parametrize("version", ["0.2.5", "0.3.3"])
def test_semantic_objects_are_instances(fake, annotated, monkeypatch, version):
    monkeypatch.setattr(fake, "__version__", version)
    sim, embree = HabitatSimulator(gpu_device_id=-1), EmbreeSimulator()
    scene, expected = sim.load(str(annotated)), embree.load(str(annotated))
    assert [(i.id, i.category) for i in scene.instances] == [(i.id, i.category) for i in expected.instances]
    for ours, theirs in zip(scene.instances, expected.instances, strict=True):
        np.testing.assert_allclose(ours.bounds_m, theirs.bounds_m, atol=1e-5)
    # The annotators' words, and the region's number as in the file.
    assert "coffee table" in [instance.category for instance in scene.instances]
    assert "coffee_table_3" in [instance.name for instance in scene.instances]
    assert {instance.region for instance in scene.instances} == {3}
    (region,) = scene.regions
    assert (region.id, region.category, region.level) == (3, "bedroom", 0)
    np.testing.assert_allclose(region.bounds_m, expected.bounds_m, atol=1e-5)
    # The ceiling is above the picture's edge, so that some pixels show nothing.
    frames = sim.render(scene, *pose(1.0, 3.5, 0.4), CAMERA, ("instance",))
    exact = embree.render(expected, *pose(1.0, 3.5, 0.4), CAMERA, ("instance",))
    np.testing.assert_array_equal(frames.instance, exact.instance)
    assert frames.depth is None
    sim.close()


def test_a_first_object_is_not_nothing(fake, tmp_path):
    # Habitat gives 0 both for Matterport3D's object 0 and where nothing is.
    path = write(room(up="z", ceiling=False), tmp_path / "X.glb")
    (tmp_path / "X.house").write_text("")
    sim = HabitatSimulator(gpu_device_id=-1)
    scene = sim.load(str(path))
    assert scene.instances[0].id == 1
    low, high = scene.instances[0].bounds_m
    # Towards that object from the middle of the room, with the sky above the walls.
    x, _, z = np.mean([low, high], axis=0) - [2.5, 0.0, 2.0]
    heading = math.atan2(-x, -z)
    frames = sim.render(scene, *pose(2.5, 2.0, heading), Camera(60, 60, 120.0, 1.0, 0.0))
    assert (frames.instance == 1).any()
    assert 0.0 < (frames.depth == 0.0).mean() < 1.0
    np.testing.assert_array_equal(frames.instance == 0, frames.depth == 0.0)
    sim.close()


def test_an_unannotated_scene_has_no_instances(fake, tmp_path):
    path = write(room(), tmp_path / "room.glb")
    sim = HabitatSimulator(gpu_device_id=-1)
    scene = sim.load(str(path))
    assert scene.instances == ()
    assert not sim.render(scene, *pose(), CAMERA).instance.any()
    sim.close()


@pytest.mark.parametrize("version", ["0.2.5", "0.3.3"])
def test_the_navmesh_of_the_body_is_used_and_another_is_computed(fake, annotated, monkeypatch, version):
    monkeypatch.setattr(fake, "__version__", version)
    computed = []
    recompute = fake.Simulator.recompute_navmesh
    monkeypatch.setattr(
        fake.Simulator, "recompute_navmesh", lambda *args: computed.append(1) or recompute(*args)
    )
    navmesh = annotated.with_suffix(".navmesh")
    navmesh.write_text(json.dumps({"agent_radius": 0.18, "agent_height": 0.88, "agent_max_climb": 0.2}))
    sim = HabitatSimulator(AgentBody(0.18, 0.88), gpu_device_id=-1)
    sim.load(str(annotated))
    assert not computed
    sim.close()
    other = HabitatSimulator(AgentBody(0.1, 1.5), gpu_device_id=-1)
    scene = other.load(str(annotated))
    assert len(computed) == 1
    # A wider body could not stand here.
    assert other.is_navigable(scene, np.array([[0.12, 0.0, 2.0]]))[0]
    other.close()


def test_scenes_come_and_go_but_few_stay_open(fake, tmp_path):
    before = fake.Simulator.opened
    sim = HabitatSimulator(gpu_device_id=-1)
    files = [write(room(width=5.0 + n), tmp_path / f"room_{n}.glb") for n in range(6)]
    scenes = [sim.load(str(file)) for file in files]
    assert fake.Simulator.opened - before == 4
    for n, scene in enumerate(scenes):
        depth = sim.render(scene, *pose(1.0, 1.0, -math.pi / 2), CAMERA, ("depth",)).depth[0, 12, 16]
        assert depth == pytest.approx(4.0 + n, abs=0.02)
    sim.close()
    assert fake.Simulator.opened == before


def test_scenes_cannot_be_edited(fake, annotated):
    sim = HabitatSimulator(gpu_device_id=-1)
    scene = sim.load(str(annotated))
    with pytest.raises(NotImplementedError, match='simulator="embree"'):
        sim.edit(scene, 1, None)
    with pytest.raises(NotImplementedError, match="one static mesh"):
        sim.add(scene, scene, np.eye(4))
    edited = EmbreeSimulator().edit(scene, scene.instances[0].id, None)
    with pytest.raises(NotImplementedError, match="cannot be edited"):
        sim.render(edited, *pose(), CAMERA)
    sim.close()


def test_what_is_missing_is_named(fake, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"no scene file at .*nowhere\.glb"):
        HabitatSimulator(gpu_device_id=-1).load(str(tmp_path / "nowhere.glb"))
    with pytest.raises(FileNotFoundError, match="no scene dataset config"):
        find_stage(write(room(), tmp_path / "room.glb"), tmp_path / "nowhere.json")
    monkeypatch.setenv("VLNENV_HABITAT_GPU", "first")
    with pytest.raises(ValueError, match="VLNENV_HABITAT_GPU"):
        HabitatSimulator()
    monkeypatch.setenv("VLNENV_HABITAT_GPU", "-1")
    monkeypatch.setattr(fake, "__version__", "0.1.7")
    with pytest.raises(RuntimeError, match=r"0\.1\.7 is too old"):
        HabitatSimulator(gpu_device_id=-1)
    # The import fails as if nothing was installed.
    monkeypatch.setitem(sys.modules, "habitat_sim", None)
    with pytest.raises(ImportError, match=r'docs/habitat\.md.*simulator="embree"'):
        HabitatSimulator(gpu_device_id=-1)
    with pytest.raises(ImportError, match=r"docs/habitat\.md"):
        gym.make("R2RCE-v0", dataset="houses", simulator="habitat")


def test_a_missing_floor_is_named(fake, tmp_path):
    # A wall alone.
    scene = room()
    for name in list(scene.graph.nodes_geometry):
        if name != "wall_1":
            scene.delete_geometry(scene.graph[name][1])
    path = write(scene, tmp_path / "wall.glb")
    with pytest.raises(RuntimeError, match="no floor to walk on"):
        HabitatSimulator(AgentBody(radius_m=0.3), gpu_device_id=-1).load(str(path))


@pytest.mark.parametrize("up", ["y", "z"])
def test_which_way_is_up(tmp_path, up):
    path = write(room(up=up, width=7.0), tmp_path / "room.glb")
    assert up_axis(path) == up
    stage = find_stage(path)
    config = json.loads(Path(stage.stage).read_text())
    assert config["up"] == ([0, 1, 0] if up == "y" else [0, 0, 1])
    assert (Path(stage.stage).parent / config["render_asset"]).samefile(path)
    assert find_stage(path) == stage
    assert (stage.dataset_config, stage.navmesh) == ("default", None)


def test_files_beside_a_scene_are_found(tmp_path):
    folder = tmp_path / "hm3d" / "val" / "00800-TEE"
    folder.mkdir(parents=True)
    scene = folder / "TEE.basis.glb"
    for path in (scene, folder / "TEE.basis.navmesh"):
        path.write_bytes(b"")
    for name in (
        "hm3d_basis",
        "hm3d_annotated_basis",
        "hm3d_annotated_val_basis",
        "val/hm3d_val_basis",
        "mp3d",
    ):
        (tmp_path / "hm3d" / f"{name}.scene_dataset_config.json").write_text("{}")
    stage = find_stage(scene)
    assert stage.stage == str(scene)
    assert stage.dataset_config.endswith("/hm3d_annotated_basis.scene_dataset_config.json")
    assert stage.navmesh == str(folder / "TEE.basis.navmesh")
    own = tmp_path / "own.scene_dataset_config.json"
    own.write_text("{}")
    assert find_stage(scene, own).dataset_config == str(own)
    (tmp_path / "Z.basis.glb").write_bytes(b"")
    assert find_stage(tmp_path / "Z.basis.glb").stage == str(tmp_path / "Z.basis.glb")
    (folder / "Y.glb").write_bytes(b"")
    (folder / "Y.stage_config.json").write_text("{}")
    assert find_stage(folder / "Y.glb").stage == str(folder / "Y.glb")
    replica = tmp_path / "room_0"
    (replica / "habitat").mkdir(parents=True)
    for path in (replica / "mesh.ply", replica / "mesh.stage_config.json"):
        path.write_bytes(b"")
    (replica / "habitat" / "mesh_semantic.navmesh").write_bytes(b"")
    assert find_stage(replica / "mesh.ply").navmesh.endswith("mesh_semantic.navmesh")


def test_frames_carry_any_array_and_nothing_else():
    fields = {
        "empty": np.zeros((0, 3)),
        "ids": np.arange(6, dtype=np.int32).reshape(2, 3)[:, ::-1],
        "flags": np.array([True, False]),
        "number": np.float32(2.5) * np.ones(()),
        "text": "häuser",
        "list": [1, None, {"a": 2.5}],
    }
    data = wire.pack(fields)
    stream = io.BytesIO(data)
    back = wire.unpack(stream.read)
    assert stream.read() == b""
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            assert back[name].dtype == value.dtype
            np.testing.assert_array_equal(back[name], value)
            assert back[name].flags.writeable
        else:
            assert back[name] == value
    with pytest.raises(TypeError, match="object"):
        wire.pack({"array": np.array([None])})
    with pytest.raises(wire.WireError, match="something else writes"):
        wire.unpack(io.BytesIO(b"Platform::WindowlessEglApplication").read)
    other = data[:4] + struct.pack("<H", wire.PROTOCOL + 1) + data[6:]
    with pytest.raises(wire.WireError, match=f"version {wire.PROTOCOL + 1} of the bridge's protocol"):
        wire.unpack(io.BytesIO(other).read)
    damaged = data.replace(b'"<i4"', b'"|O8"')
    with pytest.raises(wire.WireError, match="O8"):
        wire.unpack(io.BytesIO(damaged).read)


def test_the_child_is_python_3_8_and_stands_alone():
    imported = set()
    for path in CHILD.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 8))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    known = set(sys.stdlib_module_names) | {"numpy", "habitat_sim", "wire", "worlds"}
    assert imported <= known


def test_methods_are_those_of_the_worlds(fake):
    worlds = HabitatWorlds(-1)
    assert all(callable(getattr(worlds, method)) for method in METHODS)
    with pytest.raises(ValueError, match="no method '__class__'"):
        worlds.call("__class__", {})
    with pytest.raises(KeyError, match="was not opened"):
        worlds.call("snap", {"name": "x", "position": np.zeros((1, 3))})


def test_another_python_gives_the_same(fake, annotated, tmp_path):
    near = HabitatSimulator(gpu_device_id=-1)
    far = HabitatSimulator(python=write_python(tmp_path, "0.2.5"), gpu_device_id=-1)
    scenes = near.load(str(annotated)), far.load(str(annotated))
    assert scenes[0].instances == scenes[1].instances
    assert scenes[0].key == scenes[1].key
    for output in ("rgb", "depth", "instance"):
        pictures = [
            getattr(sim.render(scene, *pose(), CAMERA), output)
            for sim, scene in zip((near, far), scenes, strict=True)
        ]
        np.testing.assert_array_equal(pictures[0], pictures[1])
    near.close()
    far.close()


def test_a_python_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"cannot start '.*/python'"):
        HabitatSimulator(python=str(tmp_path / "python"), gpu_device_id=-1)


def test_a_python_without_habitat(tmp_path):
    python = write_python(tmp_path, module=None)
    with pytest.raises(ImportError, match=r"has no habitat-sim.*docs/habitat\.md"):
        HabitatSimulator(python=python, gpu_device_id=-1)


def test_a_child_that_dies_at_once_leaves_its_last_words(tmp_path):
    python = write_python(tmp_path, extra='echo "unable to find CUDA device 0" >&2; exit 3')
    with pytest.raises(HabitatError, match=r"(?s)'hello'.*exit code 3.*unable to find CUDA device 0"):
        HabitatSimulator(python=python, gpu_device_id=-1)


def test_a_child_of_another_protocol(tmp_path):
    python = write_python(tmp_path)
    other = tmp_path / "child"
    other.mkdir()
    for path in CHILD.glob("*.py"):
        text = path.read_text().replace("PROTOCOL = 1", "PROTOCOL = 2")
        (other / path.name).write_text(text)
    script = tmp_path / "older"
    script.write_text(f'#!/bin/sh\nexec "{python}" "{other}"\n')
    script.chmod(0o755)
    with pytest.raises(HabitatError, match="protocol"):
        HabitatSimulator(python=str(script), gpu_device_id=-1)


def test_a_child_that_dies_later(annotated, tmp_path):
    sim = HabitatSimulator(python=write_python(tmp_path), gpu_device_id=-1)
    scene = sim.load(str(annotated))
    os.kill(sim._worlds._process.pid, signal.SIGKILL)
    with pytest.raises(HabitatError, match="failed at 'render'"):
        sim.render(scene, *pose(), CAMERA)
    with pytest.raises(HabitatError, match="cannot be asked any more"):
        sim.snap(scene, np.zeros((1, 3)))
    sim.close()
    # A closed simulator begins anew.
    assert sim.snap(scene, np.array([[1.0, 0.0, 1.0]])).shape == (1, 3)
    sim.close()


def test_a_child_that_hangs(tmp_path):
    slow = "import time\nfrom tests.sim.fake_habitat import *\nSimulator.__init__ = lambda *_: time.sleep(60)"
    module = slow + "\nfrom tests.sim.fake_habitat import __version__"
    sim = HabitatSimulator(python=write_python(tmp_path, module=module), gpu_device_id=-1, timeout_s=0.5)
    with pytest.raises(HabitatError, match="failed at 'open': it gave no answer in time"):
        sim.load(str(write(room(), tmp_path / "room.glb")))
    sim.close()


def test_what_habitat_prints_does_no_harm(tmp_path, annotated):
    module = (
        "import os\nos.write(1, b'[Sim] Simulator.cpp loaded')\nprint('hello')\n"
        "from tests.sim.fake_habitat import *\nfrom tests.sim.fake_habitat import __version__"
    )
    sim = HabitatSimulator(python=write_python(tmp_path, module=module), gpu_device_id=-1)
    assert sim.load(str(annotated)).instances
    sim.close()


def test_an_error_over_there_leaves_the_bridge_open(tmp_path):
    bridge = Bridge(write_python(tmp_path), -1, 4, 60.0)
    assert bridge.versions()["habitat_sim"] == "0.3.3"
    with pytest.raises(HabitatError, match=r"(?s)KeyError.*was not opened.*Traceback"):
        bridge.call("snap", {"name": "x", "position": np.zeros((1, 3))})
    with pytest.raises(HabitatError, match="no method 'exec'"):
        bridge.call("exec", {})
    assert bridge.call("close", {}) == {}
    bridge.close()
    bridge.close()
    assert bridge._process.returncode == 0


@pytest.mark.parametrize("where", ["here", "there"])
def test_environments_run_in_habitat(fake, tmp_path, monkeypatch, where):
    monkeypatch.setenv("VLNENV_HABITAT_GPU", "-1")
    name = "habitat" if where == "here" else f"habitat:{write_python(tmp_path)}"
    settings = {**HOUSES, "observation": "rgbd", "image_size": 32, "max_steps": 5}
    envs = [gym.make("R2RCE-v0", simulator=each, **settings) for each in ("embree", name)]
    depths, infos = [], []
    for env in envs:
        env.reset(options={"episode_id": env.unwrapped.batch.episodes[0].episode_id})
        for action in (1, 2, 1, 1):
            observation, _, _, _, info = env.step(action)
        depths.append(observation["depth"])
        infos.append(info)
    assert (np.abs(depths[0] - depths[1]) < 0.05).mean() > 0.9
    assert infos[1]["path_length"] == pytest.approx(infos[0]["path_length"], abs=0.05)
    assert infos[1]["distance_to_goal"] == pytest.approx(infos[0]["distance_to_goal"], rel=0.03, abs=0.05)
    assert simulator_versions(envs[1].unwrapped.batch.simulator) == {"habitat_sim": "0.3.3"}
    assert simulator_versions(envs[0].unwrapped.batch.simulator) == {}
    assert simulator_name(envs[1].unwrapped.config.simulator) == "habitat"
    for env in envs:
        env.close()


def test_a_simulator_has_to_have_a_name():
    for wrong in ("habitatt", "habitat:", 3):
        with pytest.raises(ValueError, match="no simulator"):
            gym.make("R2RCE-v0", **HOUSES, simulator=wrong)
