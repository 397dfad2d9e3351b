"""Looks of one mesh as trimesh reads it: texture, base colour and corner colours, whatever the format."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlnenv.sim.scene import Material


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles and looks of one mesh, in its own frame."""

    vertices: np.ndarray
    """float64 (v, 3)."""
    faces: np.ndarray
    """int64 (f, 3)."""
    face_material: np.ndarray
    """int32 (f,) index into `materials`."""
    corner_uv: np.ndarray | None
    """float32 (f, 3, 2), v upwards."""
    corner_rgb: np.ndarray | None
    """uint8 (f, 3, 3), sRGB."""
    materials: tuple[Material, ...]


def read_surface(mesh: Any, source: str, is_linear: bool) -> Surface:
    """Geometry and looks of a `trimesh.Trimesh`.

    Args:
        mesh: The mesh; it needs no normals.
        source: Path for messages.
        is_linear: Whether its colours are linear, as glTF's are, or sRGB, as OBJ's and PLY's are taken to be.
            Textures are sRGB in all of them.
    """
    faces = np.asarray(mesh.faces, dtype=np.int64)
    vertices = np.asarray(mesh.vertices, dtype=np.float64)
    if faces.min(initial=0) < 0 or faces.max(initial=-1) >= len(vertices):
        raise ValueError(f"a face refers to vertex {int(faces.max())} of {len(vertices)}")
    visual = mesh.visual
    face_material = np.zeros(len(faces), dtype=np.int32)
    corner_uv = corner_rgb = None
    materials: tuple[Material, ...] = (Material(),)
    if visual.kind == "texture":
        if getattr(visual.material, "materials", None):
            materials = tuple(_material(m, source, is_linear) for m in visual.material.materials)
            if visual.face_materials is not None:
                face_material = np.asarray(visual.face_materials, dtype=np.int32)
        else:
            materials = (_material(visual.material, source, is_linear),)
        if visual.uv is not None and len(visual.uv) == len(vertices):
            uv = np.nan_to_num(np.asarray(visual.uv, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
            corner_uv = uv[:, :2][faces]
        colors = getattr(visual, "vertex_attributes", {}).get("color")
        if colors is not None and len(colors) == len(vertices):
            corner_rgb = _to_bytes(np.asarray(colors)[:, :3], is_linear)[faces]
    elif visual.kind == "vertex":
        corner_rgb = _to_bytes(np.asarray(visual.vertex_colors)[:, :3], is_linear)[faces]
    elif visual.kind == "face":
        rgb = _to_bytes(np.asarray(visual.face_colors)[:, :3], is_linear)
        corner_rgb = np.repeat(rgb[:, None], 3, axis=1)
    return Surface(vertices, faces, face_material, corner_uv, corner_rgb, materials)


def srgb_to_linear(value: np.ndarray) -> np.ndarray:
    """Linear values of sRGB ones, both in [0, 1] (IEC 61966-2-1)."""
    value = np.asarray(value, dtype=np.float64)
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(value: np.ndarray) -> np.ndarray:
    """Values in sRGB of linear ones, both in [0, 1] (IEC 61966-2-1)."""
    value = np.clip(np.asarray(value, dtype=np.float64), 0.0, 1.0)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1.0 / 2.4) - 0.055)


def _material(material: Any, source: str, is_linear: bool) -> Material:
    """Base colour and texture of trimesh's PBRMaterial or SimpleMaterial."""
    # The two classes name the same things differently; a missing one is None.
    image = getattr(material, "baseColorTexture", None)
    color = getattr(material, "baseColorFactor", None)
    if not hasattr(material, "baseColorTexture"):
        image = getattr(material, "image", None)
        # An OBJ without a library gets trimesh's grey as its diffuse colour, and so does a textured one.
        color = getattr(material, "diffuse", None) if image is None else None
    base = np.ones(3)
    if color is not None:
        base = np.asarray(color, dtype=np.float64)[:3]
        if np.asarray(color).dtype.kind in "iu":
            base = base / 255.0
        if not is_linear:
            base = srgb_to_linear(base)
    texture = None
    if image is not None:
        try:
            texture = np.array(image.convert("RGB"), dtype=np.uint8)
        except (OSError, SyntaxError, ValueError) as error:
            warnings.warn(f"{source}: a texture is damaged and left out: {error}", stacklevel=2)
    red, green, blue = (float(np.clip(channel, 0.0, 1.0)) for channel in base)
    return Material((red, green, blue), texture)


def _to_bytes(colors: np.ndarray, is_linear: bool) -> np.ndarray:
    """uint8 sRGB of colours given as uint8, uint16 or floats in [0, 1]."""
    if colors.dtype.kind == "f":
        value = np.clip(np.nan_to_num(colors.astype(np.float64)), 0.0, 1.0)
    else:
        value = colors.astype(np.float64) / np.iinfo(colors.dtype).max
    if is_linear:
        value = linear_to_srgb(value)
    return np.round(value * 255.0).astype(np.uint8)
