"""Matterport3D's viewpoint graphs: where panoramas were taken, and which can be walked between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from vlnenv.episodes.records import EpisodeFileError, Record, read_json

CAMERA_HEIGHT_M = 1.25
"""How far below its camera a viewpoint is put, metres: R2R-CE's camera height, as in Dynam3D's converter.

Beside R2R-CE's own reference paths that is 0.14 m too high in the median (0.06 m too low to 0.34 m too high),
with x and z exact; the height that the graphs state comes no nearer (0.16 m too low). Environments put
positions on the floor.
"""

_SUFFIX = "_connectivity.json"


@dataclass(frozen=True)
class ViewpointGraph:
    """The viewpoints of one building that are in use."""

    scan: str
    """The building: "qoiz87JEwZ2"."""
    position_m: dict[str, tuple[float, float, float]]
    """Viewpoint -> the floor below its camera, world frame."""
    _index: dict[str, int]
    _lengths: csr_matrix

    def path(self, viewpoints: list[str]) -> tuple[tuple[float, float, float], ...]:
        """Positions of viewpoints, world frame, metres.

        Raises:
            KeyError: If one is not in the graph.
        """
        for each in viewpoints:
            if each not in self.position_m:
                raise KeyError(f"viewpoint {each!r} is not among the {len(self._index)} of {self.scan}")
        return tuple(self.position_m[each] for each in viewpoints)

    def geodesic(self, start: str, goal: str) -> float:
        """Length of the shortest way along the graph, metres; infinite where there is none."""
        distances = dijkstra(self._lengths, directed=False, indices=self._index[start])
        return float(distances[self._index[goal]])


def read_graph(path: str | Path) -> ViewpointGraph:
    """Read `{scan}_connectivity.json`.

    Raises:
        FileNotFoundError: If there is no such file.
        EpisodeFileError: If it is damaged, or a viewpoint has a missing or mistyped field.
    """
    path = Path(path)
    records = read_json(path)
    if not isinstance(records, list) or not records:
        raise EpisodeFileError(f"{path}: expected a list of viewpoints, got {type(records).__name__}")
    names, cameras_m, links = [], [], []
    used = [_is_used(path, index, value) for index, value in enumerate(records)]
    for index, value in enumerate(records):
        if not used[index]:
            continue
        record = Record(path, f"viewpoint at index {index}", value)
        pose = record.take("pose", "a 4 x 4 pose, row by row")
        if not isinstance(pose, list) or len(pose) != 16:
            raise record.error("pose", "16 numbers, a 4 x 4 pose row by row", pose)
        open_ways = record.take("unobstructed", "a list of booleans")
        if not isinstance(open_ways, list) or len(open_ways) != len(records):
            raise record.error("unobstructed", f"{len(records)} booleans, one a viewpoint", open_ways)
        names.append(record.text("image_id"))
        cameras_m.append((float(pose[3]), float(pose[7]), float(pose[11])))
        links.append([bool(way) for way, is_used in zip(open_ways, used, strict=True) if is_used])
    camera_m = np.array(cameras_m).reshape(-1, 3)
    apart_m = np.linalg.norm(camera_m[:, None] - camera_m[None], axis=2)
    joined = np.array(links, dtype=bool).reshape(len(names), len(names))
    # The scans are Z-up; a turn about x makes them the world frame.
    positions = {name: (x, z - CAMERA_HEIGHT_M, -y) for name, (x, y, z) in zip(names, cameras_m, strict=True)}
    index_of = {name: index for index, name in enumerate(names)}
    scan = path.name.removesuffix(_SUFFIX)
    return ViewpointGraph(scan, positions, index_of, csr_matrix(np.where(joined, apart_m, 0.0)))


def find_graphs(folder: str | Path) -> dict[str, Path]:
    """The graph files in a folder, by scan.

    Raises:
        FileNotFoundError: If there is none.
    """
    folder = Path(folder)
    files = sorted(folder.glob(f"*{_SUFFIX}"))
    if not files:
        raise FileNotFoundError(f"no viewpoint graph in {folder}; expected files named SCAN{_SUFFIX}")
    return {path.name.removesuffix(_SUFFIX): path for path in files}


def _is_used(path: Path, index: int, value: Any) -> bool:
    record = Record(path, f"viewpoint at index {index}", value)
    return bool(record.take("included", "a boolean"))
