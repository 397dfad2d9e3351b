from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from vlnenv.houses.dice import Dice
from vlnenv.houses.floorplan import OUTSIDE
from vlnenv.houses.furnish import door_zones
from vlnenv.houses.house import House, house_of, parse_scene_id
from vlnenv.houses.textures import COLORS, FINISHES, texture

HOUSES = [
    house_of(f"houses/{group}/{number:04d}") for group in ("train", "val_unseen") for number in range(15)
]


def test_dice_do_not_depend_on_numpys_distributions():
    dice = Dice("a", 1)
    assert [dice.below(1000) for _ in range(5)] == [141, 788, 555, 939, 271]


@pytest.mark.parametrize("house", HOUSES, ids=lambda h: h.scene_id)
def test_a_house_has_rooms_classes_and_colours(house: House):
    assert 5 <= len(house.rooms) <= 8
    assert len({room.kind for room in house.rooms}) >= 5
    assert len({piece.category for piece in house.furniture}) >= 20
    assert len({piece.color for piece in house.furniture}) >= 6
    bounds = house.plan.bounds
    assert 800 <= bounds.width <= 1400
    assert 800 <= bounds.depth <= 1400


def test_houses_differ():
    assert len({repr(house.plan) for house in HOUSES}) == len(HOUSES)


@pytest.mark.parametrize("house", HOUSES, ids=lambda h: h.scene_id)
def test_furniture_overlaps_nothing(house: House):
    pieces = [p for p in house.furniture if p.category != "rug"]  # rugs lie below furniture
    for i, a in enumerate(pieces):
        for b in pieces[i + 1 :]:
            assert not (a.rect.meets(b.rect) and a.bottom < b.top and b.bottom < a.top), (a.name, b.name)
        for door in house.doors:
            assert door.leaf is None or not (a.rect.meets(door.leaf) and a.bottom < 204), (a.name, door.name)
        room = house.rooms[a.room]
        assert room.inner.holds(a.rect)
        if a.bottom == 0:
            assert not any(a.rect.meets(zone) for zone in door_zones(house.plan, a.room))
        for x0, y0, z0, x1, y1, z1, _ in a.solids:
            assert x0 < x1
            assert y0 < y1
            assert z0 < z1
            assert a.rect.x0 <= x0
            assert a.rect.z0 <= z0
            assert x1 <= a.rect.x1
            assert z1 <= a.rect.z1
            assert a.bottom <= y0 <= y1 <= a.top


@pytest.mark.parametrize("house", HOUSES, ids=lambda h: h.scene_id)
def test_every_room_is_reached_with_a_wide_berth(house: House):
    """A disc of 25 cm radius gets from the hallway to every room, and to most of its floor."""
    bounds = house.plan.bounds.grown(20)
    step = 5
    free = np.zeros((bounds.depth // step, bounds.width // step), dtype=bool)

    def paint(rect, value):
        x0, z0, x1, z1 = (
            (v - o) // step
            for v, o in zip((rect.x0, rect.z0, rect.x1, rect.z1), (bounds.x0, bounds.z0) * 2, strict=True)
        )
        free[z0:z1, x0:x1] = value

    for room in house.rooms:
        paint(room.inner, True)
    for door in house.doors:
        if OUTSIDE not in door.rooms:
            paint(door.opening, True)
            # The frame takes 5 cm on both sides.
            middle = door.center
            free[(middle[1] - bounds.z0) // step, (middle[0] - bounds.x0) // step] = True
    for rect in [p.rect for p in house.furniture if p.bottom == 0 and p.category != "rug"] + [
        door.leaf for door in house.doors if door.leaf is not None
    ]:
        paint(rect.grown(step - 1), False)
    wide = ndimage.distance_transform_edt(free) * step >= 25
    labels, _ = ndimage.label(wide)
    assert labels.max() >= 1
    main = np.bincount(labels[labels > 0]).argmax()
    for room in house.rooms:
        c = room.cell
        own = labels[
            (c.z0 - bounds.z0) // step : (c.z1 - bounds.z0) // step,
            (c.x0 - bounds.x0) // step : (c.x1 - bounds.x0) // step,
        ]
        assert (own == main).sum() * 0.0025 > 0.5, room.name
        assert (own == main).sum() >= 0.6 * (own > 0).sum(), room.name


def test_every_room_has_a_door_and_most_have_windows():
    for house in HOUSES:
        reached = {room for door in house.doors if OUTSIDE not in door.rooms for room in door.rooms}
        assert reached == {room.index for room in house.rooms}
        assert sum(o.kind == "window" for wall in house.plan.walls for o in wall.openings) >= 3


@pytest.mark.parametrize(
    "scene_id", ["houses/trian/0001", "houses/train/1", "mp3d/x.glb", "houses/train/00001"]
)
def test_an_unknown_house_is_named(scene_id: str):
    with pytest.raises(KeyError, match="no house"):
        parse_scene_id(scene_id)
    if "trian" in scene_id:
        with pytest.raises(KeyError, match="Did you mean 'train'"):
            house_of(scene_id)


def test_textures_repeat_and_are_known():
    for finish in FINISHES:
        image = texture(finish, "red")
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
        assert np.abs(image.reshape(-1, 3).mean(axis=0) - COLORS["red"]).max() < 25
    with pytest.raises(KeyError, match="no finish"):
        texture("glossy", "red")
    with pytest.raises(KeyError, match="no colour"):
        texture("wood", "rde")
