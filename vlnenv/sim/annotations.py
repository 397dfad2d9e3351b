"""Who annotated a scan, and what they called its surfaces: objects and regions of MP3D, HM3D and Replica.

Scans come as one mesh for the eyes and another, with other triangles, that says which object each piece of
surface belongs to. Labels go from the second to the first by the nearest labelled triangle.

Sources of the formats: Matterport's `data_organization.md` (`.house`, ASCII 1.1), the HM3D semantics README
(`.semantic.txt`, `.semantic.glb`), Replica's README (`info_semantic.json`, `mesh_semantic.ply`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from vlnenv.sim.appearance import read_surface
from vlnenv.sim.scene import Region

REACH_M = 0.25
"""A triangle farther than this from every labelled one belongs to nothing."""

MP3D_REGIONS = {
    "a": "bathroom", "b": "bedroom", "c": "closet", "d": "dining room", "e": "entryway", "f": "family room",
    "g": "garage", "h": "hallway", "i": "library", "j": "laundry room", "k": "kitchen", "l": "living room",
    "m": "meeting room", "n": "lounge", "o": "office", "p": "porch", "r": "game room", "s": "stairs",
    "t": "toilet", "u": "utility room", "v": "tv room", "w": "gym", "x": "outdoor area", "y": "balcony",
    "z": "room", "B": "bar", "C": "classroom", "D": "dining booth", "S": "spa", "Z": "junk",
}  # fmt: skip
"""Matterport's letters for kinds of regions."""


@dataclass(frozen=True, eq=False)
class Annotations:
    """Labelled triangles and what the labels mean, in the axes and units of the scan's own file."""

    center: np.ndarray
    """float64 (n, 3) middles of the labelled triangles."""
    label: np.ndarray
    """int64 (n,) object ids of the file."""
    objects: dict[int, tuple[str, int]]
    """Object id -> (category, region id, -1 where none is known)."""
    regions: tuple[Region, ...] = ()
    """Bounds as in the file."""

    def labels_at(self, points: np.ndarray, reach: float = REACH_M) -> np.ndarray:
        """Object ids int64 (m,) of the labelled triangles nearest to points (m, 3); -1 beyond `reach`."""
        distance, row = cKDTree(self.center).query(points, distance_upper_bound=reach)
        return np.where(np.isfinite(distance), self.label[np.minimum(row, len(self.label) - 1)], -1)


def annotation_files(path: Path) -> list[Path]:
    """The files that annotate a scan, all of them there; empty where it is not annotated."""
    found = _found(path)
    return [] if found is None else [found[0], found[1]]


def read_annotations(path: Path) -> Annotations | None:
    """The annotations that lie beside a scan's mesh; None where there are none.

    Recognised: `X.house` with `X_semantic.ply` beside `X.glb` (MP3D as Habitat ships it), `X.semantic.txt`
    with `X.semantic.glb` beside `X.glb` or `X.basis.glb` (HM3D), `habitat/info_semantic.json` with
    `habitat/mesh_semantic.ply` beside `mesh.ply` (Replica).

    Raises:
        ValueError: If one of the files is damaged; names the file and the line or field.
    """
    found = _found(path)
    if found is None:
        return None
    table, mesh, read = found
    return read(table, mesh)


def _found(path: Path) -> tuple[Path, Path, Callable[[Path, Path], Annotations]] | None:
    """The table and the mesh that annotate a scan, and who reads them."""
    stem = path.name.split(".")[0]
    replica = path.parent if path.parent.name == "habitat" else path.parent / "habitat"
    candidates: list[tuple[Path, Path, Callable[[Path, Path], Annotations]]] = [
        (path.with_name(f"{stem}.house"), path.with_name(f"{stem}_semantic.ply"), _read_mp3d),
        (path.with_name(f"{stem}.semantic.txt"), path.with_name(f"{stem}.semantic.glb"), _read_hm3d),
        (replica / "info_semantic.json", replica / "mesh_semantic.ply", _read_replica),
    ]
    for table, mesh, read in candidates:
        if table.is_file() and mesh.is_file() and path.name != mesh.name:
            return table, mesh, read
    return None


