"""The agent in real environments, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.config import Perception
from agents.environments import make_env_for
from agents.vlm.agent import VLMAgent
from agents.vlm.tiny import make_tiny
from vlnenv.evaluation import evaluate
from vlnenv.evaluation.agent import PublicEpisode

LEVELS = ("patch", "instance", "zone", "path")
TEXTS = ["Turn left and walk to the table.", "Turn right and walk to the table."]


def make_agent(temperature: float = 0.0, seed: int = 0, look_around: bool = True) -> VLMAgent:
    torch.manual_seed(0)
    model, processor = make_tiny(
        TEXTS,
        64,
        levels=LEVELS,
        patch_pool=(4, 2),
        perception=Perception("semantic").settings(),
        hidden_size=32,
        queries=6,
        look_around=look_around,
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0 if parameter.dim() > 1 else 1.0)
    return VLMAgent(model, processor, temperature, seed)


def run(agent: VLMAgent, episode_file: Path, num_envs: int) -> list[dict]:
    env = make_env_for(
        agent, num_envs, dataset=str(episode_file), split="train", max_steps=120, autoreset_mode="Disabled"
    )
    assert env.unwrapped.config.action == "macro"
    try:
        return evaluate(agent, env, ["0", "1"], progress=False)
    finally:
        env.close()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_results_do_not_depend_on_how_many_run_at_once(
    episode_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, temperature: float
) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    together = run(make_agent(temperature), episode_file, 2)
    alone = run(make_agent(temperature), episode_file, 1)
    for first, second in zip(together, alone, strict=True):
        assert first["steps"] == second["steps"] > 24
        assert first["path_length"] == pytest.approx(second["path_length"])


def test_it_looks_around_first_and_keeps_the_rest_of_long_turns() -> None:
    agent = make_agent()
    agent.reset(0, PublicEpisode("0", "scene", TEXTS[0]))
    asked = []

    def decide(observations: object, rows: list[int]) -> np.ndarray:
        asked.append(list(rows))
        return np.array([[0, 10, 5]])

    agent.decide = decide  # type: ignore[method-assign]
    actions = [tuple(agent.act({}, np.array([True]))[0].tolist()) for _ in range(10)]
    assert actions[:6] == [(0, 4, 0)] * 6
    assert actions[6:] == [(0, 4, 0), (0, 4, 0), (0, 2, 0), (0, 4, 0)]
    assert asked == [[0], [0]]
    assert agent.act({}, np.array([False])).tolist() == [[1, 0, 0]]


def test_what_does_not_fit_is_refused() -> None:
    agent = make_agent()
    with pytest.raises(ValueError, match="temperature"):
        VLMAgent(agent.model, agent.processor, -1.0)
    _, other = make_tiny(TEXTS, 32, levels=LEVELS, hidden_size=32, queries=6)
    with pytest.raises(ValueError, match=r"tokens of length 64 with 6 queries, the processor makes 32 and 6"):
        VLMAgent(agent.model, other)
