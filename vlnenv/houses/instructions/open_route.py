"""Instructions for routes through places whose rooms are not known: turns and landmarks alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.clauses import joined, pass_clause, stop_clause
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.landmarks import mention_of
from vlnenv.houses.instructions.lexicon import Voice

_NEAR_M = 3.0
"""Objects farther from the one that is meant are not mistaken for it."""


@dataclass(frozen=True)
class Passed:
    """A landmark beside the way, in words."""

    at_m: float
    """Way along the route to the closest approach."""
    phrase: str
    """"red sofa", without article."""
    side: str
    """"left" or "right" of the walker."""


@dataclass(frozen=True)
class StopCondition:
    """Where the route ends."""

    phrase: str
    """The landmark, without article."""
    is_in_front: bool
    """The goal lies in front of it, not beside it."""


def open_route_text(facts: RouteFacts, dice: Dice) -> str | None:
    """One instruction for a route without rooms; None where its target cannot be told from others."""
    voice = Voice(dice)
    around = facts.landmarks
    target = mention_of(facts.route.target, around, dice.chance(50))
    if target is None:
        # Scans have many chairs: the nearest one of its kind is meant, as routes have it.
        near = [o for o in around if float(o.distance_m(facts.route.goal_m[None])[0]) <= _NEAR_M]
        target = mention_of(facts.route.target, near, dice.chance(50))
    if target is None:
        return None
    beside = []
    for passed in facts.passed:
        place = passed.landmark.center_m[None]
        near = [o for o in around if float(o.distance_m(place)[0]) <= _NEAR_M]
        mention = mention_of(passed.landmark, near, dice.chance(50))
        if mention is not None and passed.landmark.category != facts.route.target.category:
            beside.append(Passed(passed.at_m, voice.thing(mention), passed.side))
    stop = StopCondition(voice.thing(target), facts.is_in_front)
    return write_open_route(facts.start_turn, facts.turns, beside, stop, facts.route.length_m, dice)


def write_open_route(
    start_turn: str,
    turns: Sequence[tuple[float, str]],
    passed: Sequence[Passed],
    stop: StopCondition,
    length_m: float,
    dice: Dice,
) -> str:
    """The instruction of a route through a place whose rooms are not known.

    Args:
        start_turn: "", "left", "right" or "around".
        turns: (way along the route in metres, "left" or "right").
        passed: Landmarks beside the way; three at most are named.
        stop: The end.
        length_m: Length of the route.
        dice: Chooses the words.
    """
    voice = Voice(dice)
    clauses = []
    if start_turn:
        clauses.append(f"turn {start_turn}")
    named = dice.shuffled(passed)[:3]
    events: list[tuple[float, str]] = [
        (p.at_m, pass_clause(p.phrase, p.side if dice.chance(50) else "", voice)) for p in named
    ]
    for at, side in turns:
        events.append((at, voice.pick(f"turn {side}", f"take a {side}", f"go {side}", f"make a {side}")))
    events.sort()
    if not events or events[0][0] > 3.0:
        clauses.append(voice.pick("walk straight ahead", "go straight", "walk forward"))
    clauses += [clause for _, clause in events]
    if events and length_m - events[-1][0] > 3.0:
        clauses.append(voice.pick("continue straight", "keep going straight", "walk forward"))
    return joined([*clauses, stop_clause(stop.phrase, stop.is_in_front and dice.chance(75), voice)], voice)
