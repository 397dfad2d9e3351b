from __future__ import annotations

import json

import numpy as np
import pytest

from vlnenv.houses import house_of, load_scene, write_glb, write_house
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.loading import load_scene as load_file
from vlnenv.sim.scene import Instance, Material, Scene

HOUSE = "houses/train/0003"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
def test_a_written_house_is_the_same_house(tmp_path):
    """Names, boxes, depth and colours survive the file."""
    scene, house = load_scene(HOUSE), house_of(HOUSE)
    path = write_house(HOUSE, tmp_path)
    loaded = load_file(path, up="y")
    expected = {each.name: each for each in scene.instances}
    assert {each.name for each in loaded.instances} == set(expected)
    for each in loaded.instances:
        ours = expected[each.name]
        np.testing.assert_allclose(each.bounds_m, ours.bounds_m, atol=1e-4)
        assert (each.category, each.color) == (ours.category, ours.color)
    assert len(loaded.faces) == len(scene.faces)
    assert len(loaded.materials) == len(scene.materials)

    middles = np.array(
        [
            [(r.inner.x0 + r.inner.x1) / 200, r.floor_cm / 100, (r.inner.z0 + r.inner.z1) / 200]
            for r in house.rooms
        ]
    )
    headings = np.linspace(0.0, 5.0, len(middles))
    camera = Camera(64, 64, 90.0, max_depth_m=20.0)
    ours, theirs = (
        EmbreeSimulator(load_scene=lambda _, which=which: which).render(
            which, middles, headings, camera, ("rgb", "depth", "instance")
        )
        for which in (scene, loaded)
    )
    np.testing.assert_allclose(ours.depth, theirs.depth, atol=1e-3)
    number = {each.name: each.id for each in scene.instances}
    to_ours = np.zeros(len(number) + 1, dtype=int)
    to_ours[[each.id for each in loaded.instances]] = [number[each.name] for each in loaded.instances]
    same = ours.instance == to_ours[theirs.instance]
    assert same.mean() > 0.999
    difference = np.abs(ours.rgb[same].astype(int) - theirs.rgb[same].astype(int))
    assert difference.mean() < 0.5
    assert (difference <= 3).mean() > 0.995


def test_a_written_house_has_a_card_and_a_stage(tmp_path):
    path = write_house(HOUSE, tmp_path)
    assert path == tmp_path / "houses_train_0003.glb"
    card = json.loads((tmp_path / "houses_train_0003.card.json").read_text())
    house, scene = house_of(HOUSE), load_scene(HOUSE)
    assert card["scene_id"] == HOUSE
    assert card["hash"] == scene.key
    assert card["triangles"] == len(scene.faces)
    assert [room["name"] for room in card["rooms"]] == [room.name for room in house.rooms]
    assert card["pieces"] == len(house.furniture) == sum(card["categories"].values())
    assert all(verdict == {"score": 1.0, "complaints": []} for verdict in card["critics"].values())
    stage = json.loads((tmp_path / "houses_train_0003.stage_config.json").read_text())
    assert (tmp_path / stage["render_asset"]).is_file()
    assert stage["up"] == [0.0, 1.0, 0.0]


def test_glb_follows_the_standard(tmp_path):
    """A node per instance, a primitive per material of it; accessors lie inside their views."""
    scene = load_scene(HOUSE)
    write_glb(scene, tmp_path / "house.glb")
    content = (tmp_path / "house.glb").read_bytes()
    assert content[:4] == b"glTF"
    assert int.from_bytes(content[8:12], "little") == len(content)
    length = int.from_bytes(content[12:16], "little")
    tree = json.loads(content[20 : 20 + length])
    assert [node["name"] for node in tree["nodes"]] == [each.name for each in scene.instances]
    pairs = set(zip(scene.face_instance.tolist(), scene.face_material.tolist(), strict=True))
    assert sum(len(mesh["primitives"]) for mesh in tree["meshes"]) == len(pairs)
    size = {5126: 4, 5123: 2, 5125: 4}
    width = {"VEC2": 2, "VEC3": 3, "VEC4": 4, "SCALAR": 1}
    for accessor in tree["accessors"]:
        stride = size[accessor["componentType"]] * width[accessor["type"]]
        assert accessor["byteOffset"] % 4 == stride % 4 == 0
        end = accessor["byteOffset"] + stride * accessor["count"]
        assert end <= tree["bufferViews"][accessor["bufferView"]]["byteLength"]
    last = tree["bufferViews"][-1]
    assert last["byteOffset"] + last["byteLength"] <= tree["buffers"][0]["byteLength"]


@pytest.mark.usefixtures("cache")
def test_a_scene_without_textures_can_be_written(tmp_path):
    corners = np.array([[0, 0, 0], [2, 0, 0], [2, 0, 2], [0, 0, 2]], dtype=np.float32)
    scene = Scene(
        "plain",
        corners,
        np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32),
        np.array([1, 1], dtype=np.int32),
        np.array([0, 0], dtype=np.int32),
        None,
        None,
        (Material((0.5, 0.25, 0.125)),),
        (Instance(1, "floor_1", "floor"),),
    )
    write_glb(scene, tmp_path / "plain.glb")
    loaded = load_file(tmp_path / "plain.glb", up="y")
    assert [each.name for each in loaded.instances] == ["floor_1"]
    np.testing.assert_allclose(loaded.materials[0].base_color, (0.5, 0.25, 0.125), atol=0.01)
    with pytest.raises(ValueError, match=r"\.glb"):
        write_glb(scene, tmp_path / "plain.obj")
