"""`vlnenv data`: looking at episode files, and making them for scenes of one's own."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np

from vlnenv.episodes import EpisodeDataset, read_r2r_ce, write_r2r_ce
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
    if not path.is_file():
        raise FileNotFoundError(f"no episode file {path}")
    return describe(read_r2r_ce(path))


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
    if not out.name.endswith((".json", ".json.gz")):
        raise ValueError(f"an episode file ends in .json.gz or .json, got {out}")
    from vlnenv.houses.routes import generate_episodes
    from vlnenv.sim.embree import EmbreeSimulator
    from vlnenv.sim.loading import load_scene

    out.parent.mkdir(parents=True, exist_ok=True)
    scene_id = Path(os.path.relpath(scene_file.resolve(), out.parent.resolve())).as_posix()
    simulator = EmbreeSimulator(load_scene=lambda name: load_scene(scene_file, scene_id=name))
    episodes = generate_episodes(simulator, simulator.load(scene_id), count, seed)
    simulator.close()
    name = out.name.removesuffix(".gz").removesuffix(".json")
    dataset = EpisodeDataset(name, "train", tuple(episodes))
    write_r2r_ce(dataset, out)
    return f"{describe(dataset)}\n  written to        {out}"


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
    distinct = {word for each in episodes for word in split_words(each.instruction)}
    lines.append(f"  distinct words    {len(distinct)}")
    if episodes:
        lines.append(f"  for example       {episodes[0].instruction!r}")
    return "\n".join(lines)
