"""The expert: walks the shortest way to the goal. Privileged: it is shown the goal and the whole scene."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from agents.base import FORWARD, LEFT, RIGHT, STOP
from vlnenv.batch import EpisodeBatch
from vlnenv.episodes import Episode
from vlnenv.vector import VLNVectorEnv


def expert_action(batch: EpisodeBatch, slot: int) -> int:
    """The action that follows the shortest way to the slot's goal, from wherever its agent is.

    Raises:
        ValueError: If the episode's goal is not public.
    """
    s = batch.rollout(slot)
    if s.goal_m is None:
        raise ValueError(f"episode {s.episode.episode_id!r} has no public goal for the expert to walk to")
    path = batch.simulator.path(s.scene, s.position_m, s.goal_m)
    if len(path) < 2 or np.linalg.norm(np.diff(path, axis=0), axis=1).sum() < 0.3:
        return STOP
    d = np.linalg.norm((path - s.position_m)[:, [0, 2]], axis=1)
    k = np.flatnonzero(d > 0.2)
    t = path[k[0]] if len(k) else path[-1]
    o = t - s.position_m
    a = math.remainder(math.atan2(-o[0], -o[2]) - s.heading_rad, 2 * math.pi)
    if abs(a) <= math.radians(7.6):
        return FORWARD
    return LEFT if a > 0 else RIGHT


class ExpertAgent:
    """Takes the expert's action in every slot. Privileged: no agent has this at test time."""

    privileged = True

    def __init__(self) -> None:
        self._batch: EpisodeBatch | None = None

    def bind(self, env: VLNVectorEnv) -> None:
        """Take the environment, with its simulator."""
        self._batch = env.batch

    def reset(self, index: int, episode: Episode) -> None:
        """Begin an episode in slot `index`."""

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Actions int64 (n,); slots that are not active get 0.

        Raises:
            ValueError: If the agent was not bound to an environment, or an episode has no public goal.
        """
        if self._batch is None:
            raise ValueError("the expert is privileged: call bind(env) before it acts")
        actions = np.zeros(len(active), dtype=np.int64)
        for slot in np.flatnonzero(active):
            actions[slot] = expert_action(self._batch, int(slot))
        return actions
