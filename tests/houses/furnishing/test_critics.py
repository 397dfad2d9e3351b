from __future__ import annotations

from dataclasses import replace

import pytest

from vlnenv.houses.construction.solids import box, moved
from vlnenv.houses.furnishing.critics import CRITICS, Complaint, complaints
from vlnenv.houses.furnishing.furniture import Furniture
from vlnenv.houses.furnishing.support import is_carried_by
from vlnenv.houses.house import House, house_of
from vlnenv.houses.plans.plan import OUTSIDE
from vlnenv.houses.plans.rect import Rect

IDS = [f"houses/train/{number:04d}" for number in range(8)]
WOOD = ("wood", "brown")


@pytest.fixture(scope="module", params=IDS[:3])
def house(request) -> House:
    return house_of(request.param)


def shifted(piece: Furniture, dx: int = 0, dy: int = 0, dz: int = 0, **changes) -> Furniture:
    r = piece.rect
    return replace(
        piece,
        rect=Rect(r.x0 + dx, r.z0 + dz, r.x1 + dx, r.z1 + dz),
        bottom=piece.bottom + dy,
        top=piece.top + dy,
        solids=tuple(moved(solid, dx, dy, dz) for solid in piece.solids),
        **changes,
    )


def with_piece(house: House, changed: Furniture) -> House:
    """The house with the piece of that name changed, or added."""
    others = tuple(piece for piece in house.furniture if piece.name != changed.name)
    return replace(house, furniture=(*others, changed))


def first(house: House, *categories: str) -> Furniture:
    return next(piece for piece in house.furniture if piece.category in categories)


def block(house: House, rect: Rect, room: int, height: int = 200) -> Furniture:
    """A plain box on the floor."""
    floor = house.rooms[room].floor_cm
    solid = box(rect.x0, floor, rect.z0, rect.x1, floor + height, rect.z1, WOOD)
    return Furniture(
        "box_99", "cardboard box", "brown", "", room, rect, floor, floor + height, 0, "floor", (solid,)
    )


def said(house: House, critic: str) -> list[Complaint]:
    return list(CRITICS[critic](house))


@pytest.mark.parametrize("scene_id", IDS)
def test_no_critic_complains_about_a_house(scene_id: str):
    assert complaints(house_of(scene_id)) == ()


def test_a_piece_moved_into_a_door_is_blamed(house: House):
    piece = first(house, "sofa")
    door = next(d for d in house.doors if piece.room in d.rooms and OUTSIDE not in d.rooms)
    x, z = door.center
    broken = with_piece(house, shifted(piece, x - piece.rect.x0 - 40, 0, z - piece.rect.z0 - 40))
    assert piece.name in {c.piece for c in said(broken, "door clearance")}
    assert piece.name in {c.piece for c in said(broken, "collision")}  # it stands in the wall


def test_a_narrow_door_is_named(house: House):
    door = next(d for d in house.doors if OUTSIDE not in d.rooms)
    hole = door.opening
    narrow = (
        Rect(hole.x0, hole.z0, hole.x0 + 85, hole.z1)
        if door.along_x
        else Rect(hole.x0, hole.z0, hole.x1, hole.z0 + 85)
    )
    doors = tuple(replace(d, opening=narrow) if d is door else d for d in house.doors)
    assert any(
        f"{door.name} is 75 cm wide" in c.text for c in said(replace(house, doors=doors), "door clearance")
    )


@pytest.mark.parametrize("height", [30, -20])
def test_a_floating_or_sunken_piece_is_blamed(house: House, height: int):
    piece = first(house, "bed", "sofa")
    broken = with_piece(house, shifted(piece, dy=height))
    assert piece.name in {c.piece for c in said(broken, "support")}


def test_a_piece_whose_solids_float_is_blamed(house: House):
    """The facts say that it stands, the triangles say that it does not."""
    piece = first(house, "bed", "sofa")
    floating = replace(piece, solids=tuple(moved(solid, 0, 5, 0) for solid in piece.solids))
    assert piece.name in {c.piece for c in said(with_piece(house, floating), "support")}


def test_what_hangs_in_the_middle_of_a_room_is_blamed(house: House):
    piece = first(house, "picture")
    inward = ((0, 60), (60, 0), (0, -60), (-60, 0))[piece.facing]
    assert piece.name in {
        c.piece for c in said(with_piece(house, shifted(piece, inward[0], 0, inward[1])), "support")
    }


