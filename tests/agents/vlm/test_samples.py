from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.vlm.grammar import format_action
from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.samples import (
    NO_AUGMENTATION,
    AnswerWeights,
    Augmentation,
    Samples,
    mirror_macros,
    swap_sides,
    with_answers,
)
from agents.vlm.tiny import make_tiny
from tests.agents.vlm.decisions import INSTRUCTIONS, SETTINGS, TOKEN_DIM, make_decisions


@pytest.fixture(scope="module")
def processor() -> Dynam3DProcessor:
    texts = [text for texts in INSTRUCTIONS for text in texts]
    _, made = make_tiny(texts, TOKEN_DIM, levels=SETTINGS["levels"], patch_pool=(4, 2), hidden_size=32)
    return made


@pytest.fixture
def samples(tmp_path: Path, processor: Dynam3DProcessor) -> Samples:
    return Samples(make_decisions(tmp_path / "d"), processor, NO_AUGMENTATION, AnswerWeights())


def test_the_answer_follows_the_prompt(samples: Samples) -> None:
    batch = samples.batch([0, 1, 2], [0, 1, 0], np.random.default_rng(0))
    tokenizer = samples.processor.tokenizer
    for row, index in enumerate((0, 1, 2)):
        learned = batch["labels"][row] != -100
        said = tokenizer.decode(batch["input_ids"][row][learned])
        answer, _, explanation = said.partition("<trunc>")
        assert answer.strip() == format_action(samples.decisions.label[index])
        assert explanation.strip().startswith("goal ")
        assert torch.equal(batch["labels"][row][learned], batch["input_ids"][row][learned])
        assert batch["attention_mask"][row][learned].all()
        prompt = tokenizer.decode(batch["input_ids"][row][~learned & (batch["attention_mask"][row] == 1)])
        assert prompt.rstrip().endswith("next action: <answer>")
    np.testing.assert_allclose(
        batch["pixel_values"][1, : samples.decisions.count[1]], samples.decisions.rows_of(1), atol=1e-6
    )
    assert "go left by the sofa" in tokenizer.decode(
        samples.batch([0], [1], np.random.default_rng(0))["input_ids"][0]
    )


def test_stops_first_choices_and_explanations_have_weights_of_their_own(samples: Samples) -> None:
    batch = samples.batch([0, 2], [0, 0], np.random.default_rng(0))
    for row, (first, others) in enumerate(((2.0, 1.0), (4.0, 2.0))):
        weights = batch["label_weights"][row][batch["labels"][row] != -100].tolist()
        answer = samples.answers.action_ids(samples.decisions.label[(0, 2)[row]])
        assert weights[0] == first
        assert weights[1 : len(answer)] == [others] * (len(answer) - 1)
        assert weights[len(answer) :] == pytest.approx([0.3] * (len(weights) - len(answer)))


def test_a_mirrored_sample_turns_to_the_other_side_everywhere(samples: Samples) -> None:
    plain = samples.batch([0], [0], np.random.default_rng(0))
    samples.augmentation = Augmentation(1.0, 0.0, 0.0, 0.0)
    mirrored = samples.batch([0], [0], np.random.default_rng(0))
    torch.testing.assert_close(mirrored["pixel_values"][..., 2], -plain["pixel_values"][..., 2])
    text = samples.processor.tokenizer.decode(mirrored["input_ids"][0])
    assert "turn right at the sofa" in text
    assert "turn right 3 steps, move 4 steps." in text
    assert "goal right 1" in text


def test_mirroring_twice_changes_nothing() -> None:
    macros = np.array([[-1, -1, -1], [0, 0, 5], [0, 12, 0], [0, 3, 4], [0, 21, 4], [1, 0, 0]])
    once = mirror_macros(macros)
    assert once[:, 1].tolist() == [-1, 0, 12, 21, 3, 0]
    np.testing.assert_array_equal(mirror_macros(once), macros)
    assert swap_sides("Left, then RIGHT: the leftmost") == "right, then left: the leftmost"


def test_chance_drops_rows_and_words_and_follows_from_the_numbers(samples: Samples) -> None:
    samples.augmentation = Augmentation(0.5, 0.4, 0.3, 0.5)
    batches = [samples.batch(range(12), [0] * 12, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert all(torch.equal(batches[0][key], batches[1][key]) for key in batches[0])
    kept = [(batch["pixel_values"][..., 0] > 0).sum() for batch in batches]
    assert kept[0] < samples.decisions.count[:12].sum()
    assert batches[0]["input_ids"].shape != batches[2]["input_ids"].shape or not torch.equal(
        batches[0]["input_ids"], batches[2]["input_ids"]
    )


def test_last_actions_are_left_out_by_chance(samples: Samples) -> None:
    def said(chance: float) -> list[bool]:
        samples.augmentation = Augmentation(0.0, 0.0, 0.0, chance)
        ids = samples.batch(indices, [0] * len(indices), np.random.default_rng(0))["input_ids"]
        texts = [samples.processor.tokenizer.decode(row).split("history")[1] for row in ids]
        return ["steps" in text.split("next action")[0] for text in texts]

    later = np.flatnonzero(samples.decisions.history[:, -1, 0] >= 0)
    indices = np.resize(later, 40)
    assert all(said(0.0))
    assert not any(said(1.0))
    assert 10 < sum(said(0.5)) < 30


@pytest.mark.parametrize("blind", ["instruction", "vision"])
def test_a_blind_learner_gets_nothing_of_what_it_is_blind_to(samples: Samples, blind: str) -> None:
    samples.processor.blind = blind
    batch = samples.batch([0, 1], [0, 0], np.random.default_rng(0))
    text = samples.processor.tokenizer.decode(batch["input_ids"][0])
    assert ("sofa" in text) == (blind == "vision")
    assert bool(batch["pixel_values"].any()) == (blind == "instruction")


def test_decisions_of_another_encoder_are_refused(tmp_path: Path, processor: Dynam3DProcessor) -> None:
    decisions = make_decisions(tmp_path / "d")
    wider = dataclasses.replace(
        decisions, rows=tuple(np.pad(rows, ((0, 0), (0, 2))) for rows in decisions.rows)
    )
    with pytest.raises(ValueError, match="tokens of length 10, the model reads 8"):
        Samples(wider, processor, NO_AUGMENTATION, AnswerWeights())


def test_padding_lies_in_front_of_prompts_and_behind_answers() -> None:
    inputs = {
        "input_ids": torch.tensor([[0, 5], [6, 7]]),
        "attention_mask": torch.tensor([[0, 1], [1, 1]]),
    }
    batch = with_answers(inputs, [[8, 9], [8]], [[2.0, 1.0], [2.0]], pad_id=0)
    assert batch["input_ids"].tolist() == [[0, 5, 8, 9], [6, 7, 8, 0]]
    assert batch["attention_mask"].tolist() == [[0, 1, 1, 1], [1, 1, 1, 0]]
    assert batch["labels"].tolist() == [[-100, -100, 8, 9], [-100, -100, 8, -100]]
    assert batch["label_weights"].tolist() == [[0, 0, 2, 1], [0, 0, 2, 0]]
