from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.base import load
from agents.baselines.agent import BaselineAgent
from agents.baselines.batches import NO_AUGMENTATION, Batches
from agents.baselines.checkpoint import load_baseline
from agents.baselines.config import BaselineConfig, SequenceConfig
from agents.baselines.sequences import Sequences, collect_sequences
from agents.baselines.training import BaselineTraining, action_kinds, losses, train_baseline
from agents.environments import make_env_for
from tests.agents.baselines.fakes import SEMANTIC, TEXTS, small_network, write_sequences
from vlnenv.episodes.vocabulary import Vocabulary
from vlnenv.evaluation import evaluate

BOTH = pytest.mark.parametrize("name", ["seq2seq", "cma"])
EXACT = {"dropout": 0.0, "history_dropout": 0.0, "cell_dropout": 0.0, "word_dropout": 0.0, "mirror": 0.0}


@pytest.fixture
def config(
    episode_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> BaselineConfig:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    data = SequenceConfig(dataset=str(episode_file), perception=SEMANTIC)
    return BaselineConfig(
        out=str(tmp_path / "run"), data=data, updates=6, batch_size=2, eval_every=3, width=32
    )


def test_kinds_of_actions() -> None:
    macros = torch.tensor([[1, 0, 0], [0, 0, 5], [0, 12, 0], [0, 13, 2], [-1, -1, -1]])
    assert action_kinds(macros).tolist() == [0, 1, 2, 3, -1]


@BOTH
def test_losses_leave_out_padding_and_looks_without_decision(name: str, tmp_path: Path) -> None:
    batches = Batches(Sequences([write_sequences(tmp_path / "a")]), Vocabulary.of(TEXTS), NO_AUGMENTATION)
    network = small_network(name)
    zero = np.zeros(3, dtype=int)
    together = losses(network, batches.batch([0, 1, 2], zero, np.random.default_rng(0)), 1.0, 1.0)
    counts = np.array([3, 2, 7])
    alone = [
        losses(network, batches.batch([index], [0], np.random.default_rng(0)), 1.0, 1.0) for index in range(3)
    ]
    expected = sum(float(each.turn.detach()) * n for each, n in zip(alone, counts, strict=True)) / 12
    assert float(together.turn.detach()) == pytest.approx(expected, rel=1e-4)
    walking = counts - 1
    moves = [float(each.moves.detach()) * n for each, n in zip(alone, walking, strict=True)]
    assert float(together.moves.detach()) == pytest.approx(sum(moves) / walking.sum(), rel=1e-4)


def test_weights_move_the_mean_towards_what_they_weigh(tmp_path: Path) -> None:
    batches = Batches(Sequences([write_sequences(tmp_path / "a")]), Vocabulary.of(TEXTS), NO_AUGMENTATION)
    network = small_network()
    with torch.no_grad():
        network.turn_head.bias[0] = -9.0
    batch = batches.batch([0, 1, 2], [0, 0, 0], np.random.default_rng(0))
    plain, stops = (float(losses(network, batch, weight, 1.0).turn.detach()) for weight in (1.0, 4.0))
    assert stops > plain + 1.0
    assert float(losses(network, batch, 1.0, 3.2).turn.detach()) != pytest.approx(plain)


@BOTH
def test_a_resumed_run_repeats_the_losses_exactly(name: str, config: BaselineConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(config, network=name, batch_size=3, updates=8)
    sequences = Sequences([write_sequences(tmp_path / "a")])
    whole = BaselineTraining(config, sequences)
    seen = [whole.step() for _ in range(6)]
    run = BaselineTraining(config, sequences)
    for expected in seen[:3]:
        assert run.step() == expected
    run.save(tmp_path / "state.safetensors")
    resumed = BaselineTraining(config, sequences)
    resumed.resume(tmp_path / "state.safetensors")
    assert [resumed.step() for _ in range(3)] == seen[3:]
    other = BaselineTraining(dataclasses.replace(config, stop_weight=3.0), sequences)
    with pytest.raises(ValueError, match=r"stop_weight = 1\.0, now it is 3\.0"):
        other.resume(tmp_path / "state.safetensors")


@BOTH
def test_it_overfits_three_episodes(name: str, config: BaselineConfig, tmp_path: Path) -> None:
    config = dataclasses.replace(
        config, network=name, batch_size=6, updates=200, learning_rate=5e-3, width=64, **EXACT
    )
    run = BaselineTraining(config, Sequences([write_sequences(tmp_path / "a")]))
    first = run.step()
    last = [run.step() for _ in range(199)][-1]
    assert last["loss"] < 0.1 * first["loss"]
    assert last["agreement"] == 1.0


def test_training_and_dagger_leave_weights_that_load(config: BaselineConfig) -> None:
    config = dataclasses.replace(config, dagger=(0.5,))
    calls = []

    def success(agent: BaselineAgent) -> dict[str, float]:
        calls.append(agent)
        return {"success": 0.25}

    file = train_baseline(config, success)
    assert file == Path(config.out) / "dagger-1" / "policy.safetensors"
    assert len(calls) == 4
    agent = load(str(file))
    assert isinstance(agent, BaselineAgent)
    assert agent.network.config.perception.encoder == "semantic"
    card = json.loads(file.with_suffix(".json").read_text())
    assert card["episodes"] == 4
    assert [shard["round"]["expert"] for shard in card["shards"]] == [1.0, 0.5]
    curve = (file.parent / "curve.jsonl").read_text().splitlines()
    assert [json.loads(line)["update"] for line in curve] == [3, 6]
    # All is done: nothing is trained or evaluated again.
    assert train_baseline(config, success) == file
    assert len(calls) == 4


def test_an_interrupted_training_ends_with_the_same_weights(config: BaselineConfig) -> None:
    class CutOff(Exception):
        pass

    def cut_off(agent: BaselineAgent) -> dict[str, float]:
        nonlocal left
        left -= 1
        if left < 0:
            raise CutOff
        return {"success": 0.0}

    left = 9
    whole = load_baseline(train_baseline(dataclasses.replace(config, out=config.out + "-whole"), cut_off))
    left = 1
    with pytest.raises(CutOff):
        train_baseline(config, cut_off)
    left = 9
    resumed = load_baseline(train_baseline(config, cut_off))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_cma_overfits_two_episodes_and_walks_them(config: BaselineConfig) -> None:
    data = dataclasses.replace(config.data, wrong_turn=0.0, jitter=0.0)
    config = dataclasses.replace(config, data=data, updates=120, learning_rate=5e-3, width=64, **EXACT)
    run = BaselineTraining(config, Sequences(collect_sequences(data, 2)))
    for _ in range(120):
        last = run.step()
    assert last["agreement"] == 1.0
    agent = BaselineAgent(run.network)
    env = make_env_for(
        agent, 2, dataset=config.data.dataset, split="train", autoreset_mode="Disabled", max_steps=150
    )
    try:
        records = evaluate(agent, env, progress=False)
    finally:
        env.close()
    assert all(record["is_success"] for record in records)


def test_bad_settings_are_refused() -> None:
    for settings, message in (
        ({"network": "seq2sec"}, "seq2seq"),
        ({"dagger": (1.5,)}, "dagger"),
        ({"eval_split": "val_unseen"}, "val_seen"),
        ({"updates": 0}, "updates"),
    ):
        with pytest.raises(ValueError, match=message):
            BaselineConfig(**settings)
    with pytest.raises(ValueError, match="at least one split"):
        SequenceConfig(splits=())
