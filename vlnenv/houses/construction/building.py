"""From a house's facts to a scene: the shell, joinery, stairs and furniture, with baked light."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from vlnenv.houses.construction.joinery import joinery
from vlnenv.houses.construction.light import Piece, bake
from vlnenv.houses.construction.shell import Part, shell
from vlnenv.houses.construction.solids import Solid, Surface
from vlnenv.houses.construction.staircase import staircase
from vlnenv.houses.house import House
from vlnenv.houses.looks.textures import COLORS, FINISHES, texture
from vlnenv.sim.scene import Instance, Material, Scene


def build_scene(house: House) -> Scene:
    """Triangles, materials and instances of a house.

    Origin at a corner of the house, ground floor at y = 0. `Scene.corner_rgb` holds the baked light, see
    `light`.
    """
    parts = list(_parts(house))
    names: dict[str, int] = {}
    for part in parts:
        names.setdefault(part.name, len(names) + 1)
    solids = [(names[part.name], part.room, solid) for part in parts for solid in part.solids]

    vertices, faces = _joined([solid for _, _, solid in solids])
    counts = [len(solid.faces) for _, _, solid in solids]
    face_instance = np.repeat(np.array([owner for owner, _, _ in solids], dtype=np.int32), counts)
    face_room = np.repeat(np.array([room for _, room, _ in solids], dtype=np.int32), counts)
    surfaces: dict[Surface, int] = {}
    number = [surfaces.setdefault(solid.surface, len(surfaces)) for _, _, solid in solids]
    face_material = np.repeat(np.array(number, dtype=np.int32), counts)
    repeat = np.array([FINISHES[finish] for finish, _ in surfaces], dtype=np.float64)[face_material]
    uv = np.concatenate([solid.uv for _, _, solid in solids]) / repeat[:, None, None]

    corners = vertices[faces]
    pieces = [
        Piece(names[p.name], p.room, p.rect, p.bottom, p.top, p.support == "ceiling") for p in house.furniture
    ]
    grey = bake(corners, _normals(corners), face_room, face_instance, house.plan, pieces)
    instances = _instances(parts, names, corners, face_instance)
    vertices_m = (vertices / 100.0).astype(np.float32)
    corner_uv = uv.astype(np.float32)

    key = hashlib.sha256(repr([(each.name, each.category, each.color) for each in instances]).encode())
    key.update(repr([(finish, COLORS[color]) for finish, color in surfaces]).encode())
    for array in (vertices_m, faces, face_instance, face_material, corner_uv, grey):
        key.update(np.ascontiguousarray(array).tobytes())
    return Scene(
        id=house.scene_id,
        vertices_m=vertices_m,
        faces=faces,
        face_instance=face_instance,
        face_material=face_material,
        corner_uv=corner_uv,
        corner_rgb=np.repeat(grey[..., None], 3, axis=2),
        materials=tuple(Material(texture=texture(finish, color)) for finish, color in surfaces),
        instances=instances,
        key=key.hexdigest(),
    )


def _parts(house: House) -> Iterator[Part]:
    yield from shell(house)
    yield from joinery(house)
    yield from staircase(house)
    for piece in house.furniture:
        yield Part(piece.name, piece.category, piece.color, piece.room, list(piece.solids))


def _joined(solids: list[Solid]) -> tuple[np.ndarray, np.ndarray]:
    """Vertices float64 (v, 3) in centimetres and faces int32 (f, 3) of all solids."""
    offsets = np.cumsum([0, *(len(solid.vertices) for solid in solids)])
    faces = [solid.faces + offset for solid, offset in zip(solids, offsets[:-1], strict=True)]
    return np.concatenate([solid.vertices for solid in solids]), np.concatenate(faces).astype(np.int32)


def _normals(corners: np.ndarray) -> np.ndarray:
    """Unit normals (f, 3) of triangles (f, 3, 3)."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    x = first[:, 1] * second[:, 2] - first[:, 2] * second[:, 1]
    y = first[:, 2] * second[:, 0] - first[:, 0] * second[:, 2]
    z = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    length = np.sqrt(x * x + y * y + z * z)
    return np.stack([x, y, z], axis=1) / np.maximum(length, 1e-9)[:, None]


def _instances(
    parts: list[Part], names: dict[str, int], corners: np.ndarray, face_instance: np.ndarray
) -> tuple[Instance, ...]:
    facts = {part.name: (part.category, part.color) for part in reversed(parts)}
    count = len(names)
    low, high = np.full((count + 1, 3), np.inf), np.full((count + 1, 3), -np.inf)
    np.minimum.at(low, face_instance, corners.min(axis=1))
    np.maximum.at(high, face_instance, corners.max(axis=1))
    instances = []
    for name, number in names.items():
        (x0, y0, z0), (x1, y1, z1) = (low[number] / 100.0).tolist(), (high[number] / 100.0).tolist()
        instances.append(Instance(number, name, *facts[name], ((x0, y0, z0), (x1, y1, z1))))
    return tuple(instances)
