"""Which way is up in a mesh, and how to turn it into the world frame."""

from __future__ import annotations

import numpy as np

FLAT_CLASSES = frozenset({"floor", "flooring", "ground", "carpet", "rug", "ceiling", "lawn", "terrain"})
"""Classes whose thinnest direction is up."""


def guess_up(
    vertices: np.ndarray, faces: np.ndarray, is_flat: np.ndarray | None = None, default: str = "y"
) -> str:
    """The axis of a building's mesh that points up.

    Two signs, in this order:

    1. Faces of objects that are named as floors, carpets or ceilings vote by area for the axis they face.
    2. Buildings are wider than high, and floors and ceilings are their largest flat parts: the axis with the
       smaller extent and with more area facing along it. The score is
       `2 log(other extent / extent) + log(area / other area)`, extents being those between the 0.5 % and the
       99.5 % area quantiles, so that a stray vertex has no say.

    Only y and z can be up; no format in use has x up.

    Args:
        vertices: (v, 3) in the file's axes.
        faces: (f, 3).
        is_flat: bool (f,), faces of objects named as in `FLAT_CLASSES`; None when there are no names.
        default: Answer when the signs cancel (an empty cube): the file format's convention.

    Returns:
        "y" or "z".
    """
    corners = np.asarray(vertices, dtype=np.float64)[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2.0
    area = np.linalg.norm(normals, axis=1)
    if not area.sum() > 0.0:
        return default
    # A face counts for an axis when it faces it within about 18 degrees.
    facing = np.abs(normals) * (np.abs(normals) > 0.95 * area[:, None])
    if is_flat is not None and is_flat.any():
        flat_y, flat_z = facing[is_flat, 1].sum(), facing[is_flat, 2].sum()
        if max(flat_y, flat_z) > 2.0 * min(flat_y, flat_z):
            return "y" if flat_y > flat_z else "z"
    extent_y, extent_z = (_extent(corners[..., axis], area) for axis in (1, 2))
    tiny = 1e-3 * max(extent_y, extent_z, 1e-9)
    total = 1e-3 * area.sum()
    score = 2.0 * np.log((extent_z + tiny) / (extent_y + tiny)) + np.log(
        (facing[:, 1].sum() + total) / (facing[:, 2].sum() + total)
    )
    if abs(score) < 0.1:
        return default
    return "y" if score > 0.0 else "z"


def to_world(points: np.ndarray, up: str) -> np.ndarray:
    """Points (..., 3) of a Y-up or Z-up file in the world frame (y up); (x, y, z) -> (x, z, -y) for Z-up."""
    if up == "y":
        return points
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def _extent(corner_values: np.ndarray, area: np.ndarray) -> float:
    """Length of the range that holds 99 % of the area, from (f, 3) coordinates of the faces' corners."""
    values = np.concatenate([corner_values.min(axis=1), corner_values.max(axis=1)])
    weights = np.concatenate([area, area])
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(weights[order])
    low, high = np.searchsorted(cumulative, [0.005 * cumulative[-1], 0.995 * cumulative[-1]])
    return float(values[order[min(high, len(order) - 1)]] - values[order[low]])
