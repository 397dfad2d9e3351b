from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from agents.vlm.explanations import explanations
from agents.vlm.grammar import Grammar
from agents.vlm.prompt import make_prompt
from agents.vlm.tokenizer import END, PAD, SPECIAL_TOKENS, UNKNOWN, fixed_words, make_tokenizer
from tests.agents.vlm.fakes import TEXT, word_tokenizer
from vlnenv.episodes.vocabulary import split_words


@pytest.mark.parametrize("units", ["steps", "metric"])
def test_every_answer_comes_back_exactly(units: str) -> None:
    tokenizer = word_tokenizer()
    answers = list(Grammar(units=units).answers())
    ids = tokenizer(answers)["input_ids"]
    assert tokenizer.batch_decode(ids) == answers
    assert tokenizer.unk_token_id not in {token for row in ids for token in row}


def test_every_explanation_comes_back_exactly() -> None:
    tokenizer = word_tokenizer()
    assert tokenizer.batch_decode(tokenizer(list(explanations()))["input_ids"]) == list(explanations())


def test_saved_and_loaded_by_auto_tokenizer(tmp_path: Path) -> None:
    tokenizer = word_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    prompt = make_prompt(TEXT, [[-1, -1, -1], [0, 2, 3]], {"patch": 3, "zone": 1}) + "stop.<trunc>"
    assert loaded(prompt)["input_ids"] == tokenizer(prompt)["input_ids"]
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert loaded.padding_side == "left"
    batch = loaded(["stop.", TEXT], padding=True)
    assert batch["input_ids"][0][0] == loaded.pad_token_id == 0
    assert batch["attention_mask"][0][:2] == [0, 0]
    assert loaded.decode(loaded("turn left 3 steps, move 2 steps.")["input_ids"]) == (
        "turn left 3 steps, move 2 steps."
    )


def test_special_tokens_have_ids_of_their_own() -> None:
    tokenizer = word_tokenizer()
    assert tokenizer.convert_tokens_to_ids([PAD, UNKNOWN, END]) == [0, 1, 2]
    assert tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)) == list(range(3, 10))
    assert tokenizer("<patch><patch> stop<answer>")["input_ids"] == [
        *[tokenizer.convert_tokens_to_ids("<patch>")] * 2,
        tokenizer.convert_tokens_to_ids("stop"),
        tokenizer.convert_tokens_to_ids("<answer>"),
    ]
    assert len(tokenizer) == len(set(tokenizer.get_vocab().values()))


@pytest.mark.parametrize(
    "text", [TEXT, "don't go (there)!! a_b x²", "चलो आगे बढ़ें", "Ça-va? «Où»", "tab\tand\nline"]
)
def test_splits_as_the_vocabulary_does(text: str) -> None:
    tokenizer = make_tokenizer(dict.fromkeys(split_words(text)))
    ids = tokenizer(text)["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == split_words(text)


def test_words_keep_their_order_and_are_checked() -> None:
    tokenizer = make_tokenizer(["zebra", "left", "apple"])
    start = len(SPECIAL_TOKENS) + 3 + len(fixed_words())
    assert tokenizer.convert_tokens_to_ids(["zebra", "apple"]) == [start, start + 1]
    assert tokenizer("giraffe")["input_ids"] == [tokenizer.unk_token_id]
    with pytest.raises(ValueError, match="got 'Two words'"):
        make_tokenizer(["Two words"])


def test_grammar_of_other_steps_can_be_spelled() -> None:
    grammar = Grammar(units="metric", turn_deg=10.0, step_m=0.1)
    tokenizer = make_tokenizer([], [grammar])
    answers = list(grammar.answers())
    assert tokenizer.batch_decode(tokenizer(answers)["input_ids"]) == answers
