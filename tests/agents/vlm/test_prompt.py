from __future__ import annotations

import numpy as np
import pytest

from agents.vlm.grammar import Grammar
from agents.vlm.prompt import history_texts, make_prompt, placeholder_counts, placeholders
from tests.agents.vlm.fakes import word_tokenizer

NONE = [-1, -1, -1]


def test_prompt_in_full() -> None:
    prompt = make_prompt(
        "Go  to the\nsofa.",
        np.array([NONE, NONE, [0, 23, 2], [0, 1, 0]]),
        {"patch": 3, "instance": 2, "zone": 0, "path": 1},
        spatial_prompt="a door is ahead",
    )
    assert prompt == (
        "<patch><patch><patch><instance><instance><path>instruction: Go to the sofa. hint: a door is ahead "
        "history: none ; none ; turn right 1 steps, move 2 steps ; turn left 1 steps, move 0 steps . "
        "next action:<answer>"
    )


def test_only_the_last_four_actions_are_written() -> None:
    prompt = make_prompt("go", [[0, 0, moves] for moves in range(6)], {})
    assert "move 1 steps" not in prompt
    assert prompt.startswith("instruction: go history: turn left 0 steps, move 2 steps ; ")


def test_counts_and_queries() -> None:
    assert placeholder_counts({"patch": 70, "zone": 2}, 16) == {"patch": 16, "zone": 2}
    assert placeholder_counts({"patch": 0, "zone": 2}, 16) == {"patch": 0, "zone": 2}
    assert placeholders({"zone": 1, "patch": 9}, 2) == "<patch><patch><zone>"
    with pytest.raises(ValueError, match="Did you mean 'patch'"):
        placeholders({"patches": 1})
    with pytest.raises(ValueError, match="at least 0"):
        placeholders({"patch": -1})


def test_history_is_cut_oldest_first_and_the_instruction_never() -> None:
    tokenizer = word_tokenizer()

    def length_of(text: str) -> int:
        return len(tokenizer(text)["input_ids"])

    def cut(max_length: int | None) -> str:
        return make_prompt(
            "walk to the sofa",
            [NONE, [0, 0, 1], [0, 0, 2], [0, 0, 3]],
            {"patch": 4},
            max_length=max_length,
            length_of=length_of,
        )

    whole = cut(None)
    length = length_of(whole)
    assert cut(length) == whole
    without_one = cut(length - 1)
    assert "none" not in without_one
    assert "move 1 steps" in without_one
    without_two = cut(length_of(without_one) - 1)
    assert "move 1 steps" not in without_two
    assert "move 2 steps" in without_two
    bare = cut(length_of(without_two) - 17)
    assert "history" not in bare
    assert "walk to the sofa" in bare
    with pytest.raises(
        ValueError, match=r"has 14 tokens without history, 4 of the memory and 6 of the .* 13"
    ):
        cut(length_of(bare) - 1)


def test_metric_history() -> None:
    assert history_texts([[0, 2, 3], [1, 0, 0]], Grammar(units="metric")) == [
        "turn left 30 degrees, move forward 75 cm",
        "stop",
    ]


def test_errors() -> None:
    with pytest.raises(ValueError, match="special token '<patch>'"):
        make_prompt("go to <PATCH>", [NONE], {})
    with pytest.raises(ValueError, match="spatial prompt must not hold"):
        make_prompt("go", [NONE], {}, spatial_prompt="<answer>stop.")
    with pytest.raises(ValueError, match='action="macro"'):
        make_prompt("go", [-1, -1, -1, -1], {})  # type: ignore[list-item]
    with pytest.raises(ValueError, match="needs length_of"):
        make_prompt("go", [NONE], {}, max_length=5)
