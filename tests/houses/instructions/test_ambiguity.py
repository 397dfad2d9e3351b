from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.houses.hand_made import DOORS, HOUSE, ROOMS, door, house_of, path, thing
from vlnenv.houses.instructions.ambiguity import Reader, is_at_goal, is_room_enough
from vlnenv.houses.instructions.descriptions import (
    ObjectDescription,
    RoomDescription,
    objects_that_fit,
    rooms_that_fit,
)
from vlnenv.houses.instructions.mentions import Mention
from vlnenv.houses.instructions.program import Passing, Program, Step, Stop
from vlnenv.houses.plans.plan import Room
from vlnenv.houses.plans.rect import Rect

START = path((1.0, 1.0))[0]
SOUTH = math.pi
DESK = thing(1, "desk", 3, 9.0, 7.0)
STOVE = thing(2, "stove", 2, 1.0, 7.0)
OTHER_DESK = thing(3, "desk", 2, 3.5, 7.0)
BENCH = thing(4, "bench", 0, 6.0, 3.3)
THINGS = (DESK, STOVE, OTHER_DESK, BENCH)
GOAL = path((9.0, 6.0))[0]


def ends(*steps: Step, stop: str = "desk", things=THINGS, house=HOUSE):
    mention = Mention(stop) if stop else None
    return Reader(house, things, START, SOUTH).ends(Program(steps, Stop(mention)))


def rooms_of(found):
    return {end.rooms for end in found}


def test_an_instruction_that_fits_two_routes_has_two_ends():
    # "Leave the bedroom, turn left, turn right and stop at the desk": the kitchen has a desk too.
    found = ends(Step("bedroom"), Step(first_turn="left", last_turn="right"), Step())
    assert rooms_of(found) == {(1, 0, 2), (1, 0, 3)}
    assert {is_at_goal(end, HOUSE, GOAL) for end in found} == {True, False}


@pytest.mark.parametrize(
    ("hall", "last"),
    [
        (Step(first_turn="left", last_turn="right"), Step("office")),
        (Step(first_turn="left", last_turn="right", ordinal=2), Step()),
        (
            Step(first_turn="left", last_turn="right", passed=(Passing(Mention("bench"), "left"),)),
            Step("office"),
        ),
    ],
)
def test_what_tells_the_routes_apart_leaves_one_end(hall, last):
    found = ends(Step("bedroom"), hall, last)
    assert rooms_of(found) == {(1, 0, 3)}
    assert all(is_at_goal(end, HOUSE, GOAL) for end in found)


def test_what_is_in_the_rooms_ahead_does_not_choose_the_door():
    steps = (Step("bedroom"), Step(first_turn="left", last_turn="right"), Step("", passed=()))
    piano = thing(8, "piano", 3, 6.0, 7.0)
    program = Program(steps, Stop(Mention("piano")))
    reader = Reader(HOUSE, (*THINGS, piano), START, SOUTH)
    assert rooms_of(reader.ends(program)) == {(1, 0, 3)}  # only one room has a piano
    assert not reader.is_led_along((1, 0, 3), program)  # but which, one sees too late
    clear = Program((*steps[:2], Step("office")), Stop(Mention("piano")))
    assert reader.is_led_along((1, 0, 3), clear)
    assert not reader.is_led_along((1, 0, 2), clear)


def test_a_reader_is_not_led_by_what_comes_two_rooms_later():
    # Two kitchens, each with a pantry behind it; a gym lies behind one of them, a bathroom behind the other.
    rooms = (
        *ROOMS[:2],
        replace(ROOMS[2], cell=Rect(0, 450, 500, 600)),
        replace(ROOMS[3], kind="kitchen", cell=Rect(500, 450, 1000, 600)),
        *(Room(n, "pantry", f"pantry_{n}", Rect(x, 600, x + 500, 800)) for n, x in ((4, 0), (5, 500))),
        Room(6, "bathroom", "bathroom_1", Rect(0, 800, 500, 1000)),
        Room(7, "gym", "gym_1", Rect(500, 800, 1000, 1000)),
    )
    more = [door(f"more_{a}", (a, a + 2), x, z) for a, x, z in ((2, 350, 600), (3, 800, 600), (4, 350, 800))]
    house = house_of(rooms, (*DOORS, *more, door("last", (5, 7), 800, 800)))
    reader = Reader(house, (), START, SOUTH)
    way = (1, 0, 3, 5, 7)

    def told(hall):
        return Program((Step("bedroom"), hall, Step("kitchen"), Step("pantry"), Step("gym")), Stop(None))

    late = told(Step())
    assert rooms_of(reader.ends(late)) == {way}  # only one way fits
    assert not reader.is_led_along(way, late)  # but the first kitchen looks right until its pantry
    assert reader.is_led_along(way, told(Step(ordinal=2, first_turn="left", last_turn="right")))
    # The room after the next may tell, as one looks into it from the hallway.
    near = house_of((*rooms[:5], replace(rooms[5], kind="gym")), house.doors[:5])
    program = Program((Step("bedroom"), Step(), Step("kitchen"), Step("gym")), Stop(None))
    assert Reader(near, (), START, SOUTH).is_led_along(way[:4], program)


