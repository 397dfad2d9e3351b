"""Built-in episodes for tests that want some scene and do not care which: few scenes, shared by all tests.

Each further house costs a test run some seconds to draw, build and measure.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from vlnenv import houses
from vlnenv.episodes import Episode

SPLIT = "val_unseen"


def _smallest_first() -> list[list[Episode]]:
    """The split's episodes by scene, of the scenes whose routes stay on one floor; smallest extent first."""
    by_scene: dict[str, list[Episode]] = defaultdict(list)
    for episode in houses.load_episodes(SPLIT):
        by_scene[episode.scene_id].append(episode)
    extents_m = {
        scene_id: np.ptp(np.concatenate([each.reference_path_m for each in episodes]), axis=0)
        for scene_id, episodes in by_scene.items()
    }
    level = [scene_id for scene_id, (_, height_m, _) in extents_m.items() if height_m < 0.1]
    level.sort(key=lambda scene_id: extents_m[scene_id][0] * extents_m[scene_id][2])
    return [by_scene[scene_id] for scene_id in level]


def _routes(episodes: list[Episode]) -> list[Episode]:
    """One episode a route, the shortest route first."""
    firsts = {each.trajectory_id: each for each in reversed(episodes)}
    return sorted(firsts.values(), key=lambda each: each.geodesic_distance_m or 0.0)


_SCENES = _smallest_first()[:2]
FIRST, SECOND = ([each.episode_id for each in _routes(scene)] for scene in _SCENES)
"""Episode ids of the two scenes, one a route."""
SCENE, OTHER_SCENE = (scene[0].scene_id for scene in _SCENES)
EPISODES = [*FIRST, *SECOND]
SPLIT_SETTINGS: dict[str, Any] = {"dataset": "houses", "split": SPLIT}
"""Settings of an environment on all of the split, for tests that name their episodes."""
HOUSES: dict[str, Any] = {**SPLIT_SETTINGS, "episodes": EPISODES}
"""Settings of an environment on these episodes alone."""
