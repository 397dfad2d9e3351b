"""Random observations and a tiny batched environment, for tests that need no scene."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from agents.policy import NavigationPolicy, PolicyConfig
from vlnenv.episodes.vocabulary import Vocabulary

COUNTS = {"patch": 40, "instance": 5, "zone": 5, "view": 6}
DIM = 8
TEXT = "Walk to the red sofa, then turn left."
VOCABULARY = Vocabulary.of([TEXT, "turn right at the bed"])


def small_policy(token_dim: int = DIM, seed: int = 0, **settings: Any) -> NavigationPolicy:
    torch.manual_seed(seed)
    settings = {"width": 32, "heads": 2, "train_tokens": 16, "max_words": 12, **settings}
    return NavigationPolicy(PolicyConfig(VOCABULARY.words, token_dim=token_dim, **settings)).eval()


def random_batch(size: int = 3, seed: int = 0, dim: int = DIM) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(seed)
    batch: dict[str, torch.Tensor] = {}
    for level, count in COUNTS.items():
        batch[f"{level}_tokens"] = torch.as_tensor(rng.normal(size=(size, count, dim)), dtype=torch.float32)
        batch[f"{level}_xyz"] = torch.as_tensor(rng.uniform(-4, 4, (size, count, 3)), dtype=torch.float32)
        batch[f"{level}_mask"] = torch.as_tensor(rng.integers(0, 2, (size, count)), dtype=torch.int8)
    batch["action_history"] = torch.as_tensor(rng.integers(-1, 4, (size, 4)))
    ids = rng.integers(2, 10, (size, 12))
    ids[0, 5:] = 0
    batch["instruction_ids"] = torch.as_tensor(ids)
    batch["critic_state"] = torch.as_tensor(rng.uniform(0, 1, (size, 3)), dtype=torch.float32)
    return batch


class FakeVectorEnv(gym.vector.VectorEnv):
    """One token at a random azimuth: 1 is paid for turning towards it, STOP or the 6th step ends."""

    def __init__(self, num_envs: int = 2) -> None:
        self.metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}
        self.render_mode = None
        self.num_envs = num_envs
        entries: dict[str, spaces.Space] = {}
        for level, count in COUNTS.items():
            entries[f"{level}_tokens"] = spaces.Box(-1, 1, (count, DIM), np.float32)
            entries[f"{level}_xyz"] = spaces.Box(-1000, 1000, (count, 3), np.float32)
            entries[f"{level}_mask"] = spaces.MultiBinary(count)
        entries["action_history"] = spaces.Box(-1, 3, (4,), np.int64)
        entries["instruction_ids"] = spaces.Box(0, len(VOCABULARY) - 1, (12,), np.int64)
        entries["critic_state"] = spaces.Box(0, 1000, (3,), np.float32)
        self.single_observation_space = spaces.Dict(entries)
        self.single_action_space = spaces.Discrete(4)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.rng = np.random.default_rng(0)
        self.steps = np.zeros(num_envs, dtype=int)
        self.azimuth = np.zeros(num_envs)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        self.rng = np.random.default_rng(seed)
        self.steps[:] = 0
        self.azimuth = self.rng.uniform(-2.5, 2.5, self.num_envs)
        return self.observe(), {}

    def observe(self) -> dict[str, Any]:
        observation: dict[str, Any] = {}
        for level, count in COUNTS.items():
            observation[f"{level}_tokens"] = np.zeros((self.num_envs, count, DIM), np.float32)
            observation[f"{level}_xyz"] = np.zeros((self.num_envs, count, 3), np.float32)
            observation[f"{level}_mask"] = np.zeros((self.num_envs, count), np.int8)
        observation["patch_tokens"][:, 0, 0] = 1.0
        observation["patch_xyz"][:, 0, 0] = 2 * np.cos(self.azimuth)
        observation["patch_xyz"][:, 0, 1] = 2 * np.sin(self.azimuth)
        # How many steps an episode is old, so that a test can tell its observations apart.
        observation["patch_xyz"][:, 1, 2] = self.steps
        observation["patch_mask"][:, :2] = 1
        observation["action_history"] = np.full((self.num_envs, 4), -1, dtype=np.int64)
        observation["instruction_ids"] = np.tile(VOCABULARY.encode(TEXT, 12)[0], (self.num_envs, 1))
        observation["critic_state"] = np.zeros((self.num_envs, 3), np.float32)
        return observation

    def step(self, actions: Any) -> tuple[dict[str, Any], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        actions = np.asarray(actions)
        rewards = np.where(actions == np.where(self.azimuth > 0, 2, 3), 1.0, 0.0)
        self.azimuth = np.where(actions == 2, self.azimuth - 0.26, self.azimuth)
        self.azimuth = np.where(actions == 3, self.azimuth + 0.26, self.azimuth)
        self.steps += 1
        terminated = actions == 0
        truncated = self.steps >= 6
        over = terminated | truncated
        infos: dict[str, Any] = {}
        observation = self.observe()
        for slot in np.flatnonzero(over):
            final = {key: value[slot] for key, value in observation.items()}
            final_info = {"is_success": bool(terminated[slot]), "steps": int(self.steps[slot])}
            infos = self._add_info(infos, {"final_obs": final, "final_info": final_info}, int(slot))
        self.steps[over] = 0
        self.azimuth[over] = self.rng.uniform(-2.5, 2.5, int(over.sum()))
        return self.observe(), rewards, terminated, truncated, infos
