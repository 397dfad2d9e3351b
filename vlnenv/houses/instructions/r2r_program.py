"""What an instruction in R2R's manner says: one of the programs that describe a route."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.ambiguity import HALLS, is_room_enough
from vlnenv.houses.instructions.facts import Passed, RouteFacts
from vlnenv.houses.instructions.landmarks import Landmark, mention_of
from vlnenv.houses.instructions.legs import Leg
from vlnenv.houses.instructions.lexicon import MOST_ORDINAL
from vlnenv.houses.instructions.passages import STAIRS, passages_of
from vlnenv.houses.instructions.program import Passing, Program, Step, Stop

_LONG_M = 3.0
_CROSSED_M = 2.0
_LONG_HALLWAY_M = 5.0
_UNREMARKABLE = frozenset(("towel rack", "radiator", "rug", "book"))
"""Categories that nobody finds the way by."""


def draw_program(facts: RouteFacts, detail: int, dice: Dice) -> Program | None:
    """A program of a route through a house.

    Args:
        facts: What can be said.
        detail: How much is: 0 (terse) to 100.
        dice: Chooses.

    Returns:
        None where the object at the end cannot be told from others around it.
    """
    house = facts.house
    assert house is not None
    kinds = [facts.kind(number) for number in range(len(facts.legs))]
    stop = _draw_stop(facts, detail, dice)
    if stop is None:
        return None
    passed = _draw_passed(facts, detail, dice)
    is_terse = dice.chance(95 - detail)
    steps: list[Step] = []
    needs_name = False
    for number, (leg, kind) in enumerate(zip(facts.legs, kinds, strict=True)):
        is_first, is_last = number == 0, number == len(kinds) - 1
        inside = tuple(passing for at, passing in passed if leg.begin_m <= at < leg.end_m)
        if is_last and stop.mention is None:
            # "Enter the office, turn left and stop there" would leave open where.
            is_another = _is_another(facts.legs, kinds, number)
            steps.append(Step(kind=kind, is_another=is_another, needs_name=needs_name))
            break
        is_only = _is_only_opening(facts, number)
        has_all_turns = _is_long_hallway(facts.legs, kinds, number) or (
            not is_only and kind in HALLS and kinds[number + 1] in HALLS
        )
        first_turn = _first_turn(leg, is_first, is_last, is_terse and not has_all_turns, dice)
        last_turn = leg.last_turn if not is_first or leg.length_m > 2.0 or has_all_turns else ""
        if is_terse and not has_all_turns and dice.chance(30):
            last_turn = ""
        is_named = needs_name or kind not in HALLS or dice.chance(15 + detail // 2)
        is_unturned = bool(leg.first_turn) and not first_turn
        if is_unturned and last_turn != leg.whole_turn:
            # Left along the hallway, then right into the bedroom: "go right" alone would be the wrong way.
            last_turn = ""
        is_untold = is_unturned or (bool(leg.last_turn) and not last_turn)
        bends = is_untold or leg.swerves
        steps.append(
            Step(
                kind=kind if is_named else "",
                first_turn=first_turn,
                passed=inside,
                last_turn=last_turn,
                # Doors are counted in one direction: who does not know it cannot count.
                ordinal=_ordinal(leg, is_first, dice) if last_turn and not is_unturned else 0,
                opening="" if leg.way_out is None else leg.way_out.kind,
                says_opening=(is_only or bool(last_turn)) and _says_opening(leg, dice),
                is_only_opening=is_only,
                needs_name=needs_name,
                climb=leg.climb,
                at_end=leg.is_at_end
                and not is_unturned
                and not leg.door_ordinal > 1
                and is_named
                and kind in HALLS
                and leg.length_m > _LONG_M
                and dice.chance(50),
                along="" if is_untold else _along(leg, kind, is_named, number, is_last, detail, dice),
                bends=bends,
                is_another=_is_another(facts.legs, kinds, number),
                is_hallway=kind == "hallway",
            )
        )
        needs_name = bends and not last_turn and not is_only
    return Program(tuple(steps), stop)


def _is_only_opening(facts: RouteFacts, number: int) -> bool:
    """Whether a leg's way out is the only door or arch that leads on from its room."""
    way_out = facts.legs[number].way_out
    if way_out is None or facts.legs[number].climb:
        return True
    assert facts.house is not None
    way_in = facts.legs[number - 1].way_out if number else None
    return not any(
        passage.kind == way_out.kind and passage not in (way_in, way_out)
        for passage in passages_of(facts.house)
        if facts.legs[number].room in passage.rooms
    )


