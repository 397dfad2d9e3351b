from __future__ import annotations

import math

import numpy as np
import pytest

from agents.vlm.grammar import Grammar, format_action, parse_action
from vlnenv.actions import MacroActions

GRAMMARS = [
    Grammar(),
    Grammar(units="metric"),
    Grammar(turn_deg=30.0),
    Grammar(units="metric", turn_deg=30.0),
    Grammar(turn_deg=40.0),
]


def test_wording_is_the_papers() -> None:
    metric = Grammar(units="metric")
    assert format_action([1, 0, 0]) == format_action([1, 5, 7]) == "stop."
    assert format_action([0, 2, 3]) == "turn left 2 steps, move 3 steps."
    assert format_action(np.array([0, 22, 0])) == "turn right 2 steps, move 0 steps."
    assert format_action([0, 0, 12]) == "turn left 0 steps, move 12 steps."
    assert format_action([0, 12, 1]) == "turn left 12 steps, move 1 steps."
    assert format_action([0, 2, 3], metric) == "turn left 30 degrees, move forward 75 cm."


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_every_action_has_one_answer_and_back(grammar: Grammar) -> None:
    mode = MacroActions(grammar.step_m, math.radians(grammar.turn_deg))
    answers = grammar.answers()
    assert len(set(answers)) == len(answers) == 1 + grammar.headings * 13
    for answer in answers:
        macro = parse_action(answer, grammar)
        assert mode.space.contains(np.array(macro))
        assert format_action(macro, grammar) == answer
    for turn in range(grammar.headings):
        for moves in range(13):
            assert parse_action(format_action([0, turn, moves], grammar), grammar) == (0, turn, moves)


@pytest.mark.parametrize("turn", range(24))
def test_side_agrees_with_what_the_environment_does(turn: int) -> None:
    plan = MacroActions(0.25, math.radians(15.0)).plan(np.array([0, turn, 0]))
    text = format_action([0, turn, 0])
    assert ("right" in text) == (plan[0].turn_rad < 0.0)
    if turn:
        assert f" {len(plan)} steps, move" in text


def test_parse_takes_other_cases_spaces_and_equal_turns() -> None:
    assert parse_action("  Turn LEFT 3\n steps, move 2 steps. ") == (0, 3, 2)
    assert parse_action("Stop.") == (1, 0, 0)
    assert parse_action("turn right 0 steps, move 2 steps.") == (0, 0, 2)
    assert parse_action("turn right 12 steps, move 2 steps.") == (0, 12, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stop",
        "turn left",
        "turn left 13 steps, move 2 steps.",
        "turn left 2 steps, move 13 steps.",
        "turn left -2 steps, move 2 steps.",
        "turn left two steps, move 2 steps.",
        "turn left 30 degrees, move forward 75 cm.",
        "turn left 2 steps, move 2 steps. stop.",
        "turn left 2222222222222222222222 steps, move 2 steps.",
    ],
)
def test_what_is_no_answer_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        parse_action(text)


def test_metric_answers_between_steps_are_an_error() -> None:
    for text in ("turn left 20 degrees, move forward 75 cm.", "turn left 30 degrees, move forward 80 cm."):
        with pytest.raises(ValueError, match="in steps of 15 and a move of up to 300 in steps of 25"):
            parse_action(text, Grammar(units="metric"))


@pytest.mark.parametrize(
    "macro", [[0, 24, 0], [0, 0, 13], [2, 0, 0], [0, -1, 0], [-1, -1, -1], [0, 1], [0.0, 1.0, 2.0]]
)
def test_what_is_no_action_is_an_error(macro: list[int]) -> None:
    with pytest.raises(ValueError, match="macro action"):
        format_action(macro)


def test_grammar_checks_its_fields() -> None:
    with pytest.raises(ValueError, match="Did you mean 'metric'"):
        Grammar(units="metrics")
    with pytest.raises(ValueError, match="whole steps, got 50"):
        Grammar(turn_deg=50.0)
    with pytest.raises(ValueError, match="whole degrees and whole centimetres"):
        Grammar(units="metric", turn_deg=22.5)
    with pytest.raises(ValueError, match="max_moves"):
        Grammar(max_moves=0)
    assert Grammar(turn_deg=22.5).headings == 16
