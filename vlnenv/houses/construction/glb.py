"""Scenes as binary glTF 2.0: a node per instance, a primitive per material, textures and baked light.

trimesh reads such files but writes one mesh per material, so the few arrays are laid out here.
"""

from __future__ import annotations

import io
import json
import struct
from typing import Any

import numpy as np

from vlnenv.sim.appearance import srgb_to_linear
from vlnenv.sim.scene import Material, Scene

_FLOAT, _USHORT, _UINT = 5126, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_POSITIONS, _TEXCOORDS, _COLORS, _TRIANGLES = range(4)
_REPEAT = 10497


def glb_bytes(scene: Scene) -> bytes:
    """The file of a scene; its edits are not applied.

    Instance names become node and mesh names, corner colours become linear `COLOR_0` as glTF wants them, and
    normals are left out, which asks viewers for flat ones.
    """
    vertices, triangles, groups, starts = _grouped(scene)
    views = [
        (vertices["position"].tobytes(), _VERTICES),
        (vertices["uv"].tobytes(), _VERTICES),
        (vertices["color"].tobytes(), _VERTICES),
        (triangles.astype("<u4").tobytes(), _INDICES),
    ]
    accessors: list[dict[str, Any]] = []
    primitives: dict[int, list[dict[str, Any]]] = {}
    for (instance, material), (vertex, vertex_end, face, face_end) in zip(groups, starts, strict=True):
        first, count = len(accessors), vertex_end - vertex
        position = vertices["position"][vertex:vertex_end]
        accessors += [
            _accessor(_POSITIONS, 12 * vertex, _FLOAT, count, "VEC3")
            | {"min": position.min(axis=0).tolist(), "max": position.max(axis=0).tolist()},
            _accessor(_TEXCOORDS, 8 * vertex, _FLOAT, count, "VEC2"),
            _accessor(_COLORS, 8 * vertex, _USHORT, count, "VEC4") | {"normalized": True},
            _accessor(_TRIANGLES, 12 * face, _UINT, 3 * (face_end - face), "SCALAR"),
        ]
        attributes = {"POSITION": first, "TEXCOORD_0": first + 1, "COLOR_0": first + 2}
        primitives.setdefault(instance, []).append(
            {"attributes": attributes, "indices": first + 3, "material": material}
        )
    named = [each for each in scene.instances if each.id in primitives]
    materials, images = _materials(scene.materials)
    tree: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "vlnenv"},
        "scene": 0,
        "scenes": [{"name": scene.id, "nodes": list(range(len(named)))}],
        "nodes": [
            {"name": each.name, "mesh": i, "extras": {"category": each.category, "color": each.color}}
            for i, each in enumerate(named)
        ],
        "meshes": [{"name": each.name, "primitives": primitives[each.id]} for each in named],
        "materials": materials,
        "accessors": accessors,
    }
    if images:
        tree["samplers"] = [{"wrapS": _REPEAT, "wrapT": _REPEAT}]
        tree["textures"] = [{"sampler": 0, "source": i} for i in range(len(images))]
        tree["images"] = [{"mimeType": "image/png", "bufferView": len(views) + i} for i in range(len(images))]
        views += [(image, 0) for image in images]
    return _packed(tree, views)


def _grouped(
    scene: Scene,
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]], list[tuple[int, int, int, int]]]:
    """Distinct corners as vertices and triangles of them, ordered by (instance, material).

    Returns:
        Vertices with fields position, uv and color; int (f, 3) triangles that count from their group's first
        vertex; the groups; and of each group first and end vertex, first and end triangle.
    """
    order = np.lexsort((scene.face_material, scene.face_instance))
    pairs = np.stack([scene.face_instance[order], scene.face_material[order]], axis=1)
    groups, group_of_face = np.unique(pairs, axis=0, return_inverse=True)
    group_of_face = group_of_face.reshape(-1)
    corners = np.zeros(
        3 * len(order),
        # Big-endian, so that sorting by bytes sorts by group first.
        dtype=[("group", ">u4"), ("position", "<f4", 3), ("uv", "<f4", 2), ("color", "<u2", 4)],
    )
    corners["group"] = np.repeat(group_of_face, 3)
    corners["position"] = scene.vertices_m[scene.faces[order]].reshape(-1, 3)
    if scene.corner_uv is not None:
        # glTF counts v downwards.
        corners["uv"] = scene.corner_uv[order].reshape(-1, 2) * (1.0, -1.0) + (0.0, 1.0)
    corners["color"] = 65535
    if scene.corner_rgb is not None:
        linear = np.round(srgb_to_linear(np.arange(256) / 255.0) * 65535).astype(np.uint16)
        corners["color"][:, :3] = linear[scene.corner_rgb[order].reshape(-1, 3)]
    rows = corners.view(np.dtype((np.void, corners.dtype.itemsize)))
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    vertices = corners[first]
    numbers = np.arange(len(groups))
    low, high = (np.searchsorted(vertices["group"], numbers, side=side) for side in ("left", "right"))
    face_low, face_high = (np.searchsorted(group_of_face, numbers, side=side) for side in ("left", "right"))
    triangles = inverse.reshape(-1, 3) - low[group_of_face][:, None]
    starts = list(zip(low.tolist(), high.tolist(), face_low.tolist(), face_high.tolist(), strict=True))
    return vertices, triangles, [(int(a), int(b)) for a, b in groups], starts


def _accessor(view: int, offset: int, component: int, count: int, kind: str) -> dict[str, Any]:
    return {
        "bufferView": view,
        "byteOffset": offset,
        "componentType": component,
        "count": count,
        "type": kind,
    }


def _materials(materials: tuple[Material, ...]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Matt materials that are seen from both sides, and PNG files of their textures, each texture once."""
    from PIL import Image

    images: list[bytes] = []
    image_of: dict[int, int] = {}
    found = []
    for material in materials:
        looks: dict[str, Any] = {
            "baseColorFactor": [*material.base_color, 1.0],
            "metallicFactor": 0.0,
            "roughnessFactor": 1.0,
        }
        if material.texture is not None:
            if id(material.texture) not in image_of:
                stream = io.BytesIO()
                Image.fromarray(material.texture).save(stream, format="PNG")
                image_of[id(material.texture)] = len(images)
                images.append(stream.getvalue())
            looks["baseColorTexture"] = {"index": image_of[id(material.texture)]}
        found.append({"pbrMetallicRoughness": looks, "doubleSided": True})
    return found, images


def _packed(tree: dict[str, Any], views: list[tuple[bytes, int]]) -> bytes:
    """Header, JSON and binary chunk, each padded to 4 bytes."""
    tree["bufferViews"] = []
    chunks: list[bytes] = []
    offset = 0
    for content, target in views:
        view = {"buffer": 0, "byteOffset": offset, "byteLength": len(content)}
        tree["bufferViews"].append(view | ({"target": target} if target else {}))
        chunks.append(content + b"\0" * (-len(content) % 4))
        offset += len(chunks[-1])
    tree["buffers"] = [{"byteLength": offset}]
    text = json.dumps(tree, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    parts = [struct.pack("<II", len(text), 0x4E4F534A), text, struct.pack("<II", offset, 0x004E4942), *chunks]
    return struct.pack("<III", 0x46546C67, 2, 12 + sum(map(len, parts))) + b"".join(parts)
