from __future__ import annotations

import numpy as np
import pytest
import torch

from agents.trained import PolicyAgent
from tests.agents.fakes import DIM, TEXT, random_batch, small_policy
from vlnenv.evaluation import PublicEpisode


def observations(size: int) -> dict:
    batch = {key: value.numpy() for key, value in random_batch(size).items() if key != "instruction_ids"}
    return {**batch, "instruction": (TEXT,) * size}


def test_each_slot_acts_as_if_alone() -> None:
    policy = small_policy()
    batch = observations(3)
    actions = PolicyAgent(policy).act(batch, np.array([True, False, True]))
    assert actions[1] == 0
    for slot in (0, 2):
        active = np.arange(3) == slot
        assert PolicyAgent(policy).act(batch, active)[slot] == actions[slot]


def test_draws_follow_the_chances_and_the_episode() -> None:
    policy = small_policy()
    with torch.no_grad():
        policy.action_head.bias.copy_(torch.tensor([0.0, 2.0, 0.0, 0.0]))
    agent = PolicyAgent(policy, temperature=1.0, seed=5)
    batch = observations(1)
    runs = []
    for _ in range(2):
        agent.reset(0, PublicEpisode("7", "scene", TEXT))
        runs.append([int(agent.act(batch, np.array([True]))[0]) for _ in range(300)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {0, 1, 2, 3}
    assert 0.5 < np.mean(np.array(runs[0]) == 1) < 0.9


def test_observations_without_tokens_are_refused() -> None:
    with pytest.raises(KeyError, match="reads view tokens"):
        PolicyAgent(small_policy(levels=("patch", "view"))).act(
            {key: value for key, value in observations(1).items() if not key.startswith("view")},
            np.array([True]),
        )
    with pytest.raises(KeyError, match="observation='tokens'"):
        PolicyAgent(small_policy()).act({"rgb": np.zeros((1, 2, 2, 3))}, np.array([True]))
    batch = observations(1)
    batch["patch_tokens"] = np.zeros((1, 40, 3), np.float32)
    with pytest.raises(ValueError, match=f"length {DIM}"):
        PolicyAgent(small_policy()).act(batch, np.array([True]))


def test_bad_temperature_is_refused() -> None:
    with pytest.raises(ValueError, match="temperature"):
        PolicyAgent(small_policy(), temperature=-1.0)
