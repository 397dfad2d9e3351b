from __future__ import annotations

import numpy as np
import pytest
import torch

from agents.config import PPOConfig
from agents.ppo import make_ppo
from agents.sb3_env import SB3VecEnv
from tests.agents.fakes import FakeVectorEnv, random_batch, small_policy

CONFIG = PPOConfig(
    rollout_steps=64, batch_size=64, num_envs=4, learning_rate=2e-3, target_kl=0.1, epochs=4, clip=0.2
)


def test_ppo_uses_the_same_network_and_learns() -> None:
    network = small_policy()
    env = SB3VecEnv(FakeVectorEnv(4))
    model = make_ppo(network, env, CONFIG)
    batch = random_batch()
    with torch.no_grad():
        logits, value = network(batch)
        chances = model.policy.get_distribution(batch).distribution.probs
        torch.testing.assert_close(chances, logits.softmax(-1))
        torch.testing.assert_close(model.policy.predict_values(batch)[:, 0], value)
    parameters = list(model.policy.parameters())
    assert {id(p) for p in parameters} == {id(p) for p in network.parameters()}
    model.learn(3000)
    returns = [info["r"] for info in model.ep_info_buffer]
    assert np.mean(returns) > 3.5, "an agent that acts at random gets about 0.8"
    assert (network(batch)[0] - logits).abs().max() > 0.01


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="val_unseen"):
        PPOConfig(eval_split="val_unseen")
    with pytest.raises(ValueError, match="batch_size"):
        PPOConfig(num_envs=2, rollout_steps=8, batch_size=64)
