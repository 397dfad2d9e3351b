"""Where episodes and scenes come from: installed data sets, files of their format, the built-in houses."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path

from vlnenv import houses
from vlnenv.datasets import EPISODES, SCENE_FOLDERS
from vlnenv.episodes import EpisodeDataset, read_r2r_ce, read_rxr_ce, read_scene_lists
from vlnenv.errors import unknown_name
from vlnenv.sim.loading import load_scene
from vlnenv.sim.scene import Scene

HOUSES = "houses"

_FILES = (".json", ".json.gz")
_warned_about_houses: set[str] = set()


def data_dir(path: str | Path | None = None) -> Path:
    """The data folder: `path`, else the environment variable VLNENV_DATA, else ./data."""
    return Path(path or os.environ.get("VLNENV_DATA") or "data")


def load_dataset(
    name: str, split: str, folder: str | Path | None = None, style: str = "r2r"
) -> EpisodeDataset:
    """Episodes of one split.

    Args:
        name: "houses", a data set of `vlnenv.datasets.EPISODES`, or the path of a .json or .json.gz file in
            R2R-CE's or RxR-CE's format (`split` then only names it), or of a folder of one list a scene.
        split: E.g. "train", "val_seen", "val_unseen", "test"; RxR-CE's followers are "val_seen_follower".
        folder: Data folder, see `data_dir`.
        style: How the built-in houses' instructions are written, see `vlnenv.tasks.Task.style`.

    Raises:
        ValueError: If the data set or split is unknown, or a file is damaged.
        FileNotFoundError: If the data set is not installed; the message lists the places searched.
    """
    if name == HOUSES:
        return houses.load_episodes(split, style)
    if _is_path(name):
        return read_episodes(Path(name), split=split)
    if name not in EPISODES:
        known = [HOUSES, *EPISODES, "the path of a .json.gz file"]
        raise ValueError(unknown_name("data set", name, known))
    file = find_split(name, split, folder)
    if file is None:
        splits = installed_splits(name, folder)
        if splits:
            raise ValueError(unknown_name(f"split of {name}", split, splits))
        searched = "\n  ".join(map(str, _places(name, split, folder)))
        raise FileNotFoundError(
            f"{name} is not installed. Searched:\n  {searched}\n"
            f"Set VLNENV_DATA or data_dir= to the folder that holds it, or use dataset='{HOUSES}'. "
            f"It is to be had from {EPISODES[name].ask}"
        )
    return read_episodes(file, name=name, split=split, gt_path=_find_gt(name, split, folder))


def read_episodes(
    path: Path, *, name: str | None = None, split: str | None = None, gt_path: Path | None = None
) -> EpisodeDataset:
    """The episodes of a file or folder of any of the continuous formats.

    Args:
        path: An episode file, or a folder of one list of episodes a scene.
        name: Name of the data set; None takes what the path says.
        split: Name of the split; None takes what the path says.
        gt_path: The ground-truth rollouts; None takes those beside the path.

    Raises:
        FileNotFoundError: If there is neither a file nor a folder of that name.
        ValueError: If it is damaged; the message names file, episode and field.
    """
    if path.is_dir():
        return read_scene_lists(path, gt_path=gt_path, name=name, split=split or "train")
    if not path.is_file():
        raise FileNotFoundError(f"no episode file {path}; expected R2R-CE's format, .json or .json.gz")
    base = path.name.removesuffix(".gz").removesuffix(".json")
    if base.endswith(("_guide", "_follower")):
        return read_rxr_ce(path, gt_path=gt_path, name=name, split=split, timings=False)
    return read_r2r_ce(path, gt_path=gt_path, name=name, split=split)


def find_split(name: str, split: str, folder: str | Path | None = None) -> Path | None:
    """The file (or the folder of lists) of an installed split, or None."""
    return next((place for place in _places(name, split, folder) if place.exists()), None)


def installed_splits(name: str, folder: str | Path | None = None) -> list[str]:
    """Splits of a data set that lie in the data folder, sorted."""
    root = data_dir(folder)
    return sorted({split for layout in EPISODES[name].layouts for split in layout.splits(root)})


def _places(name: str, split: str, folder: str | Path | None) -> list[Path]:
    """Where a split may lie, in the order of the search."""
    places = (layout.path(data_dir(folder), split) for layout in EPISODES[name].layouts)
    return [place for place in places if place is not None]


def _find_gt(name: str, split: str, folder: str | Path | None) -> Path | None:
    """The ground truth of an installed split where it does not lie beside it under its name."""
    root, file = data_dir(folder), find_split(name, split, folder)
    layout = next(each for each in EPISODES[name].layouts if each.path(root, split) == file)
    return layout.gt_path(root, split)


def _is_path(name: str) -> bool:
    """Whether a data set is named by its place, not by its name (which a folder may have, too)."""
    return name.endswith(_FILES) or (name not in EPISODES and Path(name).is_dir())


def resolve_dataset(name: str, task_dataset: str, split: str, folder: str | Path | None = None) -> str:
    """The data set that "auto" stands for: the task's own where installed, else the built-in houses.

    Falling back warns once a process and data set, so that numbers on houses are not taken for the
    benchmark's.
    """
    if name != "auto":
        return name
    if installed_splits(task_dataset, folder):
        return task_dataset
    if task_dataset not in _warned_about_houses:
        _warned_about_houses.add(task_dataset)
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
        return load_scene(find_scene(scene_id, dataset, folder), scene_id=scene_id)

    return load


def find_scene(scene_id: str, dataset: str, folder: str | Path | None = None) -> Path:
    """The file of a scene of a data set's episodes; the built-in houses have none.

    Args:
        scene_id: As the episodes name it, e.g. "mp3d/X/X.glb".
        dataset: As for `load_dataset`; for a file, scenes are also searched beside it.
        folder: Data folder, see `data_dir`.

    Raises:
        FileNotFoundError: If it is not there; the message lists the places searched.
    """
    roots = [data_dir(folder) / place for place in SCENE_FOLDERS]
    if _is_path(dataset):
        roots.insert(0, Path(dataset).parent)
    candidates = [root / scene_id for root in roots]
    for path in candidates:
        if path.is_file():
            return path
    searched = "\n  ".join(str(path) for path in candidates)
    raise FileNotFoundError(
        f"no scene {scene_id!r}. Searched:\n  {searched}\n"
        "Set VLNENV_DATA or data_dir= to the folder that holds the scenes."
    )
