"""The way that the agent has come, for agents that ask how much of an instruction is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
from gymnasium.vector.utils import batch_space

from vlnenv.path_history import PathHistory
from vlnenv.wrappers._histories import keep_history, keep_vector_history

if TYPE_CHECKING:
    from vlnenv.slot_memory import SlotMemories


class PathObservation(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Adds the last 16 places where the agent looked around: odometry, by the poses that the memory is told.

    | key | shape | dtype | unit | meaning |
    |---|---|---|---|---|
    | `path_xyz` | (16, 3) | float32 | metres | places in the agent frame, newest first, 0.5 m apart |
    | `path_mask` | (16,) | int8 | | 1 where there is a place; elsewhere the others are 0 |

    The environment itself keeps the path from now on, so that it is in its snapshots and with what it
    restores. An episode begins with its start alone, whatever the memory's scope.

    Args:
        env: A `VLNEnv`, wrapped or not, that has not been reset, with a memory.

    Raises:
        TypeError: If there is no `VLNEnv` inside.
        ValueError: If no memory runs (observation "rgbd"): its poses are what the agent is told.
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self.observation_space = keep_history(env, _path)


class VectorPathObservation(gym.vector.VectorWrapper):
    """`PathObservation` for `VLNVectorEnv`."""

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        super().__init__(env)
        self.single_observation_space = keep_vector_history(env, _path)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)


def _path(memories: SlotMemories, num_slots: int) -> PathHistory:
    return PathHistory(num_slots)