def test_a_landmark_behind_the_door_is_not_passed():
    # The bench stands beyond the kitchen's door, before the office's.
    passing = (Passing(Mention("bench"), "left"),)
    found = ends(Step("bedroom"), Step(first_turn="left", passed=passing), Step(), things=THINGS)
    assert rooms_of(found) == {(1, 0, 3)}


def test_a_contradiction_has_no_end():
    assert not ends(Step("bedroom"), Step(first_turn="right", last_turn="left"), Step("office"))
    assert not ends(Step("kitchen"), Step(), Step("office"))
    assert not ends(Step("bedroom"), Step(last_turn="right", ordinal=3), Step())
    assert not ends(Step("bedroom"), Step(), Step("office"), stop="piano")
    passing = Passing(Mention("bench"), "right")  # it stands on the left
    assert not ends(Step("bedroom"), Step(first_turn="left", passed=(passing,)), Step("office"))


def test_two_of_a_kind_in_the_last_room_are_told_apart():
    far = thing(5, "desk", 3, 5.6, 7.4)
    found = ends(Step("bedroom"), Step(), Step("office"), things=(*THINGS, far))
    assert len(found) == 2
    assert not all(is_at_goal(end, HOUSE, GOAL) for end in found)


def test_kinds_that_readers_confuse_are_followed_too():
    rooms = (*ROOMS[:2], replace(ROOMS[2], kind="library"), ROOMS[3])
    found = ends(Step("bedroom"), Step(), Step("office"), house=house_of(rooms, DOORS))
    assert rooms_of(found) == {(1, 0, 2), (1, 0, 3)}


def test_a_room_alone_is_a_goal_where_it_is_small():
    small = (*ROOMS[:3], replace(ROOMS[3], cell=replace(ROOMS[3].cell, x0=600, z1=700)))
    house = house_of(small, DOORS)
    goal = path((8.0, 5.7))[0]
    assert is_room_enough(house, goal)
    assert not is_room_enough(HOUSE, path((8.0, 5.7))[0])
    found = ends(Step("bedroom"), Step(), Step("office"), stop="", house=house)
    assert [is_at_goal(end, house, goal) for end in found] == [True]
    assert not is_at_goal(found[0], HOUSE, path((5.5, 7.5))[0])


def test_descriptions_of_objects():
    rooms = rooms_that_fit(RoomDescription("office"), HOUSE, THINGS)
    assert rooms == {3}
    assert rooms_that_fit(RoomDescription("kitchen", holds=Mention("stove")), HOUSE, THINGS) == {2}
    assert not rooms_that_fit(RoomDescription("kitchen", holds=Mention("bed")), HOUSE, THINGS)
    assert not rooms_that_fit(RoomDescription("kitchen", level=1), HOUSE, THINGS)
    assert rooms_that_fit(RoomDescription("kitchen", beside="office"), HOUSE, THINGS) == {2}
    assert not rooms_that_fit(RoomDescription("kitchen", walls="blue"), HOUSE, THINGS)
    desks = objects_that_fit(ObjectDescription(Mention("desk")), frozenset(range(4)), THINGS)
    assert desks == [DESK, OTHER_DESK]


def test_relations_tell_objects_apart():
    lamp, other = thing(6, "floor lamp", 3, 8.3, 7.2), thing(7, "floor lamp", 3, 5.5, 5.0)
    said = ObjectDescription(Mention("floor lamp"), "next to", Mention("desk"))
    assert objects_that_fit(said, frozenset((3,)), (*THINGS, lamp, other)) == [lamp]
