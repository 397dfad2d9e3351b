from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.checkpoint import file_hash, load_policy, save_policy
from agents.config import PPOConfig
from agents.policy import NavigationPolicy, PolicyConfig
from agents.ppo import make_ppo, train_ppo
from agents.sb3_env import SB3VecEnv
from tests.agents.fakes import FakeVectorEnv, random_batch, small_policy
from vlnenv.episodes.vocabulary import Vocabulary

CONFIG = PPOConfig(
    rollout_steps=64, batch_size=64, num_envs=4, learning_rate=2e-3, target_kl=0.1, epochs=4, clip=0.2
)


def test_ppo_uses_the_same_network_and_learns() -> None:
    network = small_policy()
    env = SB3VecEnv(FakeVectorEnv(4))
    model = make_ppo(network, env, CONFIG)
    batch = random_batch()
    with torch.no_grad():
        logits = network(batch)
        chances = model.policy.get_distribution(batch).distribution.probs
        torch.testing.assert_close(chances, logits.softmax(-1))
    assert {id(p) for p in network.parameters()} < {id(p) for p in model.policy.parameters()}
    model.learn(3000)
    returns = [info["r"] for info in model.ep_info_buffer]
    assert np.mean(returns) > 3.5, "an agent that acts at random gets about 0.8"
    assert (network(batch) - logits).abs().max() > 0.01


def test_the_critic_trains_no_weight_of_the_policy_and_the_policy_reads_no_critic_state() -> None:
    network, batch = small_policy(), random_batch()
    model = make_ppo(network, SB3VecEnv(FakeVectorEnv(4)), CONFIG)
    model.policy.predict_values(batch).sum().backward()
    trained = [p for p in model.policy.parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert trained
    assert not {id(p) for p in trained} & {id(p) for p in network.parameters()}
    with torch.no_grad():
        before, value = model.policy.get_distribution(batch), model.policy.predict_values(batch)
        batch["critic_state"] += 1.0
        after = model.policy.get_distribution(batch)
        assert torch.equal(before.distribution.probs, after.distribution.probs)
        assert not torch.equal(model.policy.predict_values(batch), value)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="val_unseen"):
        PPOConfig(eval_split="val_unseen")
    with pytest.raises(ValueError, match="batch_size"):
        PPOConfig(num_envs=2, rollout_steps=8, batch_size=64)


def test_a_run_in_the_real_environment_writes_weights_and_a_curve(episode_file: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.safetensors"
    words = Vocabulary.of(["turn left right and walk to the table ."]).words
    policy = NavigationPolicy(PolicyConfig(words, width=32, heads=2))
    save_policy(start, policy)
    config = PPOConfig(
        start=str(start),
        out=str(tmp_path / "ppo"),
        dataset=str(episode_file),
        steps=64,
        num_envs=2,
        rollout_steps=16,
        batch_size=16,
        value_warm_up=1,
        max_steps=10,
        eval_every=1,
        learning_rate=1e-3,
    )
    before: list[torch.Tensor] = []

    def evaluate(network: NavigationPolicy) -> dict[str, float]:
        before.append(network.action_head.weight.detach().clone())
        return {"success": 0.1 * len(before)}

    best = train_ppo(config, evaluate)
    assert len(before) == 3, "before the first and the second iteration, and at the end"
    assert torch.equal(before[0], before[1]), "the first iteration warms up the value alone"
    assert not torch.equal(before[1], before[2])
    assert torch.equal(load_policy(best).action_head.weight, before[2])
    curve = [json.loads(line) for line in (tmp_path / "ppo" / "curve.jsonl").read_text().splitlines()]
    assert [point["steps"] for point in curve if "return" in point] == [32, 64]
    card = json.loads(best.with_suffix(".json").read_text())
    assert card["start_sha256"] == file_hash(start)
    with pytest.raises(ValueError, match="holds a run already"):
        train_ppo(config, evaluate)
