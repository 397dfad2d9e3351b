from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from agents.vlm import Dynam3DForCausalLM
from agents.vlm.automaton import AnswerAutomaton, Automaton
from agents.vlm.backbones import tiny_config
from agents.vlm.decoding import Decoded, decode
from agents.vlm.explanations import explanation_automaton, explanations
from agents.vlm.grammar import Grammar, parse_action
from agents.vlm.prompt import LEVEL_TOKENS
from agents.vlm.tokenizer import make_tokenizer
from tests.agents.vlm.fakes import TEXT, TOKENIZERS, word_tokenizer
from tests.agents.vlm.models import enlarge
from tests.agents.vlm.test_processor import full_observation, small_processor
from tests.agents.vlm.test_rows import DIM

SIZE = 4


@functools.cache
def told_by(tokenizer: Any) -> Automaton:
    return explanation_automaton(tokenizer)


class RandomModel:
    """Draws logits, large ones, whatever it reads."""

    def __init__(self, vocabulary: int, seed: int = 0) -> None:
        self.vocabulary = vocabulary
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> Any:
        shape = (len(input_ids), 1, self.vocabulary)
        return SimpleNamespace(
            logits=20.0 * torch.randn(shape, generator=self.generator), past_key_values=None
        )


class FixedModel(RandomModel):
    """Gives the same logits always."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__(vocabulary)
        self.logits = torch.randn(vocabulary, generator=self.generator)

    def __call__(self, input_ids: torch.Tensor, **_: Any) -> Any:
        return SimpleNamespace(logits=self.logits.expand(len(input_ids), 1, -1), past_key_values=None)


class NumberedByMask:
    """A language model whose tokens are numbered by the attention mask."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **settings: Any) -> Any:
        places = (attention_mask.cumsum(dim=1) - 1).clamp_min(0)[:, -input_ids.shape[1] :]
        return self.model(input_ids=input_ids, attention_mask=attention_mask, position_ids=places, **settings)


def small_llama(vocabulary: int) -> Any:
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            pad_token_id=0,
        )
    ).eval()
    enlarge(model)
    return NumberedByMask(model)


def llama_inputs(tokenizer: Any) -> Any:
    texts = [TEXT, "turn right at the bed", "walk", TEXT * 2]
    tokenizer.padding_side = "left"
    return tokenizer([text + "<answer>" for text in texts], padding=True, return_tensors="pt")


def memory_model(tokenizer: Any, queries: int = 0) -> Any:
    torch.manual_seed(0)

    def id_of(token: str) -> int:
        return int(tokenizer.convert_tokens_to_ids(token))

    config = tiny_config(
        len(tokenizer),
        DIM,
        {level: id_of(LEVEL_TOKENS[level]) for level in ("patch", "instance", "zone")},
        id_of("<answer>"),
        tokenizer.eos_token_id,
        tokenizer.pad_token_id,
        truncate_token_id=id_of("<trunc>"),
        action_token_ids=AnswerAutomaton(tokenizer).token_ids,
        hidden_size=32,
        layers=2,
        queries=queries,
        position_width=8,
    )
    model = Dynam3DForCausalLM(config).eval()
    enlarge(model)
    return model


def setting(name: str, tokens: str) -> tuple[Any, Any, Any]:
    """Model, tokenizer and inputs of four prompts of different lengths."""
    tokenizer = TOKENIZERS[tokens]()
    if name == "llama":
        return small_llama(len(tokenizer)), tokenizer, dict(llama_inputs(tokenizer))
    queries = 4 if name == "queries" else 0
    processor = small_processor(tokenizer, max_length=4096, queries=queries)
    observation = full_observation(SIZE)
    for level in ("instance", "zone"):
        observation[f"{level}_mask"][0] = 0
    model = memory_model(tokenizer, queries)
    return model, tokenizer, dict(processor.from_observation(observation, range(SIZE)))


def generators() -> list[np.random.Generator]:
    return [np.random.default_rng([7, row]) for row in range(SIZE)]


def scored(
    model: Any,
    inputs: dict[str, torch.Tensor],
    automaton: AnswerAutomaton,
    texts: list[str],
    temperature: float,
) -> list[float]:
    """Log-probabilities of answers by plain forward passes, masked to what the grammar allows."""
    found = []
    for row, text in enumerate(texts):
        ids = torch.tensor([automaton.ids(text)])
        one = {key: value[row : row + 1] for key, value in inputs.items()}
        start = one["input_ids"].shape[1]
        one["input_ids"] = torch.cat([one["input_ids"], ids], dim=1)
        one["attention_mask"] = torch.cat([one["attention_mask"], torch.ones_like(ids)], dim=1)
        with torch.no_grad():
            logits = model(**one).logits[0].double() / temperature
        total = 0.0
        for place, token in enumerate(automaton.ids(text)):
            allowed = list(automaton.allowed(automaton.ids(text)[:place]))
            log_probs = logits[start + place - 1, allowed].log_softmax(dim=-1)
            total += float(log_probs[allowed.index(token)])
        found.append(total)
    return found


