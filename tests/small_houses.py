"""Built-in episodes for tests that want some scene and do not care which: few scenes, shared by all tests.

Each further house costs a test run some seconds to draw, build and measure.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from vlnenv import houses
from vlnenv.episodes import Episode
from vlnenv.houses import dataset as houses_data

SPLIT = "val_unseen"
_SHARED_CACHE = Path(os.environ["VLNENV_CACHE"])
"""Of the test run, see conftest.py: read here, before a test sets another."""


def with_houses(cache: Path) -> Path:
    """A cache folder of a test's own that holds the houses and their floors which other tests have made."""
    cache.mkdir(parents=True, exist_ok=True)
    for name in (houses_data.NAME, "navigation"):
        (_SHARED_CACHE / name).mkdir(parents=True, exist_ok=True)
        if not (cache / name).exists():
            (cache / name).symlink_to(_SHARED_CACHE / name, target_is_directory=True)
    return cache


def _by_floors() -> tuple[list[list[Episode]], str]:
    """Episodes of each scene whose routes stay on one floor, smallest extent first; and a scene of two."""
    by_scene: dict[str, list[Episode]] = defaultdict(list)
    for episode in houses.load_episodes(SPLIT):
        by_scene[episode.scene_id].append(episode)
    extents_m = {
        scene_id: np.ptp(np.concatenate([each.reference_path_m for each in episodes]), axis=0)
        for scene_id, episodes in by_scene.items()
    }
    level = [scene_id for scene_id, (_, height_m, _) in extents_m.items() if height_m < 0.1]
    level.sort(key=lambda scene_id: extents_m[scene_id][0] * extents_m[scene_id][2])
    two = next(scene_id for scene_id, (_, height_m, _) in extents_m.items() if height_m > 2.0)
    return [by_scene[scene_id] for scene_id in level], two


def _routes(episodes: list[Episode]) -> list[Episode]:
    """One episode a route, the shortest route first."""
    firsts = {each.trajectory_id: each for each in reversed(episodes)}
    return sorted(firsts.values(), key=lambda each: each.geodesic_distance_m or 0.0)


_ONE_FLOOR, TWO_FLOORS = _by_floors()
FIRST, SECOND = ([each.episode_id for each in _routes(scene)] for scene in _ONE_FLOOR[:2])
"""Episode ids of two scenes of one floor, one a route."""
SCENE, OTHER_SCENE = (scene[0].scene_id for scene in _ONE_FLOOR[:2])
EPISODES = [*FIRST, *SECOND]
SPLIT_SETTINGS: dict[str, Any] = {"dataset": "houses", "split": SPLIT}
"""Settings of an environment on all of the split, for tests that name their episodes."""
HOUSES: dict[str, Any] = {**SPLIT_SETTINGS, "episodes": EPISODES}
"""Settings of an environment on these episodes alone."""
