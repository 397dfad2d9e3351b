"""`vlnenv data`: looking at data folders and episode files, and making episodes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from vlnenv import data
from vlnenv.episodes import EpisodeDataset, write_r2r_ce
from vlnenv.episodes.vocabulary import split_words


def houses_report() -> str:
    """Statistics of the built-in houses, split by split."""
    from vlnenv import houses

    return "\n\n".join(describe(houses.load_episodes(split)) for split in houses.SPLITS)


def check_report(path: Path) -> str:
    """Statistics of an episode file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is damaged; the message names file, episode and field.
    """
    return describe(data.read_episodes(path))


def check_folder(folder: Path) -> tuple[str, bool]:
    """What lies in a data folder, data set by data set, and whether all that is there can be read."""
    from vlnenv.data_check import check_data

    findings = check_data(folder)
    state = "" if folder.is_dir() else " (not there; set VLNENV_DATA, or name a folder)"
    lines = [f"data folder {folder}{state}"]
    for finding in findings:
        lines += ["", f"{finding.title}  [{finding.name}]"]
        lines += [f"  {'found':<10}{each}" for each in finding.found]
        lines += [f"  {'missing':<10}{each}" for each in finding.missing]
        lines += [f"  {'broken':<10}{each}" for each in finding.broken]
        lines.append(f"  {'licence':<10}{finding.licence}")
        if finding.missing or finding.broken:
            lines.append(f"  {'from':<10}{finding.ask}")
    return "\n".join([*lines, "", "The built-in houses need no data."]), not any(
        finding.broken for finding in findings
    )


def convert_report(
    kind: str,
    file: Path,
    connectivity: Path,
    out: Path,
    split: str | None = None,
    first_id: int = 1,
    heading_step_deg: float | None = None,
    boxes: Path | None = None,
) -> str:
    """Make R2R's or REVERIE's paths continuous and write them in R2R-CE's format; says what was written.

    Args:
        kind: "r2r" or "reverie".
        file: The discrete file.
        connectivity: Folder of the viewpoint graphs.
        out: The .json.gz file to write.
        split: Name of the split; None takes `out`'s name.
        first_id: Id of the first episode.
        heading_step_deg: See `vlnenv.episodes.discrete.convert`.
        boxes: REVERIE's folder of bounding boxes.

    Raises:
        FileNotFoundError: If a file or folder is not there.
        ValueError: If one is damaged, or no path lies in a building whose graph is there.
    """
    from vlnenv.episodes.discrete import convert

    made = convert(
        file,
        connectivity,
        kind,
        split=split or _base(out),
        first_id=first_id,
        heading_step_deg=heading_step_deg,
        boxes=boxes,
    )
    left_out = ", ".join(f"{scan} ({count})" for scan, count in made.skipped.items())
    skipped = (
        f"{sum(made.skipped.values())} paths in {len(made.skipped)} buildings without a graph: {left_out}"
    )
    if not len(made.dataset):
        raise ValueError(f"nothing of {file} can be converted with the graphs in {connectivity}: {skipped}")
    write_r2r_ce(made.dataset, out)
    lines = [
        describe(made.dataset),
        f"  left out          {skipped if made.skipped else 'nothing'}",
        f"  written to        {out}",
    ]
    return "\n".join(lines)


def make_scene_episodes(scene_file: Path, out: Path, count: int, seed: int) -> str:
    """Write episodes between the named objects of a scene; returns what was written, in a few lines.

    The episodes name the scene by its path from the episode file's folder, where the environment looks
    for it: `gym.make("R2RCE-v0", dataset=str(out))`.

    Args:
        scene_file: A mesh with named nodes: .glb, .gltf, .ply or .obj.
        out: The .json.gz file to write.
        count: How many episodes.
        seed: Equal seeds give equal episodes.

    Raises:
        FileNotFoundError: If there is no such scene.
        ValueError: If the scene cannot be read, has too little room or too few names, or `out` is no episode
            file's name.
    """
    if not scene_file.is_file():
        raise FileNotFoundError(f"no scene file {scene_file}")
    name = _base(out)
    from vlnenv.houses.routes.routes import generate_episodes
    from vlnenv.sim.embree import EmbreeSimulator
    from vlnenv.sim.loading import load_scene

    out.parent.mkdir(parents=True, exist_ok=True)
    scene_id = Path(os.path.relpath(scene_file.resolve(), out.parent.resolve())).as_posix()
    simulator = EmbreeSimulator(load_scene=lambda name: load_scene(scene_file, scene_id=name))
    episodes = generate_episodes(simulator, simulator.load(scene_id), count, seed)
    simulator.close()
    dataset = EpisodeDataset(name, "train", tuple(episodes))
    write_r2r_ce(dataset, out)
    return f"{describe(dataset)}\n  written to        {out}"


def _base(out: Path) -> str:
    """An episode file's name without its suffix; ValueError if it has none of an episode file's."""
    if not out.name.endswith((".json", ".json.gz")):
        raise ValueError(f"an episode file ends in .json.gz or .json, got {out}")
    return out.name.removesuffix(".gz").removesuffix(".json")


def describe(dataset: EpisodeDataset) -> str:
    """A few lines on what a split holds."""
    episodes = dataset.episodes
    scenes = Counter(episode.scene_id for episode in episodes)
    lines = [
        f"{dataset.name} {dataset.split} (hash {dataset.hash})",
        f"  episodes          {len(episodes)} on {len({each.trajectory_id for each in episodes})} routes",
        f"  scenes            {len(scenes)}",
    ]
    geodesics = [each.geodesic_distance_m for each in episodes if each.geodesic_distance_m is not None]
    words = [len(split_words(each.instruction)) for each in episodes]
    steps = [len(each.gt_actions) for each in episodes if each.gt_actions]
    for name, values, unit in (
        ("way to the goal", geodesics, " m"),
        ("words", words, ""),
        ("expert's steps", steps, ""),
    ):
        if values:
            low, middle, high = np.quantile(values, [0.0, 0.5, 1.0])
            lines.append(f"  {name:<18}{low:.4g} to {high:.4g}, median {middle:.4g}{unit}")
    languages = Counter(each.language for each in episodes)
    if len(languages) > 1:
        lines.append(
            f"  languages         {', '.join(f'{name} {count}' for name, count in languages.items())}"
        )
    targets = sum(each.target is not None for each in episodes)
    if targets:
        lines.append(f"  target objects    {targets}")
    distinct = {word for each in episodes for word in split_words(each.instruction)}
    lines.append(f"  distinct words    {len(distinct)}")
    if episodes:
        lines.append(f"  for example       {episodes[0].instruction!r}")
    return "\n".join(lines)
