"""The last views as they were, for agents that are compared with those of the 3D memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gymnasium as gym
from gymnasium.vector.utils import batch_space

from vlnenv.view_history import ViewHistory
from vlnenv.wrappers._histories import keep_history, keep_vector_history

if TYPE_CHECKING:
    from vlnenv.slot_memory import SlotMemories


class ViewHistoryObservation(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Adds the last 16 views, without poses and without depth: what an agent with a 2D memory reads.

    | key | shape | dtype | meaning |
    |---|---|---|---|
    | `view_tokens` | (576, D) | float32 | patch features of the last 16 views, newest first, as 6 x 6 means |
    | `view_xyz` | (576, 3) | float32 | a fixed code of place in the picture and of age, not of the world |
    | `view_mask` | (576,) | int8 | 1 where the episode has had that view; elsewhere the others are 0 |

    The environment itself keeps the views from now on (an action that takes many primitive steps adds one),
    so that they are in its snapshots, with what it restores, and in a batch's final observations. An episode
    begins with one view, whatever the memory's scope.

    Args:
        env: A `VLNEnv`, wrapped or not, that has not been reset, with a memory.

    Raises:
        TypeError: If there is no `VLNEnv` inside.
        ValueError: If no memory runs (observation "rgbd"): the views are its encoder's.
    """

    def __init__(self, env: gym.Env) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self.observation_space = keep_history(env, _views)


class VectorViewHistoryObservation(gym.vector.VectorWrapper):
    """`ViewHistoryObservation` for `VLNVectorEnv`."""

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        super().__init__(env)
        self.single_observation_space = keep_vector_history(env, _views)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)


def _views(memories: SlotMemories, num_slots: int) -> ViewHistory:
    return ViewHistory(num_slots, memories.encoder.dim)
