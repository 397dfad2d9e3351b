from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.base import load
from agents.decisions import DecisionWriter, open_decisions
from agents.vlm.agent import VLMAgent
from agents.vlm.config import LEVEL_CODES
from agents.vlm.imitation import VLMImitation, low_precision, train_vlm
from agents.vlm_config import VLMConfig
from tests.agents.vlm.decisions import make_decisions
from tests.agents.vlm.models import small_model
from vlnenv.cache import build_folder


@pytest.fixture
def config(tmp_path: Path) -> VLMConfig:
    make_decisions(tmp_path / "decisions")
    return VLMConfig(
        out=str(tmp_path / "vlm"),
        decisions=(str(tmp_path / "decisions"),),
        hidden_size=32,
        layers=1,
        heads=2,
        queries=4,
        query_layers=1,
        updates=6,
        batch_size=8,
        eval_every=3,
    )


class Score:
    """A stand-in for closed-loop metrics: the k-th call gives the k-th success."""

    def __init__(self, *successes: float) -> None:
        self.left = list(successes)

    def __call__(self, agent: VLMAgent) -> dict[str, float]:
        assert not agent.model.training
        return {"success": self.left.pop(0)}


def test_it_learns_three_decisions_by_heart(config: VLMConfig) -> None:
    run = VLMImitation(
        dataclasses.replace(config, updates=150, learning_rate=3e-3, mirror=0.0, word_dropout=0.0),
        make_decisions(Path(config.out) / "d"),
    )
    losses = [run.step()["loss"] for _ in range(150)]
    assert np.mean(losses[-10:]) < 0.4 * np.mean(losses[:10])
    decisions = run.decisions
    agent = VLMAgent(run.model, run.processor)
    from agents.vlm.decoding import decode
    from agents.vlm.rows import count_levels

    rows = [decisions.rows_of(index).astype(np.float32) for index in range(6)]
    texts = [decisions.instructions[decisions.route[index]][0] for index in range(6)]
    prompts = run.processor.prompts(
        texts, decisions.history[:6].astype(int), [count_levels(each) for each in rows]
    )
    inputs = run.processor(images=rows, text=prompts, padding=True, return_tensors="pt")
    found = decode(agent.model, inputs, agent.automaton)
    np.testing.assert_array_equal(found.actions, decisions.label[:6])


def test_a_run_that_was_cut_off_goes_on_to_the_same_weights(config: VLMConfig, tmp_path: Path) -> None:
    best = train_vlm(config, Score(0.0, 1.0))
    whole = VLMAgent.from_pretrained(best).model.state_dict()
    other = dataclasses.replace(config, out=str(tmp_path / "other"))

    class Cut(Exception):
        pass

    def cut(agent: VLMAgent) -> dict[str, float]:
        if score.left:
            return score(agent)
        raise Cut

    score = Score(0.0)
    with pytest.raises(Cut):
        train_vlm(other, cut)
    again = VLMAgent.from_pretrained(train_vlm(other, Score(1.0))).model.state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    points = [json.loads(line) for line in (tmp_path / "other/curve.jsonl").read_text().splitlines()]
    assert [point["update"] for point in points] == [3, 6]
    with pytest.raises(ValueError, match="learning_rate"):
        train_vlm(dataclasses.replace(other, learning_rate=0.5), Score(1.0))


