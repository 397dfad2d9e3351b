"""Describing an object in its room so that nothing else in the house is meant, and the words for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from vlnenv.houses.dice import Dice
from vlnenv.houses.house import House
from vlnenv.houses.instructions.ambiguity import HALLS
from vlnenv.houses.instructions.descriptions import (
    ObjectDescription,
    RoomDescription,
    next_rooms,
    objects_that_fit,
    relations_of,
    rooms_that_fit,
)
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.landmarks import Landmark, looks_of, mention_of
from vlnenv.houses.instructions.lexicon import Voice
from vlnenv.houses.instructions.mentions import Mention
from vlnenv.houses.instructions.passages import STAIRS

_PLAIN_WALLS = frozenset(("white", "cream", "beige"))
_HELD = frozenset(("floor", "wall"))
_UNHELD = frozenset(("curtain", "ceiling lamp", "radiator", "book"))


def describe(
    facts: RouteFacts,
    detail: int,
    dice: Dice,
    answers: Callable[[ObjectDescription, frozenset[int]], Sequence[Landmark]] | None = None,
) -> tuple[RoomDescription, ObjectDescription] | None:
    """A description of a route's target and of its room that fits nothing else.

    Args:
        facts: The route's, in a house.
        detail: How much more is said than is needed: 0 to 100.
        dice: Chooses what is said.
        answers: Everything in some rooms that a reader could take for the object; by default what fits its
            description.

    Returns:
        None where the words do not suffice.
    """
    house, target = facts.house, facts.route.target
    assert house is not None
    goal_room = target.room
    if house.rooms[goal_room].kind == STAIRS:
        return None

    def is_clear(room: RoomDescription, thing: ObjectDescription) -> bool:
        rooms = rooms_that_fit(room, house, facts.landmarks)
        found = objects_that_fit(thing, rooms, facts.landmarks) if answers is None else answers(thing, rooms)
        return [each.id for each in found] == [target.id]

    room = RoomDescription(house.rooms[goal_room].kind)
    extras = _room_extras(house, target, facts.landmarks, dice)
    more = (1 if dice.chance(detail) else 0) + (1 if dice.chance(detail - 30) else 0)
    for change in extras[:more]:
        room = replace(room, **change)
    things = _things(target, facts.landmarks, detail, dice)
    for thing in things:
        if is_clear(room, thing):
            return room, thing
    for change in extras[more:]:
        room = replace(room, **change)
        for thing in things:
            if is_clear(room, thing):
                return room, thing
    return None


def _room_extras(
    house: House, target: Landmark, landmarks: Sequence[Landmark], dice: Dice
) -> list[dict[str, Any]]:
    """What else can be said about the target's room, as fields of its description, in random order."""
    room = house.rooms[target.room]
    extras: list[dict[str, Any]] = []
    if any(other.level != room.level for other in house.rooms):
        extras.append({"level": room.level})
    nexts = [other.kind for other in next_rooms(house, room) if other.kind not in (STAIRS, *HALLS, room.kind)]
    if nexts:
        extras.append({"beside": dice.pick(sorted(set(nexts)))})
    held = [
        each
        for each in landmarks
        if each.room == target.room
        and each.category != target.category
        and each.support in _HELD
        and each.category not in _UNHELD
    ]
    if held:
        other = dice.pick(held)
        color = "" if dice.chance(30) else looks_of(other)[0]
        extras.append({"holds": Mention(other.category, color)})
    finish, paint = house.walls[room.index]
    if finish == "paint" and paint not in _PLAIN_WALLS:
        extras.append({"walls": paint})
    return dice.shuffled(extras)


def _things(
    target: Landmark, landmarks: Sequence[Landmark], detail: int, dice: Dice
) -> list[ObjectDescription]:
    """Ways to speak of the target, the preferred one first."""
    inside = [each for each in landmarks if each.room == target.room]
    mention = mention_of(target, inside, dice.chance(25 + detail // 2))
    mentions = [mention] if mention is not None else [Mention(target.category)]
    mentions.append(Mention(target.category, *looks_of(target)))
    plain = [ObjectDescription(each) for each in mentions]
    related = []
    for relation, other in dice.shuffled(relations_of(target, landmarks))[:2]:
        anchor = mention_of(other, [each for each in inside if each.id != target.id], dice.chance(30))
        if anchor is not None:
            related += [ObjectDescription(each, relation, anchor) for each in mentions]
    return related + plain if dice.chance(detail * 2 // 3) else plain + related


def room_words(said: RoomDescription, voice: Voice) -> str:
    """Like "the bedroom on the second floor with the red sofa"."""
    pick = voice.pick
    name = voice.room(said.kind)
    before, after = "", []
    if said.level is not None:
        number, ordinal = said.level + 1, ("first", "second")[said.level]
        where = ("downstairs", "upstairs")[said.level]
        form = pick("on the floor", "on the floor", "level", "where", "before")
        if form == "on the floor":
            after.append(f"on the {ordinal} floor")
        elif form == "level":
            after.append(f"on level {number}")
        elif form == "where":
            after.append(where)
        else:
            before = f"{pick(f'{ordinal} floor', where)} "
    features = []
    if said.walls:
        features.append(f"the {said.walls} walls")
    if said.holds is not None:
        features.append(f"the {voice.thing(said.holds)}")
    if features:
        after.append("with " + " and ".join(features))
    if said.beside:
        # Last: "the bathroom next to the bedroom with blue walls" leaves open whose walls are blue.
        after.append(f"{pick('next to', 'beside', 'next to', 'adjacent to')} the {voice.room(said.beside)}")
    return " ".join([f"the {before}{name}", *after])


def thing_words(said: ObjectDescription, voice: Voice) -> str:
    """Like "the red vase on the sideboard"."""
    name = f"the {voice.thing(said.mention)}"
    if said.anchor is None:
        return name
    relation = said.relation if said.relation == "on" else voice.pick("next to", "beside", "by")
    return f"{name} {relation} the {voice.thing(said.anchor)}"
