"""Kitchen units make a run: side by side along a wall without steps or gaps."""

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.catalogue.shape import Shape
from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.dice import Dice

UNITS = ("kitchen counter", "kitchen sink")
IN_A_RUN = (*UNITS, "stove", "dishwasher", "washing machine", "dryer")


def drawn(name: str, number: int, main: Surface = ("enamel", "white")) -> Shape:
    return CATALOGUE[name].draw(Dice("test_kitchen", name, number), main)


def extent(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    vertices = np.concatenate([solid.vertices for solid in shape.solids])
    return vertices.min(axis=0), vertices.max(axis=0)


@pytest.mark.parametrize("name", IN_A_RUN)
def test_pieces_of_a_run_line_up(name):
    for number in range(20):
        shape = drawn(name, number)
        assert shape.depth == 62
        assert shape.width in (60, 80, 120)
        tops = {top.y for top in shape.tops}
        assert tops == {88} or (name == "kitchen sink" and not tops)
        low, high = extent(shape)
        assert (low[0], high[0]) == (0, shape.width)
        if name != "kitchen sink":  # Its tap rises above the worktop.
            assert shape.height == 88


@pytest.mark.parametrize("name", UNITS)
def test_units_of_one_front_are_of_one_make(name):
    """Whatever the dice, worktops of one kitchen are of one surface, which is not that of its fronts."""
    main = ("wood", "brown")
    worktops = {
        solid.surface
        for number in range(10)
        for unit in UNITS
        for solid in drawn(unit, number, main).solids
        if solid.vertices[:, 1].max() == 88 and solid.vertices[:, 2].max() == 62
    }
    assert len(worktops) == 1
    assert main not in worktops
    makes = {
        drawn("kitchen counter", 0, ("enamel", color)).solids[-1].surface
        for color in ("red", "blue", "green", "black")
    }
    assert len(makes) > 1


def test_a_sink_is_a_basin_below_the_worktop():
    for number in range(10):
        shape = drawn("kitchen sink", number)
        corners = np.concatenate([solid.vertices[solid.faces] for solid in shape.solids])
        low, high = corners.min(axis=1), corners.max(axis=1)
        bottoms = (high[:, 1] < 85) & (low[:, 1] > 84) & (high[:, 2] > 40) & (low[:, 2] < 20)
        assert bottoms.any()


def test_wall_cabinets_leave_the_worktop_free():
    for number in range(10):
        shape = drawn("kitchen cabinet", number)
        assert shape.depth <= 40
        assert 140 + shape.height <= 220
        assert shape.width in (60, 80, 120)
    hood = drawn("range hood", 0)
    assert hood.width == drawn("stove", 0).width
    assert 150 + hood.height == 260
