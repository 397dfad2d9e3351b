from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.base import load
from agents.checkpoint import load_policy
from agents.closed_loop import evaluate_agent
from agents.config import DemonstrationConfig, EvaluationConfig, ImitationConfig, Perception
from agents.demonstrations import load_demonstrations
from agents.environments import make_env_for
from agents.imitation import Imitation, class_weights, mirror, swapped_words, train_imitation
from agents.trained import PolicyAgent
from tests.agents.fakes import random_batch, small_policy
from vlnenv.evaluation import evaluate

SEMANTIC = Perception("semantic", segmenter=None)
"""Quick to see with."""


@pytest.fixture
def config(
    episode_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ImitationConfig:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    data = DemonstrationConfig(
        dataset=str(episode_file), disturbance=0.1, keep=1.0, passes=2, perception=SEMANTIC
    )
    return ImitationConfig(
        out=str(tmp_path / "bc"),
        data=data,
        updates=6,
        batch_size=16,
        eval_every=3,
        width=32,
        train_tokens=64,
    )


def test_class_weights_raise_rare_actions_within_bounds() -> None:
    labels = np.repeat([0, 1, 2, 3], [10, 100, 40, 40])
    weights = class_weights(labels, 1.0)
    assert weights[0] > weights[2] == weights[3] > weights[1]
    assert weights[0] / weights[1] == pytest.approx(5.0), "capped"
    assert float(weights[torch.as_tensor(labels)].mean()) == pytest.approx(1.0)
    assert torch.equal(class_weights(labels, 0.0), torch.ones(4))


def test_mirroring_twice_changes_nothing() -> None:
    batch = random_batch(4)
    batch["action"] = torch.tensor([0, 1, 2, 3])
    batch["goal"] = torch.randn(4, 3)
    swapped = swapped_words(small_policy().vocabulary)
    chosen = torch.tensor([True, True, True, False])
    once = mirror(batch, chosen, swapped)
    assert once["action"].tolist() == [0, 1, 3, 3]
    assert torch.equal(once["patch_xyz"][0, :, 1], -batch["patch_xyz"][0, :, 1])
    assert torch.equal(once["patch_xyz"][3], batch["patch_xyz"][3])
    for key, value in mirror(once, chosen, swapped).items():
        assert torch.equal(value, batch[key]), key


def test_mirror_swaps_the_words_left_and_right() -> None:
    vocabulary = small_policy().vocabulary
    swapped = swapped_words(vocabulary)
    ids, _ = vocabulary.encode("turn left", 2)
    assert swapped[ids].tolist() == vocabulary.encode("turn right", 2)[0].tolist()


def test_a_resumed_run_repeats_the_losses_exactly(config: ImitationConfig) -> None:
    seen: list[list[float]] = []

    def success(policy: torch.nn.Module) -> dict[str, float]:
        with torch.no_grad():
            seen[-1].append(float(policy(random_batch(dim=64)).sum()))
        return {"success": 0.5}

    seen.append([])
    whole = train_imitation(dataclasses.replace(config, out=config.out + "-whole"), success)

    class CutOff(Exception):
        pass

    def cut_off(policy: torch.nn.Module) -> dict[str, float]:
        result = success(policy)
        if len(seen[-1]) == 2:
            raise CutOff
        return result

    seen.append([])
    with pytest.raises(CutOff):
        train_imitation(config, cut_off)
    seen.append([])
    resumed = train_imitation(config, success)
    assert seen[2] == seen[0][1:]
    assert resumed.read_bytes() != b""
    first, second = load_policy(whole).state_dict(), load_policy(resumed).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    curves = [(path.parent / "curve.jsonl").read_text().splitlines() for path in (whole, resumed)]
    losses = [[json.loads(line)["update"] for line in curve] for curve in curves]
    assert losses[0] == losses[1] == [3, 6]


@pytest.mark.parametrize("levels", [("patch",), ("view",), ("patch", "instance", "zone")])
def test_one_data_set_trains_policies_of_different_levels(
    config: ImitationConfig, levels: tuple[str, ...], tmp_path: Path
) -> None:
    config = dataclasses.replace(config, levels=levels, updates=2, out=str(tmp_path / "-".join(levels)))
    file = train_imitation(config, lambda policy: {"success": 0.0})
    policy = load_policy(file)
    assert policy.config.levels == levels
    perception = policy.config.perception
    assert (perception.encoder, perception.segmenter, perception.levels) == ("semantic", None, "mean")
    assert perception.memory == load_demonstrations(config.data).perception.memory
    card = json.loads(file.with_suffix(".json").read_text())
    assert card["perception"] == dataclasses.asdict(perception)
    # `vlnenv eval` finds out by itself what the policy sees with.
    evaluation = EvaluationConfig(
        agent=str(file), dataset=config.data.dataset, split="train", num_envs=2, max_steps=3
    )
    records = evaluate_agent(dataclasses.replace(evaluation, out=str(tmp_path / "run")))
    assert [record["privileged"] for record in records] == ["encoder semantic"] * 2
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["environment"]["encoder"] == "semantic"
    assert manifest["environment"]["segmenter"] is None
    assert manifest["perception"]["privileged"] == ["encoder semantic"]


def test_demonstrations_without_a_level_are_refused(config: ImitationConfig) -> None:
    data = dataclasses.replace(config.data, views=False)
    config = dataclasses.replace(config, data=data, levels=("view",))
    with pytest.raises(ValueError, match="no view tokens"):
        train_imitation(config, lambda policy: {"success": 0.0})


def test_other_settings_in_the_same_folder_are_refused(config: ImitationConfig) -> None:
    train_imitation(config, lambda policy: {"success": 0.0})
    with pytest.raises(ValueError, match=r"learning_rate = 0\.001, now it is 0\.5"):
        train_imitation(dataclasses.replace(config, learning_rate=0.5), lambda policy: {"success": 0.0})


def test_cloning_overfits_two_episodes_and_walks_them(config: ImitationConfig) -> None:
    config = dataclasses.replace(
        config,
        width=64,
        updates=250,
        batch_size=48,
        learning_rate=3e-3,
        dropout=0.0,
        word_dropout=0.0,
        train_tokens=256,
    )
    run = Imitation(config, load_demonstrations(config.data, 2))
    first = run.step()["action_loss"]
    last = [run.step() for _ in range(249)][-20:]
    assert np.mean([metrics["action_loss"] for metrics in last]) < 0.3 * first
    agent = PolicyAgent(run.policy)
    env = make_env_for(agent, 2, dataset=config.data.dataset, autoreset_mode="Disabled", max_steps=100)
    try:
        records = evaluate(agent, env, progress=False)
        expert = evaluate(load("expert"), env, progress=False)
    finally:
        env.close()
    assert all(record["is_success"] for record in expert)
    assert all(record["is_success"] for record in records)
