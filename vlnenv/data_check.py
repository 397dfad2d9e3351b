"""What lies in a data folder: which of the field's data sets are there and whole, missing or damaged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vlnenv.data import read_episodes
from vlnenv.datasets import DISCRETE, EPISODES, SCENE_FOLDERS, SCENES, EpisodeSource, SceneSource
from vlnenv.episodes.records import EpisodeFileError, read_json
from vlnenv.episodes.viewpoints import read_graph
from vlnenv.sim.scene_headers import scene_problem

_LISTED = 3
_BUILDINGS = SCENES["mp3d"].count


@dataclass(frozen=True)
class Finding:
    """What was found of one data set."""

    name: str
    """Its name in `vlnenv.datasets`."""
    title: str
    found: tuple[str, ...]
    """What is there and whole, a line each."""
    missing: tuple[str, ...]
    """What is not there, a line each."""
    broken: tuple[str, ...]
    """What is there and can't be read, a line each, with the file."""
    licence: str
    ask: str
    """Where it is to be had."""


def check_data(folder: str | Path) -> tuple[Finding, ...]:
    """Read everything that lies in a data folder, and say what is there.

    Args:
        folder: As `vlnenv.data.data_dir` gives it; it need not be there.

    Returns:
        One finding for each data set of `vlnenv.datasets`: episodes, scenes, discrete data.
    """
    root = Path(folder)
    named: set[str] = set()
    episodes = [_check_episodes(name, source, root, named) for name, source in EPISODES.items()]
    scenes = [_check_scenes(name, source, root, named) for name, source in SCENES.items()]
    return (*episodes, *scenes, *(_check_discrete(name, root) for name in DISCRETE))


def _check_episodes(name: str, source: EpisodeSource, root: Path, named: set[str]) -> Finding:
    """Reads every split in every place, and adds the scenes that its episodes name to `named`."""
    found, broken, here = [], [], set()
    for layout in source.layouts:
        for split in layout.splits(root):
            path = layout.path(root, split)
            assert path is not None, "a layout has a place for each split that it lists"
            here.add(split)
            try:
                dataset = read_episodes(path, name=name, split=split, gt_path=layout.gt_path(root, split))
            except (EpisodeFileError, OSError) as error:
                broken.append(str(error))
                continue
            scenes = {episode.scene_id for episode in dataset}
            named |= scenes
            present = sum(_is_here(root, scene_id) for scene_id in scenes)
            with_gt = sum(bool(episode.gt_locations_m) for episode in dataset)
            found.append(
                f"{split}: {len(dataset)} episodes ({with_gt} with ground truth) in {len(scenes)} scenes, "
                f"{present} of which are here: {path.relative_to(root)}"
            )
    missing = [split for split in source.splits if split not in here]
    return Finding(
        name,
        source.title,
        tuple(found),
        (f"splits {', '.join(missing)}",) if missing else (),
        tuple(broken),
        source.licence,
        source.ask,
    )


def _check_scenes(name: str, source: SceneSource, root: Path, named: set[str]) -> Finding:
    files = {
        path
        for place in SCENE_FOLDERS
        for pattern in source.patterns
        for path in (root / place).glob(pattern)
        if ".semantic." not in path.name
    }
    problems = {path: scene_problem(path) for path in sorted(files)}
    broken = tuple(f"{path}: {problem}" for path, problem in problems.items() if problem is not None)
    # A scene of HM3D may have X.glb beside X.basis.glb.
    whole = {(path.parent, path.name.split(".")[0]) for path in files if problems[path] is None}
    lacking = sorted(each for each in named if each.startswith(f"{name}/") and not _is_here(root, each))
    missing = [f"{len(lacking)} scenes that episodes here name: {_some(lacking)}"] if lacking else []
    if not files and not lacking:
        missing = [f"all {source.count} scenes"]
    return Finding(
        name,
        source.title,
        (f"{len(whole)} of {source.count} scenes",) if whole else (),
        tuple(missing),
        broken,
        source.licence,
        source.ask,
    )


def _check_discrete(name: str, root: Path) -> Finding:
    source = DISCRETE[name]
    found, broken = [], []
    files = sorted({path for pattern in source.patterns for path in root.glob(pattern)})
    for path in files:
        try:
            if name == "connectivity":
                read_graph(path)
                continue
            value = read_json(path)
            if not isinstance(value, list):
                raise EpisodeFileError(f"{path}: expected a list of paths, got {type(value).__name__}")
            found.append(f"{len(value)} paths: {path.relative_to(root)}")
        except (EpisodeFileError, OSError) as error:
            broken.append(str(error))
    missing = () if files else ("all of it",)
    if name == "connectivity" and len(files) > len(broken):
        found.append(f"{len(files) - len(broken)} of {_BUILDINGS} graphs")
        missing = (f"{_BUILDINGS - len(files)} graphs",) if len(files) < _BUILDINGS else ()
    return Finding(name, source.title, tuple(found), missing, tuple(broken), source.licence, source.ask)


def _is_here(root: Path, scene_id: str) -> bool:
    return any((root / place / scene_id).is_file() for place in SCENE_FOLDERS)


def _some(names: list[str]) -> str:
    listed = ", ".join(names[:_LISTED])
    return listed if len(names) <= _LISTED else f"{listed}, ..."
