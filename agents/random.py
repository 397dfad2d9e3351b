"""Agents that read nothing: the floor that every result is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.base import FORWARD, STOP, episode_rng
from vlnenv.evaluation.agent import PublicEpisode

VLN_CE_CHANCES = (0.02, 0.68, 0.15, 0.15)
"""Chance of stop, forward, left and right in VLN-CE's random baseline (Krantz et al. 2020, section 5.1)."""

MEAN_ROUTE_M = 9.0
"""Straight walk of VLN-CE's hand-crafted baseline: the mean length of R2R's routes, about 37 steps."""


class RandomAgent:
    """Draws each action with VLN-CE's chances.

    The draws follow from the seed and the episode's id, so results do not depend on how many run at once.
    """

    is_blind = True
    """It looks at no observation."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._rngs: dict[int, np.random.Generator] = {}

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        self._rngs[index] = episode_rng(self.seed, episode)

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Actions int64 (n,); slots that are not active get 0."""
        actions = np.zeros(len(active), dtype=np.int64)
        for slot in np.flatnonzero(active):
            actions[slot] = self._rngs[int(slot)].choice(4, p=VLN_CE_CHANCES)
        return actions


class ForwardAgent:
    """Walks straight ahead for a mean route's length, then stops.

    VLN-CE's hand-crafted baseline first turns to a random heading. This one does not: the built-in episodes
    mostly begin with a view along the route, so it is the stronger of the two there.
    """

    is_blind = True
    """It looks at no observation."""

    def __init__(self, distance_m: float = MEAN_ROUTE_M, step_m: float = 0.25) -> None:
        self._limit = round(distance_m / step_m)
        self._steps: dict[int, int] = {}

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        self._steps[index] = 0

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Actions int64 (n,); slots that are not active get 0."""
        actions = np.full(len(active), STOP, dtype=np.int64)
        for slot in np.flatnonzero(active):
            if self._steps[int(slot)] < self._limit:
                self._steps[int(slot)] += 1
                actions[slot] = FORWARD
        return actions
