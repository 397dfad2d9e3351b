"""Instructions in NavRAG's manner: what a person wants, answered at one place of the house alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.demands import Demand, demands_for
from vlnenv.houses.instructions.describing import describe, room_words, thing_words
from vlnenv.houses.instructions.descriptions import ObjectDescription, RoomDescription, gap_m
from vlnenv.houses.instructions.facts import RouteFacts
from vlnenv.houses.instructions.landmarks import Landmark
from vlnenv.houses.instructions.lexicon import Voice, sentence
from vlnenv.houses.instructions.paraphrases import Draft, paraphrases

LENGTHS = (9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 24, 26)
"""Words of the instructions that are aimed at."""
_CLOSE_M = 1.5
"""What a wish speaks of stands at most so far from what answers it."""


@dataclass(frozen=True)
class _Said:
    demand: Demand | None
    """None: the object is asked for by its name."""
    room: RoomDescription
    thing: ObjectDescription
    names_thing: bool
    """The demand is told together with the object that is to answer it."""
    with_reason: bool


def write_navrag(facts: RouteFacts, count: int, dice: Dice, rejections: Counter[str]) -> list[str]:
    """`count` paraphrases; none (and the reason counted) where the route is dropped."""
    if facts.house is None:
        rejections["rooms are not known"] += 1
        return []
    target = facts.route.target
    around = {
        each.category
        for each in facts.landmarks
        if each.room == target.room and gap_m(each, target) <= _CLOSE_M
    }
    demands = demands_for(target.category, around)

    def draft(detail: int) -> Draft | str:
        demand = dice.pick(demands) if demands else None
        with_reason = dice.chance(20 + detail // 2)

        def answers(thing: ObjectDescription, rooms: frozenset[int]) -> list[Landmark]:
            return [
                each
                for each in facts.landmarks
                if each.room in rooms and demand and each.category in demand.answers | demand.also
            ]

        if demand is not None and dice.chance(80):
            said = describe(facts, detail, dice, answers)
            if said is not None:
                return Draft(_text, _Said(demand, *said, names_thing=False, with_reason=with_reason))
        said = describe(facts, detail, dice)
        if said is None:
            return "wish is answered elsewhere too"
        return Draft(_text, _Said(demand, *said, names_thing=True, with_reason=with_reason))

    return paraphrases(draft, LENGTHS, count, dice, rejections)


def _text(said: _Said, voice: Voice) -> str:
    pick = voice.pick
    place = room_words(said.room, voice)
    at = f"in {place}"
    if said.demand is None:
        thing = thing_words(said.thing, voice)
        return sentence(
            pick(
                f"I am looking for {thing} {at}",
                f"can you show me {thing} {at}?",
                f"please help me find {thing} {at}",
                f"please bring me to {thing} {at}",
            )
        )
    wish = said.demand.wish
    if said.names_thing:
        return _with_thing(said.demand, f"{thing_words(said.thing, voice)} {at}", said.with_reason, voice)
    wanting = pick(
        f"I'd like to {wish} {at}",
        f"I want to {wish} {at}",
        f"I need to {wish} {at}",
        f"please find a place where I can {wish} {at}",
        f"take me to where I can {wish} {at}",
        f"can you show me where to {wish} {at}?",
        f"where can I {wish} {at}?",
    )
    if said.with_reason and said.demand.reason:
        return f"{sentence(said.demand.reason)} {sentence(wanting)}"
    return sentence(wanting)


def _with_thing(demand: Demand, thing: str, with_reason: bool, voice: Voice) -> str:
    """A wish, and the object that is to answer it: "the red sofa in the living room"."""
    wish = demand.wish
    first = voice.pick(f"I'd like to {wish}", f"I want to {wish}", f"I need to {wish}", f"I have to {wish}")
    then = voice.pick(
        f"take me to {thing}", f"show me the way to {thing}", f"go to {thing}", f"let's go to {thing}"
    )
    text = f"{sentence(first)} {sentence(then)}"
    return f"{sentence(demand.reason)} {text}" if with_reason and demand.reason else text
