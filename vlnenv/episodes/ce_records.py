"""Episodes from and to the JSON records that R2R-CE, RxR-CE and the sets made like them share.

What no attribute of `Episode` holds is kept in its `extra`, in its place, so that written files hold equal
JSON.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vlnenv.cache import write_atomic
from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.episode import Episode
from vlnenv.episodes.records import EpisodeFileError, Record, read_json

SUFFIXES = (".json.gz", ".json")
_ACTION_COUNT = (
    6  # 0 stop, 1 forward, 2 left, 3 right; ETPNav's files add 4 (high to low), Habitat looks up and down
)
_FORWARD = 1


def stem(path: Path) -> str:
    """A file's name without .json.gz or .json.

    Raises:
        ValueError: If it ends in neither.
    """
    for suffix in SUFFIXES:
        if path.name.endswith(suffix) and len(path.name) > len(suffix):
            return path.name[: -len(suffix)]
    raise ValueError(f"expected a file name ending in .json.gz or .json, got {str(path)!r}")


def sibling_gt(path: Path) -> Path | None:
    """The `_gt` file beside an episode file, or beside a folder of them; None where there is none."""
    name = path.name if path.is_dir() else stem(path)
    candidates = (path.with_name(f"{name}_gt{suffix}") for suffix in SUFFIXES)
    return next((each for each in candidates if each.exists()), None)


def read_rollouts(gt_path: Path | None) -> dict[str, Record]:
    """The ground-truth rollouts of a file by episode id; none for None.

    Raises:
        FileNotFoundError: If the file does not exist.
        EpisodeFileError: If it is damaged.
    """
    if gt_path is None:
        return {}
    top = Record(gt_path, "top level", read_json(gt_path))
    return {key: Record(gt_path, f"episode {key!r}", value) for key, value in top.value.items()}


def parse_episodes(
    files: Iterable[tuple[Path, list[Any]]], rollouts: Mapping[str, Record]
) -> tuple[tuple[Episode, ...], tuple[str, ...]]:
    """The episodes of one split.

    Args:
        files: Files and their lists of records, in order.
        rollouts: As `read_rollouts` gives them.

    Returns:
        The episodes in order, and which of their ids are integers in the files.

    Raises:
        EpisodeFileError: If an episode has a missing, mistyped or duplicate field; names file, episode and
            field, what was expected and what came.
    """
    episodes: list[Episode] = []
    integer_ids: set[str] = set()
    seen: dict[str, tuple[Path, int]] = {}
    for path, records in files:
        for index, value in enumerate(records):
            episode, integers = _episode(path, index, value, rollouts)
            where = f"{path}: episode {episode.episode_id!r} (index {index})"
            if not episodes:
                integer_ids = integers
            for field in sorted(integers ^ integer_ids):
                kinds = ("an integer", "a string") if field in integer_ids else ("a string", "an integer")
                raise EpisodeFileError(
                    f"{where}, field {field!r}: expected {kinds[0]} as in the first episode, got {kinds[1]}"
                )
            if episode.episode_id in seen:
                other, position = seen[episode.episode_id]
                file = "" if other == path else f" in {other}"
                raise EpisodeFileError(
                    f"{where}, field 'episode_id': expected an id of its own, got that of index "
                    f"{position}{file}"
                )
            seen[episode.episode_id] = path, index
            episodes.append(episode)
    return tuple(episodes), tuple(sorted(integer_ids))


def _episode(path: Path, index: int, value: Any, rollouts: Mapping[str, Record]) -> tuple[Episode, set[str]]:
    """The episode of one record, and which of its ids are integers in the file."""
    record = Record(path, f"episode at index {index}", value)
    episode_id, is_integer = record.identifier("episode_id")
    record.label = f"episode {episode_id!r} (index {index})"
    integers = {"episode_id"} if is_integer else set()
    trajectory_id, is_integer = record.identifier("trajectory_id")
    integers |= {"trajectory_id"} if is_integer else set()

    extra: dict[str, Any] = {}
    instruction = record.object("instruction")
    text = instruction.text("instruction_text")
    tokens = instruction.integers("instruction_tokens") if instruction.has("instruction_tokens") else None
    _keep(extra, "instruction", instruction.rest())
    if instruction.has("language"):
        instruction.text("language")

    goal_position, goal_radius = None, 3.0
    if record.has("goals"):
        goals = record.take("goals", "a list of one goal")
        if not isinstance(goals, list) or len(goals) != 1:
            raise record.error("goals", "a list of one goal (a test split leaves the field out)", goals)
        goal = Record(path, record.label, goals[0], "goals[0]")
        goal_position = goal.vector("position")
        goal_radius = goal.number("radius", minimum=0.0) if goal.has("radius") else goal_radius
        _keep(extra, "goals", goal.rest())

    geodesic = None
    if record.has("info"):
        info = record.object("info")
        geodesic = info.number("geodesic_distance", minimum=0.0) if info.has("geodesic_distance") else None
        if geodesic is None or info.rest():
            extra["info"] = info.rest()
        _check_target(info)

    rollout = rollouts.get(episode_id)
    locations, actions = _rollout(rollout, extra) if rollout is not None else ((), ())
    episode = Episode(
        episode_id=episode_id,
        trajectory_id=trajectory_id,
        scene_id=record.text("scene_id"),
        start_position_m=record.vector("start_position"),
        start_rotation_xyzw=record.quaternion("start_rotation"),
        instruction=text,
        instruction_tokens=tokens,
        goal_position_m=goal_position,
        goal_radius_m=goal_radius,
        reference_path_m=record.vectors("reference_path") if record.has("reference_path") else (),
        geodesic_distance_m=geodesic,
        gt_locations_m=locations,
        gt_actions=actions,
        extra={**record.rest(), **extra},
    )
    return episode, integers


def _check_target(info: Record) -> None:
    """Raise unless the target object, where there is one, is as `Episode.target` reads it."""
    if info.has("goal_object"):
        info.identifier("goal_object")
    if info.has("goal_category"):
        info.text("goal_category")
    if info.has("goal_viewpoints"):
        info.vectors("goal_viewpoints")


def _rollout(
    record: Record, extra: dict[str, Any]
) -> tuple[tuple[tuple[float, float, float], ...], tuple[int, ...]]:
    locations = record.vectors("locations")
    actions = record.integers("actions", below=_ACTION_COUNT) if record.has("actions") else ()
    rest = record.rest()
    if rest.get("forward_steps") == actions.count(_FORWARD):
        del rest["forward_steps"]  # the writer counts it anew
    else:
        rest.setdefault("forward_steps", None)
    _keep(extra, "_gt", rest)
    return locations, actions


def _keep(extra: dict[str, Any], field: str, rest: dict[str, Any]) -> None:
    if rest:
        extra[field] = rest


def _identifier(dataset: EpisodeDataset, field: str, value: str) -> str | int:
    return int(value) if field in dataset.integer_ids else value


def episode_json(dataset: EpisodeDataset, episode: Episode) -> dict[str, Any]:
    """The record of an episode."""
    extra = {field: value for field, value in episode.extra.items() if field != "_gt"}
    record: dict[str, Any] = {
        "episode_id": _identifier(dataset, "episode_id", episode.episode_id),
        "trajectory_id": _identifier(dataset, "trajectory_id", episode.trajectory_id),
        "scene_id": episode.scene_id,
        "start_position": list(episode.start_position_m),
        "start_rotation": list(episode.start_rotation_xyzw),
    }
    if episode.geodesic_distance_m is not None:
        record["info"] = {"geodesic_distance": episode.geodesic_distance_m, **extra.pop("info", {})}
    if episode.goal_position_m is not None:
        goal = {"position": list(episode.goal_position_m), "radius": episode.goal_radius_m}
        record["goals"] = [{**goal, **extra.pop("goals", {})}]
    record["instruction"] = {"instruction_text": episode.instruction}
    if episode.instruction_tokens is not None:
        record["instruction"]["instruction_tokens"] = list(episode.instruction_tokens)
    record["instruction"].update(extra.pop("instruction", {}))
    if episode.reference_path_m:
        record["reference_path"] = [list(point) for point in episode.reference_path_m]
    record.update(extra)
    return record


def gt_json(episode: Episode) -> dict[str, Any]:
    """The record of an episode's ground-truth rollout."""
    record: dict[str, Any] = {
        "locations": [list(point) for point in episode.gt_locations_m],
        "actions": list(episode.gt_actions),
        "forward_steps": episode.gt_actions.count(_FORWARD),
    }
    record.update(episode.extra.get("_gt", {}))
    if record["forward_steps"] is None:
        del record["forward_steps"]
    return record


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically, gzipped for .gz; equal values give equal bytes (the header carries no time)."""
    raw = json.dumps(value, allow_nan=False).encode()
    if path.name.endswith(".gz"):
        buffer = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
            file.write(raw)
        raw = buffer.getvalue()
    write_atomic(path, raw)
