"""Lamps hang from the tops of their boxes, pictures show themselves once, rugs lie flat."""

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.catalogue.shape import Shape
from vlnenv.houses.dice import Dice
from vlnenv.houses.looks.pictures import PICTURES
from vlnenv.houses.looks.textures import FINISHES


def drawn(name: str, number: int) -> Shape:
    entry, dice = CATALOGUE[name], Dice("test_decor", name, number)
    return entry.draw(dice, (dice.pick(entry.finishes), dice.pick(entry.colors)))


def shapes(name: str) -> list[Shape]:
    return [drawn(name, number) for number in range(20)]


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.stands == "ceiling"])
def test_ceiling_pieces_reach_the_ceiling(name):
    for shape in shapes(name):
        assert max(solid.vertices[:, 1].max() for solid in shape.solids) == shape.height


@pytest.mark.parametrize("name", [name for name, entry in CATALOGUE.items() if entry.stands == "wall"])
def test_wall_pieces_touch_the_wall(name):
    for shape in shapes(name):
        assert min(solid.vertices[:, 2].min() for solid in shape.solids) <= 1.0


@pytest.mark.parametrize("name", ["picture", "poster", "easel", "wall clock", "laptop", "keyboard"])
def test_pictures_are_shown_whole_and_once(name):
    for shape in shapes(name):
        for solid in shape.solids:
            if solid.surface[0] not in PICTURES:
                continue
            corners, uv = solid.vertices[solid.faces], solid.uv / FINISHES[solid.surface[0]]
            normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            normal /= np.linalg.norm(normal, axis=1, keepdims=True)
            axis = 1 if solid.surface[0] == "key caps" else 2
            spread = uv[normal[:, axis] > 0.9].reshape(-1, 2)
            assert spread.min() > -0.1
            assert spread.max() < 1.1
            assert np.ptp(spread, axis=0).min() > 0.9


def test_rugs_are_flat_and_show_their_pattern_on_top():
    for shape in shapes("rug"):
        assert shape.height == 1
        top = max(shape.solids, key=lambda solid: solid.vertices[:, 1].max())
        assert top is shape.solids[0]


def test_the_pot_carries_the_plant():
    for shape in shapes("plant"):
        pot = shape.solids[0].vertices
        assert pot[:, 1].min() == 0
        assert pot[:, 1].max() < shape.height * 0.6
        leaves = [solid for solid in shape.solids if solid.surface[0] == "leaf"]
        assert max(solid.vertices[:, 1].max() for solid in leaves) > pot[:, 1].max() + 25
