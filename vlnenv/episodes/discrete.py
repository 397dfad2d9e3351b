"""R2R and REVERIE from the viewpoint graph to continuous episodes.

A viewpoint becomes the floor below its camera, a path the reference path, the shortest way along the graph
the geodesic distance. Each instruction is an episode. Like Dynam3D's converter (discrete_to_CE), without its
made-up ground truth, and with REVERIE's target objects kept.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.episode import Episode
from vlnenv.episodes.records import EpisodeFileError, Record, read_json
from vlnenv.episodes.viewpoints import ViewpointGraph, find_graphs, read_graph
from vlnenv.errors import unknown_name
from vlnenv.sim.camera import heading_to_quaternion

KINDS = ("r2r", "reverie")
"""Discrete data sets that are read."""


@dataclass(frozen=True)
class Conversion:
    """Continuous episodes, and what could not be made continuous."""

    dataset: EpisodeDataset
    skipped: Mapping[str, int]
    """Scan without a graph -> its paths, which were left out."""
    paths: int
    """Paths that became episodes."""


def convert(
    file: str | Path,
    connectivity: str | Path,
    kind: str,
    *,
    split: str = "train",
    first_id: int = 1,
    heading_step_deg: float | None = None,
    boxes: str | Path | None = None,
) -> Conversion:
    """Make the episodes of a discrete file continuous.

    Args:
        file: R2R's or REVERIE's JSON list of paths.
        connectivity: Folder of `{scan}_connectivity.json`; paths of other scans are skipped and counted.
        kind: One of `KINDS`.
        split: Name of the split.
        first_id: Id of the first episode; they are numbered in the file's order.
        heading_step_deg: Starting headings are rounded to multiples of this, degrees; 30 is what R2R-CE's
            own files have. None keeps them as they are, like Dynam3D.
        boxes: REVERIE's folder of bounding boxes, `{scan}_{viewpoint}.json`, for the targets' class names and
            the viewpoints that they are visible from.

    Returns:
        The episodes. The trajectory is R2R's path, or REVERIE's path and object ("1357_66").

    Raises:
        FileNotFoundError: If the file is not there, or the folder has no graph.
        EpisodeFileError: If a file is damaged, or a path has a missing or mistyped field or a viewpoint that
            is not in its graph.
        ValueError: If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(unknown_name("discrete data set", kind, KINDS))
    file = Path(file)
    records = read_json(file)
    if not isinstance(records, list):
        raise EpisodeFileError(f"{file}: top level: expected a list of paths, got {type(records).__name__}")
    files = find_graphs(connectivity)
    graphs: dict[str, ViewpointGraph] = {}
    seen_from = _Boxes(boxes)
    episodes: list[Episode] = []
    skipped: Counter[str] = Counter()
    for index, value in enumerate(records):
        record = Record(file, f"path at index {index}", value)
        scan = record.text("scan")
        if scan not in files:
            skipped[scan] += 1
            continue
        if scan not in graphs:
            graphs[scan] = read_graph(files[scan])
        info = _target(record, graphs[scan], seen_from) if kind == "reverie" else {}
        trajectory = record.identifier("id" if kind == "reverie" else "path_id")[0]
        episodes += _episodes(
            record, graphs[scan], trajectory, info, first_id + len(episodes), heading_step_deg
        )
    dataset = EpisodeDataset(
        name=f"{kind}_converted",
        split=split,
        episodes=tuple(episodes),
        integer_ids=("episode_id", "trajectory_id") if kind == "r2r" else ("episode_id",),
    )
    return Conversion(dataset, dict(sorted(skipped.items())), len(records) - sum(skipped.values()))


def _episodes(
    record: Record,
    graph: ViewpointGraph,
    trajectory_id: str,
    info: dict[str, Any],
    first_id: int,
    heading_step_deg: float | None,
) -> list[Episode]:
    """One episode an instruction of a path. A path of a test split is its start alone: it has no goal."""
    viewpoints = _texts(record, "path")
    try:
        path_m = graph.path(viewpoints)
    except KeyError as error:
        raise record.error("path", f"viewpoints of {graph.scan}'s graph", error.args[0]) from error
    heading_rad = record.number("heading")
    if heading_step_deg is not None:
        step_rad = math.radians(heading_step_deg)
        heading_rad = round(heading_rad / step_rad) * step_rad
    # R2R's headings grow clockwise, headings here counter-clockwise.
    x, y, z, w = heading_to_quaternion(2.0 * math.pi - heading_rad)
    has_goal = len(viewpoints) > 1
    geodesic_m = graph.geodesic(viewpoints[0], viewpoints[-1]) if has_goal else None
    if geodesic_m is not None and not math.isfinite(geodesic_m):
        raise record.error("path", "viewpoints that the graph joins", f"no way in {graph.scan}")
    return [
        Episode(
            episode_id=str(first_id + index),
            trajectory_id=trajectory_id,
            scene_id=f"mp3d/{graph.scan}/{graph.scan}.glb",
            start_position_m=path_m[0],
            start_rotation_xyzw=(x, y, z, w),
            instruction=text,
            goal_position_m=path_m[-1] if has_goal else None,
            reference_path_m=path_m if has_goal else (),
            geodesic_distance_m=geodesic_m,
            extra={"info": info} if info else {},
        )
        for index, text in enumerate(_texts(record, "instructions"))
    ]


def _texts(record: Record, field: str) -> list[str]:
    value = record.take(field, "a list of strings")
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise record.error(field, "a list of strings with at least one", value)
    return value


def _target(record: Record, graph: ViewpointGraph, boxes: _Boxes) -> dict[str, Any]:
    """What `info` says of a path's target object; a test split has none."""
    if not record.has("objId"):
        return {}
    object_id, _ = record.identifier("objId")
    category, viewpoints = boxes.of(graph.scan, object_id)
    info: dict[str, Any] = {"goal_object": object_id}
    if category:
        info["goal_category"] = category
    known = [graph.position_m[each] for each in viewpoints if each in graph.position_m]
    if known:
        info["goal_viewpoints"] = [list(position) for position in known]
    return info


class _Boxes:
    """REVERIE's bounding boxes: which object is visible from which viewpoints, and its class."""

    def __init__(self, folder: str | Path | None) -> None:
        self.folder = None if folder is None else Path(folder)
        self._scans: dict[str, dict[str, tuple[str, list[str]]]] = {}
        if self.folder is not None and not self.folder.is_dir():
            raise FileNotFoundError(f"no folder of bounding boxes {self.folder}")

    def of(self, scan: str, object_id: str) -> tuple[str, list[str]]:
        """Class and viewpoints of an object; "" and none where they are not known."""
        if self.folder is None:
            return "", []
        if scan not in self._scans:
            self._scans[scan] = _read_boxes(self.folder, scan)
        return self._scans[scan].get(object_id, ("", []))


def _read_boxes(folder: Path, scan: str) -> dict[str, tuple[str, list[str]]]:
    objects: dict[str, tuple[str, list[str]]] = {}
    for path in sorted(folder.glob(f"{scan}_*.json")):
        for viewpoint, value in Record(path, "top level", read_json(path)).value.items():
            for object_id, box in Record(path, f"viewpoint {viewpoint!r}", value).value.items():
                name = Record(path, f"object {object_id!r}", box).text("name")
                objects.setdefault(object_id, (name, []))[1].append(viewpoint)
    return objects
