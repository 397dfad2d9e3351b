"""A scene: one textured triangle mesh in the world frame, cut into named instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Instance:
    """One object or piece of the building."""

    id: int
    """At least 1 and unique in its scene; 0 is kept for "nothing"."""
    name: str
    """Unique name in the scene, the mesh node's where there is one: "sofa_2"."""
    category: str
    """Class name in lower case with spaces: "coffee table"."""
    color: str = ""
    """Colour name, when the scene's author gave one: "red"; else empty."""
    bounds_m: tuple[tuple[float, float, float], tuple[float, float, float]] = ((0, 0, 0), (0, 0, 0))
    """Axis-aligned box (minimum, maximum) at rest, world frame, metres."""
    region: int = -1
    """Id of the region that it is in; -1 where none is known."""


@dataclass(frozen=True)
class Region:
    """A room or other part of a building, as a scan's annotators drew it."""

    id: int
    category: str
    """Kind in lower case: "living room"."""
    level: int
    """Storey, 0 for the lowest."""
    bounds_m: tuple[tuple[float, float, float], tuple[float, float, float]]
    """Axis-aligned box (minimum, maximum), world frame, metres."""


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface looks: base colour times texture, times the corner colours where a mesh has them."""

    base_color: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Linear factor per channel, in [0, 1]."""
    texture: np.ndarray | None = None
    """uint8 (h, w, 3), row 0 at v = 1 (image convention), sRGB; None for a plain colour."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Geometry, looks and names of a place. Immutable: an edit gives a new scene that shares all arrays.

    World frame: x right, y up, -z ahead, metres, whatever the file's own axes were.
    """

    id: str
    """The name that episodes use, e.g. "mp3d/X/X.glb" or "houses/train/0003"."""
    vertices_m: np.ndarray
    """float32 (v, 3), world frame."""
    faces: np.ndarray
    """int32 (f, 3) rows of `vertices_m`."""
    face_instance: np.ndarray
    """int32 (f,) instance id of each face."""
    face_material: np.ndarray
    """int32 (f,) index into `materials`."""
    corner_uv: np.ndarray | None
    """float32 (f, 3, 2) texture coordinates of each face's corners; None when nothing is textured."""
    corner_rgb: np.ndarray | None
    """uint8 (f, 3, 3) colours of each face's corners; None when the mesh has none."""
    materials: tuple[Material, ...]
    instances: tuple[Instance, ...]
    key: str = ""
    """Content hash of the unedited scene; caches on disk and in memory are named by it."""
    edits: Mapping[int, np.ndarray | None] = field(default_factory=lambda: MappingProxyType({}))
    """Instance id -> 4 x 4 T_world_rest of a moved instance, or None for a removed one."""
    added: Mapping[int, tuple[Scene, int]] = field(default_factory=lambda: MappingProxyType({}))
    """Instance id -> (scene, instance id there) of an added instance: its geometry stays in the scene that it
    came from, at rest, and `edits` says where it stands (or that it was removed again)."""
    regions: tuple[Region, ...] = ()
    """Where annotators drew some; boxes may overlap."""

    @property
    def bounds_m(self) -> np.ndarray:
        """float64 (2, 3): minimum and maximum corner of the mesh, at rest."""
        return np.stack([self.vertices_m.min(axis=0), self.vertices_m.max(axis=0)]).astype(np.float64)

    def __getstate__(self) -> dict[str, object]:
        # A mapping proxy cannot be pickled; the dictionary in it can.
        return {**self.__dict__, "edits": dict(self.edits), "added": dict(self.added)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__dict__["edits"] = MappingProxyType(state["edits"])
        self.__dict__["added"] = MappingProxyType(state["added"])
