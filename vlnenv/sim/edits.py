"""Scenes with moved, removed and added instances: values that share all arrays with the unedited scene."""

from __future__ import annotations

import dataclasses
import hashlib
from types import MappingProxyType
from typing import Any

import numpy as np

from vlnenv.sim.naming import unique_names
from vlnenv.sim.scene import Instance, Scene


def edit(scene: Scene, instance_id: int, transform: np.ndarray | None) -> Scene:
    """A scene in which one instance is moved or removed; `scene` stays as it is.

    Args:
        scene: The scene, edited before or not.
        instance_id: Which instance. One that was added has its rest pose in the scene that it came from.
        transform: 4 x 4 T_world_rest, from the instance's rest pose (not from where it is now) to the world;
            the identity puts it back. None removes it.

    Raises:
        KeyError: If the scene has no such instance.
        ValueError: If the transform is no invertible affine 4 x 4 matrix.
    """
    if all(instance.id != instance_id for instance in scene.instances):
        known = [instance.id for instance in scene.instances]
        span = f"{min(known)} to {max(known)}" if known else "none"
        raise KeyError(f"scene {scene.id!r} has no instance {instance_id!r}; known ids: {span}")
    matrix = None if transform is None else _checked(transform)
    edits = {number: value for number, value in scene.edits.items() if number != instance_id}
    if matrix is None or instance_id in scene.added or not np.array_equal(matrix, np.eye(4)):
        edits[instance_id] = matrix
    return dataclasses.replace(with_key(scene), edits=MappingProxyType(dict(sorted(edits.items()))))


def add(scene: Scene, addition: Scene, transform: np.ndarray) -> Scene:
    """A scene with the instances of another one added; both stay as they are.

    Args:
        scene: Where to add.
        addition: What to add, with its own edits applied.
        transform: 4 x 4 T_world_addition, from the addition's world frame.

    Returns:
        The scene with new instances at the end of `instances`, under ids above all that `scene` has and in
        the addition's order; names are made unique.
    """
    matrix = _checked(transform)
    next_id = max((instance.id for instance in scene.instances), default=0) + 1
    names = unique_names([i.name for i in (*scene.instances, *addition.instances)])[len(scene.instances) :]
    plain: dict[int, Scene] = {}
    edits, added, instances = dict(scene.edits), dict(scene.added), list(scene.instances)
    for instance, name in zip(addition.instances, names, strict=True):
        placed = addition.edits.get(instance.id, np.eye(4))
        source, source_id = addition.added.get(instance.id, (addition, instance.id))
        if placed is None:
            continue
        if id(source) not in plain:
            # Edits of the source would else be applied twice, and its arrays are all that is needed.
            plain[id(source)] = without_edits(source)
        source = plain[id(source)]
        edits[next_id] = _checked(matrix @ placed)
        added[next_id] = (source, source_id)
        instances.append(Instance(next_id, name, instance.category, instance.color, instance.bounds_m))
        next_id += 1
    return dataclasses.replace(
        with_key(scene),
        instances=tuple(instances),
        edits=MappingProxyType(edits),
        added=MappingProxyType(added),
    )


def without_edits(scene: Scene) -> Scene:
    """The scene as it was loaded, with its key; it shares all arrays."""
    if not scene.edits:
        return with_key(scene)
    own = tuple(instance for instance in scene.instances if instance.id not in scene.added)
    none: MappingProxyType[int, Any] = MappingProxyType({})
    return dataclasses.replace(with_key(scene), instances=own, edits=none, added=none)


