"""Answers: `turn left 3 steps, move 2 steps.`, or the same in degrees and centimetres, or `stop.`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlnenv.errors import unknown_name

UNITS = ("steps", "metric")
STOP_TEXT = "stop."
Macro = tuple[int, int, int]
"""A macro action [stop, turn, moves], see `vlnenv.actions.MacroActions`."""
STOP: Macro = (1, 0, 0)


@dataclass(frozen=True)
class Grammar:
    """How macro actions are worded. Each action has one wording, and each wording one action.

    Turns of up to half a turn are left, the others right; no turn is "left 0", and half a turn is left.

    Source: Dynam3D's released code for the steps, its paper for degrees and centimetres.
    """

    units: str = "steps"
    """"steps" counts steps of the sizes below, "metric" says degrees and centimetres."""
    turn_deg: float = 15.0
    """One turn step."""
    step_m: float = 0.25
    """One step ahead."""
    max_moves: int = 12
    """Most steps ahead in an answer, as in `vlnenv.actions.MacroActions`."""

    def __post_init__(self) -> None:
        if self.units not in UNITS:
            raise ValueError(unknown_name("units of answers", self.units, UNITS))
        if not 0.0 < self.turn_deg <= 180.0 or abs(self.headings * self.turn_deg - 360.0) > 1e-6:
            raise ValueError(f"turn_deg must divide 360 degrees into whole steps, got {self.turn_deg}")
        if self.step_m <= 0.0 or self.max_moves < 1:
            raise ValueError(
                f"step_m must be above 0 and max_moves at least 1, got {self.step_m} and {self.max_moves}"
            )
        if self.units == "metric" and (self._turn_size < 1 or self._move_size < 1):
            raise ValueError(
                "answers in metric units need steps of whole degrees and whole centimetres, got "
                f"{self.turn_deg} degrees and {self.step_m} m: use units='steps'"
            )

    @property
    def headings(self) -> int:
        """Turn steps of a whole turn."""
        return round(360.0 / self.turn_deg)

    @property
    def _turn_size(self) -> int:
        """What one turn step counts as in the units; 0 if it is no whole number."""
        return 1 if self.units == "steps" else _whole(self.turn_deg)

    @property
    def _move_size(self) -> int:
        return 1 if self.units == "steps" else _whole(self.step_m * 100.0)

    def answers(self) -> tuple[str, ...]:
        """Every answer: `stop.` first, then by turn and moves."""
        moving = (
            format_action((0, turn, moves), self)
            for turn in range(self.headings)
            for moves in range(self.max_moves + 1)
        )
        return (STOP_TEXT, *moving)


def _whole(number: float) -> int:
    return round(number) if abs(number - round(number)) < 1e-6 else 0


_PATTERNS = {
    "steps": re.compile(r"turn (left|right) (\d{1,6}) steps, move (\d{1,6}) steps\.", re.ASCII),
    "metric": re.compile(r"turn (left|right) (\d{1,6}) degrees, move forward (\d{1,6}) cm\.", re.ASCII),
}


def format_action(macro: Sequence[int] | np.ndarray, grammar: Grammar | None = None) -> str:
    """The answer that says a macro action.

    Args:
        macro: [stop, turn, moves]; where stop is 1 the rest is ignored, as the environment does.
        grammar: Wording; None for the default.

    Raises:
        ValueError: If the action is not one of the environment's.
    """
    grammar = grammar or Grammar()
    value = np.asarray(macro)
    if value.shape != (3,) or not np.issubdtype(value.dtype, np.integer):
        raise ValueError(f"a macro action is three integers [stop, turn, moves], got {macro!r}")
    choices = [2, grammar.headings, grammar.max_moves + 1]
    if (value < 0).any() or (value >= choices).any():
        raise ValueError(
            f"a macro action [stop, turn, moves] must be at least 0 and below {choices}, got {value.tolist()}"
        )
    stop, turn, moves = (int(part) for part in value)
    if stop:
        return STOP_TEXT
    side = "left" if turn <= grammar.headings // 2 else "right"
    turns = (turn if side == "left" else grammar.headings - turn) * grammar._turn_size
    if grammar.units == "steps":
        return f"turn {side} {turns} steps, move {moves} steps."
    return f"turn {side} {turns} degrees, move forward {moves * grammar._move_size} cm."


def parse_action(text: str, grammar: Grammar | None = None) -> Macro:
    """The macro action that an answer says; the inverse of `format_action`.

    Case and spaces are free. A turn right by nothing or by half a turn is read as the same turn to the left.

    Args:
        text: The answer.
        grammar: Wording; None for the default.

    Raises:
        ValueError: If the text is no answer, or says a turn or walk that no action is.
    """
    grammar = grammar or Grammar()
    words = " ".join(text.lower().split())
    if words == STOP_TEXT:
        return STOP
    found = _PATTERNS[grammar.units].fullmatch(words)
    if found is None:
        example = format_action((0, 2, 3), grammar)
        raise ValueError(f"expected an answer such as {example!r} or {STOP_TEXT!r}, got {text!r}")
    turns, turn_rest = divmod(int(found[2]), grammar._turn_size)
    moves, move_rest = divmod(int(found[3]), grammar._move_size)
    half = grammar.headings // 2
    if turn_rest or move_rest or turns > half or moves > grammar.max_moves:
        raise ValueError(
            f"expected a turn of up to {half * grammar._turn_size} in steps of {grammar._turn_size} and a "
            f"move of up to {grammar.max_moves * grammar._move_size} in steps of {grammar._move_size}, "
            f"got {text!r}"
        )
    turn = turns if found[1] == "left" else (grammar.headings - turns) % grammar.headings
    return (0, turn, moves)
