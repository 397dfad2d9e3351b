from __future__ import annotations

import json
from pathlib import Path

import pytest

import agents
from agents.base import WEIGHTS, agent_names, best_trained, load, weights_path
from agents.checkpoint import file_hash, load_policy, save_policy
from agents.random import RandomAgent
from agents.trained import PolicyAgent
from agents.vlm.agent import VLMAgent
from tests.agents.fakes import small_policy


def test_the_package_loads_agents_by_name() -> None:
    assert agents.load is load
    assert agents.agent_names() == agent_names()
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        agents.lode  # noqa: B018


def test_every_named_agent_loads() -> None:
    for name in agent_names():
        agent = load(name)
        assert callable(agent.act)


def test_policies_and_imported_agents_load(tmp_path: Path) -> None:
    save_policy(tmp_path / "mine.safetensors", small_policy())
    agent = load(str(tmp_path / "mine.safetensors"), temperature=0.5)
    assert isinstance(agent, PolicyAgent)
    assert agent.temperature == 0.5
    assert isinstance(load("agents.random:RandomAgent"), RandomAgent)


def test_unknown_agents_are_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Did you mean 'random'"):
        load("rondom")
    with pytest.raises(ValueError, match="no agent"):
        load("agents.random:Nobody")
    with pytest.raises(ValueError, match="no agent"):
        load("not_a_module:Agent")
    with pytest.raises(FileNotFoundError, match="missing"):
        load(str(tmp_path / "missing.safetensors"))
    with pytest.raises(ValueError, match="no trained agent"):
        weights_path("nobody")


@pytest.mark.parametrize("file", sorted(WEIGHTS.glob("*.safetensors")), ids=lambda file: file.stem)
def test_shipped_weights_match_their_cards(file: Path) -> None:
    card = json.loads(file.with_suffix(".json").read_text())
    assert card["sha256"] == file_hash(file)
    assert {"method", "command", "settings", "data_hash", "figures", "val_unseen"} <= set(card)
    assert file.stat().st_size < 3_000_000
    policy = load_policy(file, token_dim=64)
    assert "left" in policy.config.words
    if file.stem.endswith("_semantic"):
        assert policy.config.perception.encoder == "semantic"
        assert policy.config.levels == ("patch",)
        assert "semantic" in card["privileged"]


VLMS = sorted(file.parent for file in WEIGHTS.glob("*/model.safetensors"))


@pytest.mark.parametrize("folder", VLMS, ids=lambda folder: folder.name)
def test_shipped_3d_vlms_match_their_cards(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text())
    assert card["sha256"] == file_hash(folder / "model.safetensors")
    assert {"method", "command", "settings", "shards", "trainings", "figures", "val_unseen"} <= set(card)
    assert sum(each.stat().st_size for each in folder.iterdir()) < 15_000_000
    agent = load(folder.name)
    assert isinstance(agent, VLMAgent)
    assert (agent.perception.encoder, agent.perception.segmenter) == ("mini", "patchgraph")
    assert "privileged" not in card


def test_the_best_trained_agent_is_shipped() -> None:
    assert best_trained() in agent_names()
