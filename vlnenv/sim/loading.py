"""Scenes from files: GLB, glTF, PLY and OBJ become one `Scene` in the world frame.

The result is kept on disk as flat arrays. Embree cannot store its search tree (it has no serialisation), so
what the disk holds is everything that goes into it, and the tree is built anew in each process: 0.16 s for
the 145,840 triangles of a furnished flat, 0.8 s for a scan of 0.9 million (one core).
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np

from vlnenv.cache import cache_dir, load_arrays, save_arrays
from vlnenv.sim import axes, naming
from vlnenv.sim.annotations import Annotations, annotation_files, read_annotations
from vlnenv.sim.appearance import Surface, read_surface
from vlnenv.sim.scene import Instance, Material, Region, Scene
from vlnenv.sim.scene_headers import scene_problem

VERSION = 3
"""Grows with every change of what `load_scene` makes of a file, so that no stale cache file is read."""

SUFFIXES = (".glb", ".gltf", ".ply", ".obj")
"""Formats that are read."""


def load_scene(path: str | Path, scene_id: str | None = None, up: str = "auto", scale: float = 1.0) -> Scene:
    """The scene of a GLB, glTF, PLY or OBJ file.

    Nodes with geometry become instances: the node's name (made unique) and the class that the name says
    (`naming.category`), or its class and colour where the node's glTF `extras` say "category" and "color", as
    those of exported houses do. Where a scan's annotations lie beside it (MP3D, HM3D, Replica; see
    `annotations.read_annotations`) its objects are the instances instead, and its regions are there.
    Vertices that no face uses, faces without area and, with a warning, faces with non-finite or absurdly far
    corners are dropped.

    Args:
        path: The file.
        scene_id: Name of the scene; the file's name by default.
        up: The file's up axis, "y" or "z"; "auto" judges by `axes.guess_up`, because files break their
            formats' conventions (glTF is Y-up by its specification, many scans in it are not).
        scale: Metres per unit of the file.

    Returns:
        The scene, from the disk cache where the same file was loaded with the same options before.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the format is not known, the file is truncated, damaged or holds no triangles.
    """
    path = Path(path)
    if up not in ("auto", "y", "z"):
        raise ValueError(f"up must be 'auto', 'y' or 'z', got {up!r}")
    if not (np.isfinite(scale) and scale > 0.0):
        raise ValueError(f"scale must be a positive number of metres per unit, got {scale}")
    if not path.is_file():
        raise FileNotFoundError(f"no scene file at {path.absolute()}")
    if path.suffix.lower() not in SUFFIXES:
        raise ValueError(
            f"cannot read {path}: format {path.suffix or '(none)'!r} is not one of {', '.join(SUFFIXES)}"
        )
    key = _content_key(path, up, scale)
    cached = cache_dir() / "scenes" / f"{path.stem}-v{VERSION}-{key}.npz"
    scene_id = path.name if scene_id is None else scene_id
    arrays = load_arrays(cached)
    if arrays is not None:
        try:
            return scene_from_arrays(arrays, scene_id, key)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            warnings.warn(f"the cache file {cached} is damaged and will be made again: {error}", stacklevel=2)
    scene = _read(path, scene_id, key, up, scale)
    save_arrays(cached, scene_to_arrays(scene))
    return scene


def scene_to_arrays(scene: Scene) -> dict[str, np.ndarray]:
    """All of an unedited scene but its id and key as named arrays without Python objects."""
    arrays: dict[str, np.ndarray] = {
        "vertices_m": scene.vertices_m,
        "faces": scene.faces,
        "face_instance": scene.face_instance,
        "face_material": scene.face_material,
        "base_color": np.array([m.base_color for m in scene.materials], dtype=np.float64).reshape(-1, 3),
        "instances": np.frombuffer(
            json.dumps(
                [[i.id, i.name, i.category, i.color, i.bounds_m, i.region] for i in scene.instances]
            ).encode(),
            dtype=np.uint8,
        ),
        "regions": np.frombuffer(
            json.dumps([[r.id, r.category, r.level, r.bounds_m] for r in scene.regions]).encode(),
            dtype=np.uint8,
        ),
    }
    if scene.corner_uv is not None:
        arrays["corner_uv"] = scene.corner_uv
    if scene.corner_rgb is not None:
        arrays["corner_rgb"] = scene.corner_rgb
    stored: dict[int, int] = {}
    texture_of_material = np.full(len(scene.materials), -1, dtype=np.int32)
    for index, material in enumerate(scene.materials):
        if material.texture is not None:
            number = stored.setdefault(id(material.texture), len(stored))
            texture_of_material[index] = number
            arrays[f"texture_{number}"] = material.texture
    arrays["texture_of_material"] = texture_of_material
    return arrays


def scene_from_arrays(arrays: dict[str, np.ndarray], scene_id: str, key: str) -> Scene:
    """The scene that `scene_to_arrays` took apart.

    Raises:
        KeyError, ValueError, IndexError: If arrays are missing or do not fit together.
    """
    materials = tuple(
        Material((float(r), float(g), float(b)), arrays[f"texture_{number}"] if number >= 0 else None)
        for (r, g, b), number in zip(arrays["base_color"], arrays["texture_of_material"], strict=True)
    )
    instances = tuple(
        Instance(number, name, category, color, (tuple(bounds[0]), tuple(bounds[1])), region)
        for number, name, category, color, bounds, region in json.loads(arrays["instances"].tobytes())
    )
    regions = tuple(
        Region(number, category, level, (tuple(bounds[0]), tuple(bounds[1])))
        for number, category, level, bounds in json.loads(arrays["regions"].tobytes())
    )
    faces = arrays["faces"]
    for name in ("face_instance", "face_material"):
        if len(arrays[name]) != len(faces):
            raise ValueError(f"{len(faces)} faces but {len(arrays[name])} rows of {name}")
    return Scene(
        id=scene_id,
        vertices_m=arrays["vertices_m"],
        faces=faces,
        face_instance=arrays["face_instance"],
        face_material=arrays["face_material"],
        corner_uv=arrays.get("corner_uv"),
        corner_rgb=arrays.get("corner_rgb"),
        materials=materials,
        instances=instances,
        regions=regions,
        key=key,
    )


def _read(path: Path, scene_id: str, key: str, up: str, scale: float) -> Scene:
    parts = _read_parts(path)
    names = list(dict.fromkeys(name for name, _, _ in parts))
    facts = _node_facts(path)
    categories = [facts.get(name, {}).get("category") or naming.category(name) for name in names]
    number = {name: index + 1 for index, name in enumerate(names)}
    counts = [len(surface.faces) for _, _, surface in parts]
    offsets = np.cumsum([0] + [len(surface.vertices) for _, _, surface in parts])
    # Nodes may be scaled by any factor: overflow becomes inf, and such faces are dropped below.
    vertices = np.concatenate([surface.vertices @ T[:3, :3].T + T[:3, 3] for _, T, surface in parts]) * scale
    faces = np.concatenate([surface.faces + offsets[i] for i, (_, _, surface) in enumerate(parts)])
    face_instance = np.repeat(np.array([number[name] for name, _, _ in parts], dtype=np.int32), counts)
    materials, face_material = _merge_materials([surface for _, _, surface in parts])
    annotations = read_annotations(path)
    region_of: dict[str, int] = {}
    if annotations is not None:
        face_instance, names, categories, region_of = _annotated(annotations, vertices[faces] / scale)

    kept = _sound_faces(vertices, faces, path)
    if not kept.any():
        raise ValueError(f"{path} holds no triangles (points or lines alone make no scene)")
    if up == "auto":
        flat = np.isin(face_instance[kept], [i + 1 for i, c in enumerate(categories) if _is_flat(c)])
        default = "z" if path.suffix.lower() == ".ply" else "y"
        up = axes.guess_up(vertices, faces[kept], flat, default)
    used, faces = np.unique(faces[kept], return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    vertices = np.ascontiguousarray(axes.to_world(vertices[used], up), dtype=np.float32)
    face_instance = face_instance[kept]
    instances = []
    order = np.argsort(face_instance, kind="stable")
    starts = np.searchsorted(face_instance[order], np.arange(1, len(names) + 2))
    for i, name in enumerate(names):
        own = vertices[faces[order[starts[i] : starts[i + 1]]].reshape(-1)]
        if len(own):
            low, high = own.min(axis=0).tolist(), own.max(axis=0).tolist()
            bounds = (tuple(low), tuple(high))
            color = facts.get(name, {}).get("color", "")
            instances.append(Instance(i + 1, name, categories[i], color, bounds, region_of.get(name, -1)))
    surfaces = [surface for _, _, surface in parts]
    return Scene(
        id=scene_id,
        vertices_m=vertices,
        faces=faces,
        face_instance=face_instance,
        face_material=face_material[kept],
        corner_uv=_corners([s.corner_uv for s in surfaces], counts, kept, (3, 2), np.float32, 0),
        corner_rgb=_corners([s.corner_rgb for s in surfaces], counts, kept, (3, 3), np.uint8, 255),
        materials=materials,
        instances=tuple(instances),
        regions=() if annotations is None else tuple(_in_world(r, up, scale) for r in annotations.regions),
        key=key,
    )


def _annotated(
    annotations: Annotations, corners: np.ndarray
) -> tuple[np.ndarray, list[str], list[str], dict[str, int]]:
    """Instance of each face (f, 3, 3) in the file's axes; names, categories, and region of each name.

    Faces that no annotated object is near belong to the last instance, "unlabelled".
    """
    label = annotations.labels_at(np.nan_to_num(corners.mean(axis=1)))
    label = np.where(np.isin(label, list(annotations.objects)), label, -1)
    present = [int(each) for each in np.unique(label) if each >= 0]
    names, categories, region_of = [], [], {}
    for each in present:
        category, region = annotations.objects[each]
        names.append(f"{category.replace(' ', '_')}_{each}")
        categories.append(category)
        region_of[names[-1]] = region
    number = np.searchsorted(present, label) + 1
    number[label < 0] = len(present) + 1
    return number.astype(np.int32), [*names, "unlabelled"], [*categories, "object"], region_of


def _in_world(region: Region, up: str, scale: float) -> Region:
    corners = axes.to_world(np.array(region.bounds_m) * scale, up)
    low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return replace(region, bounds_m=((low[0], low[1], low[2]), (high[0], high[1], high[2])))


def _read_parts(path: Path) -> list[tuple[str, np.ndarray, Surface]]:
    """(object name, 4 x 4 transform, surface) of every node with triangles, in the file's own order.

    An object with several materials comes in several parts of one name.
    """
    import trimesh

    # The parsers say little of what they stumble over; of GLB the header tells beforehand.
    problem = scene_problem(path) if path.suffix.lower() == ".glb" else None
    if problem is not None:
        raise ValueError(f"cannot read {path}: {problem}")
    # The reader raises whatever its parsers meet in a damaged file (struct.error, KeyError, ...), so this one
    # place catches everything and names the file.
    try:
        options: dict[str, Any] = {"process": False}
        if path.suffix.lower() == ".obj":
            options |= {"split_objects": True, "group_material": True}
        is_linear = path.suffix.lower() in (".glb", ".gltf")
        loaded: Any = trimesh.load_scene(path, **options)
        parts = []
        for node in loaded.graph.nodes_geometry:
            transform, geometry_name = loaded.graph[node]
            geometry = loaded.geometry[geometry_name]
            if isinstance(geometry, trimesh.Trimesh) and len(geometry.faces):
                name = _object_name(str(node), geometry, loaded.graph.transforms.parents.get(node))
                name = path.stem if name.lower() == path.name.lower() else name
                surface = read_surface(geometry, str(path), is_linear)
                parts.append((name, np.asarray(transform, dtype=np.float64), surface))
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(
            f"cannot read {path}: the file is truncated, damaged or uses a feature that trimesh cannot read "
            f"({type(error).__name__}: {error})"
        ) from error
    if not parts:
        raise ValueError(f"{path} holds no triangles (points or lines alone make no scene)")
    return parts


def _object_name(node: str, geometry: Any, parent: str | None) -> str:
    """Name of the object that a trimesh node is a part of, where trimesh splits objects by material."""
    # glTF: a node of several primitives becomes the parent of nodes with random suffixes.
    if geometry.metadata.get("from_gltf_primitive") and parent is not None and node.startswith(f"{parent}_"):
        return parent
    # OBJ: "object_material", with a number behind it where that exists twice.
    material = getattr(getattr(geometry.visual, "material", None), "name", None)
    if geometry.metadata.get("from_gltf_primitive") is None and material:
        found = re.fullmatch(rf"(.+)_{re.escape(material)}(_\d+)?", node)
        if found:
            return found.group(1)
    return node


def _node_facts(path: Path) -> dict[str, dict[str, str]]:
    """Node name -> the strings in its glTF `extras`; empty for other formats, and where nodes have none."""
    if path.suffix.lower() != ".glb":
        return {}
    content = path.read_bytes()
    length = struct.unpack("<I", content[12:16])[0]
    nodes = json.loads(content[20 : 20 + length]).get("nodes", [])
    return {
        node["name"]: {key: value for key, value in extras.items() if isinstance(value, str)}
        for node in nodes
        if isinstance(extras := node.get("extras"), dict) and "name" in node
    }


def _merge_materials(surfaces: list[Surface]) -> tuple[tuple[Material, ...], np.ndarray]:
    """Distinct materials, textures with equal pixels held once, and int32 (f,) material of each face."""
    textures: dict[bytes, np.ndarray] = {}
    rows: dict[tuple[Any, ...], int] = {}
    materials: list[Material] = []
    face_material = []
    for surface in surfaces:
        to_global = np.empty(len(surface.materials), dtype=np.int32)
        for index, material in enumerate(surface.materials):
            texture = material.texture
            digest = b""
            if texture is not None:
                digest = hashlib.blake2b(texture.tobytes() + repr(texture.shape).encode()).digest()
                texture = textures.setdefault(digest, texture)
            row = (material.base_color, digest)
            if row not in rows:
                rows[row] = len(materials)
                materials.append(Material(material.base_color, texture))
            to_global[index] = rows[row]
        face_material.append(to_global[surface.face_material])
    return tuple(materials), np.concatenate(face_material)


def _sound_faces(vertices: np.ndarray, faces: np.ndarray, path: Path) -> np.ndarray:
    """Bool (f,): faces with area and with all corners finite and near the rest."""
    is_finite = np.isfinite(vertices).all(axis=1) & (np.abs(vertices) < 1e30).all(axis=1)
    kept = is_finite[faces].all(axis=1)
    if not kept.all():
        warnings.warn(f"{path}: dropped {int((~kept).sum())} faces with non-finite corners", stacklevel=4)
    corners = vertices[np.where(kept[:, None], faces, 0)]
    with np.errstate(invalid="ignore", over="ignore"):
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    kept &= (normals != 0.0).any(axis=1)
    if not kept.any():
        return kept
    # A stray vertex of a scan can lie kilometres off and would blow up every grid over the scene.
    centre = np.median(corners[kept].reshape(-1, 3), axis=0)
    distance = np.abs(corners - centre).max(axis=(1, 2))
    is_far = kept & (distance > 100.0 * np.quantile(distance[kept], 0.99))
    if is_far.any():
        warnings.warn(
            f"{path}: dropped {int(is_far.sum())} faces with corners more than 100 times farther out than "
            "99 % of the mesh",
            stacklevel=4,
        )
    return kept & ~is_far


def _corners(
    parts: list[np.ndarray | None],
    counts: list[int],
    kept: np.ndarray,
    shape: tuple[int, int],
    dtype: type,
    fill: int,
) -> np.ndarray | None:
    if all(part is None for part in parts):
        return None
    full: list[np.ndarray] = [
        np.full((count, *shape), fill, dtype) if part is None else part.astype(dtype)
        for part, count in zip(parts, counts, strict=True)
    ]
    return np.ascontiguousarray(np.concatenate(full)[kept])


def _is_flat(category: str) -> bool:
    return bool(axes.FLAT_CLASSES & set(category.split()[-1:]))


def _content_key(path: Path, up: str, scale: float) -> str:
    """Hash of the file, of those beside it that it names or that annotate it, of options and version."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(json.dumps([VERSION, up, float(scale), path.suffix.lower()]).encode())
    # The stem names the instance of a file without node names.
    digest.update(path.stem.encode())
    content = path.read_bytes()
    digest.update(content)
    for beside in [*_files_beside(path, content), *annotation_files(path)]:
        digest.update(beside.name.encode())
        if beside.is_file():
            digest.update(beside.read_bytes())
    return digest.hexdigest()


def _files_beside(path: Path, content: bytes) -> list[Path]:
    """Buffers, material libraries and pictures that a glTF or OBJ file refers to."""
    suffix = path.suffix.lower()
    names: list[str] = []
    if suffix == ".gltf":
        try:
            tree = json.loads(content)
            entries = tree.get("buffers", []) + tree.get("images", [])
            names = [
                unquote(entry["uri"])
                for entry in entries
                if not entry.get("uri", "data:").startswith("data:")
            ]
        except (ValueError, AttributeError, TypeError):
            names = []
    elif suffix == ".obj":
        names = [n.decode("utf-8", "replace") for n in re.findall(rb"^mtllib\s+(.+?)\s*$", content, re.M)]
        for library in [path.parent / name for name in names]:
            if library.is_file():
                pictures = re.findall(rb"^\s*map_\w+\s+(?:.*\s)?(\S+)\s*$", library.read_bytes(), re.M)
                names += [picture.decode("utf-8", "replace") for picture in pictures]
    elif suffix == ".ply":
        header = content[: content.find(b"end_header")]
        names = [
            n.decode("utf-8", "replace")
            for n in re.findall(rb"^comment TextureFile\s+(.+?)\s*$", header, re.M)
        ]
    return [path.parent / name for name in names]