def current_geometry(scene: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The mesh as it stands, edits applied.

    Returns:
        Vertices float32 (v, 3) in the world frame, faces int32 (f, 3), instance ids int32 (f,); the scene's
        own arrays when nothing was edited.
    """
    if not scene.edits:
        return scene.vertices_m, scene.faces, scene.face_instance
    kept = ~np.isin(scene.face_instance, [i for i in scene.edits if i not in scene.added])
    vertices, faces, ids = [scene.vertices_m], [scene.faces[kept]], [scene.face_instance[kept]]
    count = len(scene.vertices_m)
    for number, matrix in scene.edits.items():
        if matrix is None:
            continue
        source, source_id = scene.added.get(number, (scene, number))
        own = source.faces[source.face_instance == source_id]
        used, local = np.unique(own, return_inverse=True)
        moved = source.vertices_m[used].astype(np.float64) @ matrix[:3, :3].T + matrix[:3, 3]
        vertices.append(moved.astype(np.float32))
        faces.append((local.reshape(-1, 3) + count).astype(np.int32))
        ids.append(np.full(len(own), number, dtype=np.int32))
        count += len(used)
    return np.concatenate(vertices), np.concatenate(faces), np.concatenate(ids)


def current_bounds(instance: Instance, scene: Scene) -> np.ndarray | None:
    """float64 (2, 3) axis-aligned box of an instance where it stands; None when it was removed."""
    matrix = scene.edits.get(instance.id, np.eye(4))
    if matrix is None:
        return None
    low, high = np.asarray(instance.bounds_m, dtype=np.float64)
    corners = np.array([[(low, high)[(k >> a) & 1][a] for a in range(3)] for k in range(8)])
    moved = corners @ matrix[:3, :3].T + matrix[:3, 3]
    return np.stack([moved.min(axis=0), moved.max(axis=0)])


def changed_bounds(scene: Scene) -> np.ndarray:
    """float64 (k, 2, 3) boxes outside of which the scene is as it was before all edits."""
    boxes = []
    for instance in scene.instances:
        if instance.id in scene.edits:
            if instance.id not in scene.added:
                boxes.append(np.asarray(instance.bounds_m, dtype=np.float64))
            now = current_bounds(instance, scene)
            if now is not None:
                boxes.append(now)
    return np.array(boxes, dtype=np.float64).reshape(-1, 2, 3)


def fingerprint(scene: Scene) -> str:
    """Hash of a scene's key and edits: equal for scenes that look and feel the same."""
    digest = hashlib.blake2b(content_key(scene).encode(), digest_size=16)
    for number, matrix in sorted(scene.edits.items()):
        source = scene.added.get(number)
        origin = "" if source is None else f"{content_key(source[0])}/{source[1]}"
        digest.update(f"|{number}|{origin}|".encode())
        digest.update(b"removed" if matrix is None else np.ascontiguousarray(matrix, dtype="<f8").tobytes())
    return digest.hexdigest()


def content_key(scene: Scene) -> str:
    """The scene's key, or a hash of its arrays where it was made by hand without one."""
    if scene.key:
        return scene.key
    digest = hashlib.blake2b(digest_size=16)
    arrays = [scene.vertices_m, scene.faces, scene.face_instance, scene.face_material]
    arrays += [array for array in (scene.corner_uv, scene.corner_rgb) if array is not None]
    for material in scene.materials:
        digest.update(repr(material.base_color).encode())
        if material.texture is not None:
            arrays.append(material.texture)
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr([(i.id, i.category) for i in scene.instances if i.id not in scene.added]).encode())
    return digest.hexdigest()


def with_key(scene: Scene) -> Scene:
    """The scene itself, or, where it has no key, a copy with one (and the same arrays)."""
    return scene if scene.key else dataclasses.replace(scene, key=content_key(scene))


def _checked(transform: np.ndarray) -> np.ndarray:
    matrix = np.array(transform, dtype=np.float64)
    if matrix.shape != (4, 4):
        raise ValueError(f"a transform must be a 4 x 4 matrix, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise ValueError("a transform must be finite")
    if not np.array_equal(matrix[3], [0.0, 0.0, 0.0, 1.0]) or abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
        raise ValueError("a transform must be affine (last row 0 0 0 1) and invertible")
    matrix.setflags(write=False)
    return matrix
