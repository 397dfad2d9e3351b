from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.small_houses import with_houses
from vlnenv import houses
from vlnenv.episodes import Episode, EpisodeDataset, write_r2r_ce
from vlnenv.sim.embree import EmbreeSimulator


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def episode_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short episodes in one built-in house; their instructions differ by one word."""
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load("houses/train/0000")
    rng = np.random.default_rng(0)
    episodes: list[Episode] = []
    while len(episodes) < 2:
        start, goal = simulator.sample(scene, rng, 2)
        path = simulator.path(scene, start, goal)
        length = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum()) if len(path) else 0.0
        if not 3.5 < length < 5.0:
            continue
        half = rng.uniform(-1.5, 1.5)
        number = str(len(episodes))
        episodes.append(
            Episode(
                episode_id=number,
                trajectory_id=number,
                scene_id=scene.id,
                start_position_m=tuple(start.tolist()),
                start_rotation_xyzw=(0.0, math.sin(half), 0.0, math.cos(half)),
                instruction=f"Turn {('left', 'right')[len(episodes)]} and walk to the table.",
                goal_position_m=tuple(goal.tolist()),
                reference_path_m=tuple(tuple(point) for point in path.tolist()),
                geodesic_distance_m=length,
            )
        )
    path = tmp_path_factory.mktemp("episodes") / "train.json.gz"
    write_r2r_ce(EpisodeDataset("two", "train", tuple(episodes)), path)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_houses(tmp_path_factory.mktemp("cache"))
