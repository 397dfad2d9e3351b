"""The prompt: placeholders of the memory, the instruction, the last actions, and where the answer begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from agents.vlm.config import query_placeholder
from agents.vlm.grammar import Grammar, format_action
from vlnenv.actions import HISTORY
from vlnenv.errors import unknown_name

LEVEL_TOKENS = {
    "patch": "<patch>",
    "instance": "<instance>",
    "zone": "<zone>",
    "path": "<path>",
    "view": "<view>",
}
"""Placeholder of each level, in the order of prompts and rows."""
ANSWER, TRUNCATE = "<answer>", "<trunc>"
"""An answer follows the first; the second ends it where an explanation follows."""
NO_ACTION = "none"
FRAME_WORDS = ("instruction :", "hint :", f"history : {NO_ACTION} ; .", "next action :")
"""The prompt's own words, for a tokenizer that is made of words."""


def placeholder_counts(
    counts: Mapping[str, int], queries: int = 0, query_levels: Sequence[str] = ("patch",)
) -> dict[str, int]:
    """Placeholders of each level for a sample's rows.

    Args:
        counts: Rows of each level.
        queries: Tokens that a querying transformer makes of its levels, if they have rows; 0 for none.
        query_levels: Those levels; for the placeholders see `agents.vlm.config.query_placeholder`.
    """
    if not queries:
        return {level: int(count) for level, count in counts.items()}
    own = {level: int(count) for level, count in counts.items() if level not in query_levels}
    any_row = any(counts.get(level, 0) for level in query_levels)
    return {query_placeholder(query_levels): queries if any_row else 0, **own}


def placeholders(
    counts: Mapping[str, int], queries: int = 0, query_levels: Sequence[str] = ("patch",)
) -> str:
    """The placeholders of a sample's rows, level by level, without spaces.

    Raises:
        ValueError: If a level is unknown or a count is negative.
    """
    for level, count in counts.items():
        if level not in LEVEL_TOKENS:
            raise ValueError(unknown_name("token level", level, LEVEL_TOKENS))
        if count < 0:
            raise ValueError(f"a level has at least 0 rows, got {count} of {level}")
    wanted = placeholder_counts(counts, queries, query_levels)
    return "".join(token * wanted.get(level, 0) for level, token in LEVEL_TOKENS.items())


def history_texts(history: np.ndarray | Sequence[Sequence[int]], grammar: Grammar | None = None) -> list[str]:
    """The last actions as a prompt has them: answers without the full stop, or "none".

    Args:
        history: (n, 3) macro actions, oldest first; -1 is none.
        grammar: Wording; None for the default.

    Raises:
        ValueError: If it is not (n, 3), or holds what is no action.
    """
    actions = np.asarray(history)
    if actions.ndim != 2 or actions.shape[1] != 3:
        raise ValueError(
            f"the history must be (n, 3) macro actions [stop, turn, moves], got shape {actions.shape}: make "
            'the environment with action="macro"'
        )
    return [
        NO_ACTION if (action == -1).all() else format_action(action, grammar).rstrip(".")
        for action in actions
    ]


def make_prompt(
    instruction: str,
    history: np.ndarray | Sequence[Sequence[int]],
    counts: Mapping[str, int],
    *,
    queries: int = 0,
    query_levels: Sequence[str] = ("patch",),
    spatial_prompt: str | None = None,
    grammar: Grammar | None = None,
    max_length: int | None = None,
    length_of: Callable[[str], int] | None = None,
) -> str:
    """The text that a model reads.

        <patch>..<instance>..<zone>..instruction: ... history: a1 ; a2 ; a3 ; a4 . next action:<answer>

    There are no spaces around the special tokens, which some tokenizers would spend tokens on.

    Args:
        instruction: What the agent was told.
        history: (n, 3) macro actions, oldest first, -1 for none; the last four are taken.
        counts: Rows of each level.
        queries: Tokens that a querying transformer makes of the memory; 0 for none.
        query_levels: Levels that it reads.
        spatial_prompt: Text about the surroundings that follows the instruction as a hint.
        grammar: Wording of the actions; None for the default.
        max_length: Most tokens; None for any number. History is cut to fit, oldest first.
        length_of: Tokens of a text; needed with `max_length`.

    Raises:
        ValueError: If an argument is invalid, a text holds a special token, or the prompt is too long even
            without history: an instruction cut short is another task.
    """
    for name, text in (("instruction", instruction), ("spatial prompt", spatial_prompt or "")):
        for token in (*LEVEL_TOKENS.values(), ANSWER, TRUNCATE):
            if token in text.lower():
                raise ValueError(f"the {name} must not hold the special token {token!r}, got {text!r}")
    memory = placeholders(counts, queries, query_levels)
    said = f"instruction: {' '.join(instruction.split())}"
    if spatial_prompt:
        said = f"{said} hint: {' '.join(spatial_prompt.split())}"
    actions = history_texts(history, grammar)[-HISTORY:]
    for first in range(len(actions) + 1):
        past = f" history: {' ; '.join(actions[first:])} ." if actions[first:] else ""
        prompt = f"{memory}{said}{past} next action:{ANSWER}"
        if max_length is None:
            return prompt
        if length_of is None:
            raise ValueError("max_length needs length_of, which counts a text's tokens")
        length = length_of(prompt)
        if length <= max_length:
            return prompt
    raise ValueError(
        f"the prompt has {length} tokens without history, {length_of(memory) if length_of else 0} of the "
        f"memory and {length_of(said) if length_of else 0} of the instruction, and at most {max_length} fit: "
        f"raise max_length, or give the model less memory: {instruction!r}"
    )
