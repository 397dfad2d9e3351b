import json
import pickle
import warnings

import numpy as np
import pytest
import trimesh
from PIL import Image

from tests.shared_data import shared_data
from tests.sim.rooms import box, checker_image, room, write
from vlnenv.sim import loading
from vlnenv.sim.axes import guess_up, to_world
from vlnenv.sim.loading import load_scene
from vlnenv.sim.naming import category, unique_names, walkable_hint


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SofaC_01_001__SofaC__0", "sofa"),
        ("aws_robomaker_residential_KitchenTable_01", "kitchen table"),
        ("TVCabinet_01_001__TVCabinet__0", "tv cabinet"),
        ("TV_02", "tv"),
        ("coffee_table_2", "coffee table"),
        ("Cube.002", "cube"),
        ("FLOOR", "floor"),
        ("geometry_17", "object"),
        ("12", "object"),
        ("", "object"),
    ],
)
def test_category_of_a_name(name, expected):
    assert category(name) == expected


def test_names_become_unique():
    assert unique_names(["a", "b", "a", "a_2", "", ""]) == ["a", "b", "a_2", "a_2_2", "object", "object_2"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("floor", 1), ("carpet", 1), ("bath mat", 1), ("stairs", 1), ("floor lamp", -1), ("house wall", -1),
     ("windows", -1), ("object", 0), ("cube", 0), ("", 0)],
)  # fmt: skip
def test_walkable_hint(name, hint):
    assert walkable_hint(name) == hint


def test_flat_has_named_objects_upright():
    scene = load_scene(shared_data("scenes/aws_small_house.glb"))
    assert len(scene.instances) == len({i.name for i in scene.instances}) == 108
    assert {i.category for i in scene.instances} >= {
        "sofa",
        "kitchen table",
        "refrigerator",
        "tv",
        "bed",
        "floor",
    }
    np.testing.assert_allclose(scene.bounds_m, [[-9.51, -0.1, -5.7], [9.5, 3.0, 7.5]], atol=0.01)
    floor = next(i for i in scene.instances if i.category == "floor")
    assert abs(floor.bounds_m[1][1]) < 0.05
    assert sum(m.texture is not None for m in scene.materials) >= 60
    assert len(scene.faces) > 145_000


@pytest.mark.parametrize(("name", "height"), [("simple_room", 2.2), ("stage_floor1", 1.9)])
def test_small_shared_scenes_are_upright(name, height):
    low, high = load_scene(shared_data(f"scenes/{name}.glb")).bounds_m
    assert high[1] - low[1] == pytest.approx(height, abs=0.1)


@pytest.mark.parametrize("suffix", [".glb", ".ply", ".obj"])
@pytest.mark.parametrize("up", ["y", "z"])
@pytest.mark.parametrize("shape", [{}, {"named": False}, {"width": 8.0, "ceiling": False, "named": False}])
def test_up_axis_is_found(tmp_path, suffix, up, shape):
    mesh = room(up, **shape)
    if suffix == ".ply":
        mesh = mesh.to_geometry()
    scene = load_scene(write(mesh, tmp_path / f"room{suffix}"))
    expected = load_scene(write(mesh, tmp_path / f"other{suffix}"), up=up)
    np.testing.assert_array_equal(scene.vertices_m, expected.vertices_m)
    low = expected.bounds_m[0]
    assert low[1] == pytest.approx(-0.1)
    assert low[2] == pytest.approx(-0.1)  # Not mirrored: the room's depth runs towards +z in the world.


def test_up_axis_of_a_cube_is_the_default():
    cube = trimesh.creation.box()
    assert guess_up(cube.vertices, cube.faces, default="y") == "y"
    assert guess_up(cube.vertices, cube.faces, default="z") == "z"
    assert guess_up(cube.vertices[:0], cube.faces[:0], default="z") == "z"


