from __future__ import annotations

import math

import pytest

from agents.vlm.explanations import explanation_automaton, explanations, format_explanation
from tests.agents.vlm.fakes import TOKENIZERS


def test_wording() -> None:
    assert format_explanation([0.0, 6.2], 0.41) == "goal left 3 distance 6 progress 4"
    assert format_explanation([0.0, -6.2, 1.0], 0.0) == "goal right 3 distance 6 progress 0"
    assert format_explanation([1.0, 0.0], 1.0) == "goal left 0 distance 1 progress 10"
    assert format_explanation([-1.0, -0.0], 2.0) == "goal left 6 distance 1 progress 10"
    assert format_explanation([-100.0, 0.0], -1.0) == "goal left 6 distance 30 progress 0"


def test_sectors_go_round_to_the_left() -> None:
    for degrees in range(0, 360, 30):
        for off in (-14.0, 0.0, 14.0):
            angle = math.radians(degrees + off)
            text = format_explanation([3 * math.cos(angle), 3 * math.sin(angle)], 0.5)
            side, count = text.split()[1:3]
            assert (int(count) if side == "left" else 12 - int(count)) % 12 == degrees // 30
            assert text in explanations()


def test_automata_hold_every_explanation() -> None:
    for tokenizer in (make() for make in TOKENIZERS.values()):
        automaton = explanation_automaton(tokenizer)
        assert automaton.texts == explanations()
        assert automaton.end_id == tokenizer.eos_token_id
    assert len(explanations()) == 12 * 31 * 11


def test_errors() -> None:
    with pytest.raises(ValueError, match="two or three finite numbers"):
        format_explanation([1.0, math.nan], 0.5)
    with pytest.raises(ValueError, match="two or three finite numbers"):
        format_explanation([1.0], 0.5)
    with pytest.raises(ValueError, match="progress must be"):
        format_explanation([1.0, 2.0], math.nan)
