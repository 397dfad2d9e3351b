"""Vectors instead of matrices, for learners whose networks take flat inputs."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class FlattenArrays(
    gym.ObservationWrapper[dict[str, Any], Any, dict[str, Any]], gym.utils.RecordConstructorArgs
):
    """Gives every float or integer array of two or more dimensions as a vector; uint8 images stay images.

    stable-baselines3's default extractor flattens anyway; this wrapper makes the space say so, which its
    environment checker asks for.
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.ObservationWrapper.__init__(self, env)
        assert isinstance(env.observation_space, spaces.Dict), "vlnenv's observations are dictionaries"
        self._flat = [key for key, space in env.observation_space.items() if _is_matrix(space)]
        self.observation_space = spaces.Dict(
            {
                key: spaces.flatten_space(space) if key in self._flat else space
                for key, space in env.observation_space.items()
            }
        )

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The observation with its matrices as vectors, row by row."""
        return {
            key: np.reshape(value, -1) if key in self._flat else value for key, value in observation.items()
        }


def _is_matrix(space: spaces.Space) -> bool:
    return isinstance(space, spaces.Box) and len(space.shape) > 1 and space.dtype != np.uint8