@pytest.mark.parametrize("tokens", sorted(TOKENIZERS))
@pytest.mark.parametrize("units", ["steps", "metric"])
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_random_logits_give_answers(tokens: str, units: str, temperature: float) -> None:
    tokenizer = TOKENIZERS[tokens]()
    grammar = Grammar(units=units)
    size = 100
    inputs = tokenizer(["walk<answer>"] * size, return_tensors="pt")
    decoded = decode(
        RandomModel(len(tokenizer)),
        inputs,
        AnswerAutomaton(tokenizer, grammar),
        temperature,
        [np.random.default_rng(row) for row in range(size)],
        told_by(tokenizer),
    )
    assert decoded.actions.shape == (size, 3)
    assert decoded.actions.dtype == np.int64
    assert len(set(decoded.texts)) > 10
    assert decoded.explanations is not None
    for text, action, log_prob, said in zip(
        decoded.texts, decoded.actions.tolist(), decoded.log_probs, decoded.explanations, strict=True
    ):
        assert parse_action(text, grammar) == tuple(action)
        assert log_prob <= 0.0
        assert said in explanations()


@pytest.mark.parametrize("tokens", sorted(TOKENIZERS))
@pytest.mark.parametrize("name", ["llama", "memory", "queries"])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_log_probs_are_those_of_a_plain_forward_pass(name: str, tokens: str, temperature: float) -> None:
    model, tokenizer, inputs = setting(name, tokens)
    automaton = AnswerAutomaton(tokenizer)
    decoded = decode(model, inputs, automaton, temperature, generators())
    expected = scored(model, inputs, automaton, decoded.texts, temperature or 1.0)
    np.testing.assert_allclose(decoded.log_probs, expected, atol=1e-4)


@pytest.mark.parametrize("tokens", sorted(TOKENIZERS))
@pytest.mark.parametrize("name", ["llama", "memory", "queries"])
@pytest.mark.parametrize("temperature", [0.0, 2.0])
def test_a_batch_says_what_single_samples_say(name: str, tokens: str, temperature: float) -> None:
    model, tokenizer, inputs = setting(name, tokens)
    automaton = AnswerAutomaton(tokenizer)
    told = told_by(tokenizer)
    together = decode(model, inputs, automaton, temperature, generators(), told)
    assert together.explanations is not None
    for row in range(SIZE):
        one = {key: value[row : row + 1] for key, value in inputs.items()}
        alone = decode(model, one, automaton, temperature, [generators()[row]], told)
        assert alone.texts == [together.texts[row]]
        assert alone.explanations == [together.explanations[row]]
        np.testing.assert_array_equal(alone.actions[0], together.actions[row])
        np.testing.assert_allclose(alone.log_probs[0], together.log_probs[row], atol=1e-4)


@pytest.mark.parametrize("name", ["llama", "memory"])
def test_explanations_do_not_change_the_answer(name: str) -> None:
    model, tokenizer, inputs = setting(name, "words")
    automaton = AnswerAutomaton(tokenizer)
    short = decode(model, inputs, automaton, 2.0, generators())
    long = decode(model, inputs, automaton, 2.0, generators(), told_by(tokenizer))
    assert short.explanations is None
    assert short.texts == long.texts
    np.testing.assert_allclose(short.log_probs, long.log_probs, atol=1e-4)
    assert long.passes > short.passes


def test_words_need_a_pass_a_choice() -> None:
    tokenizer = word_tokenizer()
    automaton = AnswerAutomaton(tokenizer)

    def passes(word: str, told: Any = None) -> tuple[list[str], int]:
        model = FixedModel(len(tokenizer))
        favourite = tokenizer.convert_tokens_to_ids(word)

        def call(**inputs: Any) -> Any:
            output = model(**inputs)
            logits = output.logits.clone()
            logits[..., favourite] = 100.0
            return SimpleNamespace(logits=logits, past_key_values=None)

        decoded = decode(
            call, tokenizer(["walk<answer>"] * 2, return_tensors="pt"), automaton, explanations=told
        )
        return decoded.texts, decoded.passes

    assert passes("stop") == (["stop."] * 2, 1)
    texts, count = passes("turn")
    assert texts[0].startswith("turn")
    assert count == 4
    assert passes("turn", told_by(tokenizer))[1] == 8


@pytest.mark.parametrize("tokens", sorted(TOKENIZERS))
def test_a_batch_needs_no_more_passes_than_its_longest(tokens: str) -> None:
    model, tokenizer, inputs = setting("llama", tokens)
    automaton, told = AnswerAutomaton(tokenizer), told_by(tokenizer)
    for explained in (None, told):
        together = decode(model, inputs, automaton, 5.0, generators(), explained)
        alone = [
            decode(
                model,
                {key: value[row : row + 1] for key, value in inputs.items()},
                automaton,
                5.0,
                [generators()[row]],
                explained,
            )
            for row in range(SIZE)
        ]
        assert together.passes == max(one.passes for one in alone)


