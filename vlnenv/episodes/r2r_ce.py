"""R2R-CE's episode files (R2R_VLNCE v1-3, raw and preprocessed) with their `_gt` rollouts: reader and writer.

Read and written files hold equal JSON: numbers are exact, and what no attribute of `Episode` holds is kept in
its `extra`. The test split has neither goals nor reference paths.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlnenv.cache import write_atomic
from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.episode import Episode
from vlnenv.episodes.records import EpisodeFileError, Record, read_json

_SUFFIXES = (".json.gz", ".json")
_ACTION_COUNT = (
    6  # 0 stop, 1 forward, 2 left, 3 right; ETPNav's files add 4 (high to low), Habitat looks up and down
)
_FORWARD = 1


def read_r2r_ce(
    path: str | Path, *, gt_path: str | Path | None = None, name: str | None = None, split: str | None = None
) -> EpisodeDataset:
    """Read one split in R2R-CE's format.

    Args:
        path: `{split}.json.gz` or `{split}.json`.
        gt_path: The ground-truth rollouts. None takes `{split}_gt.json.gz` or `{split}_gt.json` beside `path`
            where there is one. Episodes that it leaves out have no ground truth; those that only it has are
            ignored.
        name: Name of the data set. None takes the folder's name (`NAME/{split}/{split}.json.gz`).
        split: None takes the file's name without its suffix.

    Returns:
        The episodes in file order. Integer ids become strings.

    Raises:
        FileNotFoundError: If `path`, or a `gt_path` that was given, does not exist.
        EpisodeFileError: If a file is truncated, is not JSON, or an episode has a missing, mistyped or
            duplicate field; names file, episode and field, what was expected and what came.
    """
    path = Path(path)
    stem = _stem(path)
    split = stem if split is None else split
    if name is None:
        parent = path.absolute().parent
        name = parent.parent.name if parent.name == split and parent.parent.name else parent.name
    top = Record(path, "top level", read_json(path))
    records = top.take("episodes", "a list of episodes")
    if not isinstance(records, list):
        raise top.error("episodes", "a list of episodes", records)
    rollouts = _read_gt(path, gt_path)

    episodes: list[Episode] = []
    integer_ids: set[str] = set()
    seen: dict[str, int] = {}
    for index, value in enumerate(records):
        episode, integers = _episode(path, index, value, rollouts)
        if index == 0:
            integer_ids = integers
        for field in sorted(integers ^ integer_ids):
            kinds = ("an integer", "a string") if field in integer_ids else ("a string", "an integer")
            raise EpisodeFileError(
                f"{path}: episode {episode.episode_id!r} (index {index}), field {field!r}: "
                f"expected {kinds[0]} as in the first episode, got {kinds[1]}"
            )
        if episode.episode_id in seen:
            raise EpisodeFileError(
                f"{path}: episode {episode.episode_id!r} (index {index}), field 'episode_id': "
                f"expected an id of its own, got that of index {seen[episode.episode_id]}"
            )
        seen[episode.episode_id] = index
        episodes.append(episode)
    return EpisodeDataset(
        name=name,
        split=split,
        episodes=tuple(episodes),
        vocabulary=_vocabulary(top),
        integer_ids=tuple(sorted(integer_ids)),
        extra={field: value for field, value in top.value.items() if field != "episodes"},
    )


def write_r2r_ce(dataset: EpisodeDataset, path: str | Path) -> None:
    """Write a split in R2R-CE's format, and its `{split}_gt` file beside it if an episode has ground truth.

    Each file is replaced atomically, and equal data sets give equal bytes (the gzip header carries no time).

    Args:
        dataset: As `read_r2r_ce` gave it, or built by hand.
        path: Ends in `.json.gz` or `.json`; the `_gt` file gets the same suffix. Folders are made.

    Raises:
        ValueError: If the path has another suffix, or no episode has ground truth while an older `_gt` file
            lies beside `path`, where the reader would take it for this data set's.
    """
    path = Path(path)
    stem = _stem(path)
    top: dict[str, Any] = {"episodes": [_episode_json(dataset, episode) for episode in dataset]}
    top.update(dataset.extra)
    if dataset.vocabulary is not None and "instruction_vocab" not in top:
        top["instruction_vocab"] = {"word_list": list(dataset.vocabulary)}
    rollouts = {episode.episode_id: _gt_json(episode) for episode in dataset if episode.gt_locations_m}
    stale = _sibling_gt(path)
    if not rollouts and stale is not None:
        raise ValueError(
            f"{stale} belongs to other episodes than these, which have no ground truth; move it away"
        )
    _write_json(path, top)
    if rollouts:
        _write_json(path.with_name(f"{stem}_gt{path.name[len(stem) :]}"), rollouts)


def _stem(path: Path) -> str:
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix) and len(path.name) > len(suffix):
            return path.name[: -len(suffix)]
    raise ValueError(f"expected a file name ending in .json.gz or .json, got {str(path)!r}")


def _sibling_gt(path: Path) -> Path | None:
    candidates = (path.with_name(f"{_stem(path)}_gt{suffix}") for suffix in _SUFFIXES)
    return next((each for each in candidates if each.exists()), None)


def _read_gt(path: Path, gt_path: str | Path | None) -> dict[str, Record]:
    found = _sibling_gt(path) if gt_path is None else Path(gt_path)
    if found is None:
        return {}
    top = Record(found, "top level", read_json(found))
    return {key: Record(found, f"episode {key!r}", value) for key, value in top.value.items()}


def _vocabulary(top: Record) -> tuple[str, ...] | None:
    if not top.has("instruction_vocab"):
        return None
    vocabulary = top.object("instruction_vocab")
    if not vocabulary.has("word_list"):
        return None
    words = vocabulary.take("word_list", "a list of words")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise vocabulary.error("word_list", "a list of words", words)
    return tuple(words)


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


def _episode_json(dataset: EpisodeDataset, episode: Episode) -> dict[str, Any]:
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


def _gt_json(episode: Episode) -> dict[str, Any]:
    record: dict[str, Any] = {
        "locations": [list(point) for point in episode.gt_locations_m],
        "actions": list(episode.gt_actions),
        "forward_steps": episode.gt_actions.count(_FORWARD),
    }
    record.update(episode.extra.get("_gt", {}))
    if record["forward_steps"] is None:
        del record["forward_steps"]
    return record


def _write_json(path: Path, value: Any) -> None:
    raw = json.dumps(value, allow_nan=False).encode()
    if path.name.endswith(".gz"):
        buffer = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as file:
            file.write(raw)
        raw = buffer.getvalue()
    write_atomic(path, raw)
