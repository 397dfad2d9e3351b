"""A memory as a coloured point cloud: for Open3D, or as a PLY file for any viewer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vlnenv.cache import write_atomic
from vlnenv.errors import unknown_name
from vlnenv.memory.query import patch_similarity
from vlnenv.memory.snapshot import MemorySnapshot
from vlnenv.viewer.colors import feature_colors, heat_colors, instance_colors

COLORINGS = ("pca", "instance", "query")
"""What the points of a memory can be coloured by."""


def point_colors(
    snapshot: MemorySnapshot, color: str = "pca", query: str | np.ndarray | None = None
) -> np.ndarray:
    """Colours of a memory's points.

    Args:
        snapshot: Of k points.
        color: "pca" (alike features, alike colours), "instance" (one colour each, grey for none) or "query"
            (pale to red by likeness of a point's instance, or of itself where it is in none).
        query: The phrase, or a feature (dim,), for "query".

    Returns:
        uint8 (k, 3).

    Raises:
        ValueError: If the colouring is unknown, or a query is missing or given in vain.
    """
    if color not in COLORINGS:
        raise ValueError(unknown_name("colouring", color, COLORINGS))
    if (color == "query") != (query is not None):
        raise ValueError(f"a query goes with color='query' and only with it, got {color!r} and {query!r}")
    if query is not None:
        return heat_colors(patch_similarity(snapshot, query))
    if color == "instance":
        return instance_colors(snapshot.instance_id.cpu().numpy())
    return feature_colors(snapshot.features.cpu().numpy())


def to_open3d(snapshot: MemorySnapshot, color: str = "pca", query: str | np.ndarray | None = None) -> Any:
    """A memory's points as an `open3d.geometry.PointCloud`, world frame (y up), metres.

    Args:
        snapshot: What is remembered.
        color: "pca", "instance" or "query"; see `point_colors`.
        query: The phrase, or a feature, for "query".

    Raises:
        ValueError: If the colouring is unknown, or a query is missing or given in vain.
        ImportError: If open3d or a system library of its is missing; the message says what to do.
    """
    colors = point_colors(snapshot, color, query)
    try:
        import open3d
    except (ImportError, OSError) as error:
        raise ImportError(
            f"point clouds for Open3D need open3d ({error}): pip install 'vlnenv[open3d]'; on a server also "
            "its system libraries (Debian: libusb-1.0-0 libegl1 libgl1). `save_ply` needs neither."
        ) from error
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(snapshot.xyz_m.T.cpu().numpy().astype(np.float64))
    cloud.colors = open3d.utility.Vector3dVector(colors / 255.0)
    return cloud


def save_ply(
    snapshot: MemorySnapshot,
    path: str | Path,
    color: str = "pca",
    query: str | np.ndarray | None = None,
) -> Path:
    """Write a memory's points as a binary PLY file, atomically: world frame (y up), metres, coloured.

    Args:
        snapshot: What is remembered.
        path: The file; its folder is created where missing.
        color: As for `to_open3d`.
        query: As for `to_open3d`.

    Returns:
        The file.

    Raises:
        ValueError: If the colouring is unknown, a query is missing or given in vain, or nothing is
            remembered.
    """
    from trimesh import PointCloud

    if not len(snapshot.patch_id):
        raise ValueError("nothing is remembered yet: an empty point cloud is no PLY file")
    cloud = PointCloud(snapshot.xyz_m.T.cpu().numpy(), point_colors(snapshot, color, query))
    write_atomic(path, cloud.export(file_type="ply"))
    return Path(path)