def test_a_run_is_saved_between_validations(config: VLMConfig) -> None:
    once = dataclasses.replace(config, eval_every=6, save_every=2)

    def cut(agent: VLMAgent) -> dict[str, float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_vlm(once, cut)
    run = VLMImitation(once, open_decisions(once.decisions))
    run.resume(Path(once.out) / "state.safetensors")
    assert run.update == 4
    whole = train_vlm(dataclasses.replace(once, out=once.out + "-whole", save_every=100), Score(1.0))
    weights = [
        VLMAgent.from_pretrained(each).model.state_dict() for each in (whole, train_vlm(once, Score(1.0)))
    ]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_the_best_weights_are_kept_with_their_card(config: VLMConfig) -> None:
    best = train_vlm(config, Score(0.5, 0.25))
    card = json.loads((best / "card.json").read_text())
    assert card["update"] == 3
    assert card["figures"] == {"success": 0.5}
    assert card["shards"][0]["levels"] == ["patch", "instance", "zone", "path"]
    agent = load(str(best))
    assert isinstance(agent, VLMAgent)
    assert agent.levels == ("patch", "instance", "zone", "path")
    assert agent.perception.encoder == "semantic"
    assert agent.model.config.look_around
    tuned = dataclasses.replace(config, start=str(best), out=config.out + "2", updates=2, eval_every=2)
    assert train_vlm(tuned, Score(0.0)).is_dir()


def test_a_model_that_is_trained_on_sees_as_its_new_decisions_do(config: VLMConfig, tmp_path: Path) -> None:
    best = train_vlm(dataclasses.replace(config, updates=1, eval_every=1), Score(0.0))
    make_decisions(tmp_path / "mini", perception={"encoder": "mini", "segmenter": "patchgraph"})
    tuned = dataclasses.replace(
        config,
        start=str(best),
        decisions=(str(tmp_path / "mini"),),
        out=str(tmp_path / "tuned"),
        updates=1,
        eval_every=1,
    )
    seen = []
    again = train_vlm(tuned, lambda agent: seen.append(agent.perception.encoder) or {"success": 0.0})
    assert seen == ["mini"]
    assert VLMAgent.from_pretrained(again).perception.encoder == "mini"
    assert VLMAgent.from_pretrained(best).perception.encoder == "semantic"


@pytest.mark.parametrize("blind", ["instruction", "vision"])
def test_a_model_is_blind_when_it_acts_as_when_it_learns(config: VLMConfig, blind: str) -> None:
    once = dataclasses.replace(config, updates=1, eval_every=1)
    best = train_vlm(dataclasses.replace(once, blind=blind), Score(0.0))
    assert VLMAgent.from_pretrained(best).processor.blind == blind
    further = dataclasses.replace(once, start=str(best), out=config.out + "-further")
    assert VLMAgent.from_pretrained(train_vlm(further, Score(0.0))).processor.blind == blind
    seeing = train_vlm(dataclasses.replace(once, out=config.out + "-seeing"), Score(0.0))
    tuned = dataclasses.replace(once, start=str(seeing), out=config.out + "-tuned", blind=blind)
    assert VLMAgent.from_pretrained(train_vlm(tuned, Score(0.0))).processor.blind == blind


def test_a_worker_of_low_precision_computes_nearly_the_same() -> None:
    model = small_model(queries=3)
    worker = low_precision(model, torch.bfloat16)
    assert low_precision(model, None) is model
    assert {each.dtype for each in worker.parameters()} == {torch.bfloat16}
    kept = {name: buffer for name, buffer in worker.named_buffers() if "inv_freq" in name}
    assert kept
    assert all(buffer.dtype == torch.float32 for buffer in kept.values())
    assert worker.lm_head.weight.data_ptr() == worker.get_input_embeddings().weight.data_ptr()


def test_a_2d_history_is_compressed_by_queries(config: VLMConfig, tmp_path: Path) -> None:
    made = make_decisions(tmp_path / "seen")
    writer = DecisionWriter()
    for index in range(len(made)):
        rows = np.array(made.rows_of(index), dtype=np.float32)
        rows[:, 0] = LEVEL_CODES["view"]
        label, goal = made.label[index], made.goal[index]
        writer.add(rows, made.history[index], label, goal, int(made.route[index]), int(made.number[index]))
    settings = {**made.settings[0], "levels": ["view"]}
    build_folder(tmp_path / "views", lambda folder: writer.write(folder, made.instructions, settings))
    views = dataclasses.replace(config, decisions=(str(tmp_path / "views"),), levels=("view",))
    agent = VLMAgent.from_pretrained(train_vlm(views, Score(0.0, 0.0)))
    assert agent.levels == ("view",)
    assert agent.config.queries == 4
    (text,) = agent.processor.prompts(["Walk on."], made.history[:1].astype(int), [{"view": 7}])
    assert text.count("<view>") == 4


@pytest.mark.parametrize("levels", [("patch", "path"), ("instance", "zone")])
def test_some_of_the_noted_levels_can_be_read(config: VLMConfig, levels: tuple[str, ...]) -> None:
    some = dataclasses.replace(config, levels=levels, jepa_weight=0.5 if "patch" in levels else 0.0)
    best = train_vlm(some, Score(0.0, 0.0))
    assert VLMAgent.from_pretrained(best).levels == levels
    run = VLMImitation(some, open_decisions(some.decisions))
    codes = set(run.batch(0)["pixel_values"][..., 0].unique().int().tolist())
    assert codes - {0} == {LEVEL_CODES[level] for level in levels}


def test_levels_that_were_not_noted_are_refused(config: VLMConfig) -> None:
    with pytest.raises(ValueError, match=r"no rows of \['view'\]"):
        train_vlm(dataclasses.replace(config, levels=("view",)), Score(0.0))
    with pytest.raises(ValueError, match="must not be val_unseen"):
        dataclasses.replace(config, eval_split="val_unseen")
    with pytest.raises(ValueError, match="blind must be"):
        dataclasses.replace(config, blind="ears")
