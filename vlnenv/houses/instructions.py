"""The instruction writer: English sentences in R2R's manner from the facts of a route."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vlnenv.houses.dice import Dice
from vlnenv.houses.legs import Leg

MIN_WORDS, MAX_WORDS = 10, 45
"""Length of an instruction. One that names no rooms may be shorter."""

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth")
_BESIDE = ("next to", "near", "by", "beside")


@dataclass(frozen=True)
class Passed:
    """A landmark beside the way."""

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


def write_house_route(
    legs: Sequence[Leg], kinds: Sequence[str], passed: Sequence[Passed], stop: StopCondition, dice: Dice
) -> str:
    """The instruction of a route through a house.

    Args:
        legs: Rooms and turns, see `legs_of`; at least two.
        kinds: Kind of each leg's room: "bedroom".
        passed: Landmarks beside the way, each of which the walker sees; two at most are named.
        stop: The end.
        dice: Chooses the words.

    Returns:
        Plain ASCII, 10 to 45 words.
    """
    for attempt in range(8):
        limit = max(0, 2 - attempt // 2)
        named = sorted(dice.shuffled(passed)[:limit], key=lambda p: p.at_m)
        clauses = _house_clauses(legs, kinds, named, stop, dice)
        text = _joined(clauses, dice)
        if dice.chance(15) or len(text.split()) < MIN_WORDS:
            text = f"{dice.pick(['You are in', 'Start in', 'You start in'])} the {kinds[0]}. {text}"
        if MIN_WORDS <= len(text.split()) <= MAX_WORDS:
            break
    return text


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
    clauses = []
    if start_turn:
        clauses.append(f"turn {start_turn}")
    named = dice.shuffled(passed)[:3]
    events: list[tuple[float, str]] = [(p.at_m, _pass_clause(p, dice)) for p in named]
    for at, side in turns:
        clause = dice.pick([f"turn {side}", f"take a {side}", f"go {side}"])
        events.append((at, clause))
    events.sort()
    if not events or events[0][0] > 3.0:
        clauses.append(dice.pick(["walk straight ahead", "go straight", "walk forward"]))
    clauses += [clause for _, clause in events]
    if events and length_m - events[-1][0] > 3.0:
        clauses.append(dice.pick(["continue straight", "keep going straight", "walk forward"]))
    return _joined([*clauses, _stop_clause(stop, dice)], dice)


def _house_clauses(
    legs: Sequence[Leg], kinds: Sequence[str], passed: Sequence[Passed], stop: StopCondition, dice: Dice
) -> list[str]:
    clauses: list[str] = []
    for number, (leg, kind) in enumerate(zip(legs, kinds, strict=True)):
        here = _room(kinds, number)
        inside = [_pass_clause(p, dice) for p in passed if leg.begin_m <= p.at_m < leg.end_m]
        if number == 0:
            if leg.first_turn:
                clauses.append(f"turn {leg.first_turn}")
            clauses += inside
            if kind == "hallway":
                clauses.append(_enter_clause(leg, _room(kinds, 1), dice))
            else:
                clauses.append(_leave_clause(leg, here, _room(kinds, 1), legs[1], dice))
            continue
        if leg.first_turn and (number < len(legs) - 1 or leg.length_m > 1.5):
            verb = dice.pick([f"turn {leg.first_turn}", f"take a {leg.first_turn}", f"go {leg.first_turn}"])
            # Where the room is first named here, it is turned into.
            place = "" if f"into {here}" in clauses[-1] else dice.pick(["", f" into {here}", f" in {here}"])
            clauses.append(verb + (place if number == 1 else ""))
        clauses += inside
        if number == len(legs) - 1:
            break
        if not leg.first_turn and not leg.last_turn:
            across = [f"cross {here}", f"go straight across {here}"]
            through = [f"walk straight through {here}", f"go straight through {here}"]
            clauses.append(dice.pick(across if leg.length_m < 3.0 else through))
        elif not inside and leg.length_m > 3.0 and dice.chance(60):
            down = [f"walk down {here}", f"go down {here}", f"walk along {here}"]
            clauses.append(dice.pick(down if kind == "hallway" else [f"walk through {here}"]))
        clauses.append(_enter_clause(leg, _room(kinds, number + 1), dice))
    clauses.append(_stop_clause(stop, dice))
    return clauses


def _room(kinds: Sequence[str], number: int) -> str:
    """What to call a leg's room: "the bedroom", or "the other bedroom" after one of that kind."""
    is_other = number > 0 and kinds[number] in kinds[:number]
    return f"the other {kinds[number]}" if is_other else f"the {kinds[number]}"


def _leave_clause(leg: Leg, here: str, there: str, following: Leg, dice: Dice) -> str:
    side = leg.last_turn
    if side:
        text = dice.pick(
            [
                f"leave {here} through the door on your {side}",
                f"turn {side} and leave {here}",
                f"turn {side} and walk out of {here}",
                f"go out of {here} through the door on the {side}",
            ]
        )
    else:
        text = dice.pick(
            [
                f"leave {here}",
                f"walk out of {here}",
                f"exit {here}",
                f"go out of {here}",
                f"walk out the door of {here}",
            ]
        )
    # A hallway goes without saying; any other room has to be named, or the reader loses the way.
    if there != "the hallway" or (not following.first_turn and dice.chance(40)):
        text += f" into {there}"
    return text


def _enter_clause(leg: Leg, there: str, dice: Dice) -> str:
    side = leg.last_turn
    if not side:
        return dice.pick(
            [f"enter {there}", f"go into {there}", f"continue into {there}", f"walk straight into {there}"]
        )
    if 0 < leg.door_ordinal < len(_ORDINALS) and dice.chance(80 if leg.door_ordinal > 1 else 30):
        door = f"the {_ORDINALS[leg.door_ordinal]} door on {dice.pick(['your', 'the'])} {side}"
        return dice.pick([f"go through {door} into {there}", f"take {door} into {there}"])
    return dice.pick(
        [
            f"turn {side} into {there}",
            f"turn {side} and enter {there}",
            f"go into {there} on your {side}",
            f"enter {there} on your {side}",
        ]
    )


def _pass_clause(passed: Passed, dice: Dice) -> str:
    verb = dice.pick(["walk past", "go past", "pass"])
    side = f" on your {passed.side}" if dice.chance(50) else ""
    return f"{verb} the {passed.phrase}{side}"


def _stop_clause(stop: StopCondition, dice: Dice) -> str:
    place = "in front of" if stop.is_in_front and dice.chance(75) else dice.pick(_BESIDE)
    verb = dice.pick(["stop", "stop", "wait", "stop and wait"])
    if dice.chance(20):
        return f"walk to the {stop.phrase} and {verb} {place} it"
    return f"{verb} {place} the {stop.phrase}"


def _joined(clauses: Sequence[str], dice: Dice) -> str:
    """Sentences of one to two clauses."""
    sentences = []
    index = 0
    while index < len(clauses):
        clause = clauses[index]
        follows = index + 1 < len(clauses)
        if follows and dice.chance(65):
            # "turn left and leave the room and ..." reads badly: a second "and" becomes "then".
            has_and = " and " in clause or " and " in clauses[index + 1]
            link = ", then " if has_and else dice.pick([" and ", " and ", ", then ", " and then "])
            clause += link + clauses[index + 1]
            index += 1
        sentences.append(clause[0].upper() + clause[1:] + ".")
        index += 1
    return " ".join(sentences)