def test_z_up_to_world_is_a_rotation():
    basis = to_world(np.eye(3), "z")
    np.testing.assert_array_equal(basis, [[1, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert np.linalg.det(basis) == pytest.approx(1.0)


def test_nodes_become_instances_with_boxes(tmp_path):
    scene = load_scene(write(room(), tmp_path / "room.glb"), scene_id="here")
    assert scene.id == "here"
    table = next(i for i in scene.instances if i.name == "CoffeeTable_01")
    assert table.category == "coffee table"
    np.testing.assert_allclose(table.bounds_m, [[1.9, 0.0, 1.7], [3.1, 0.4, 2.3]], atol=1e-6)
    own = scene.vertices_m[scene.faces[scene.face_instance == table.id]]
    np.testing.assert_allclose([own.min(axis=(0, 1)), own.max(axis=(0, 1))], table.bounds_m)


def test_a_moved_and_a_repeated_node(tmp_path):
    mesh = trimesh.Scene()
    mesh.add_geometry(box([1, 1, 1], [0, 0, 0]), node_name="a", geom_name="cube")
    mesh.graph.update("b", matrix=trimesh.transformations.translation_matrix([5, 0, 0]), geometry="cube")
    scene = load_scene(write(mesh, tmp_path / "two.glb"), up="y")
    boxes = {i.name: i.bounds_m for i in scene.instances}
    np.testing.assert_allclose(boxes["b"], np.add(boxes["a"], [5, 0, 0]))


def test_scale(tmp_path):
    path = write(room(), tmp_path / "room.glb")
    np.testing.assert_allclose(
        load_scene(path, scale=0.01).vertices_m, load_scene(path).vertices_m * 0.01, rtol=1e-5
    )
    for scale in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="scale"):
            load_scene(path, scale=scale)
    with pytest.raises(ValueError, match="up must be"):
        load_scene(path, up="x")


def test_textures_and_colours_survive(tmp_path):
    scene = load_scene(write(room(), tmp_path / "room.glb"))
    texture = next(m.texture for m in scene.materials if m.texture is not None and len(m.texture) == 64)
    np.testing.assert_array_equal(texture, np.asarray(checker_image()))
    table = next(i.id for i in scene.instances if i.category == "coffee table")
    material = scene.materials[scene.face_material[scene.face_instance == table][0]]
    np.testing.assert_allclose(material.base_color, np.array([120, 80, 40]) / 255, atol=1 / 255)
    lamp = next(i.id for i in scene.instances if i.category == "lamp")
    assert scene.corner_rgb is not None
    # Colours in glTF are linear, here they are sRGB.
    assert (scene.corner_rgb[scene.face_instance == lamp].min(axis=(0, 1)) > [250, 240, 150]).all()
    assert (scene.corner_rgb[scene.face_instance == table] == 255).all()


def test_equal_textures_are_held_once(tmp_path):
    mesh = trimesh.Scene()
    for number in range(5):
        mesh.add_geometry(
            box([1, 1, 1], [2 * number, 0, 0], image=checker_image()), node_name=f"box_{number}"
        )
    scene = load_scene(write(mesh, tmp_path / "boxes.glb"))
    assert len(scene.materials) == 1
    assert len(scene.instances) == 5


def test_hundreds_of_textures(tmp_path):
    mesh = trimesh.Scene()
    for number in range(300):
        image = Image.new("RGB", (4, 4), (number % 256, number // 256, 7))
        mesh.add_geometry(box([1, 1, 1], [2 * number, 0, 0], image=image), node_name=f"box_{number}")
    scene = load_scene(write(mesh, tmp_path / "boxes.glb"))
    for number in (0, 299):
        own = next(i.id for i in scene.instances if i.name == f"box_{number}")
        texture = scene.materials[scene.face_material[scene.face_instance == own][0]].texture
        assert tuple(texture[0, 0]) == (number % 256, number // 256, 7)


def test_ply_round_trip_with_vertex_colours(tmp_path):
    mesh = trimesh.creation.icosphere(subdivisions=2)
    mesh.visual.vertex_colors = np.random.default_rng(0).integers(
        0, 256, (len(mesh.vertices), 4), dtype=np.uint8
    )
    scene = load_scene(write(mesh, tmp_path / "ball_3.ply"), up="y")
    assert [i.category for i in scene.instances] == ["ball"]
    np.testing.assert_allclose(scene.vertices_m[scene.faces], mesh.triangles, atol=1e-6)
    np.testing.assert_array_equal(scene.corner_rgb, mesh.visual.vertex_colors[mesh.faces][..., :3])


def test_obj_with_objects_materials_and_texture(tmp_path):
    checker_image(8).save(tmp_path / "checker.png")
    (tmp_path / "looks.mtl").write_text(
        "newmtl red\nKd 1 0 0\nnewmtl pattern\nKd 1 1 1\nmap_Kd checker.png\n"
    )
    (tmp_path / "things.obj").write_text(
        "mtllib looks.mtl\n"
        "v 0 0 0\nv 1 0 0\nv 1 0 1\nv 0 0 1\nv 0 1 0\nv 1 1 0\nv 1 1 1\nv 0 1 1\n"
        "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
        "o floor\nusemtl pattern\nf 1/1 2/2 3/3 4/4\no table_2\nusemtl red\nf 5 6 7 8\n"
    )
    scene = load_scene(tmp_path / "things.obj", up="y")
    assert sorted(i.category for i in scene.instances) == ["floor", "table"]
    assert len(scene.faces) == 4
    by_category = {i.category: i.id for i in scene.instances}
    materials = {
        name: scene.materials[scene.face_material[scene.face_instance == number][0]]
        for name, number in by_category.items()
    }
    assert materials["table"].base_color == (1.0, 0.0, 0.0)
    np.testing.assert_array_equal(materials["floor"].texture, np.asarray(checker_image(8)))
    before = scene.key
    checker_image(16).save(tmp_path / "checker.png")
    assert load_scene(tmp_path / "things.obj", up="y").key != before


def test_gltf_with_files_beside_it(tmp_path):
    for name, content in room().export(file_type="gltf").items():
        (tmp_path / name).write_bytes(content)
    scene = load_scene(tmp_path / "model.gltf")
    expected = load_scene(write(room(), tmp_path / "room.glb"))
    assert scene.bounds_m == pytest.approx(expected.bounds_m)
    assert [i.name for i in scene.instances] == [i.name for i in expected.instances]
    buffers = json.loads((tmp_path / "model.gltf").read_text())["buffers"]
    (tmp_path / buffers[0]["uri"]).unlink()
    with pytest.raises(ValueError, match=r"model\.gltf"):
        load_scene(tmp_path / "model.gltf")


def test_a_node_of_several_primitives_is_one_instance(tmp_path):
    files = room().export(file_type="gltf")
    tree = json.loads(files["model.gltf"])
    by_name = {node["name"]: node for node in tree["nodes"]}
    table, lamp = by_name["CoffeeTable_01"], by_name["lamp"]
    tree["meshes"][table["mesh"]]["primitives"] += tree["meshes"][lamp.pop("mesh")]["primitives"]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "model.gltf").write_text(json.dumps(tree))
    scene = load_scene(tmp_path / "model.gltf")
    names = [i.name for i in scene.instances]
    assert sorted(names) == sorted(set(by_name) - {"lamp"})
    joined = next(i for i in scene.instances if i.name == "CoffeeTable_01")
    assert joined.bounds_m[1][1] == pytest.approx(2.0, abs=0.01)
    assert len(np.unique(scene.face_material[scene.face_instance == joined.id])) == 2


def write_ply(path, vertices, faces):
    lines = [
        "ply", "format ascii 1.0", f"element vertex {len(vertices)}",
        "property float x", "property float y", "property float z",
        f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header",
    ]  # fmt: skip
    lines += [" ".join(map(str, vertex)) for vertex in vertices]
    lines += ["3 " + " ".join(map(str, face)) for face in faces]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_stray_unused_vertex_and_degenerate_faces_go(tmp_path):
    vertices = [[0, 0, 0], [4, 0, 0], [0, 0, 3], [1e6, 1e6, 1e6], [2, 0, 0]]
    scene = load_scene(write_ply(tmp_path / "a.ply", vertices, [[0, 1, 2], [0, 0, 1], [0, 4, 1]]), up="y")
    assert len(scene.faces) == 1
    np.testing.assert_array_equal(scene.bounds_m, [[0, 0, 0], [4, 0, 3]])


def test_faces_with_nan_or_absurdly_far_corners_go_with_a_warning(tmp_path):
    ball = trimesh.creation.icosphere(subdivisions=3)
    vertices = [*ball.vertices.tolist(), ["nan", 0, 0], [1e7, 0, 0]]
    n = len(ball.vertices)
    with pytest.warns(UserWarning, match=r"dropped 1 faces") as caught:
        scene = load_scene(
            write_ply(tmp_path / "b.ply", vertices, [*ball.faces.tolist(), [0, 1, n], [0, 2, n + 1]])
        )
    assert len(caught) == 2
    assert len(scene.faces) == len(ball.faces)
    assert np.isfinite(scene.vertices_m).all()


def test_a_mesh_with_holes_and_without_normals_loads(tmp_path):
    mesh = room().to_geometry()
    mesh.update_faces(np.arange(len(mesh.faces)) % 3 != 0)
    path = tmp_path / "holes.ply"
    path.write_bytes(trimesh.exchange.ply.export_ply(mesh, vertex_normal=False))
    assert len(load_scene(path).faces) == len(mesh.faces)


def test_missing_and_unknown_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.glb"):
        load_scene(tmp_path / "nowhere.glb")
    (tmp_path / "scene.xyz").write_text("")
    with pytest.raises(ValueError, match=r"\.xyz.*\.glb, \.gltf, \.ply, \.obj"):
        load_scene(tmp_path / "scene.xyz")


@pytest.mark.parametrize("kept", [0, 5, 12, 100, 3000, -1])
def test_truncated_glb_names_the_file(tmp_path, kept):
    path = write(room(), tmp_path / "room.glb")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"cannot read .*room\.glb"):
        load_scene(path)


def test_the_header_is_read_whatever_the_case_of_the_ending(tmp_path):
    path = write(room(), tmp_path / "room.glb").rename(tmp_path / "ROOM.GLB")
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match=r"cannot read .*ROOM\.GLB: truncated: 3000 of \d+ bytes"):
        load_scene(path)


def test_corrupt_files_name_the_file(tmp_path):
    path = write(room(), tmp_path / "room.glb")
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"room\.glb"):
        load_scene(path)
    path = write(trimesh.creation.icosphere(), tmp_path / "ball.ply")
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"ball\.ply"):
        load_scene(path)
    for name, text in (("empty.obj", ""), ("points.obj", "v 0 0 0\nv 1 1 1\n"), ("empty.gltf", "{}")):
        (tmp_path / name).write_text(text)
        with pytest.raises(ValueError, match=name):
            load_scene(tmp_path / name)


