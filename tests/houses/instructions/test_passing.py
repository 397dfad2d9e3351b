from __future__ import annotations

import math

import numpy as np
import pytest

from tests.houses.hand_made import DOORS, HOUSE, ROOMS, door, house_of, path, thing
from vlnenv.houses.instructions.legs import legs_of
from vlnenv.houses.instructions.passing import is_along, passed_landmarks
from vlnenv.houses.routes.polyline import resampled

# Out of the bedroom, east along the hallway and south into the kitchen, whose door is at x = 3.5.
WAY = path((1.0, 1.0), (1.0, 3.6), (3.2, 3.8), (3.5, 4.3), (3.5, 6.0))


def passed(*things):
    line = resampled(WAY, 0.25)
    looks = np.arange(0, len(line), 2)
    shares = np.full((len(looks), 10), 0.05)  # all are in view all the time
    legs = legs_of(HOUSE, WAY, math.pi)
    return [
        (each.landmark.id, each.side) for each in passed_landmarks(HOUSE, legs, things, line, looks, shares)
    ]


def test_what_stands_along_the_way_is_passed():
    assert passed(thing(1, "bench", 0, 2.2, 3.1)) == [(1, "left")]
    assert passed(thing(1, "bench", 0, 2.2, 4.3, size=0.3)) == [(1, "right")]


@pytest.mark.parametrize("x", [4.4, 4.9])
def test_what_the_walker_turns_away_from_before_reaching_it_is_not_passed(x):
    # Against the wall of the kitchen's door, but behind the door.
    assert passed(thing(1, "dresser", 0, x, 4.2, size=0.5)) == []


def test_what_is_left_behind_by_the_first_turn_is_not_passed():
    assert passed(thing(1, "bench", 0, 0.2, 3.4, size=0.3)) == []


def test_what_hangs_beside_the_door_ahead_is_not_passed():
    # South across the hallway into the kitchen; the mirror hangs on the kitchen's wall, left of its door.
    across = path((3.5, 1.5), (3.5, 6.0))
    house = house_of(ROOMS, (door("door_1", (1, 0), 350, 300), *DOORS[1:]))
    line = resampled(across, 0.25)
    looks = np.arange(0, len(line), 2)
    mirror = thing(1, "mirror", 0, 4.3, 4.42, size=0.1)
    arguments = (line, looks, np.full((len(looks), 10), 0.05))
    legs = legs_of(house, across, math.pi)
    assert passed_landmarks(house, legs, (mirror,), *arguments) == ()
    assert passed_landmarks(house, legs, (thing(1, "bench", 0, 4.4, 3.8),), *arguments)


def test_a_landmark_lies_along_a_straight_way():
    bench = thing(1, "bench", 0, 2.0, 3.0)
    assert is_along(bench, (0.0, 4.0), (3.0, 4.0))
    assert not is_along(bench, (0.0, 4.0), (1.5, 4.0))
    assert is_along(bench, (0.0, 4.0), (1.5, 4.0), 0.3)
    assert not is_along(bench, (2.5, 4.0), (5.0, 4.0))