def test_a_small_thing_beside_its_table_is_blamed(house: House):
    small = next(p for p in house.furniture if p.support not in ("floor", "wall", "ceiling"))
    host = next(p for p in house.furniture if p.name == small.support)
    assert not said(house, "support")
    off = with_piece(house, shifted(small, dx=host.rect.x1 - small.rect.x0 - 1))
    assert small.name in {c.piece for c in said(off, "support")}
    high = with_piece(house, shifted(small, dy=4))
    assert small.name in {c.piece for c in said(high, "support")}


def test_a_doubled_piece_is_blamed(house: House):
    piece = first(house, "sofa")
    twin = shifted(piece, dx=3, name="sofa_99")
    assert "sofa_99" in {c.piece for c in said(with_piece(house, twin), "collision")}


def test_a_picture_over_a_window_is_blamed(house: House):
    wall, opening = next(
        (wall, opening)
        for wall in house.plan.walls
        for opening in wall.openings
        if opening.kind == "window" and OUTSIDE in wall.rooms
    )
    room = max(wall.rooms)
    inner = house.rooms[room].inner
    piece = next(p for p in house.furniture if p.category == "picture")
    sign = 1 if wall.after == room else -1
    near, far = sorted((wall.line + sign * 6, wall.line + sign * 10))
    rect = (
        Rect(opening.low, near, opening.high, far)
        if wall.along_x
        else Rect(near, opening.low, far, opening.high)
    )
    assert inner.holds(rect)
    floor = house.rooms[room].floor_cm
    hung = replace(piece, rect=rect, room=room, bottom=floor + opening.sill, top=floor + opening.head)
    assert f"{piece.name} hides a window" in {c.text for c in said(with_piece(house, hung), "collision")}


def test_a_room_walled_off_is_named(house: House):
    """A box fills every doorway of a room."""
    room = next(r for r in house.rooms if r.kind in ("bedroom", "bathroom"))
    broken = house
    for number, door in enumerate(d for d in house.doors if room.index in d.rooms):
        filled = replace(block(house, door.opening.grown(15), room.index), name=f"box_{90 + number}")
        broken = with_piece(broken, filled)
    found = said(broken, "reachability")
    assert room.index in {c.room for c in found if not c.piece}
    assert {p.name for p in house.furniture if p.room == room.index and p.support == "floor"} <= {
        c.piece for c in found
    }


def test_a_corner_cut_off_is_named(house: House):
    """A wall of boxes right across a room leaves most of it out of reach."""
    room = max(house.rooms, key=lambda r: r.inner.area if r.kind == "living room" else 0)
    i = room.inner
    middle = (i.x0 + i.x1) // 2
    broken = with_piece(house, block(house, Rect(middle - 20, i.z0, middle + 20, i.z1), room.index))
    assert room.index in {c.room for c in said(broken, "reachability")} or any(
        door.center[0] < middle - 20 for door in house.doors if room.index in door.rooms
    )


def test_upstairs_is_out_of_reach_without_stairs():
    house = next(h for h in map(house_of, IDS) if h.plan.levels == 2)
    assert not said(house, "reachability")
    broken = replace(house, plan=replace(house.plan, stairs=None))
    named = {house.rooms[c.room].level for c in said(broken, "reachability")}
    assert named == {1}


def test_what_is_missing_or_out_of_place_is_named(house: House):
    without_toilet = replace(house, furniture=tuple(p for p in house.furniture if p.category != "toilet"))
    assert any("no toilet" in c.text for c in said(without_toilet, "plausibility"))
    kitchen = next(r for r in house.rooms if r.kind == "kitchen")
    piece = replace(first(house, "bed", "sofa"), category="bed", room=kitchen.index)
    assert piece.name in {c.piece for c in said(with_piece(house, piece), "plausibility")}
    bare = replace(house, furniture=())
    assert {c.room for c in said(bare, "plausibility")} >= {
        r.index for r in house.rooms if r.kind == "bedroom"
    }


def test_monotony_is_named(house: House):
    red = replace(house, furniture=tuple(replace(p, color="red") for p in house.furniture))
    assert any("1 colours" in c.text for c in said(red, "variety"))
    few = replace(house, furniture=house.furniture[:5])
    assert any("classes" in c.text for c in said(few, "variety"))


def test_a_foot_needs_a_level_face_below_all_of_it():
    table = [box(0, 70, 0, 100, 75, 60, WOOD)]
    assert is_carried_by([box(10, 75, 10, 30, 90, 30, WOOD)], table, 1.0)
    assert not is_carried_by([box(90, 75, 10, 110, 90, 30, WOOD)], table, 1.0)  # over the edge
    assert not is_carried_by([box(10, 78, 10, 30, 90, 30, WOOD)], table, 1.0)  # above it
    assert not is_carried_by([box(10, 72, 10, 30, 90, 30, WOOD)], table, 1.0)  # in it
