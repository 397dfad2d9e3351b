"""What the critic is told in training, beyond what the agent sees."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

CRITIC_STATE = "critic_state"
NAMES = ("distance_to_goal", "route_completion", "steps")
_SCALES = np.array([0.1, 1.0, 0.01], dtype=np.float32)


class CriticState(gym.vector.VectorWrapper):
    """Adds `critic_state` float32 (N, 3): distance to the goal, route completed, steps so far, scaled.

    Privileged, and for the critic alone: it lowers the variance of the advantages, and the policy that is
    trained never reads it (asymmetric actor-critic, Pinto et al. 2017).

    Args:
        env: A batched environment whose infos hold these metrics, with arrays as observations.
    """

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        super().__init__(env)
        space = env.single_observation_space
        assert isinstance(space, spaces.Dict), "vlnenv's observations are dictionaries"
        entry = spaces.Box(0.0, 1000.0, (len(NAMES),), np.float32)
        self.single_observation_space = spaces.Dict({**space.spaces, CRITIC_STATE: entry})
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """As the environment's, with the critic's state."""
        observations, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return {**observations, CRITIC_STATE: critic_state(infos)}, infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As the environment's, observations and final observations with the critic's state."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        if "final_obs" in infos:
            final_states = critic_state(infos["final_info"])
            for slot in np.flatnonzero(infos["_final_obs"]):
                infos["final_obs"][slot] = {**infos["final_obs"][slot], CRITIC_STATE: final_states[slot]}
        observations = {**observations, CRITIC_STATE: critic_state(infos)}
        return observations, rewards, terminated, truncated, infos


def critic_state(infos: dict[str, Any]) -> np.ndarray:
    """The scaled metrics float32 (N, 3) of batched infos."""
    return np.stack([np.asarray(infos[name], dtype=np.float32) for name in NAMES], axis=-1) * _SCALES
