"""The batched environment as stable-baselines3 wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.vec_env.base_vec_env import VecEnv, VecEnvIndices, VecEnvStepReturn


class SB3VecEnv(VecEnv):
    """A `VecEnv` over a batched environment.

    Infos are as SB3's own vector environments and its `Monitor` give them: `terminal_observation`,
    `TimeLimit.truncated`, and `episode` with return `r` and length `l` when an episode ends.

    Args:
        env: A `VLNVectorEnv` with autoreset mode SAME_STEP, in a `VectorTextToIds`.

    Raises:
        ValueError: If the environment resets otherwise, or gives instructions as text.
    """

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        if env.metadata.get("autoreset_mode") != AutoresetMode.SAME_STEP:
            raise ValueError(
                f"stable-baselines3 needs autoreset mode SAME_STEP, this environment has "
                f"{env.metadata.get('autoreset_mode')}: make it with autoreset_mode='SameStep'"
            )
        space = env.single_observation_space
        if isinstance(space, spaces.Dict) and any(isinstance(each, spaces.Text) for each in space.values()):
            raise ValueError("stable-baselines3 takes no text: wrap the environment in VectorTextToIds")
        self.env = env
        self.render_mode = env.render_mode
        super().__init__(env.num_envs, space, env.single_action_space)
        self._actions: np.ndarray | None = None
        self._returns = np.zeros(env.num_envs)
        self._lengths = np.zeros(env.num_envs, dtype=np.int64)

    def reset(self) -> dict[str, np.ndarray]:
        """Begin an episode in each environment, with the seed of `seed` if one was set."""
        seeds = self._seeds[0] if self._seeds else None
        observation, _ = self.env.reset(seed=seeds)
        self._reset_seeds()
        self._returns[:] = 0.0
        self._lengths[:] = 0
        return observation

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Observations (those of a new episode where one ended), rewards, dones and infos."""
        observation, rewards, terminated, truncated, batched = self.env.step(self._actions)
        done = terminated | truncated
        self._returns += rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for slot in np.flatnonzero(done):
            final_info = _slot_info(batched["final_info"], int(slot))
            infos[slot] = {
                **final_info,
                "terminal_observation": batched["final_obs"][slot],
                "TimeLimit.truncated": bool(truncated[slot] and not terminated[slot]),
                "episode": {"r": float(self._returns[slot]), "l": int(self._lengths[slot]), "t": 0.0},
            }
            self._returns[slot] = 0.0
            self._lengths[slot] = 0
        return observation, rewards.astype(np.float32), done, infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the batched environment, once for each index."""
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Not possible: the environments of a batch share their settings."""
        raise NotImplementedError(
            "the environments of a batch share their settings: make a new batch instead"
        )

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Not possible: there are no single environments to call."""
        raise NotImplementedError("a batched environment has no single environments to call methods of")

    def env_is_wrapped(self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None) -> list[bool]:
        """True for SB3's `Monitor`, whose infos this class gives itself."""
        from stable_baselines3.common.monitor import Monitor

        return [issubclass(Monitor, wrapper_class) for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Each environment's picture."""
        return list(self.env.render() or [])  # type: ignore[arg-type]


def _slot_info(batched: Any, slot: int) -> dict[str, Any]:
    """One environment's infos out of a batch, as plain values."""
    if not isinstance(batched, dict):
        return dict(batched[slot])
    return {
        key: value[slot].item() if isinstance(value[slot], np.generic) else value[slot]
        for key, value in batched.items()
        if not key.startswith("_") and batched.get(f"_{key}", np.ones(slot + 1, dtype=bool))[slot]
    }
