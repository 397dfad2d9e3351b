"""Bathroom fixtures are hollow where they hold water or people."""

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.catalogue.shape import Shape
from vlnenv.houses.dice import Dice


def drawn(name: str, number: int) -> Shape:
    return CATALOGUE[name].draw(Dice("test_bathroom", name, number), ("ceramic", "white"))


def highest_below(shape: Shape, x: float, z: float) -> float:
    """Height of the first face that a ray straight down at (x, z) meets."""
    corners = np.concatenate([solid.vertices[solid.faces] for solid in shape.solids])
    a, b, c = (corners[:, i] for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 2] - a[:, 2]) - (c[:, 0] - a[:, 0]) * (b[:, 2] - a[:, 2])
    a, b, c, area = (each[np.abs(area) > 1e-6] for each in (a, b, c, area))
    u = ((x - a[:, 0]) * (c[:, 2] - a[:, 2]) - (c[:, 0] - a[:, 0]) * (z - a[:, 2])) / area
    v = ((b[:, 0] - a[:, 0]) * (z - a[:, 2]) - (x - a[:, 0]) * (b[:, 2] - a[:, 2])) / area
    hit = (u >= 0) & (v >= 0) & (u + v <= 1)
    height = a[:, 1] + u * (b[:, 1] - a[:, 1]) + v * (c[:, 1] - a[:, 1])
    return float(height[hit].max())


@pytest.mark.parametrize(("name", "deep"), [("bathtub", 30), ("sink", 5)])
def test_basins_are_hollow(name, deep):
    for number in range(20):
        shape = drawn(name, number)
        z = shape.depth * (0.5 if name == "bathtub" else 0.56)
        middle = highest_below(shape, shape.width / 2 + 1, z)
        tallest_rim = max(highest_below(shape, shape.width / 2 + 1, edge) for edge in (z - 19, z + 19))
        rim = {"bathtub": 58, "sink": max(tallest_rim, 84)}[name]
        assert middle <= rim - deep + 4


def test_one_can_step_into_the_shower():
    for number in range(10):
        shape = drawn("shower", number)
        assert highest_below(shape, shape.width * 0.6, shape.depth * 0.75) < 15


def test_towels_hang_from_their_rack():
    entry = CATALOGUE["towel rack"]
    for number in range(10):
        shape = entry.draw(Dice("test_bathroom", number), ("towel", "red"))
        towel = next(solid for solid in shape.solids if solid.surface == ("towel", "red"))
        assert np.ptp(towel.vertices[:, 1]) > 30
        assert towel.vertices[:, 1].max() >= shape.height - 8
