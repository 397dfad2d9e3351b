"""How a wrapper lets the environment inside keep a history, and adds its entries to the spaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gymnasium as gym
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from vlnenv.env import VLNEnv
from vlnenv.histories import History
from vlnenv.vector import VLNVectorEnv

if TYPE_CHECKING:
    from vlnenv.slot_memory import SlotMemories

MakeHistory = Callable[["SlotMemories", int], History]
"""Makes a history for so many slots."""


def keep_history(env: gym.Env, make: MakeHistory) -> spaces.Dict:
    """Let the `VLNEnv` inside keep a history; returns the space of `env` with its entries.

    Raises:
        TypeError: If there is no `VLNEnv` inside.
        ValueError: If no memory runs (observation "rgbd").
    """
    inner = env.unwrapped
    if not isinstance(inner, VLNEnv):
        raise TypeError(f"expected a VLNEnv inside the wrappers, got {type(inner).__name__}")
    entries = _keep(inner, 1, make)
    inner.observation_space = _with(inner.observation_space, entries)
    return _with(env.observation_space, entries)


def keep_vector_history(env: gym.vector.VectorEnv, make: MakeHistory) -> spaces.Dict:
    """`keep_history` for a `VLNVectorEnv`; returns the space of a single environment."""
    inner = env.unwrapped
    if not isinstance(inner, VLNVectorEnv):
        raise TypeError(f"expected a VLNVectorEnv inside the wrappers, got {type(inner).__name__}")
    entries = _keep(inner, inner.num_envs, make)
    inner.single_observation_space = _with(inner.single_observation_space, entries)
    inner.observation_space = batch_space(inner.single_observation_space, inner.num_envs)
    return _with(env.single_observation_space, entries)


def _keep(env: VLNEnv | VLNVectorEnv, num_slots: int, make: MakeHistory) -> dict[str, spaces.Space]:
    memories = env.batch.memories
    if memories is None:
        raise ValueError(
            "views and paths are kept as the memory's eyes see them: use observation='tokens' or 'all'"
        )
    history = make(memories, num_slots)
    memories.histories.append(history)
    return history.space()


def _with(space: spaces.Space, entries: dict[str, spaces.Space]) -> spaces.Dict:
    assert isinstance(space, spaces.Dict), "vlnenv's observations are dictionaries"
    return spaces.Dict({**space.spaces, **entries})
