from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.base import load
from agents.baselines.agent import BaselineAgent
from agents.baselines.checkpoint import load_baseline, save_baseline
from agents.checkpoint import CheckpointError, load_policy, save_policy
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig
from agents.environments import make_env_for
from agents.trained import TrainedAgent
from tests.agents.baselines.fakes import SEMANTIC, TEXTS, observations, small_network
from tests.agents.fakes import small_policy
from vlnenv.evaluation import PublicEpisode, evaluate

BOTH = pytest.mark.parametrize("name", ["seq2seq", "cma"])


def agent_of(name: str = "cma", temperature: float = 0.0, slots: int = 3) -> BaselineAgent:
    agent = BaselineAgent(small_network(name, look_around=False), temperature)
    for slot in range(slots):
        agent.reset(slot, PublicEpisode(str(slot), "scene", TEXTS[slot % 3]))
    return agent


@BOTH
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_each_slot_acts_as_if_alone(name: str, temperature: float) -> None:
    active = np.array([True, False, True])
    together = agent_of(name, temperature)
    alone = {slot: agent_of(name, temperature) for slot in (0, 2)}
    for step in range(5):
        batch = observations(3, seed=step)
        actions = together.act(batch, active)
        assert actions.shape == (3, 3)
        for slot, agent in alone.items():
            assert agent.act(batch, np.arange(3) == slot)[slot].tolist() == actions[slot].tolist()


def test_states_are_carried_on_and_forgotten_at_a_reset() -> None:
    agent, batch = agent_of(), observations(1)
    seen = []
    for _ in range(3):
        agent.decide(batch, [0])
        seen.append(agent._episodes[0].state)
    assert not torch.equal(seen[0], seen[1])
    agent.reset(0, PublicEpisode("0", "scene", TEXTS[0]))
    agent.decide(batch, [0])
    assert torch.equal(agent._episodes[0].state, seen[0])


def test_looks_in_a_long_turn_are_taken_in_and_decide_nothing() -> None:
    def turns_far(agent: BaselineAgent) -> BaselineAgent:
        with torch.no_grad():
            agent.network.turn_head.bias[1 + 9] = 99.0
        return agent

    acting, asked = turns_far(agent_of()), turns_far(agent_of())
    active = np.array([True])
    steps = [observations(1, seed=step) for step in range(4)]
    assert [acting.act(step, active)[0].tolist() for step in steps[:3]] == [[0, 4, 0], [0, 4, 0], [0, 1, 0]]
    assert asked.decide(steps[0], [0])[0, :2].tolist() == [0, 9]
    asked.see(steps[1], [0])
    asked.see(steps[2], [0])
    assert torch.equal(acting._episodes[0].state, asked._episodes[0].state)
    assert acting.act(steps[3], active)[0, 1] == 4, "decides again"


@pytest.mark.parametrize(("chance", "stops"), [(0.49, False), (0.51, True)])
def test_greedy_actions_stop_where_that_is_likelier_than_not(chance: float, stops: bool) -> None:
    agent = agent_of()
    head = agent.network.turn_head
    with torch.no_grad():
        head.weight.zero_()
        head.bias[:] = np.log((1.0 - chance) / 24)
        head.bias[0], head.bias[1 + 7] = np.log(chance), head.bias[1 + 7] + 0.01
    stop, turn, _ = agent.decide(observations(1), [0])[0].tolist()
    assert (stop, turn) == ((1, 0) if stops else (0, 7)), "stopping is the likeliest choice in both"


def test_greedy_actions_walk_by_a_lower_quantile() -> None:
    agent = agent_of()
    last = agent.network.moves_head[-1]
    assert isinstance(last, torch.nn.Linear)
    with torch.no_grad():
        agent.network.turn_head.bias[0] = -99.0
        last.weight.zero_()
        last.bias[:] = -99.0
        last.bias[[2, 5, 9]] = torch.tensor([0.3, 0.2, 0.5]).log()
    assert agent.decide(observations(1), [0])[0, 2] == 5


def test_draws_follow_the_episode() -> None:
    runs = []
    for _ in range(2):
        agent = agent_of(temperature=3.0)
        runs.append([agent.decide(observations(1), [0])[0].tolist() for _ in range(60)])
    assert runs[0] == runs[1]
    assert len({turn for _, turn, _ in runs[0]}) > 8
    assert {stop for stop, _, _ in runs[0]} <= {0, 1}
    with pytest.raises(ValueError, match="temperature"):
        BaselineAgent(small_network(), -1.0)


@BOTH
def test_a_saved_baseline_is_loaded_by_its_file(name: str, tmp_path: Path) -> None:
    network, file = small_network(name), tmp_path / "it.safetensors"
    save_baseline(file, network, {"seed": 3})
    agent = load(str(file), temperature=0.5)
    assert isinstance(agent, BaselineAgent)
    assert isinstance(agent, TrainedAgent)
    assert (agent.temperature, agent.network.config) == (0.5, network.config)
    weights = agent.network.state_dict()
    assert all(torch.equal(value.cpu(), network.state_dict()[key]) for key, value in weights.items())
    assert set(json.loads(file.with_suffix(".json").read_text())) == {"seed", "sha256"}
    with pytest.raises(CheckpointError, match=r"not a policy.*expected.*vlnenv-policy.*found.*baseline"):
        load_policy(file)
    with pytest.raises(FileNotFoundError, match="no baseline file"):
        load_baseline(tmp_path / "none.safetensors")
    save_policy(file, small_policy())
    with pytest.raises(CheckpointError, match="not a baseline"):
        load_baseline(file)


@BOTH
def test_it_runs_in_closed_loop(name: str, episode_file: Path) -> None:
    network = small_network(name, token_dim=64)
    agent = BaselineAgent(network)
    records = {}
    for num_envs in (1, 2):
        env = make_env_for(
            agent,
            num_envs,
            dataset=str(episode_file),
            split="train",
            autoreset_mode="Disabled",
            max_steps=60,
        )
        try:
            records[num_envs] = evaluate(agent, env, progress=False)
        finally:
            env.close()
    assert len(records[1]) == 2
    assert all(record["steps"] >= 24 for record in records[1]), "a whole turn first"
    assert records[1] == records[2]


def test_the_command_line_evaluates_it(episode_file: Path, tmp_path: Path) -> None:
    file = tmp_path / "it.safetensors"
    save_baseline(file, small_network(token_dim=64))
    config = EvaluationConfig(
        agent=str(file),
        dataset=str(episode_file),
        split="train",
        num_envs=2,
        max_steps=30,
        out=str(tmp_path / "run"),
    )
    assert len(evaluate_agent(config)) == 2
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["environment"]["encoder"] == SEMANTIC.encoder
    assert manifest["environment"]["segmenter"] is None
    other = tmp_path / "other.safetensors"
    save_baseline(other, small_network(token_dim=8))
    with pytest.raises(ValueError, match=r"length 8.*length 64"):
        evaluate_agent(dataclasses.replace(config, agent=str(other), out=str(tmp_path / "other")))
