from __future__ import annotations

import math

import numpy as np
import pytest

from vlnenv.houses.dice import Dice
from vlnenv.houses.floorplan import FloorPlan, Rect, Room
from vlnenv.houses.furnish import Door
from vlnenv.houses.house import House
from vlnenv.houses.instructions import Passed, StopCondition, write_house_route, write_open_route
from vlnenv.houses.landmarks import Landmark, noun_phrase
from vlnenv.houses.legs import legs_of
from vlnenv.houses.polyline import resampled, simplified, turn_deg, turns_along, waypoints

# A hallway along x (z 300 to 450); the bedroom lies north of it, the kitchen and the office south.
ROOMS = (
    Room(0, "hallway", "hallway_1", Rect(0, 300, 1000, 450)),
    Room(1, "bedroom", "bedroom_1", Rect(0, 0, 1000, 300)),
    Room(2, "kitchen", "kitchen_1", Rect(0, 450, 500, 800)),
    Room(3, "office", "office_1", Rect(500, 450, 1000, 800)),
)


def door(name: str, rooms: tuple[int, int], x: int, z: int) -> Door:
    return Door(name, rooms, True, Rect(x - 50, z - 5, x + 50, z + 5), None, "white")


DOORS = (
    door("door_1", (1, 0), 100, 300),
    door("door_2", (0, 2), 350, 450),
    door("door_3", (0, 3), 800, 450),
)
HOUSE = House("houses/test/0000", FloorPlan(ROOMS, ()), DOORS, (), (), ())


def route(*points: tuple[float, float]) -> np.ndarray:
    return np.array([[x, 0.0, z] for x, z in points])


# North is -z: heading 0. East is x: heading -90 degrees.
def test_turns_through_a_hallway():
    path = route((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.0, 6.0))
    legs = legs_of(HOUSE, path, math.pi)  # looks south, the way the route goes
    assert [leg.room for leg in legs] == [1, 0, 3]
    assert [leg.first_turn for leg in legs] == ["", "left", ""]  # south, then east
    assert [leg.last_turn for leg in legs] == ["", "right", ""]  # east, then south again
    assert legs[1].door_ordinal == 2  # the kitchen's door comes first on that side
    assert legs[0].begin_m == 0.0
    assert legs[-1].end_m == pytest.approx(2.7 + np.hypot(7.0, 0.1) + 2.2, abs=0.05)


def test_turns_on_the_way_back():
    path = route((8.0, 6.0), (8.0, 3.8), (1.0, 3.7), (1.0, 1.0))
    legs = legs_of(HOUSE, path, math.pi)  # looks south, the route goes north
    assert legs[0].first_turn == "around"
    assert [leg.first_turn for leg in legs][1:] == ["left", ""]  # north, then west
    assert legs[1].last_turn == "right"  # west, then north
    assert legs[1].door_ordinal == 1


def test_same_side_of_the_hallway_is_two_left_turns_or_two_right_turns():
    legs = legs_of(HOUSE, route((3.5, 6.0), (3.5, 4.0), (8.0, 4.0), (8.0, 6.0)), 0.0)
    assert (legs[1].first_turn, legs[1].last_turn) == ("right", "right")
    legs = legs_of(HOUSE, route((8.0, 6.0), (8.0, 4.0), (3.5, 4.0), (3.5, 6.0)), 0.0)
    assert (legs[1].first_turn, legs[1].last_turn) == ("left", "left")


def test_turn_in_the_last_room():
    legs = legs_of(HOUSE, route((3.5, 6.0), (3.5, 4.0), (1.0, 4.0), (1.0, 2.5), (7.0, 2.0)), 0.0)
    assert legs[-1].first_turn == "right"  # north through the door, then east
    assert legs_of(HOUSE, route((3.5, 6.0), (3.5, 9.0)), 0.0) is None  # leaves the house


def test_house_instruction_says_the_turns():
    path = route((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.0, 6.0))
    legs = legs_of(HOUSE, path, math.pi)
    kinds = [ROOMS[leg.room].kind for leg in legs]
    stop = StopCondition("red desk", True)
    texts = {
        write_house_route(legs, kinds, [Passed(5.0, "blue bench", "left")], stop, Dice("t", i))
        for i in range(40)
    }
    assert len(texts) > 20
    for text in texts:
        assert 10 <= len(text.split()) <= 45
        assert text.index("left") < text.index("office")
        assert "bedroom" in text
        assert "red desk" in text
        assert text.replace("bench on your left", "").count("left") == 1
    assert all("right" in text for text in texts)


def test_open_instruction_says_the_turns_in_order():
    stop = StopCondition("refrigerator", False)
    passed = [Passed(4.0, "sofa", "right")]
    for i in range(20):
        text = write_open_route("left", [(2.0, "right"), (6.0, "left")], passed, stop, 9.0, Dice("o", i))
        body = text.lower()
        assert body.startswith("turn left")
        assert body.index(" right") < body.index("sofa")
        assert body.rindex("left") > body.index("sofa")
        assert body.index("refrigerator") > body.index("sofa")


def test_noun_phrases_are_unique():
    def thing(number: int, category: str, color: str) -> Landmark:
        return Landmark(number, category, color, (0, 0, 0), (1, 1, 1))

    red, blue, red_too = thing(1, "chair", "red"), thing(2, "chair", "blue"), thing(3, "chair", "red")
    assert noun_phrase(red, [red], with_color=False) == "chair"
    assert noun_phrase(red, [red], with_color=True) == "red chair"
    assert noun_phrase(red, [red, blue], with_color=False) == "red chair"
    assert noun_phrase(red, [red, blue, red_too], with_color=True) is None
    plain = thing(4, "sofa", "")
    assert noun_phrase(plain, [plain], with_color=True) == "sofa"


def test_polylines():
    corner = route((0, 0), (0, -4), (-4, -4))  # north, then west: a left turn
    assert turns_along(corner) == [(4.0, pytest.approx(90.0))]
    assert turns_along(corner[::-1]) == [(4.0, pytest.approx(-90.0))]
    assert turn_deg(math.radians(170), math.radians(-170)) == pytest.approx(20.0)
    assert len(simplified(resampled(corner, 0.1), 0.01)) == 3
    points = waypoints(resampled(corner, 0.1), 2.5)
    assert np.linalg.norm(np.diff(points, axis=0), axis=1).max() <= 2.5
    assert [0.0, 0.0, -4.0] in points.round(6).tolist()
