from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace

import pytest

from tests.houses.hand_made import DOORS, HOUSE, ROOMS, facts_of, house_of, path, thing
from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions import STYLES, open_route, write, write_open_route
from vlnenv.houses.instructions.demands import DEMANDS, demands_for
from vlnenv.houses.instructions.facts import Passed
from vlnenv.houses.instructions.lexicon import Voice
from vlnenv.houses.instructions.mentions import Mention
from vlnenv.houses.instructions.program import Passing, Program, Step, Stop
from vlnenv.houses.instructions.r2r import text_of

DESK = thing(1, "desk", 3, 9.0, 7.0, "brown")
BENCH = thing(2, "bench", 0, 6.0, 3.3, "blue")
STOVE = thing(3, "stove", 2, 1.0, 7.0, "white")
THINGS = (DESK, BENCH, STOVE)
WAY = path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.4, 6.4))
FACTS = replace(
    facts_of(HOUSE, THINGS, DESK, WAY, math.pi), passed=(Passed(BENCH, 7.6, "left", 0.3, 4, 0.05),)
)


@pytest.mark.parametrize("style", STYLES)
def test_paraphrases_are_distinct_and_repeatable(style):
    texts = write(FACTS, style, 3, Dice("t", style))
    assert len(set(texts)) == 3
    assert texts == write(FACTS, style, 3, Dice("t", style))
    assert texts != write(FACTS, style, 3, Dice("u", style))
    for text in texts:
        assert text.isascii()
        assert "desk" in text or style == "navrag"
        assert "office" in text or "study" in text
        assert text[-1] in ".?"
        assert "  " not in text


def test_r2r_says_the_turns_in_order():
    texts = {text for i in range(12) for text in write(FACTS, "r2r", 3, Dice("r", i))}
    assert len(texts) > 30
    shown = [0, 0, 0]
    for text in texts:
        body = text.lower().replace("bench on your left", "").replace("bench on the left", "")
        turns = re.findall(r"left|right", body)
        assert turns in ([], ["left"], ["right"], ["left", "right"])  # some say less than all
        if len(turns) < 2:
            assert "straight" not in body
        shown[len(turns)] += 1
        assert body.index("bedroom") < body.index("desk")
        assert 6 <= len(text.split()) <= 60
    assert shown[2] > shown[0]


def test_an_instruction_that_fits_another_route_is_never_written():
    # Both rooms south of the hallway are offices with a desk at the door: only the count of doors helps.
    rooms = (*ROOMS[:2], replace(ROOMS[2], kind="office"), ROOMS[3])
    other = thing(4, "desk", 2, 3.5, 7.0, "brown")
    facts = facts_of(house_of(rooms, DOORS), (DESK, other), DESK, WAY, math.pi)
    reasons: Counter[str] = Counter()
    texts = [text for i in range(8) for text in write(facts, "r2r", 3, Dice("a", i), reasons)]
    assert texts
    assert all("second door" in text for text in texts)
    assert reasons["redrawn: instruction fits another route"] > 0
    # Nothing tells the two offices apart for one who is not told the way.
    assert write(facts, "reverie", 3, Dice("a"), reasons) == []
    assert write(facts, "navrag", 3, Dice("a"), reasons) == []
    assert reasons["description fits another object"] == 1


def test_a_target_without_a_name_of_its_own_is_dropped():
    twin = thing(5, "desk", 3, 5.6, 5.2, "brown")
    facts = facts_of(HOUSE, (DESK, twin), DESK, WAY, math.pi)
    reasons: Counter[str] = Counter()
    assert write(facts, "r2r", 1, Dice("n"), reasons) == []
    assert reasons["target has no name of its own"] == 1


def test_words_for_stairs_and_arches():
    program = Program(
        (
            Step("bedroom", first_turn="around", opening="door"),
            Step("hallway", first_turn="left", last_turn="right", opening="arch"),
            Step("stairs", climb="down", opening="arch"),
            Step("hallway", first_turn="right", last_turn="left", opening="arch", says_opening=True),
            Step("kitchen", passed=(Passing(Mention("fridge"), "right"),)),
        ),
        Stop(Mention("stove", "white"), in_front=True),
    )
    for i in range(40):
        text = text_of(program, Voice(Dice("stairs", i))).lower()
        assert "around" in text or "back" in text
        assert "down" in text
        assert " up the" not in text
        assert "arch" in text
        assert text.index("bedroom") < text.index("kitchen") < text.rindex("white")
        assert text.count("white stove") + text.count("white oven") == 1


def test_a_hallway_that_has_to_be_named_is_named_from_another_hallway():
    def told(*steps: Step) -> list[str]:
        program = Program((Step(is_hallway=True, opening="arch"), *steps), Stop(Mention("bookshelf")))
        return [text_of(program, Voice(Dice("halls", i))).lower() for i in range(40)]

    hall = Step("hallway", is_hallway=True, needs_name=True, opening="door")
    for texts in (
        told(hall, Step("office")),
        told(replace(hall, first_turn="left"), Step("office")),
        told(replace(hall, needs_name=False, first_turn="left"), Step("office")),
        told(replace(hall, needs_name=False)),
    ):
        assert all("hall" in text or "corridor" in text for text in texts)
    assert not any("straight" in text for text in told(replace(hall, kind="", bends=True), Step("office")))


def test_wishes_name_everything_that_answers_them():
    assert all(demand.wish and demand.answers for demand in DEMANDS)
    washing = next(demand for demand in demands_for("sink", ()) if demand.wish == "wash my hands")
    assert washing.answers == {"sink", "kitchen sink"}
    sink = thing(6, "sink", 3, 9.0, 7.0, "white")
    kitchen_sink = thing(7, "kitchen sink", 2, 1.0, 7.0, "grey")
    facts = facts_of(HOUSE, (sink, kitchen_sink), sink, WAY, math.pi)
    for text in write(facts, "navrag", 6, Dice("w")):
        assert "office" in text or "study" in text  # a bare wish would be answered in the kitchen too


def test_open_instruction_says_the_turns_in_order():
    stop = open_route.StopCondition("refrigerator", False)
    passed = [open_route.Passed(4.0, "sofa", "right")]
    for i in range(20):
        text = write_open_route("left", [(2.0, "right"), (6.0, "left")], passed, stop, 9.0, Dice("o", i))
        body = text.lower()
        assert body.startswith("turn left")
        assert body.index(" right") < body.index("sofa")
        assert body.rindex("left") > body.index("sofa")
        assert body.index("refrigerator") > body.index("sofa")


def test_without_rooms_only_ways_can_be_told():
    facts = replace(FACTS, house=None, legs=())
    assert len(write(facts, "r2r", 2, Dice("h"))) == 2
    reasons: Counter[str] = Counter()
    assert write(facts, "reverie", 2, Dice("h"), reasons) == []
    assert reasons == {"rooms are not known": 1}


def test_unknown_styles_are_refused():
    with pytest.raises(ValueError, match="Did you mean 'reverie'"):
        write(FACTS, "revery", 1, Dice("s"))
