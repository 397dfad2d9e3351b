from __future__ import annotations

import math

import numpy as np
import pytest

from tests.houses.hand_made import DOORS, HOUSE, ROOMS, door, house_of, path
from vlnenv.houses.house import house_of as draw_house
from vlnenv.houses.instructions.legs import legs_of
from vlnenv.houses.instructions.passages import other_end_of_stairs, passages_of
from vlnenv.houses.routes.polyline import resampled, simplified, turn_deg, turns_along


# North is -z: heading 0. East is x: heading -90 degrees.
def test_turns_through_a_hallway():
    way = path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.0, 6.0))
    legs = legs_of(HOUSE, way, math.pi)  # looks south, the way the route goes
    assert [leg.room for leg in legs] == [1, 0, 3]
    assert [leg.first_turn for leg in legs] == ["", "left", ""]  # south, then east
    assert [leg.last_turn for leg in legs] == ["", "right", ""]  # east, then south again
    assert legs[1].door_ordinal == 2  # the kitchen's door comes first on that side
    assert [leg.way_out and leg.way_out.rooms for leg in legs] == [(1, 0), (0, 3), None]
    assert legs[0].begin_m == 0.0
    assert legs[-1].end_m == pytest.approx(2.7 + np.hypot(7.0, 0.1) + 2.2, abs=0.05)


def test_turns_on_the_way_back():
    way = path((8.0, 6.0), (8.0, 3.8), (1.0, 3.7), (1.0, 1.0))
    legs = legs_of(HOUSE, way, math.pi)  # looks south, the route goes north
    assert legs[0].first_turn == "around"
    assert [leg.first_turn for leg in legs][1:] == ["left", ""]  # north, then west
    assert legs[1].last_turn == "right"  # west, then north
    assert legs[1].door_ordinal == 1


def test_same_side_of_the_hallway_is_two_left_turns_or_two_right_turns():
    legs = legs_of(HOUSE, path((3.5, 6.0), (3.5, 4.0), (8.0, 4.0), (8.0, 6.0)), 0.0)
    assert (legs[1].first_turn, legs[1].last_turn) == ("right", "right")
    legs = legs_of(HOUSE, path((8.0, 6.0), (8.0, 4.0), (3.5, 4.0), (3.5, 6.0)), 0.0)
    assert (legs[1].first_turn, legs[1].last_turn) == ("left", "left")


def test_turn_in_the_last_room():
    legs = legs_of(HOUSE, path((3.5, 6.0), (3.5, 4.0), (1.0, 4.0), (1.0, 2.5), (7.0, 2.0)), 0.0)
    assert legs[-1].first_turn == "right"  # north through the door, then east


def test_no_legs_outside_the_house_or_along_a_threshold():
    assert legs_of(HOUSE, path((3.5, 6.0), (3.5, 9.0)), 0.0) is None
    assert legs_of(HOUSE, path((3.5, 6.0), (3.5, 4.3)), 0.0) is None  # 20 cm into the hallway


def test_arches_are_not_counted_as_doors():
    with_arch = house_of(ROOMS, (DOORS[0], door("arch", (0, 2), 350, 450, "arch"), DOORS[2]))
    way = path((1.0, 1.0), (1.0, 3.7), (8.0, 3.8), (8.0, 6.0))
    assert legs_of(with_arch, way, math.pi)[1].door_ordinal == 0


def test_stairs_are_one_leg():
    house = next(
        house for house in (draw_house(f"houses/test/{n:04d}") for n in range(12)) if house.plan.stairs
    )
    stairs = house.plan.stairs
    assert other_end_of_stairs(house, stairs.lower) == stairs.upper
    assert other_end_of_stairs(house, stairs.upper) == stairs.lower
    assert other_end_of_stairs(house, next(r.index for r in house.rooms if r.kind != "stairs")) is None
    ways = passages_of(house)
    below = next(p for p in ways if stairs.lower in p.rooms)
    above = next(p for p in ways if stairs.upper in p.rooms)
    entry = stairs.entry

    def beyond(passage, room):
        heading = passage.heading_from(room)
        return [passage.center_m[0] - math.sin(heading), passage.center_m[1] - math.cos(heading)]

    middle = [(entry.x0 + entry.x1) / 200.0, (entry.z0 + entry.z1) / 200.0]
    (ax, az), (bx, bz), (mx, mz) = beyond(below, stairs.lower), beyond(above, stairs.upper), middle
    way = np.array(
        [
            [ax, 0.0, az],
            [below.center_m[0], 0.0, below.center_m[1]],
            [mx, 0.0, mz],
            [mx, 2.9, mz],
            [above.center_m[0], 2.9, above.center_m[1]],
            [bx, 2.9, bz],
        ]
    )
    legs = legs_of(house, way, 0.0)
    assert [leg.room for leg in legs] == [
        below.beyond(stairs.lower),
        stairs.lower,
        above.beyond(stairs.upper),
    ]
    assert [leg.climb for leg in legs] == ["", "up", ""]
    assert [leg.climb for leg in legs_of(house, way[::-1], 0.0)] == ["", "down", ""]


def test_polylines():
    corner = path((0, 0), (0, -4), (-4, -4))  # north, then west: a left turn
    assert turns_along(corner) == [(4.0, pytest.approx(90.0))]
    assert turns_along(corner[::-1]) == [(4.0, pytest.approx(-90.0))]
    assert turn_deg(math.radians(170), math.radians(-170)) == pytest.approx(20.0)
    assert len(simplified(resampled(corner, 0.1), 0.01)) == 3
