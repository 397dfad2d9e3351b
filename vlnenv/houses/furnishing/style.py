"""What the things of a house have in common: its wood, its accents, its kitchen fronts."""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.catalogue import FurnitureClass
from vlnenv.houses.construction.solids import Surface
from vlnenv.houses.dice import Dice

_WOODS = ("wood", "oak", "bamboo")
_WOOD_COLORS = ("brown", "brown", "white", "black", "grey", "beige")
_ACCENTS = (
    "red",
    "blue",
    "green",
    "grey",
    "yellow",
    "orange",
    "purple",
    "brown",
    "white",
    "turquoise",
    "pink",
)
_SUITE = ("kitchen counter", "kitchen sink", "kitchen cabinet", "kitchen island")
"""Classes of one make in a kitchen."""


@dataclass(frozen=True)
class Style:
    """Preferences of a room; a class that does not come in them is drawn freely."""

    wood: str
    """Colour of the house's wood."""
    accent: str
    """Colour that returns in the room."""
    suite: Surface
    """Fronts of the kitchen."""


def draw_style(dice: Dice, counter: FurnitureClass) -> Style:
    """A style for a house.

    Args:
        dice: Draws it.
        counter: The class whose surfaces the kitchen's fronts are drawn from.
    """
    suite = (dice.pick(counter.finishes), dice.pick(counter.colors))
    return Style(dice.pick(_WOOD_COLORS), dice.pick(_ACCENTS), suite)


def draw_surface(entry: FurnitureClass, style: Style, dice: Dice) -> Surface:
    """Finish and colour of the main surface of a new piece."""
    if entry.name in _SUITE and style.suite[0] in entry.finishes and style.suite[1] in entry.colors:
        return style.suite
    finish = dice.pick(entry.finishes)
    liked = style.wood if finish in _WOODS else style.accent
    if liked in entry.colors and dice.chance(50 if finish in _WOODS else 30):
        return finish, liked
    return finish, dice.pick(entry.colors)
