"""The last views as they were, for agents that are compared with those of the 3D memory."""

from __future__ import annotations

import gymnasium as gym
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from vlnenv.env import VLNEnv
from vlnenv.vector import VLNVectorEnv
from vlnenv.view_history import ViewHistory


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
        inner = env.unwrapped
        if not isinstance(inner, VLNEnv):
            raise TypeError(f"expected a VLNEnv inside the wrappers, got {type(inner).__name__}")
        entries = _keep_views(inner, 1)
        inner.observation_space = _with(inner.observation_space, entries)
        self.observation_space = _with(env.observation_space, entries)


class VectorViewHistoryObservation(gym.vector.VectorWrapper):
    """`ViewHistoryObservation` for `VLNVectorEnv`."""

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, VLNVectorEnv):
            raise TypeError(f"expected a VLNVectorEnv inside the wrappers, got {type(inner).__name__}")
        entries = _keep_views(inner, inner.num_envs)
        inner.single_observation_space = _with(inner.single_observation_space, entries)
        inner.observation_space = batch_space(inner.single_observation_space, inner.num_envs)
        self.single_observation_space = _with(env.single_observation_space, entries)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)


def _keep_views(env: VLNEnv | VLNVectorEnv, num_slots: int) -> dict[str, spaces.Space]:
    """Let the environment keep views; returns their entries of its observation space."""
    memories = env.batch.memories
    if memories is None:
        raise ValueError(
            "views are kept as the memory's encoder sees them: use observation='tokens' or 'all'"
        )
    memories.views = ViewHistory(num_slots, memories.encoder.dim)
    return memories.views.space()


def _with(space: spaces.Space, entries: dict[str, spaces.Space]) -> spaces.Dict:
    assert isinstance(space, spaces.Dict), "vlnenv's observations are dictionaries"
    return spaces.Dict({**space.spaces, **entries})
