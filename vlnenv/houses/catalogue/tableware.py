"""Dishes, cookware and small kitchen machines that stand on tops."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import BLACK, BRIGHT, DARK, GLASS, SCREEN, STEEL, fitted
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cylinder,
    ellipsoid,
    extruded,
    lathe,
    oval,
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice

_DISHES = ("white", "white", "blue", "green", "yellow", "red", "turquoise", "pink", "grey")
_MACHINES = ("black", "white", "grey", "red", "turquoise", "cream")
_COFFEE: Surface = ("plain", "dark brown")


def _hollow(
    x: float,
    z: float,
    outside: list[tuple[float, float]],
    thick: float,
    floor: float,
    main: Surface,
    sides: int = 14,
) -> Solid:
    """A turned vessel: up its outside, over the rim and down to `floor` inside."""
    inside = [(max(r - thick, 0.3), max(y, floor)) for r, y in reversed(outside) if y >= floor]
    return lathe(x, z, [*outside, *inside, (0.3, floor)], main, sides)


def _bowl(dice: Dice, main: Surface) -> Shape:
    r, high = dice.pick([10, 12, 14]), dice.pick([7, 9])
    return fitted(
        2 * r, 2 * r, [_hollow(r, r, [(r * 0.4, 0), (r * 0.8, high * 0.45), (r, high)], 0.8, 1.2, main)]
    )


def _fruit_bowl(dice: Dice, main: Surface) -> Shape:
    r, high = 15.0, dice.pick([8, 10])
    solids = [_hollow(r, r, [(r * 0.4, 0), (r * 0.8, high * 0.45), (r, high)], 0.8, 1.2, main, 12)]
    for x, z, up in ((-5, -4, 0), (5, -4, 0), (0, 6, 0), (0, 0, 5)):
        tone: Surface = ("plain", dice.pick(["red", "orange", "yellow", "green"]))
        solids.append(ellipsoid((r + x, high - 1 + up, r + z), (4, 3.9, 4), tone, 6))
    return fitted(30, 30, solids)


def _plate(dice: Dice, main: Surface) -> Shape:
    """One plate, or a stack of them."""
    r = dice.pick([12, 13])
    outside: list[tuple[float, float]] = []
    for number in range(dice.pick([1, 1, 3])):
        outside += [(r * 0.6, number * 1.4), (r, number * 1.4 + 1.4)]
    top = outside[-1][1]
    return fitted(2 * r, 2 * r, [lathe(r, r, [*outside, (r * 0.66, top - 0.7), (0.3, top - 0.7)], main, 16)])


def _cup(dice: Dice, main: Surface) -> Shape:
    saucer = dice.chance(40)
    y = 1.0 if saucer else 0.0
    solids = [
        _hollow(7, 7, [(3, y), (4.1, y + 2), (4.4, y + 9)], 0.5, y + 7, main),
        cylinder(7, 7, y + 6, y + 7.4, 3.6, _COFFEE, 10),
    ]
    solids.append(
        tube([(11, y + 7.6, 7), (13.2, y + 7, 7), (13.2, y + 3.4, 7), (11, y + 2.6, 7)], 0.6, main, 5)
    )
    if saucer:
        solids.append(lathe(7, 7, [(4, 0), (7, 1), (4, 1)], main, 14))
    return fitted(14, 14, solids)


def _bottle(dice: Dice, main: Surface) -> Shape:
    high = dice.pick([26, 30, 32])
    label: Surface = ("paper", dice.pick(["white", "cream", "red", "black"]))
    solids = [
        lathe(4, 4, [(3.6, 0), (3.8, 1), (3.8, high * 0.55), (1.5, high * 0.74), (1.4, high - 2)], main, 12)
    ]
    return fitted(
        8,
        8,
        [
            *solids,
            cylinder(4, 4, high * 0.18, high * 0.42, 3.95, label, 12),
            cylinder(4, 4, high - 3, high, 1.7, BLACK, 8),
        ],
    )


def _pot(dice: Dice, main: Surface) -> Shape:
    """A cooking pot with lid and two handles."""
    r, high = dice.pick([11, 13]), dice.pick([11, 15])
    x = r + 4.0
    solids = [
        cylinder(x, x, 0, high, r, main, 16),
        lathe(x, x, [(r + 0.4, high), (r + 0.4, high + 1), (r * 0.5, high + 3), (1, high + 3.4)], main, 16),
    ]
    solids += [cylinder(x, x, high + 3, high + 5.4, 1.8, BLACK, 8)]
    for s in (-1, 1):
        ear = [
            (x + s * (r - 0.5), high - 3.0, x - 4),
            (x + s * (r + 3.2), high - 3.0, x - 3),
            (x + s * (r + 3.2), high - 3.0, x + 3),
            (x + s * (r - 0.5), high - 3.0, x + 4),
        ]
        solids.append(tube(ear, 0.7, BLACK, 5))
    return fitted(2 * r + 8, 2 * r + 8, solids)


def _pan(dice: Dice, main: Surface) -> Shape:
    r = dice.pick([12, 14])
    solids = [_hollow(r, r, [(r * 0.82, 0), (r, 4.5)], 0.8, 1, main)]
    solids.append(tube([(2 * r - 1.0, 3.6, r), (2 * r + 6.0, 5, r), (2 * r + 19.0, 5.6, r)], 1.1, BLACK, 6))
    return fitted(2 * r + 20, 2 * r, solids)


def _kettle(dice: Dice, main: Surface) -> Shape:
    """Tall with a handle behind, or round with a bow above."""
    if dice.chance(40):
        solids = [lathe(12, 11, [(8, 0), (10.5, 3), (10, 10), (5, 15), (2, 16), (2, 17.5)], main, 14)]
        solids += [tube([(4, 12, 11), (5, 21, 11), (12, 24, 11), (19, 21, 11), (20, 12, 11)], 1.1, BLACK, 6)]
        return fitted(28, 22, [*solids, rod((20, 7, 11), (26, 14, 11), 1.6, main, 8)])
    solids = [lathe(12, 11, [(8.6, 2), (8.8, 5), (7, 16), (6, 21), (2, 23), (1.4, 25)], main, 14)]
    solids += [
        cylinder(12, 11, 0, 2, 9, BLACK, 14),
        extruded([(17, 14), (22.6, 20), (17.4, 19.6)], "z", 9.6, 12.4, main),
    ]
    return fitted(
        23, 20, [*solids, tube([(6.5, 19, 11), (1.8, 19, 11), (1.6, 7, 11), (4.4, 5.5, 11)], 1.3, BLACK, 6)]
    )


def _toaster(dice: Dice, main: Surface) -> Shape:
    solids = [rounded_box(1, 1, 0, 29, 19, 17, main, 4, 2), box(0, 0, 1, 30, 2, 16, BLACK)]
    solids += [box(5, 18.7, z, 25, 19.1, z + 3, DARK) for z in (4, 10)]
    if dice.chance(40):
        solids += [
            rounded_box(8, 16, z + 0.4, 22, 24, z + 2.6, ("fabric", "light brown"), 1, 1) for z in (4, 10)
        ]
    return fitted(31, 17, [*solids, box(28.5, 11, 7, 31, 13, 10, BLACK)])


def _microwave(dice: Dice, main: Surface) -> Shape:
    """With a keypad, or with two knobs."""
    wide, high = dice.pick([(46, 27), (50, 29), (54, 31)])
    door = wide - 14
    solids = [rounded_box(0, 1, 0, wide, high, 36, main, 1, 1), box(2, 0, 3, wide - 2, 1.5, 33, BLACK)]
    solids += [
        box(2, 3, 36, door, high - 2, 36.6, SCREEN),
        box(door + 2, 3, 36, wide - 1, high - 2, 36.4, DARK),
    ]
    solids.append(box(door - 1.5, 4, 36.4, door, high - 3, 38.6, STEEL))
    if dice.chance(40):
        dials = [oval(wide - 6.5, y, 3, 3, 10) for y in (high * 0.3, high * 0.7)]
        return fitted(wide, 39, [*solids, *(extruded(dial, "z", 36.4, 38.6, STEEL) for dial in dials)])
    solids.append(box(door + 3, high - 7, 36.4, wide - 2, high - 3, 36.7, ("plain", "turquoise")))
    solids += [
        box(door + 3.4 + 3 * i, 5 + 4 * j, 36.4, door + 5.4 + 3 * i, 7.5 + 4 * j, 36.8, STEEL)
        for i in range(3)
        for j in range(3)
    ]
    return fitted(wide, 39, solids)


def _coffee_maker(dice: Dice, main: Surface) -> Shape:
    solids = [
        rounded_box(0, 0, 0, 22, 4, 28, main, 1, 1),
        box(0, 3, 0, 22, 34, 11, main),
        rounded_box(0, 24, 0, 22, 35, 26, main, 1.5, 1),
    ]
    if dice.chance(50):
        solids += [
            lathe(11, 19, [(5, 4), (7, 6), (7, 14), (4.6, 19)], GLASS, 12),
            cylinder(11, 19, 5, 12, 7.1, _COFFEE, 12),
        ]
        solids.append(tube([(11, 17, 24), (11, 16, 28.8), (11, 8, 28.8), (11, 7, 25)], 0.9, BLACK, 5))
    else:
        solids += [
            box(8, 19, 17, 14, 24, 22, STEEL),
            cylinder(11, 19, 4, 11, 3.6, ("ceramic", "white"), 10),
            box(2, 4, 12, 20, 4.4, 27, STEEL),
        ]
    return fitted(22, 30, [*solids, box(7, 27, 26, 15, 32, 26.4, SCREEN)])


def _tray(dice: Dice, main: Surface) -> Shape:
    """A tray with two handles, often with a pot of tea and cups on it."""
    solids = [box(1, 0, 1, 43, 1, 29, main)]
    solids += [box(x, 0, 0, x + 1.4, 4, 30, main) for x in (0, 42.6)] + [
        box(1, 0, z, 43, 3, z + 1.4, main) for z in (0, 28.6)
    ]
    if dice.chance(60):
        china: Surface = ("ceramic", dice.pick(["white", "blue", "red", "turquoise"]))
        solids += [
            ellipsoid((15, 8, 12), (7, 7, 7), china, 8),
            cylinder(15, 12, 14, 16, 1.4, china, 6),
            rod((21, 8, 12), (26, 13, 12), 1.1, china, 6),
        ]
        solids += [cylinder(x, z, 1, 7, 2.6, china, 8, top_radius=3.6) for x, z in ((33, 9), (30, 21))]
    return fitted(44, 30, solids)


TABLEWARE: tuple[FurnitureClass, ...] = (
    FurnitureClass("bowl", ("ceramic", "wood", "glass"), _DISHES, _bowl, stands="top"),
    FurnitureClass("fruit bowl", ("ceramic", "glass", "metal"), _DISHES, _fruit_bowl, stands="top"),
    FurnitureClass("plate", ("ceramic",), _DISHES, _plate, stands="top"),
    FurnitureClass("cup", ("ceramic",), BRIGHT, _cup, stands="top"),
    FurnitureClass(
        "bottle", ("glass",), ("green", "green", "brown", "blue", "white", "red"), _bottle, stands="top"
    ),
    FurnitureClass(
        "pot",
        ("metal", "enamel"),
        ("grey", "grey", "red", "blue", "white", "black", "orange"),
        _pot,
        stands="top",
    ),
    FurnitureClass("pan", ("metal",), ("black", "black", "grey", "red"), _pan, stands="top"),
    FurnitureClass("kettle", ("metal", "enamel"), _MACHINES, _kettle, stands="top"),
    FurnitureClass("toaster", ("metal", "enamel"), _MACHINES, _toaster, stands="top"),
    FurnitureClass(
        "microwave", ("enamel", "metal"), ("black", "white", "grey", "red"), _microwave, stands="top"
    ),
    FurnitureClass(
        "coffee maker", ("plastic", "metal"), ("black", "grey", "red", "white"), _coffee_maker, stands="top"
    ),
    FurnitureClass(
        "tray",
        ("wood", "metal", "plastic"),
        ("brown", "black", "white", "grey", "red", "turquoise"),
        _tray,
        stands="top",
    ),
)
