"""R2R-CE's episode files (R2R_VLNCE v1-3, raw and preprocessed) with their `_gt` rollouts: reader and writer.

Read and written files hold equal JSON: numbers are exact, and what no attribute of `Episode` holds is kept in
its `extra`. The test split has neither goals nor reference paths.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlnenv.episodes.ce_records import (
    episode_json,
    gt_json,
    parse_episodes,
    read_rollouts,
    sibling_gt,
    stem,
    write_json,
)
from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.records import Record, read_json


def read_r2r_ce(
    path: str | Path, *, gt_path: str | Path | None = None, name: str | None = None, split: str | None = None
) -> EpisodeDataset:
    """Read one split in R2R-CE's format.

    Args:
        path: `{split}.json.gz` or `{split}.json`: `{"episodes": [...]}`, or a bare list of episodes.
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
    split = stem(path) if split is None else split
    if name is None:
        parent = path.absolute().parent
        name = parent.parent.name if parent.name == split and parent.parent.name else parent.name
    value = read_json(path)
    if isinstance(value, list):
        value = {"episodes": value}
    top = Record(path, "top level", value)
    records = top.take("episodes", "a list of episodes")
    if not isinstance(records, list):
        raise top.error("episodes", "a list of episodes", records)
    rollouts = read_rollouts(sibling_gt(path) if gt_path is None else Path(gt_path))
    episodes, integer_ids = parse_episodes([(path, records)], rollouts)
    return EpisodeDataset(
        name=name,
        split=split,
        episodes=episodes,
        vocabulary=_vocabulary(top),
        integer_ids=integer_ids,
        extra={field: each for field, each in top.value.items() if field != "episodes"},
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
    base = stem(path)
    top: dict[str, Any] = {"episodes": [episode_json(dataset, episode) for episode in dataset]}
    top.update(dataset.extra)
    if dataset.vocabulary is not None and "instruction_vocab" not in top:
        top["instruction_vocab"] = {"word_list": list(dataset.vocabulary)}
    rollouts = {episode.episode_id: gt_json(episode) for episode in dataset if episode.gt_locations_m}
    stale = sibling_gt(path)
    if not rollouts and stale is not None:
        raise ValueError(
            f"{stale} belongs to other episodes than these, which have no ground truth; move it away"
        )
    write_json(path, top)
    if rollouts:
        write_json(path.with_name(f"{base}_gt{path.name[len(base) :]}"), rollouts)


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
