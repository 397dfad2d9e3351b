"""Instruments, machines and toys stand on the floor and have room for who uses them."""

import numpy as np
import pytest

from vlnenv.houses.catalogue.leisure import LEISURE
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape
from vlnenv.houses.dice import Dice


def shapes(entry: FurnitureClass) -> list[Shape]:
    drawn = []
    for number in range(20):
        dice = Dice("test_leisure", entry.name, number)
        drawn.append(entry.draw(dice, (dice.pick(entry.finishes), dice.pick(entry.colors))))
    return drawn


@pytest.mark.parametrize("entry", LEISURE, ids=lambda entry: entry.name)
def test_pieces_stand_on_the_floor_within_their_budget(entry):
    for shape in shapes(entry):
        vertices = np.concatenate([solid.vertices for solid in shape.solids])
        assert vertices[:, 1].min() <= (1.0 if entry.stands == "floor" else 2.0)
        assert 40 <= sum(len(solid.faces) for solid in shape.solids) <= 1500
        assert max(shape.width, shape.depth) <= 240
        assert shape.height <= 180


def test_pianos_come_upright_and_grand():
    piano = next(entry for entry in LEISURE if entry.name == "piano")
    depths = {shape.depth for shape in shapes(piano)}
    assert min(depths) < 70
    assert max(depths) > 150


def test_pool_balls_lie_on_the_cloth():
    pool_table = next(entry for entry in LEISURE if entry.name == "pool table")
    for shape in shapes(pool_table):
        cloth = shape.solids[0]
        ball = next(solid for solid in shape.solids if solid.surface == ("plain", "yellow"))
        assert abs(ball.vertices[:, 1].min() - 78) < 0.6
        assert cloth.vertices[:, 0].min() < ball.vertices[:, 0].min()
        assert ball.vertices[:, 0].max() < cloth.vertices[:, 0].max()
