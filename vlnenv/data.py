"""Where episodes and scenes come from: installed data sets, files of their format, the built-in houses."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from vlnenv import houses
from vlnenv.episodes import EpisodeDataset, read_r2r_ce
from vlnenv.errors import unknown_name
from vlnenv.sim.loading import load_scene
from vlnenv.sim.scene import Scene

HOUSES = "houses"

_R2R_CE_FOLDERS = (
    "datasets/R2R_VLNCE_v1-3_preprocessed",
    "datasets/R2R_VLNCE_v1-3",
    "R2R_VLNCE_v1-3_preprocessed",
    "R2R_VLNCE_v1-3",
    "r2r_ce/R2R_VLNCE_v1-3_preprocessed",
    "r2r_ce/R2R_VLNCE_v1-3",
)
_SCENE_FOLDERS = ("scene_datasets", "scenes", "")

DATASET_FOLDERS: dict[str, tuple[str, ...]] = {"r2r_ce": _R2R_CE_FOLDERS}
"""Data set -> where it may lie below the data folder; the first that holds the split wins."""

_warned_about_houses = False


def data_dir(path: str | Path | None = None) -> Path:
    """The data folder: `path`, else the environment variable VLNENV_DATA, else ./data."""
    return Path(path or os.environ.get("VLNENV_DATA") or "data")


def load_dataset(name: str, split: str, folder: str | Path | None = None) -> EpisodeDataset:
    """Episodes of one split.

    Args:
        name: "houses", a data set of `DATASET_FOLDERS`, or the path of a .json or .json.gz file in R2R-CE's
            format (`split` then only names it).
        split: E.g. "train", "val_seen", "val_unseen", "test".
        folder: Data folder, see `data_dir`.

    Raises:
        ValueError: If the data set or split is unknown.
        FileNotFoundError: If the data set is not installed; the message lists the places searched.
    """
    if name == HOUSES:
        return houses.load_episodes(split)
    if name.endswith((".json", ".json.gz")):
        path = Path(name)
        if not path.is_file():
            raise FileNotFoundError(f"no episode file {path}; expected R2R-CE's format, .json or .json.gz")
        return read_r2r_ce(path, split=split)
    if name not in DATASET_FOLDERS:
        raise ValueError(
            unknown_name("data set", name, [HOUSES, *DATASET_FOLDERS, "the path of a .json.gz file"])
        )
    file = find_split(name, split, folder)
    if file is None:
        splits = installed_splits(name, folder)
        if splits:
            raise ValueError(unknown_name(f"split of {name}", split, splits))
        searched = "\n  ".join(
            str(data_dir(folder) / place / split / f"{split}.json.gz") for place in DATASET_FOLDERS[name]
        )
        raise FileNotFoundError(
            f"{name} is not installed. Searched:\n  {searched}\n"
            f"Set VLNENV_DATA or data_dir= to the folder that holds it, or use dataset='{HOUSES}'."
        )
    return read_r2r_ce(file, name=name, split=split)


def find_split(name: str, split: str, folder: str | Path | None = None) -> Path | None:
    """The file of an installed split, or None."""
    for place in DATASET_FOLDERS[name]:
        for suffix in (".json.gz", ".json"):
            file = data_dir(folder) / place / split / f"{split}{suffix}"
            if file.is_file():
                return file
    return None


def installed_splits(name: str, folder: str | Path | None = None) -> list[str]:
    """Splits of a data set that lie in the data folder, sorted."""
    found = set()
    for place in DATASET_FOLDERS[name]:
        root = data_dir(folder) / place
        if root.is_dir():
            found |= {child.name for child in root.iterdir() if find_split(name, child.name, folder)}
    return sorted(found)


def resolve_dataset(name: str, task_dataset: str, split: str, folder: str | Path | None = None) -> str:
    """The data set that "auto" stands for: the task's own where installed, else the built-in houses.

    Falling back warns once a process, so that numbers on houses are not taken for the benchmark's.
    """
    global _warned_about_houses
    if name != "auto":
        return name
    if installed_splits(task_dataset, folder):
        return task_dataset
    if not _warned_about_houses:
        _warned_about_houses = True
        warnings.warn(
            f"{task_dataset} is not installed below {data_dir(folder)!s}: using the built-in houses, whose "
            f"results are not {task_dataset}'s. Pass dataset='{HOUSES}' to say so, or set VLNENV_DATA.",
            UserWarning,
            stacklevel=2,
        )
    return HOUSES


def scene_loader(dataset: str, folder: str | Path | None = None) -> Callable[[str], Scene]:
    """The function that turns a scene id of a data set's episodes into a scene.

    Args:
        dataset: As for `load_dataset`; for a file, scenes are also searched beside it.
        folder: Data folder, see `data_dir`.
    """

    def load(scene_id: str) -> Scene:
        if scene_id.startswith(f"{HOUSES}/"):
            return houses.load_scene(scene_id)
        roots = [data_dir(folder) / place for place in _SCENE_FOLDERS]
        if dataset.endswith((".json", ".json.gz")):
            roots.insert(0, Path(dataset).parent)
        candidates = [root / scene_id for root in roots]
        for path in candidates:
            if path.is_file():
                return load_scene(path, scene_id=scene_id)
        searched = "\n  ".join(str(path) for path in candidates)
        raise FileNotFoundError(
            f"no scene {scene_id!r}. Searched:\n  {searched}\n"
            "Set VLNENV_DATA or data_dir= to the folder that holds the scenes."
        )

    return load
