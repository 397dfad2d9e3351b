"""Scenes to GLB files, to be opened in Blender or any other viewer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vlnenv.cache import write_atomic
from vlnenv.sim.scene import Material, Scene


def write_glb(scene: Scene, path: str | Path) -> None:
    """Write a scene as a GLB file in which every instance is a node of its name.

    Surfaces get their materials' mean colours as vertex colours; textures are left out, because a node of one
    mesh cannot carry several of them. Edits of the scene are not applied.

    Args:
        scene: The scene.
        path: Ends in `.glb`; replaced atomically.

    Raises:
        ValueError: If the path does not end in `.glb`.
    """
    import trimesh

    path = Path(path)
    if path.suffix.lower() != ".glb":
        raise ValueError(f"expected a path that ends in .glb, got {path}")
    colors = np.array([_mean_color(material) for material in scene.materials], dtype=np.uint8)
    order = np.argsort(scene.face_instance, kind="stable")
    starts = np.searchsorted(scene.face_instance[order], [each.id for each in scene.instances], side="left")
    ends = np.searchsorted(scene.face_instance[order], [each.id for each in scene.instances], side="right")
    file = trimesh.Scene()
    for instance, start, end in zip(scene.instances, starts, ends, strict=True):
        own = order[start:end]
        # Corners are not shared: neighbouring faces may differ in colour.
        vertices = scene.vertices_m[scene.faces[own]].reshape(-1, 3)
        faces = np.arange(len(vertices)).reshape(-1, 3)
        corner_colors = np.repeat(colors[scene.face_material[own]], 3, axis=0)
        mesh = trimesh.Trimesh(vertices, faces, vertex_colors=corner_colors, process=False)
        file.add_geometry(mesh, node_name=instance.name, geom_name=instance.name)
    write_atomic(path, file.export(file_type="glb"))


def _mean_color(material: Material) -> tuple[int, int, int, int]:
    """SRGB and alpha."""
    color = np.array([255.0, 255.0, 255.0])
    if material.texture is not None:
        color = material.texture.reshape(-1, 3).mean(axis=0)
    # The factor is linear; near enough for a mean colour of an sRGB texture once it is encoded too.
    color = color * np.asarray(material.base_color) ** (1.0 / 2.2)
    red, green, blue = (int(value) for value in np.clip(np.rint(color), 0, 255))
    return red, green, blue, 255