def test_draws_follow_the_distribution() -> None:
    tokenizer = word_tokenizer()
    size = 4000
    model = FixedModel(len(tokenizer))
    inputs = tokenizer(["walk<answer>"] * size, return_tensors="pt")
    rng = np.random.default_rng(0)
    decoded: Decoded = decode(model, inputs, AnswerAutomaton(tokenizer), 0.7, [rng] * size)
    logits = model(inputs["input_ids"][:1]).logits[0, 0] / 0.7
    both = logits[tokenizer.convert_tokens_to_ids(["stop", "turn"])].softmax(dim=-1)
    stops = np.array([text == "stop." for text in decoded.texts])
    assert abs(stops.mean() - float(both[0])) < 4.0 * np.sqrt(0.25 / size)
    np.testing.assert_allclose(decoded.log_probs[stops], float(both[0].log()), atol=1e-6)


def test_errors() -> None:
    tokenizer = word_tokenizer()
    automaton = AnswerAutomaton(tokenizer)
    model = RandomModel(len(tokenizer))
    inputs = llama_inputs(tokenizer)
    with pytest.raises(ValueError, match="at least 0"):
        decode(model, inputs, automaton, -1.0)
    with pytest.raises(ValueError, match="each of 4 samples, got none"):
        decode(model, inputs, automaton, 1.0)
    with pytest.raises(ValueError, match="each of 4 samples, got 1"):
        decode(model, inputs, automaton, 1.0, [np.random.default_rng(0)])
    inputs["attention_mask"] = inputs["attention_mask"].flip(1)
    with pytest.raises(ValueError, match="padded in front"):
        decode(model, inputs, automaton)


def test_a_quantile_of_the_moves_is_taken_where_only_they_are_left() -> None:
    tokenizer = make_tokenizer(["walk"], by_phrase=True)
    automaton = AnswerAutomaton(tokenizer)
    turn = automaton.action_ids((0, 3, 5))[0]
    assert automaton.by_moves(automaton.START) == (), "stop, or a turn"
    order = automaton.by_moves(automaton.walk([turn]))
    assert order == tuple(automaton.action_ids((0, 3, moves))[1] for moves in range(13))
    inputs = tokenizer(["walk<answer>"], return_tensors="pt")
    model = FixedModel(len(tokenizer))
    chances = model(**inputs).logits[0, 0, list(order)].softmax(dim=0).cumsum(dim=0)
    likeliest = decode(model, inputs, automaton).actions[0]
    assert not likeliest[0]
    for quantile in (0.01, 0.35, 0.7, 0.999):
        (action,) = decode(model, inputs, automaton, moves_quantile=quantile).actions
        assert action[:2].tolist() == likeliest[:2].tolist()
        assert action[2] == int((chances < quantile).sum())
    with pytest.raises(ValueError, match=r"moves_quantile must lie in \(0, 1\), got 1.0"):
        decode(model, inputs, automaton, moves_quantile=1.0)
    drawn = [
        decode(model, inputs, automaton, 1.0, [np.random.default_rng(0)], moves_quantile=quantile)
        for quantile in (None, 0.01)
    ]
    assert drawn[0].texts == drawn[1].texts, "what is drawn is drawn"


def test_it_stops_from_a_chance_on_and_not_where_that_is_but_the_likeliest() -> None:
    tokenizer = make_tokenizer(["walk"], by_phrase=True)
    automaton = AnswerAutomaton(tokenizer)
    stop = automaton.action_ids((1, 0, 0))[0]
    assert automaton.stop(automaton.START) == stop
    turn = automaton.action_ids((0, 3, 5))[0]
    assert automaton.stop(automaton.walk([turn])) is None
    inputs = tokenizer(["walk<answer>"], return_tensors="pt")
    model = FixedModel(len(tokenizer))
    choices = list(automaton.choices(automaton.START))
    model.logits[choices] = 0.0
    model.logits[[stop, turn]] = torch.tensor([3.0, 1.0])
    chance = float(model.logits[choices].softmax(dim=0)[choices.index(stop)])
    assert 0.3 < chance < 0.5, "the likeliest, but less likely than not"
    (likeliest,) = decode(model, inputs, automaton).actions
    assert likeliest.tolist() == [1, 0, 0]
    (walks,) = decode(model, inputs, automaton, stop_chance=0.5).actions
    assert walks[:2].tolist() == [0, 3], "the likeliest of the rest"
    (stops,) = decode(model, inputs, automaton, stop_chance=chance - 0.01).actions
    assert stops.tolist() == [1, 0, 0]
    model.logits[stop] = 0.5
    found = decode(model, inputs, automaton, stop_chance=0.01)
    assert found.actions.tolist() == [[1, 0, 0]], "likely enough, whatever else is likelier"
    assert np.isclose(np.exp(found.log_probs[0]), model.logits[choices].softmax(dim=0)[choices.index(stop)])
    with pytest.raises(ValueError, match=r"stop_chance must lie in \(0, 1\), got 0.0"):
        decode(model, inputs, automaton, stop_chance=0.0)
