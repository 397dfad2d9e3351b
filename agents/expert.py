"""The expert: walks the shortest way to the goal. Privileged: it is shown the goal and the whole scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vlnenv.batch import EpisodeBatch
from vlnenv.episodes import Episode
from vlnenv.sim.follower import FollowerConfig, next_action
from vlnenv.vector import VLNVectorEnv


def expert_action(batch: EpisodeBatch, slot: int) -> int:
    """The discrete action that follows the shortest way to the slot's goal, from wherever its agent is.

    Raises:
        ValueError: If the episode's goal is not public.
    """
    rollout, task = batch.rollout(slot), batch.task
    if rollout.goal_m is None:
        raise ValueError(
            f"episode {rollout.episode.episode_id!r} has no public goal for the expert to walk to"
        )
    config = FollowerConfig(step_m=task.forward_m, turn_deg=task.turn_deg, sliding=task.sliding)
    return next_action(
        batch.simulator, rollout.scene, rollout.position_m, rollout.heading_rad, rollout.goal_m, config
    )


class ExpertAgent:
    """Takes the expert's action in every slot. Privileged: no agent has this at test time."""

    privileged = True
    is_blind = True
    """It looks at no observation: it knows more."""

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
