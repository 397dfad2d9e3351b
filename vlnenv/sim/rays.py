"""Rays of a camera, and what they hit in a mesh: the float32 arrays that Embree takes and gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numba import njit


@dataclass(eq=False)
class Hits:
    """The nearest hit of each of n rays."""

    t: np.ndarray
    """float32 (n,) ray parameter; about 1e37 where nothing was hit."""
    u: np.ndarray
    """float32 (n,) weight of the face's second corner."""
    v: np.ndarray
    """float32 (n,) weight of its third corner."""
    normal: np.ndarray
    """float32 (n, 3), of any length and sign."""
    face: np.ndarray
    """int32 (n,) face, -1 for none."""

    def take(self, rows: np.ndarray, other: Hits, other_rows: np.ndarray) -> None:
        """Overwrite some rows by rows of other hits."""
        self.t[rows] = other.t[other_rows]
        self.u[rows] = other.u[other_rows]
        self.v[rows] = other.v[other_rows]
        self.normal[rows] = other.normal[other_rows]
        self.face[rows] = other.face[other_rows]


class RayMesh:
    """A triangle mesh in an Embree search tree."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, face_index: np.ndarray | None = None) -> None:
        """Build the tree.

        Args:
            vertices: float32 (v, 3).
            faces: int32 (f, 3).
            face_index: int32 (f,) numbers that hits report for the faces; 0, 1, ... by default.
        """
        # Robust: no ray slips through between two triangles that share an edge. It costs a fifth of speed.
        self._scene = EmbreeScene(robust=True)
        self._face_index = face_index
        # Embree must have something to build a tree of; a face without area is never hit.
        if len(faces) == 0:
            self._face_index = np.array([-1], dtype=np.int32)
            vertices, faces = np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32)
        TriangleMesh(
            self._scene,
            np.ascontiguousarray(vertices, dtype=np.float32),
            np.ascontiguousarray(faces, dtype=np.int32),
        )

    def cast(self, origin: np.ndarray, direction: np.ndarray) -> Hits:
        """Nearest hits of float32 rays (n, 3) at parameters >= 0; directions may have any length."""
        found = self._scene.run(origin, direction, query="INTERSECT", output=True)
        face = found["primID"]
        if self._face_index is not None:
            face = np.where(face >= 0, self._face_index[face], np.int32(-1))
        return Hits(found["tfar"], found["u"], found["v"], found["Ng"], face)


@njit(cache=True, error_model="numpy")
def pinhole_rays(
    T_world_camera: np.ndarray, pixel_direction: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rays of n cameras through p pixels, camera by camera.

    Args:
        T_world_camera: float64 (n, 4, 4).
        pixel_direction: float32 (p, 3) in the camera frame, of unit depth, so that t is the depth.
        first: First of the n * p rays to make.
        last: One past the last of them.

    Returns:
        Origins and directions, float32 (last - first, 3) each.
    """
    p = len(pixel_direction)
    origin = np.empty((last - first, 3), dtype=np.float32)
    direction = np.empty((last - first, 3), dtype=np.float32)
    for i in range(first // p, (last - 1) // p + 1):
        m = T_world_camera[i].astype(np.float32)
        for ray in range(max(first, i * p), min(last, (i + 1) * p)):
            k, row = ray - i * p, ray - first
            x, y, z = pixel_direction[k, 0], pixel_direction[k, 1], pixel_direction[k, 2]
            for axis in range(3):
                origin[row, axis] = m[axis, 3]
                direction[row, axis] = m[axis, 0] * x + m[axis, 1] * y + m[axis, 2] * z
    return origin, direction


@njit(cache=True, error_model="numpy")
def rays_in_frame(
    origin: np.ndarray, direction: np.ndarray, T_frame_world: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rays in another frame, of those that meet a box there. Ray parameters stay what they are.

    Args:
        origin: float32 (n, 3).
        direction: float32 (n, 3).
        T_frame_world: float64 (4, 4).
        low: float64 (3,) lower corner of the box in that frame.
        high: float64 (3,) upper corner.

    Returns:
        int64 (k,) rows of the rays that meet the box; their origins and directions there, float32 (k, 3).
    """
    n = len(origin)
    rows = np.empty(n, dtype=np.int64)
    new_origin = np.empty((n, 3), dtype=np.float32)
    new_direction = np.empty((n, 3), dtype=np.float32)
    count = 0
    m = T_frame_world
    for i in range(n):
        near, far = 0.0, np.inf
        for axis in range(3):
            o = m[axis, 0] * origin[i, 0] + m[axis, 1] * origin[i, 1] + m[axis, 2] * origin[i, 2] + m[axis, 3]
            d = m[axis, 0] * direction[i, 0] + m[axis, 1] * direction[i, 1] + m[axis, 2] * direction[i, 2]
            new_origin[count, axis] = o
            new_direction[count, axis] = d
            if d != 0.0:
                first, second = (low[axis] - o) / d, (high[axis] - o) / d
                near = max(near, min(first, second))
                far = min(far, max(first, second))
            elif o < low[axis] or o > high[axis]:
                far = -1.0
        if near <= far:
            rows[count] = i
            count += 1
    return rows[:count].copy(), new_origin[:count].copy(), new_direction[:count].copy()


@njit(cache=True, error_model="numpy")
def box_exit(origin: np.ndarray, direction: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """float32 (n,) ray parameter at which rays that meet a box (float64 corners) leave it, at least 0."""
    result = np.empty(len(origin), dtype=np.float32)
    for i in range(len(origin)):
        far = np.inf
        for axis in range(3):
            d = float(direction[i, axis])
            if d != 0.0:
                o = float(origin[i, axis])
                far = min(far, max((low[axis] - o) / d, (high[axis] - o) / d))
        result[i] = max(far, 0.0)
    return result


@njit(cache=True, error_model="numpy")
def depth_image(t: np.ndarray, face: np.ndarray, minimum: float, maximum: float) -> np.ndarray:
    """float32 (n,) ray parameters clipped to a range; 0 where nothing was hit."""
    depth = np.empty(len(t), dtype=np.float32)
    low, high = np.float32(minimum), np.float32(maximum)
    for i in range(len(t)):
        depth[i] = min(max(t[i], low), high) if face[i] >= 0 else np.float32(0.0)
    return depth


@njit(cache=True, error_model="numpy")
def instance_image(face: np.ndarray, face_instance: np.ndarray) -> np.ndarray:
    """int32 (n,) instance of each hit face; 0 where nothing was hit."""
    instance = np.empty(len(face), dtype=np.int32)
    for i in range(len(face)):
        instance[i] = face_instance[face[i]] if face[i] >= 0 else 0
    return instance
