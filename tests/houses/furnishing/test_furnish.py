from __future__ import annotations

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.dice import Dice
from vlnenv.houses.furnishing.furnish import missing_needs, numbered
from vlnenv.houses.furnishing.furniture import Furniture, front_strip
from vlnenv.houses.furnishing.placing import against, by_host, free_spans, turned_rect
from vlnenv.houses.furnishing.room_needs import NEEDS, ONLY_IN
from vlnenv.houses.furnishing.room_rules import RULES
from vlnenv.houses.furnishing.top_rules import TOP_RULES
from vlnenv.houses.house import house_of
from vlnenv.houses.plans.rect import Rect
from vlnenv.houses.plans.room_kinds import AREAS_DM2
from vlnenv.memory.text_table import load_text_table

HOUSES = [house_of(f"houses/train/{number:04d}") for number in range(6)]
ROOM = Rect(100, 200, 500, 600)


def test_rules_name_classes_that_exist_and_that_the_text_table_knows():
    named = {name for rules in RULES.values() for rule in rules for name in (*rule.classes, *rule.near)}
    named |= {name for smalls in TOP_RULES.values() for small in smalls for name in small.classes} | set(
        TOP_RULES
    )
    named |= {name for needs in NEEDS.values() for group in needs for name in group} | set(ONLY_IN)
    assert named <= set(CATALOGUE)
    known = set(load_text_table().phrases)
    assert set(CATALOGUE) <= known
    assert set(RULES) >= set(AREAS_DM2) - {"stairs"}
    for kind, needs in NEEDS.items():
        wished = {name for rule in RULES[kind] for name in rule.classes}
        assert all(set(group) & wished for group in needs), kind


def test_what_stands_where_is_what_the_rules_say():
    on_tops = {name for smalls in TOP_RULES.values() for small in smalls for name in small.classes} | {
        "television"
    }
    for house in HOUSES:
        by_name = {piece.name: piece for piece in house.furniture}
        for piece in house.furniture:
            entry = CATALOGUE[piece.category]
            assert piece.support == {"wall": "wall", "ceiling": "ceiling"}.get(entry.stands, piece.support)
            if piece.support in by_name:
                assert piece.category in on_tops
                host = by_name[piece.support]
                assert host.rect.holds(piece.rect), (piece.name, host.name)
            assert piece.color in entry.colors


def test_solids_fill_their_box():
    for house in HOUSES:
        for piece in house.furniture:
            corners = np.concatenate([solid.vertices for solid in piece.solids])
            low, high = corners.min(axis=0), corners.max(axis=0)
            r = piece.rect
            assert (low >= np.array([r.x0, piece.bottom, r.z0]) - 0.02).all(), piece.name
            assert (high <= np.array([r.x1, piece.top, r.z1]) + 0.02).all(), piece.name
            assert (high - low >= 0.5 * np.array([r.width, piece.top - piece.bottom, r.depth])).all(), (
                piece.name
            )


def test_kitchens_are_runs_of_one_make():
    for house in HOUSES:
        for room in (r for r in house.rooms if r.kind == "kitchen"):
            own = [p for p in house.furniture if p.room == room.index]
            run = [
                p
                for p in own
                if p.category in ("kitchen counter", "kitchen sink", "stove", "fridge", "dishwasher")
            ]
            assert len(run) >= 4
            touching = sum(
                any(a is not b and a.facing == b.facing and a.rect.grown(1).meets(b.rect) for b in run)
                for a in run
            )
            assert touching >= 2
            fronts = {
                (p.material, p.color) for p in own if p.category in ("kitchen counter", "kitchen cabinet")
            }
            assert len(fronts) == 1


def test_chairs_of_a_table_look_alike_and_face_it():
    for house in HOUSES:
        for table in (p for p in house.furniture if p.category == "dining table"):
            chairs = [p for p in house.furniture if p.category == "chair" and p.room == table.room]
            assert len(chairs) >= 2
            seated = [
                chair for chair in chairs if front_strip(chair.rect, chair.facing, 15).meets(table.rect)
            ]
            assert len(seated) >= 2
            assert len({(chair.color, chair.top) for chair in seated}) == 1


def test_houses_are_full_and_varied():
    pieces = [len(house.furniture) for house in HOUSES]
    assert np.mean(pieces) > 75  # houses-v0 had 54
    small = [sum(p.support not in ("floor", "wall", "ceiling") for p in h.furniture) for h in HOUSES]
    assert min(small) >= 5
    for house in HOUSES:
        lit = {p.room for p in house.furniture if p.support == "ceiling"}
        assert len(lit) >= 0.6 * len(house.rooms)


def test_names_are_numbered_by_category_and_supports_follow():
    def piece(name: str, category: str, support: str = "floor") -> Furniture:
        return Furniture(name, category, "red", "", 0, ROOM, 0, 10, 0, support, ())

    found = numbered(
        [
            piece("office_1/desk_1", "desk"),
            piece("office_2/desk_1", "desk"),
            piece("office_2/table lamp_1", "table lamp", "office_2/desk_1"),
        ]
    )
    assert [p.name for p in found] == ["desk_1", "desk_2", "table_lamp_1"]
    assert found[2].support == "desk_2"
    assert missing_needs("bathroom", found) == [("toilet",), ("sink",)]


def test_free_spans_are_what_is_left():
    assert free_spans(1, 99, []) == [(1, 99)]
    assert free_spans(1, 99, [(20, 30), (25, 40), (90, 120), (-5, 0)]) == [(1, 20), (40, 90)]
    assert free_spans(1, 99, [(-5, 200)]) == []


@pytest.mark.parametrize("facing", range(4))
def test_pieces_stand_with_their_back_to_the_wall(facing: int):
    rect = against(ROOM, facing, 50, 80, 30)
    assert ROOM.holds(rect)
    assert (rect.width, rect.depth) == ((80, 30) if facing % 2 == 0 else (30, 80))
    ahead = front_strip(rect, facing, 5)
    assert ROOM.holds(ahead)
    behind = front_strip(rect, (facing + 2) % 4, 5)
    assert not ROOM.holds(behind)


@pytest.mark.parametrize("facing", range(4))
def test_a_frame_turns_with_its_host(facing: int):
    host = Rect(0, 0, 80, 30) if facing % 2 == 0 else Rect(0, 0, 30, 80)
    near_front = turned_rect(Rect(0, 20, 10, 30), host, facing)
    assert front_strip(host, facing, 5).grown(1).meets(near_front)
    assert host.holds(near_front)


def test_seats_look_at_their_table():
    shape = CATALOGUE["chair"].draw(Dice("chair"), ("wood", "brown"))
    table = Rect(200, 300, 360, 390)
    spots = by_host("around", table, 0, shape, Dice("seats"), ())
    assert len(spots) >= 6
    for spot in spots:
        assert not spot.rect.meets(table)
        assert front_strip(spot.rect, spot.facing, 10).meets(table)
