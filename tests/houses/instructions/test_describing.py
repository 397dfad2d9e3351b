from __future__ import annotations

import math
from dataclasses import replace

from tests.houses.hand_made import HOUSE, facts_of, path, thing
from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions import write
from vlnenv.houses.instructions.demands import DEMANDS, demands_for
from vlnenv.houses.instructions.describing import describe

DESK = thing(1, "desk", 3, 9.0, 7.0, "brown")
SOFA = thing(2, "sofa", 3, 6.0, 5.0, "red")
WAY = path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.4, 6.4))


def test_what_a_room_holds_keeps_its_own_colour():
    green = replace(HOUSE, walls=tuple(("paint", "green") for _ in HOUSE.rooms))
    facts = facts_of(green, (DESK, SOFA), DESK, WAY, math.pi)
    rooms = [describe(facts, 100, Dice("d", i))[0] for i in range(60)]
    assert {room.holds.color for room in rooms if room.holds is not None} == {"", "red"}
    assert {room.walls for room in rooms} == {"", "green"}


def test_wishes_take_for_granted_only_what_is_there():
    assert demands_for("tv stand", ()) == ()
    assert [demand.wish for demand in demands_for("tv stand", {"television"})] == [
        "put the game console below the screen"
    ]
    stand, screen = thing(3, "tv stand", 3, 9.0, 7.0), thing(4, "television", 3, 9.0, 7.0)
    bare = facts_of(HOUSE, (stand, SOFA), stand, WAY, math.pi)
    assert not any("screen" in text for i in range(5) for text in write(bare, "navrag", 3, Dice("n", i)))
    full = facts_of(HOUSE, (stand, screen, SOFA), stand, WAY, math.pi)
    assert all("screen" in text for i in range(5) for text in write(full, "navrag", 3, Dice("n", i)))
    far = replace(screen, room=2)
    elsewhere = facts_of(HOUSE, (stand, far, SOFA), stand, WAY, math.pi)
    assert not any("screen" in text for text in write(elsewhere, "navrag", 3, Dice("n")))


def test_a_basket_answers_for_dirty_clothes_too():
    wish = next(demand for demand in DEMANDS if "dirty clothes in a basket" in demand.wish)
    assert "basket" in wish.also


def test_what_answers_a_wish_beside_the_goal_is_told_apart():
    near = thing(9, "desk", 3, 8.4, 7.0, "green")
    facts = facts_of(HOUSE, (DESK, near), DESK, WAY, math.pi)
    assert all(describe(facts, 0, Dice("d", i), lambda *_: [DESK, near]) is None for i in range(10))
    assert describe(facts, 0, Dice("d"), lambda *_: [DESK]) is not None
