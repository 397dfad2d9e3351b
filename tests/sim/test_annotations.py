"""Scans with annotations, written here to their published formats."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.loading import load_scene

# Z-up, as MP3D and HM3D are: a floor of 6 x 4 m, a sofa in the left half, a bed in the right one.
_BOXES = {
    1: ("floor", (6.0, 4.0, 0.1), (3.0, 2.0, -0.25)),
    2: ("sofa", (1.0, 2.0, 0.8), (1.0, 2.0, 0.4)),
    3: ("bed", (2.0, 1.6, 0.6), (4.5, 2.0, 0.3)),
}


def _box(number: int, edge_m: float) -> trimesh.Trimesh:
    _, extents, center = _BOXES[number]
    box = trimesh.creation.box(extents, trimesh.transformations.translation_matrix(center))
    return box.subdivide_to_size(edge_m, max_iter=20)


def _scan(folder: Path, name: str) -> Path:
    """The mesh for the eyes: one node, no names."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = trimesh.util.concatenate([_box(number, 0.6) for number in _BOXES])
    path = folder / name
    trimesh.Scene({"mesh": whole}).export(path)
    return path


def _semantic(edge_m: float = 0.2) -> tuple[trimesh.Trimesh, np.ndarray]:
    parts = {number: _box(number, edge_m) for number in _BOXES}
    label = np.concatenate([np.full(len(part.faces), number) for number, part in parts.items()])
    return trimesh.util.concatenate(list(parts.values())), label


def _write_ply(path: Path, vertices: np.ndarray, faces: np.ndarray, label: np.ndarray) -> None:
    head = (
        f"ply\nformat ascii 1.0\nelement vertex {len(vertices)}\nproperty float x\nproperty float y\n"
        f"property float z\nelement face {len(faces)}\nproperty list uchar int vertex_indices\n"
        "property int object_id\nend_header\n"
    )
    lines = [" ".join(map(str, vertex)) for vertex in vertices.tolist()]
    lines += [
        f"{len(face)} {' '.join(map(str, face))} {n}" for face, n in zip(faces.tolist(), label, strict=True)
    ]
    path.write_text(head + "\n".join(lines) + "\n")


def _mp3d(folder: Path) -> Path:
    path = _scan(folder, "17DRP5sb8fy.glb")
    mesh, label = _semantic()
    _write_ply(folder / "17DRP5sb8fy_semantic.ply", mesh.vertices, mesh.faces, label)
    zeros = "0 0 0 0 0"
    (folder / "17DRP5sb8fy.house").write_text(
        "ASCII 1.1\n"
        f"H 17DRP5sb8fy 17DRP5sb8fy 0 0 0 0 0 4 3 2 0 1 {zeros} 0 0 0 6 4 3 {zeros}\n"
        f"L 0 2 l 0 0 0 0 0 0 6 4 3 {zeros}\n"
        "R 0 0 0 0 l 1.5 2 0 0 0 0 3 4 3 3 0 0 0 0\n"
        "R 1 0 0 0 b 4.5 2 0 3 0 0 6 4 3 3 0 0 0 0\n"
        f"C 0 4 floor 2 floor {zeros}\n"
        f"C 1 28 sectional#sofa 10 sofa {zeros}\n"
        f"C 2 11 bed 11 bed {zeros}\n"
        + "".join(f"O {n} {max(0, n - 2)} {n - 1} 0 0 0 1 0 0 0 1 0 1 1 1 0 0 0 0 0 0 0 0\n" for n in _BOXES)
    )
    return path


def _hm3d(folder: Path) -> Path:
    path = _scan(folder, "TEEsavR23oF.glb")
    mesh, label = _semantic()
    colors = {1: "A0B1C2", 2: "102030", 3: "FF8000"}
    # A texture with a texel an object, as in HM3D; corners are not shared.
    palette = np.array([[list(bytes.fromhex(colors[n])) for n in _BOXES]], dtype=np.uint8)
    u = (np.repeat(label, 3) - 0.5) / len(_BOXES)
    corners = mesh.triangles.reshape(-1, 3)
    split = trimesh.Trimesh(corners, np.arange(len(corners)).reshape(-1, 3), process=False)
    split.visual = trimesh.visual.TextureVisuals(
        np.stack([u, np.full(len(u), 0.5)], axis=1),
        material=trimesh.visual.material.PBRMaterial(baseColorTexture=Image.fromarray(palette)),
    )
    trimesh.Scene({"semantic": split}).export(folder / "TEEsavR23oF.semantic.glb")
    (folder / "TEEsavR23oF.semantic.txt").write_text(
        "HM3D Semantic Annotations\n"
        + "".join(f'{n},{colors[n]},"{_BOXES[n][0]}",{max(0, n - 2)}\n' for n in _BOXES)
    )
    return path