def same(one, other):
    assert (one.id, one.key, one.instances) == (other.id, other.key, other.instances)
    for name in ("vertices_m", "faces", "face_instance", "face_material", "corner_uv", "corner_rgb"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one.materials, other.materials, strict=True):
        assert a.base_color == b.base_color
        np.testing.assert_array_equal(a.texture, b.texture)


def test_scene_comes_back_from_the_cache(tmp_path, monkeypatch):
    path = write(room(), tmp_path / "room.glb")
    scene = load_scene(path)
    monkeypatch.setattr(loading, "_read", None)
    same(load_scene(path), scene)
    same(pickle.loads(pickle.dumps(scene)), scene)
    monkeypatch.undo()


@pytest.mark.parametrize("damage", ["truncated", "empty", "other arrays"])
def test_damaged_cache_is_made_again(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path / "cache"))
    path = write(room(), tmp_path / "room.glb")
    scene = load_scene(path)
    (cached,) = (tmp_path / "cache").rglob("*.npz")
    if damage == "other arrays":
        np.savez(cached, vertices_m=np.zeros(3))
    else:
        cached.write_bytes(cached.read_bytes()[: 1000 if damage == "truncated" else 0])
    with pytest.warns(UserWarning, match="made again"):
        same(load_scene(path), scene)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(load_scene(path), scene)


def test_options_and_content_make_the_key(tmp_path):
    path = write(room(), tmp_path / "room.glb")
    keys = [load_scene(path).key, load_scene(path, scale=2.0).key, load_scene(path, up="z").key]
    write(room(width=6.0), path)
    keys.append(load_scene(path).key)
    assert len(set(keys)) == 4
