"""Small things are light, flat-footed and small enough for tops."""

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.catalogue.small import SMALL
from vlnenv.houses.dice import Dice


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: entry.name)
def test_small_things_are_small(entry):
    assert entry.stands == "top"
    for number in range(20):
        dice = Dice("test_small", entry.name, number)
        shape = entry.draw(dice, (dice.pick(entry.finishes), dice.pick(entry.colors)))
        assert sum(len(solid.faces) for solid in shape.solids) <= 300
        assert np.min([solid.vertices[:, 1].min() for solid in shape.solids]) <= 0.3
        if entry.name != "television":
            assert max(shape.width, shape.depth, shape.height) <= 75
        assert not shape.tops


def test_most_fit_on_a_nightstand():
    fitting = [entry.name for entry in SMALL if _widest(entry.name) <= 40]
    assert len(fitting) >= 20


def _widest(name: str) -> int:
    entry = CATALOGUE[name]
    return max(
        entry.draw(Dice("test_small", name, number), (entry.finishes[0], entry.colors[0])).width
        for number in range(5)
    )
