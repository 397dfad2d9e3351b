from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.base import load
from agents.closed_loop import evaluate_agent
from agents.config import EvaluationConfig, Perception
from agents.environments import make_env, make_env_for
from agents.trained import PolicyAgent
from tests.agents.fakes import small_policy

HOUSES: dict[str, Any] = {"dataset": "houses", "split": "val_unseen"}


def test_a_policy_gets_what_it_was_trained_with() -> None:
    perception = Perception("semantic", "oracle", "mean")
    policy = small_policy(token_dim=64, levels=("patch", "view"), perception=perception)
    env = make_env_for(PolicyAgent(policy), 2, **HOUSES)
    config = env.unwrapped.config  # type: ignore[attr-defined]
    assert (config.encoder, config.segmenter, config.levels) == ("semantic", "oracle", "mean")
    assert "view_tokens" in env.single_observation_space.spaces  # type: ignore[attr-defined]
    env.close()


def test_shipped_policies_and_others_get_theirs() -> None:
    for name, encoder in (("bc_semantic", "semantic"), ("random", "mini")):
        env = make_env_for(load(name), 1, **HOUSES)
        assert env.unwrapped.config.encoder == encoder  # type: ignore[attr-defined]
        env.close()
    env = make_env_for(load("bc_semantic"), 1, encoder="mini", **HOUSES)
    assert env.unwrapped.config.encoder == "mini"  # type: ignore[attr-defined]
    env.close()


def test_tokens_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"length 8.*'semantic'.*length 64"):
        make_env_for(PolicyAgent(small_policy(perception=Perception("semantic", None))), 1, **HOUSES)


def test_only_views_need_the_wrapper() -> None:
    env = make_env(1, Perception("semantic", None), ("patch",), **HOUSES)
    assert env is env.unwrapped
    env.close()


def test_no_memory_works_for_agents_that_look_at_nothing(episode_file: Path, tmp_path: Path) -> None:
    config = EvaluationConfig(agent="expert", dataset=str(episode_file), split="train", out=str(tmp_path))
    records = evaluate_agent(config)
    assert all(record["is_success"] for record in records)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["environment"]["observation"] == "rgbd"
    assert manifest["perception"] == {"levels": None, "weights": {}, "privileged": []}