def _read_mp3d(house: Path, mesh: Path) -> Annotations:
    categories: dict[int, str] = {}
    objects: dict[int, tuple[int, int]] = {}
    regions = []
    for number, line in enumerate(house.read_text().splitlines(), start=1):
        words = line.split()
        try:
            if words[:1] == ["C"]:
                # The mapping's own name ("dining#table") says more than the 40 classes do.
                categories[int(words[1])] = words[3].replace("#", " ").lower()
            elif words[:1] == ["O"]:
                objects[int(words[1])] = (int(words[3]), int(words[2]))
            elif words[:1] == ["R"]:
                low, high = _vector(words[9:12]), _vector(words[12:15])
                kind = MP3D_REGIONS.get(words[5], "room")
                regions.append(Region(int(words[1]), kind, int(words[2]), (low, high)))
        except (IndexError, ValueError) as error:
            raise ValueError(
                f"{house}, line {number}: expected Matterport's ASCII 1.1, got {line!r}"
            ) from error
    named = {
        number: (categories.get(category, "object"), region) for number, (category, region) in objects.items()
    }
    return Annotations(*_labelled_ply(mesh), named, tuple(regions))


def _read_hm3d(table: Path, mesh: Path) -> Annotations:
    objects: dict[int, tuple[str, int]] = {}
    by_color: dict[int, int] = {}
    for number, line in enumerate(table.read_text().splitlines(), start=1):
        if number == 1 or not line.strip():
            continue  # "HM3D Semantic Annotations"
        try:
            head, region = line.rsplit(",", 1)
            identifier, color, name = head.split(",", 2)
            objects[int(identifier)] = (name.strip().strip('"').lower(), int(region))
            by_color[int(color, 16)] = int(identifier)
        except ValueError as error:
            raise ValueError(
                f"{table}, line {number}: expected 'id,RRGGBB,\"category\",region', got {line!r}"
            ) from error
    centers, colors = _painted_glb(mesh)
    packed = colors.astype(np.int64) @ np.array([65536, 256, 1])
    known, place = np.unique(packed, return_inverse=True)
    labels = np.array([by_color.get(int(color), -1) for color in known], dtype=np.int64)[place.reshape(-1)]
    return Annotations(centers[labels >= 0], labels[labels >= 0], objects)


def _read_replica(table: Path, mesh: Path) -> Annotations:
    try:
        info = json.loads(table.read_text())
        classes = {int(each["id"]): str(each["name"]) for each in info["classes"]}
        objects = {
            int(each["id"]): (classes.get(int(each["class_id"]), "object").replace("-", " ").lower(), -1)
            for each in info["objects"]
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{table}: expected Replica's classes and objects ({error!r})") from error
    return Annotations(*_labelled_ply(mesh), objects)


def _labelled_ply(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Middles (n, 3) and `object_id` (n,) of a PLY file's faces, whatever their number of corners."""
    from plyfile import PlyData, PlyParseError

    try:
        file = PlyData.read(path)
        names = [each.name for each in file["face"].properties]
        corners = file["face"]["vertex_indices" if "vertex_indices" in names else "vertex_index"]
        label = np.asarray(file["face"]["object_id"], dtype=np.int64)
        vertices = np.stack([np.asarray(file["vertex"][axis], dtype=np.float64) for axis in "xyz"], axis=1)
        counts = np.array([len(each) for each in corners])
        sums = np.add.reduceat(vertices[np.concatenate(corners)], np.cumsum(counts) - counts)
        return sums / counts[:, None], label
    except (PlyParseError, KeyError, IndexError, ValueError) as error:
        raise ValueError(
            f"{path}: expected a PLY mesh whose faces have an 'object_id' each ({error})"
        ) from error


def _painted_glb(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Middles (n, 3) and texture colours (n, 3) uint8 of a GLB file's triangles; black without texture."""
    import trimesh

    centers, colors = [], []
    loaded: Any = trimesh.load_scene(path, process=False)
    for node in loaded.graph.nodes_geometry:
        transform, name = loaded.graph[node]
        surface = read_surface(loaded.geometry[name], str(path), is_linear=True)
        corners = (surface.vertices @ transform[:3, :3].T + transform[:3, 3])[surface.faces]
        centers.append(corners.mean(axis=1))
        color = np.zeros((len(corners), 3), dtype=np.uint8)
        if surface.corner_uv is not None:
            uv = surface.corner_uv.mean(axis=1)
            for number, material in enumerate(surface.materials):
                if material.texture is None:
                    continue
                rows = surface.face_material == number
                height, width = material.texture.shape[:2]
                column = (np.mod(uv[rows, 0], 1.0) * width).astype(int)
                line = (np.mod(1.0 - uv[rows, 1], 1.0) * height).astype(int)
                color[rows] = material.texture[line, column]
        colors.append(color)
    return np.concatenate(centers), np.concatenate(colors)


def _vector(words: list[str]) -> tuple[float, float, float]:
    x, y, z = (float(word) for word in words)
    return x, y, z
