"""A vector environment on a line, in memory: the agent walks to a goal x metres ahead and stops there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from vlnenv.episodes import Episode, EpisodeDataset

STOP, FORWARD = 0, 1
MAX_STEPS = 12


def make_episodes(count: int) -> EpisodeDataset:
    return EpisodeDataset(
        "line",
        "val",
        tuple(
            Episode(
                episode_id=str(index),
                trajectory_id=str(index),
                scene_id=f"scene-{index % 3}",
                start_position_m=(0.0, 0.0, 0.0),
                start_rotation_xyzw=(0.0, 0.0, 0.0, 1.0),
                instruction=f"Walk {index % 7} m.",
                goal_position_m=(float(index % 7), 0.0, 0.0),
            )
            for index in range(count)
        ),
    )


class LineVectorEnv(gym.vector.VectorEnv):
    """Keeps to `VLNVectorEnv`'s contract with autoreset disabled, and notes what was asked of it."""

    def __init__(
        self,
        num_envs: int,
        count: int,
        mode: AutoresetMode = AutoresetMode.DISABLED,
        memory_scope: str = "episode",
    ) -> None:
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": mode}
        self.dataset = make_episodes(count)
        self.batch = SimpleNamespace(episodes=self.dataset.episodes)
        self.config = SimpleNamespace(memory_scope=memory_scope, keep_edits=False)
        self.single_action_space = gym.spaces.Discrete(2)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.current: list[Episode] = [self.dataset[0]] * num_envs
        self.x = np.zeros(num_envs)
        self.steps = np.zeros(num_envs, dtype=int)
        self.stopped = np.zeros(num_envs, dtype=bool)
        self.has_begun = False

    @property
    def episodes(self) -> tuple[Episode, ...]:
        return tuple(self.current)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> Any:
        options = dict(options or {})
        mask = options.pop("reset_mask", np.ones(self.num_envs, dtype=bool))
        assert self.has_begun or mask.all()
        self.has_begun = True
        ids = options.pop("episode_id")
        assert not options
        infos: dict[str, Any] = {}
        for slot in np.flatnonzero(mask):
            self.current[slot] = self.dataset.by_id(ids[slot])
            self.x[slot], self.steps[slot], self.stopped[slot] = 0.0, 0, False
            infos = self._add_info(infos, self._info(slot), slot)
        return self._observe(), infos

    def step(self, actions: Any) -> Any:
        over = self._over()
        assert not over.all()
        infos: dict[str, Any] = {}
        rewards = np.zeros(self.num_envs)
        for slot in np.flatnonzero(~over):
            if actions[slot] not in (STOP, FORWARD):
                raise ValueError(f"bad action {actions[slot]}")
            self.steps[slot] += 1
            self.x[slot] += actions[slot] == FORWARD
            self.stopped[slot] = actions[slot] == STOP
            rewards[slot] = 0.1 * actions[slot]
            infos = self._add_info(infos, self._info(slot), slot)
        return self._observe(), rewards, self.stopped.copy(), (self.steps >= MAX_STEPS) & ~self.stopped, infos

    def _over(self) -> np.ndarray:
        return self.stopped | (self.steps >= MAX_STEPS)

    def _observe(self) -> dict[str, Any]:
        return {"x": self.x.copy(), "instruction": tuple(each.instruction for each in self.current)}

    def _info(self, slot: int) -> dict[str, Any]:
        episode = self.current[slot]
        assert episode.goal_position_m is not None
        distance = abs(episode.goal_position_m[0] - float(self.x[slot]))
        is_success = bool(self.stopped[slot] and distance < 1.0)
        return {
            "episode_id": episode.episode_id,
            "scene_id": episode.scene_id,
            "dataset": "line@0",
            "steps": int(self.steps[slot]),
            "distance_to_goal": distance,
            "is_success": is_success,
            "oracle_success": is_success,
            "spl": float(is_success),
            "ndtw": 1.0 / (1.0 + distance),
            "reward/walk": 0.1,
        }


class ReadingAgent:
    """Does what the instruction says, except on every fifth episode, where it never stops."""

    def __init__(self, num_envs: int) -> None:
        self.episodes: list[Any] = [None] * num_envs
        self.resets: list[str] = []
        self.was_active: list[np.ndarray] = []

    def reset(self, index: int, episode: Any) -> None:
        self.episodes[index] = episode
        self.resets.append(episode.episode_id)

    def act(self, observations: Any, active: np.ndarray) -> np.ndarray:
        self.was_active.append(active)
        actions = np.full(len(active), -99)
        for slot in np.flatnonzero(active):
            assert observations["instruction"][slot] == self.episodes[slot].instruction
            wanted = int(self.episodes[slot].instruction.split()[1])
            never_stops = int(self.episodes[slot].episode_id) % 5 == 4
            actions[slot] = STOP if observations["x"][slot] >= wanted and not never_stops else FORWARD
        return actions
