"""Folders of episodes, one JSON list a scene: Dynam3D's REVERIE-CE, NavRAG-CE and ScaleVLN-CE for training.

An episode's record is R2R-CE's. Ground truth lies in one file for all scenes; Dynam3D's has the sparse
viewpoints for locations and made-up actions, so that nDTW by it does not compare with R2R-CE's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vlnenv.episodes.ce_records import (
    SUFFIXES,
    episode_json,
    gt_json,
    parse_episodes,
    read_rollouts,
    sibling_gt,
    write_json,
)
from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.records import EpisodeFileError, read_json


def read_scene_lists(
    folder: str | Path, *, gt_path: str | Path | None = None, name: str | None = None, split: str = "train"
) -> EpisodeDataset:
    """Read a split that lies in a folder of lists.

    Args:
        folder: Holds `{scene}.json` or `.json.gz`, each a list of episodes; read in the order of their names.
        gt_path: The ground-truth rollouts; None takes `{folder}_gt.json` beside the folder, if it is there.
        name: Name of the data set; None takes the folder's.
        split: Name of the split.

    Raises:
        FileNotFoundError: If the folder, or a `gt_path` that was given, does not exist, or it holds no file.
        EpisodeFileError: If a file is damaged, or an episode has a missing, mistyped or duplicate field.
    """
    folder = Path(folder)
    paths = list_files(folder)
    if not paths:
        raise FileNotFoundError(f"no list of episodes in {folder}; expected one .json or .json.gz a scene")
    files = [(path, _list(path)) for path in paths]
    rollouts = read_rollouts(sibling_gt(folder) if gt_path is None else Path(gt_path))
    episodes, integer_ids = parse_episodes(files, rollouts)
    return EpisodeDataset(name or folder.name, split, episodes, integer_ids=integer_ids)


def write_scene_lists(dataset: EpisodeDataset, folder: str | Path, gt_path: str | Path | None = None) -> None:
    """Write a split as a folder of lists, `{scene file's name}.json` each, in the order of the episodes.

    Args:
        dataset: Its episodes.
        folder: Made if it is not there.
        gt_path: Gets the ground truth, if an episode has some; None for `{folder}_gt.json`.

    Raises:
        ValueError: If the folder holds lists already, or two scenes have files of the same name.
    """
    folder = Path(folder)
    if folder.is_dir() and list_files(folder):
        raise ValueError(f"{folder} holds lists of episodes already; choose another folder")
    lists: dict[str, list[dict[str, Any]]] = {}
    scenes: dict[str, str] = {}
    for episode in dataset:
        name = episode.scene_id.rsplit("/", 1)[-1]
        if scenes.setdefault(name, episode.scene_id) != episode.scene_id:
            raise ValueError(f"{scenes[name]} and {episode.scene_id} would both be written to {name}.json")
        lists.setdefault(name, []).append(episode_json(dataset, episode))
    for name, records in lists.items():
        write_json(folder / f"{name}.json", records)
    rollouts = {episode.episode_id: gt_json(episode) for episode in dataset if episode.gt_locations_m}
    if rollouts:
        write_json(
            Path(gt_path) if gt_path is not None else folder.with_name(f"{folder.name}_gt.json"), rollouts
        )


def list_files(folder: Path) -> list[Path]:
    """The lists in a folder, sorted by name.

    Raises:
        FileNotFoundError: If there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}")
    return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIXES) and path.is_file())


def _list(path: Path) -> list[Any]:
    value = read_json(path)
    if not isinstance(value, list):
        raise EpisodeFileError(f"{path}: top level: expected a list of episodes, got {type(value).__name__}")
    return value