def _replica(folder: Path) -> Path:
    path = _scan(folder, "mesh.ply")
    (folder / "habitat").mkdir()
    # Replica's faces are quads: two triangles of each side of a box in one.
    vertices, quads, label = [], [], []
    for number, (_, extents, center) in _BOXES.items():
        for axis in range(3):
            others = [other for other in range(3) if other != axis]
            for side in (-0.5, 0.5):
                steps = np.linspace(-0.5, 0.5, 21)
                for i in range(20):
                    for j in range(20):
                        quads.append(list(range(len(vertices), len(vertices) + 4)))
                        label.append(number)
                        for a, b in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)):
                            point = np.zeros(3)
                            point[axis], point[others] = side, (steps[a], steps[b])
                            vertices.append(point * extents + center)
    _write_ply(folder / "habitat" / "mesh_semantic.ply", np.array(vertices), np.array(quads), np.array(label))
    classes = [{"id": n, "name": name.replace(" ", "-")} for n, (name, _, _) in _BOXES.items()]
    objects = [{"id": n, "class_id": n} for n in _BOXES]
    (folder / "habitat" / "info_semantic.json").write_text(
        json.dumps({"classes": classes, "objects": objects})
    )
    return path


@pytest.mark.parametrize("write", [_mp3d, _hm3d, _replica])
def test_objects_of_the_annotators_become_instances(write, tmp_path: Path) -> None:
    path = write(tmp_path / "scan")
    for _ in range(2):  # read, then from the cache
        scene = load_scene(path)
        found = {instance.category.split()[-1]: instance for instance in scene.instances}
        assert set(found) - {"object"} == {"floor", "sofa", "bed"}
        for number, (name, extents, center) in _BOXES.items():
            low, high = np.array(found[name].bounds_m)
            x, y, z = center  # Z-up to Y-up
            np.testing.assert_allclose((low + high) / 2, (x, z, -y), atol=0.1, err_msg=name)
            np.testing.assert_allclose(high - low, np.array(extents)[[0, 2, 1]], atol=0.15, err_msg=name)
            if write is not _replica:
                assert found[name].region == max(0, number - 2)


def test_views_show_the_objects(tmp_path: Path) -> None:
    from vlnenv.sim.camera import Camera

    path = _mp3d(tmp_path / "scan")
    simulator = EmbreeSimulator(load_scene=lambda name: load_scene(path, name))
    scene = simulator.load("scan")
    names = {instance.id: instance.category for instance in scene.instances}
    # Between both, looking towards -x and +x.
    position = np.array([[2.6, 0.0, -2.0]] * 2)
    frames = simulator.render(scene, position, np.array([np.pi / 2, -np.pi / 2]), Camera(32, 32, 90.0))
    assert names[int(frames.instance[0, 26, 16])] == "sectional sofa"
    assert names[int(frames.instance[1, 26, 16])] == "bed"


def test_regions_are_in_the_world_frame(tmp_path: Path) -> None:
    scene = load_scene(_mp3d(tmp_path / "scan"))
    living, bed = scene.regions
    assert (living.category, bed.category) == ("living room", "bedroom")
    assert living.bounds_m == ((0.0, 0.0, -4.0), (3.0, 3.0, 0.0))
    assert bed.bounds_m == ((3.0, 0.0, -4.0), (6.0, 3.0, 0.0))


def test_a_changed_annotation_is_read_anew(tmp_path: Path) -> None:
    path = _mp3d(tmp_path / "scan")
    load_scene(path)
    house = path.with_suffix(".house")
    house.write_text(house.read_text().replace("bed 11 bed", "crib 11 bed"))
    assert "crib" in {instance.category for instance in load_scene(path).instances}


@pytest.mark.parametrize(
    ("write", "suffix", "content", "message"),
    [
        (_mp3d, ".house", "ASCII 1.1\nO x\n", "line 2"),
        (_hm3d, ".semantic.txt", "HM3D Semantic Annotations\n1,XYZ\n", "line 2"),
        (_mp3d, "_semantic.ply", "ply\nformat ascii 1.0\n", "object_id"),
    ],
)
def test_damaged_annotations_are_named(write, suffix, content, message, tmp_path: Path) -> None:
    path = write(tmp_path / "scan")
    (path.parent / f"{path.name.split('.')[0]}{suffix}").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_scene(path)
