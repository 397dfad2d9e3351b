from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.vlm.automaton import AnswerAutomaton, Automaton
from agents.vlm.grammar import Grammar, parse_action
from tests.agents.vlm.fakes import TOKENIZERS, word_tokenizer


@pytest.fixture(scope="module", params=sorted(TOKENIZERS))
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return TOKENIZERS[request.param]()


@pytest.mark.parametrize("units", ["steps", "metric"])
def test_any_walk_says_an_answer(tokenizer: Any, units: str) -> None:
    grammar = Grammar(units=units)
    automaton = AnswerAutomaton(tokenizer, grammar)
    rng = np.random.default_rng(0)
    for _ in range(100):
        ids: list[int] = []
        while automaton.allowed(ids):
            ids.append(int(rng.choice(automaton.allowed(ids))))
        text = automaton.text(automaton.walk(ids))
        assert text is not None
        assert len(parse_action(text, grammar)) == 3
        assert tuple(ids) == automaton.ids(text)
        assert ids[-1] == automaton.end_id
        assert tokenizer.decode(ids[:-1]) == text
        assert len(ids) <= automaton.max_length


def test_every_answer_is_reached(tokenizer: Any) -> None:
    automaton = AnswerAutomaton(tokenizer)
    assert automaton.texts == Grammar().answers()
    for text in automaton.texts:
        assert automaton.text(automaton.walk(automaton.ids(text))) == text
        assert set(automaton.ids(text)) <= set(automaton.token_ids)
        assert list(automaton.ids(text)[:-1]) == tokenizer(text, add_special_tokens=False)["input_ids"]


def test_forced_runs_end_at_a_choice_or_the_end(tokenizer: Any) -> None:
    automaton = AnswerAutomaton(tokenizer)
    for text in automaton.texts[:40]:
        ids = automaton.ids(text)
        for length in range(len(ids) + 1):
            prefix = ids[:length]
            run = automaton.forced(prefix)
            assert (len(automaton.allowed(prefix)) == 1) == bool(run)
            after = (*prefix, *run)
            assert len(automaton.allowed(after)) != 1
            assert after[: len(ids)] == ids[: len(after)] or not run


def test_actions_and_answers(tokenizer: Any) -> None:
    grammar = Grammar(turn_deg=30.0)
    automaton = AnswerAutomaton(tokenizer, grammar)
    for text in automaton.texts:
        assert automaton.macro(text) == parse_action(text, grammar)
        assert automaton.action_ids(automaton.macro(text)) == automaton.ids(text)


def test_words_leave_four_choices() -> None:
    tokenizer = word_tokenizer()
    automaton = AnswerAutomaton(tokenizer)
    ids = automaton.ids("turn left 3 steps, move 2 steps.")
    choices = [len(automaton.allowed(ids[:length])) for length in range(len(ids))]
    assert choices == [2, 2, 13, 1, 1, 1, 13, 1, 1, 1]
    assert tokenizer.convert_ids_to_tokens(automaton.forced(ids[:3])) == ["steps", ",", "move"]


def test_errors() -> None:
    tokenizer = word_tokenizer()
    with pytest.raises(ValueError, match="does not know all words of 'fly away'"):
        Automaton(tokenizer, ["stop.", "fly away"], "<trunc>")
    with pytest.raises(ValueError, match=r"spells 'Stop\.' and 'stop\.' alike"):
        Automaton(tokenizer, ["stop.", "Stop."], "<trunc>")
    with pytest.raises(ValueError, match="has no token '<nothing>'"):
        Automaton(tokenizer, ["stop."], "<nothing>")
    with pytest.raises(ValueError, match="at least one text"):
        Automaton(tokenizer, [], "<trunc>")
    automaton = AnswerAutomaton(tokenizer)
    with pytest.raises(ValueError, match="may not follow"):
        automaton.allowed([0])
    with pytest.raises(ValueError, match="is none of the 313 texts"):
        automaton.ids("jump.")
