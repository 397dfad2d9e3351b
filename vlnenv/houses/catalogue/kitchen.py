"""Kitchen units: counters that line up in runs, islands, wall cabinets and sinks.

Every unit of a run is 62 cm deep and 88 cm high. Worktop, fronts and handles follow from the main surface, so
that all units of one finish and colour are of one make.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from vlnenv.houses.catalogue.appliances import APPLIANCES
from vlnenv.houses.catalogue.fittings import DARK, IRON, STEEL, fitted, front, pull
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import Solid, Surface, box, cylinder, tube
from vlnenv.houses.dice import Dice

_DEPTH = 62
"""Depth of every unit of a run, centimetres."""
_HEIGHT = 88
"""Height of every unit of a run, centimetres."""
_WIDTHS = (60, 80, 120)

_WORKTOPS: tuple[Surface, ...] = (
    ("granite", "black"),
    ("granite", "grey"),
    ("marble", "white"),
    ("marble", "dark grey"),
    ("wood", "light brown"),
    ("wood", "brown"),
    ("stone", "beige"),
)

_FINISHES = ("wood", "wood", "enamel", "enamel", "oak")
_COLORS = ("white", "white", "brown", "grey", "black", "blue", "green", "cream", "beige", "turquoise", "red")


class Make(NamedTuple):
    """What the units of one kitchen have in common."""

    worktop: Surface
    fronts: str
    handles: Surface


def _make(main: Surface) -> Make:
    """The make of all units with that main surface."""
    dice = Dice("houses-v1/kitchen", *main)
    worktop = dice.pick([top for top in _WORKTOPS if top[1] != main[1]])
    return Make(worktop, dice.pick(["flat", "framed", "framed", "raised"]), dice.pick([STEEL, IRON]))


def _unit_fronts(x0: int, x1: int, z: int, kind: str, main: Surface, own: Make) -> list[Solid]:
    """Fronts of one column of a base unit between plinth and worktop: drawers, a door, or both."""
    middle = (x0 + x1) / 2
    long = (x1 - x0) * 0.5
    cuts = {"drawers": (10, 36, 62, 84), "mixed": (10, 68, 84), "door": (10, 84)}[kind]
    solids = []
    for low, high in pairwise(cuts):
        solids += front(x0, low, x1, high, z, main, own.fronts)
        if high - low > 40:
            solids.append(pull(x1 - 5, high - 14, z + 2, 18, True, own.handles))
        else:
            solids.append(pull(middle, (low + high) / 2, z + 2, long, False, own.handles))
    return solids


def _base(dice: Dice, width: int, main: Surface, own: Make) -> list[Solid]:
    """A base unit without its worktop."""
    columns = max(1, (width + 20) // 60)
    edges = [width * i // columns for i in range(columns + 1)]
    solids = [box(0, 10, 0, width, 84, 56, main), box(0, 0, 0, width, 10, 51, DARK)]
    for x0, x1 in pairwise(edges):
        solids += _unit_fronts(x0, x1, 56, dice.pick(["drawers", "mixed", "door"]), main, own)
    return solids


def _counter(dice: Dice, main: Surface) -> Shape:
    """A base cabinet with doors and drawers under a worktop."""
    own = _make(main)
    width = dice.pick(_WIDTHS)
    solids = [*_base(dice, width, main, own), box(0, 84, 0, width, _HEIGHT, _DEPTH, own.worktop)]
    return compose(width, _DEPTH, _HEIGHT, solids, [Top(2, 3, width - 2, _DEPTH - 3, _HEIGHT, 50)])


def _sink(dice: Dice, main: Surface) -> Shape:
    """A base cabinet with one basin or two let into the worktop, and a tap behind."""
    own = _make(main)
    width = dice.pick([80, 120])
    basin: Surface = dice.pick([STEEL, STEEL, ("ceramic", "white"), ("granite", "dark grey")])
    solids = _base(dice, width, main, own)
    low = 6 if width < 100 else dice.pick([6, width - 74])
    high = low + min(68, width - 12)
    solids += [
        box(0, 84, 0, width, _HEIGHT, 14, own.worktop),
        box(0, 84, 52, width, _HEIGHT, _DEPTH, own.worktop),
        box(0, 84, 14, low, _HEIGHT, 52, own.worktop),
        box(high, 84, 14, width, _HEIGHT, 52, own.worktop),
        box(low, 84, 14, high, 84.6, 52, basin),
    ]
    middle = (low + high) // 2
    for x0, x1 in ((low, low + 1), (high - 1, high)):
        solids.append(box(x0, 84.6, 14, x1, 88, 52, basin))
    solids += [box(low, 84.6, z, high, 88, z + 1, basin) for z in (14, 51)]
    if dice.chance(50):
        solids.append(box(middle - 1, 84.6, 15, middle + 1, 87.5, 51, basin))
        drains = [(low + middle) / 2, (middle + high) / 2]
    else:
        drains = [middle]
    solids += [cylinder(x, 33, 84.6, 84.9, 4, IRON, 8) for x in drains]
    solids += _tap(middle, 8, dice.pick([STEEL, STEEL, IRON]), tall=dice.chance(50))
    tops = [Top(2, 16, low - 2, 58, _HEIGHT, 50), Top(high + 2, 16, width - 2, 58, _HEIGHT, 50)]
    return fitted(width, _DEPTH, solids, [top for top in tops if top.x1 - top.x0 >= 20])


def _tap(x: float, z: float, metal: Surface, tall: bool) -> list[Solid]:
    high = 120 if tall else 108
    bow = [
        (x, 88.0, z),
        (x, high - 6.0, z),
        (x, high, z + 5.0),
        (x, high, z + 14.0),
        (x, high - 5.0, z + 19.0),
    ]
    return [
        cylinder(x, z, 88, 91, 3, metal, 8),
        tube(bow, 1.3, metal, 6),
        box(x + 1, 93, z - 1, x + 9, 95, z + 1, metal),
    ]


def _island(dice: Dice, main: Surface) -> Shape:
    """A free-standing block with fronts on one side and an overhanging worktop."""
    own = _make(main)
    width, depth, high = dice.pick([120, 140, 160, 180]), dice.pick([75, 85, 95]), 92
    bar = dice.pick([5, 5, 25])
    edges = [5 + (width - 10) * i // (width // 50) for i in range(width // 50 + 1)]
    solids = [
        box(5, 10, bar, width - 5, 88, depth - 9, main),
        box(9, 0, bar + 4, width - 9, 10, depth - 13, DARK),
    ]
    for x0, x1 in pairwise(edges):
        solids += _unit_fronts(x0, x1, depth - 9, dice.pick(["drawers", "mixed", "door"]), main, own)
    if own.fronts != "flat":
        solids += [
            box(x, 16, bar + 8, x + 1, 80, depth - 18, own.worktop if dice.chance(20) else main)
            for x in (4, width - 5)
        ]
    if bar == 25:
        solids += [box(x, 0, 4, x + 6, 88, 10, main) for x in (6, width - 12)]
    solids.append(box(0, 88, 0, width, high, depth, own.worktop))
    return compose(width, depth, high, solids, [Top(4, 4, width - 4, depth - 4, high)])


def _wall_cabinet(dice: Dice, main: Surface) -> Shape:
    """A cabinet to hang with its lower edge 140 cm above the floor: with doors, panes or open shelves."""
    own = _make(main)
    width = dice.pick(_WIDTHS)
    depth, high = 36, 70
    columns = max(1, width // 40)
    edges = [width * i // columns for i in range(columns + 1)]
    kind = dice.pick(["doors", "doors", "glazed", "open"])
    solids = [box(0, 0, 0, width, high, 3, main), box(0, 0, 3, 2, high, 31, main)]
    solids += [box(width - 2, 0, 3, width, high, 31, main), box(2, 0, 3, width - 2, 2, 31, main)]
    solids.append(box(2, high - 2, 3, width - 2, high, 31, main))
    if kind == "open":
        solids.append(box(2, 34, 3, width - 2, 36, 31, main))
        for floor in (2, 36):
            solids += _crockery(dice, 6, width - 6, floor)
    else:
        doors = "glass" if kind == "glazed" else own.fronts
        for number, (x0, x1) in enumerate(pairwise(edges)):
            solids += front(x0, 0, x1, high, 31, main, doors)
            hinge_left = columns == 1 or number % 2 == 0
            solids.append(pull(x1 - 4 if hinge_left else x0 + 4, 12, 33, 14, True, own.handles))
    return compose(width, depth, high, solids)


def _crockery(dice: Dice, low: int, high: int, floor: int) -> list[Solid]:
    """Stacks of plates and cups on a board."""
    solids = []
    place = low
    while place < high - 14:
        tone: Surface = ("ceramic", dice.pick(["white", "white", "blue", "beige", "turquoise"]))
        tall = dice.between(8, 20, 4)
        solids.append(cylinder(place + 7, 17, floor, floor + tall, 5, tone, 8, top_radius=6.5))
        place += dice.between(15, 26)
    return solids


KITCHEN: tuple[FurnitureClass, ...] = (
    FurnitureClass("kitchen counter", _FINISHES, _COLORS, _counter, front_cm=80),
    FurnitureClass("kitchen sink", _FINISHES, _COLORS, _sink, front_cm=80),
    FurnitureClass("kitchen island", _FINISHES, _COLORS, _island, front_cm=80),
    FurnitureClass("kitchen cabinet", _FINISHES, _COLORS, _wall_cabinet, stands="wall"),
    *APPLIANCES,
)