def _is_long_hallway(legs: Sequence[Leg], kinds: Sequence[str], number: int) -> bool:
    """Whether a leg belongs to a way through hallways that is too long for its turns to be left unsaid."""
    if kinds[number] not in HALLS:
        return False
    first = last = number
    while first and kinds[first - 1] in HALLS:
        first -= 1
    while last + 1 < len(kinds) and kinds[last + 1] in HALLS:
        last += 1
    return legs[last].end_m - legs[first].begin_m > _LONG_HALLWAY_M


def _first_turn(leg: Leg, is_first: bool, is_last: bool, is_terse: bool, dice: Dice) -> str:
    if leg.climb or (is_terse and dice.chance(60 if is_first or is_last else 25)):
        return ""
    if is_last and not is_first and leg.length_m < 1.5:
        return ""
    can_be_straight = not (leg.first_turn or leg.swerves or is_last) and leg.length_m > _LONG_M
    if can_be_straight and dice.chance(15):
        return "straight" if not leg.last_turn or not is_first else ""
    return leg.first_turn


def _ordinal(leg: Leg, is_first: bool, dice: Dice) -> int:
    if is_first or not leg.last_turn or not 0 < leg.door_ordinal <= MOST_ORDINAL:
        return 0
    return leg.door_ordinal if dice.chance(85 if leg.door_ordinal > 1 else 35) else 0


def _says_opening(leg: Leg, dice: Dice) -> bool:
    if leg.way_out is None or leg.climb:
        return False
    return dice.chance(50 if leg.way_out.kind == "arch" else 25)


def _along(leg: Leg, kind: str, is_named: bool, number: int, is_last: bool, detail: int, dice: Dice) -> str:
    if leg.climb or is_last or kind == STAIRS or (number == 0 and kind not in HALLS):
        return ""
    is_twice = leg.last_turn == leg.first_turn or dice.chance(60)
    if leg.first_turn and leg.last_turn and leg.length_m > 2.0 and is_twice:
        # "Turn left. Turn left into the bathroom" would be taken for one turn.
        return "down" if is_named and kind in HALLS and number > 0 else "ahead"
    if not is_named or number == 0:
        return ""
    if kind in HALLS:
        if not leg.first_turn and not leg.last_turn and leg.length_m <= _LONG_M:
            return "across" if dice.chance(50) else ""
        return "down" if leg.length_m > _LONG_M and dice.chance(20 + detail // 2) else ""
    is_crossed = not leg.first_turn and leg.length_m > _CROSSED_M
    return "through" if is_crossed and dice.chance(25 + detail // 2) else ""


def _is_another(legs: Sequence[Leg], kinds: Sequence[str], number: int) -> bool:
    if kinds[number] in HALLS or any(leg.room == legs[number].room for leg in legs[:number]):
        return False
    return kinds[number] in kinds[:number]


def _draw_stop(facts: RouteFacts, detail: int, dice: Dice) -> Stop | None:
    house, target = facts.house, facts.route.target
    assert house is not None
    is_told_apart = len(facts.legs) > 1 and facts.kind(-1) != "hallway"
    if is_told_apart and is_room_enough(house, facts.route.goal_m) and dice.chance(35 - detail // 4):
        return Stop(None)
    mention = mention_of(target, _around(facts, target), dice.chance(30 + detail // 3))
    if mention is None:
        return None
    return Stop(mention, facts.is_in_front and dice.chance(75))


def _draw_passed(facts: RouteFacts, detail: int, dice: Dice) -> list[tuple[float, Passing]]:
    """(way, landmark) of the landmarks to name, at most one in 2 m."""
    wanted = (0, 0, 0, 1, 1, 2, 3)[dice.below(2) + detail // 18]
    chosen: list[tuple[Passed, Passing]] = []
    for passed in dice.shuffled(facts.passed):
        landmark = passed.landmark
        if len(chosen) == wanted:
            break
        if landmark.category in _UNREMARKABLE or landmark.category == facts.route.target.category:
            continue
        if any(abs(passed.at_m - other.at_m) < 2.0 for other, _ in chosen):
            continue
        mention = mention_of(landmark, _around(facts, landmark), dice.chance(45))
        if mention is None:
            continue
        chosen.append((passed, Passing(mention, passed.side if dice.chance(55) else "")))
    return sorted(((passed.at_m, passing) for passed, passing in chosen), key=lambda pair: pair[0])


def _around(facts: RouteFacts, landmark: Landmark) -> list[Landmark]:
    """What a landmark could be mistaken for: what else is in its room."""
    return [other for other in facts.landmarks if other.room == landmark.room]
