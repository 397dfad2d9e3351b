"""The program of an instruction: what it says, before any words are chosen.

The writer chooses a program and the interpreter (`vlnenv.houses.instructions.ambiguity`) follows it: what is
checked is what the text says, and wordings of one program share its check.
"""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.instructions.mentions import Mention


@dataclass(frozen=True)
class Passing:
    """A landmark that is passed."""

    mention: Mention
    side: str = ""
    """"left" or "right" where it is said."""


@dataclass(frozen=True)
class Step:
    """What is said about one leg of the way: a room, or a flight of stairs. Empty fields are not said."""

    kind: str = ""
    """Kind of the room."""
    first_turn: str = ""
    """On entering it (or at the start): "left", "right", "around" or "straight"."""
    passed: tuple[Passing, ...] = ()
    last_turn: str = ""
    """Where the way out is, or which turn leads to it: "left" or "right"."""
    ordinal: int = 0
    """The way out is the n-th door on that side."""
    opening: str = ""
    """Kind of the way out: "door" or "arch"."""
    says_opening: bool = False
    """The way out's kind is always said. Otherwise it may be, where a sentence needs the word."""
    is_only_opening: bool = True
    """The room has no other way out of that kind."""
    needs_name: bool = False
    """The room has to be named on the way into it: nothing else tells which way out is meant."""
    climb: str = ""
    """"up" or "down": this is a flight of stairs."""
    at_end: bool = False
    """The way out is at the end of the room."""
    along: str = ""
    """How the room is crossed: "down" (a long hallway), "across", "through", "ahead"."""
    bends: bool = False
    """It swerves, or has a turn that is not said: no word may call the way straight."""
    is_another: bool = False
    """The way was in another room of that kind before."""
    is_hallway: bool = False
    """It is a hallway, whether that is said or not."""


@dataclass(frozen=True)
class Stop:
    """Where the way ends."""

    mention: Mention | None
    """The object at the end; None where the room alone is said."""
    in_front: bool = False
    """In front of the object, not just beside it."""


@dataclass(frozen=True)
class Program:
    """One step a leg, and the end."""

    steps: tuple[Step, ...]
    stop: Stop
