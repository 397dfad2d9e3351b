"""Whether one piece really stands on another, judged by their triangles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlnenv.houses.construction.solids import Solid

_EDGE_CM = 0.5


def is_carried_by(upper: Sequence[Solid], lower: Sequence[Solid], tolerance_cm: float) -> bool:
    """Whether the whole foot of `upper` has a level face of `lower` right under it.

    Args:
        upper: What stands, world frame, centimetres.
        lower: What it stands on.
        tolerance_cm: How far the foot may be above or in the face.

    Returns:
        True where every corner of the foot has such a face below.
    """
    points = np.concatenate([solid.vertices for solid in upper])
    height = points[:, 1].min()
    foot = np.unique(points[points[:, 1] <= height + _EDGE_CM][:, [0, 2]], axis=0)
    triangles = np.concatenate([solid.vertices[solid.faces] for solid in lower])
    level = (np.abs(triangles[:, :, 1] - height) <= tolerance_cm).all(axis=1)
    return bool(_inside(foot, triangles[level][:, :, [0, 2]]).any(axis=1).all())


def _inside(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Bool (p, t): which points (p, 2) lie in which triangles (t, 3, 2), or within `_EDGE_CM` of them."""
    edges = np.roll(triangles, -1, axis=1) - triangles
    length = np.maximum(np.linalg.norm(edges, axis=2), 1e-9)
    to_point = points[:, None, None] - triangles[None]
    side = (edges[None, ..., 0] * to_point[..., 1] - edges[None, ..., 1] * to_point[..., 0]) / length[None]
    doubled = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    side = side * np.sign(doubled)[None, :, None]
    return (side >= -_EDGE_CM).all(axis=2) & (doubled != 0)[None]
