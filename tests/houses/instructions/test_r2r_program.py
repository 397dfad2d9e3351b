from __future__ import annotations

import math
import re

import pytest

from tests.houses.hand_made import DOORS, HOUSE, ROOMS, door, facts_of, house_of, path, thing
from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions import write
from vlnenv.houses.instructions.legs import legs_of
from vlnenv.houses.instructions.lexicon import Voice
from vlnenv.houses.instructions.program import Program, Step, Stop
from vlnenv.houses.instructions.r2r import text_of
from vlnenv.houses.instructions.r2r_program import draw_program

STOVE = thing(1, "stove", 2, 4.4, 7.4)
DESK = thing(2, "desk", 3, 9.0, 7.0)
TO_KITCHEN = path((1.0, 1.0), (1.0, 3.7), (3.5, 3.8), (3.5, 6.8))
TO_OFFICE = path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.0, 6.6))


def programs(house, target, way):
    facts = facts_of(house, (STOVE, DESK), target, way, math.pi)
    return [draw_program(facts, detail, Dice("p", detail, i)) for detail in (0, 50, 99) for i in range(60)]


def test_a_turn_is_not_said_where_it_would_be_taken_from_the_door():
    # Left along the hallway, then right: "turn right" alone would lead the other way.
    turns = {(p.steps[1].first_turn, p.steps[1].last_turn) for p in programs(HOUSE, STOVE, TO_KITCHEN)}
    assert turns == {("left", "right"), ("left", ""), ("", "")}


def test_turns_of_a_long_hallway_are_said():
    turns = {(p.steps[1].first_turn, p.steps[1].last_turn) for p in programs(HOUSE, DESK, TO_OFFICE)}
    assert turns == {("left", "right")}


def test_one_arch_of_several_is_not_the_arch():
    arches = (DOORS[0], door("arch_1", (0, 2), 350, 450, "arch"), door("arch_2", (0, 3), 800, 450, "arch"))
    house = house_of(ROOMS, arches)
    for program in programs(house, STOVE, TO_KITCHEN):
        hall, kitchen = program.steps[1:]
        assert not hall.is_only_opening
        if not hall.last_turn:
            assert not hall.says_opening
            assert kitchen.needs_name
        for i in range(5):
            text = text_of(program, Voice(Dice("w", i)))
            assert hall.last_turn or not re.search("arch", text)
    assert all(program.steps[0].is_only_opening for program in programs(house, STOVE, TO_KITCHEN))


@pytest.mark.parametrize("i", range(40))
def test_another_room_is_said_once(i):
    steps = (
        Step("bedroom", opening="door"),
        Step("bedroom", is_another=True, along="through", opening="door"),
        Step("bathroom"),
    )
    text = text_of(Program(steps, Stop(None)), Voice(Dice("a", i)))
    assert text.count("another bedroom") <= 1


def test_whole_turns():
    legs = legs_of(HOUSE, TO_OFFICE, math.pi)
    assert [leg.whole_turn for leg in legs] == ["", "", ""]  # south, east, south
    back = legs_of(HOUSE, path((3.5, 6.0), (3.5, 4.0), (8.0, 4.0), (8.0, 6.0)), math.pi / 2)
    assert [leg.whole_turn for leg in back] == ["right", "right", ""]


def test_a_way_that_swerves_is_not_called_straight():
    # Across the hallway, 0.9 m to the left: no turn, but not straight ahead.
    house = house_of(ROOMS, (door("door_1", (1, 0), 250, 300), *DOORS[1:]))
    way = path((2.5, 1.0), (2.5, 3.0), (3.5, 4.5), (3.5, 6.8))
    facts = facts_of(house, (STOVE, DESK), STOVE, way, math.pi)
    assert [(leg.first_turn, leg.last_turn, leg.swerves) for leg in facts.legs] == [
        ("", "", False),
        ("", "", True),
        ("", "", False),
    ]
    for i in range(20):
        for text in write(facts, "r2r", 3, Dice("s", i)):
            assert "straight" not in text.split("bedroom", 1)[-1]


def test_texts_of_a_short_hallway_never_begin_with_the_second_turn():
    facts = facts_of(HOUSE, (STOVE, DESK), STOVE, TO_KITCHEN, math.pi)
    texts = {text for i in range(20) for text in write(facts, "r2r", 3, Dice("t", i))}
    assert len(texts) > 30
    for text in texts:
        turns = re.findall("left|right", text)
        assert turns[:1] != ["right"]
