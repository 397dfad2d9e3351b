"""Lamps that stand on the floor or hang from the ceiling, where the top of their box is."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import BRASS, GLOW, IRON, STEEL, fitted
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    cosines,
    cylinder,
    ellipsoid,
    lathe,
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice

SHADE_FINISHES = ("fabric", "linen", "linen", "paper")
SHADE_COLORS = (
    "white",
    "white",
    "yellow",
    "beige",
    "cream",
    "red",
    "blue",
    "green",
    "orange",
    "black",
    "turquoise",
)
_METALS = (STEEL, BRASS, IRON)


def shade(
    x: float, z: float, y0: float, y1: float, low: float, high: float, surface: Surface, sides: int = 16
) -> list[Solid]:
    """A lampshade open at both ends, and the bulb that glows in it."""
    wall = [(low, y0), (high, y1), (high - 0.8, y1), (low - 0.8, y0), (low, y0)]
    middle = (y0 + y1) / 2
    return [lathe(x, z, wall, surface, sides), ellipsoid((x, middle, z), (3.5, 4.5, 3.5), GLOW, 8)]


def _floor_lamp(dice: Dice, main: Surface) -> Shape:
    kind = dice.pick(["straight", "straight", "tripod", "arc"])
    metal = dice.pick(_METALS)
    high = dice.between(145, 170, 5)
    if kind == "arc":
        width, depth = 110, 40
        bow = [
            (18.0, 3.0, 20.0),
            (18.0, high - 40.0, 20.0),
            (26.0, high - 16.0, 20.0),
            (44.0, high - 4.0, 20.0),
            (66.0, high - 2.0, 20.0),
            (84.0, high - 12.0, 20.0),
            (90.0, high - 24.0, 20.0),
        ]
        solids = shade(90, 20, high - 46, high - 24, 20, 11, main)
        return fitted(
            width,
            depth,
            [
                *solids,
                cylinder(18, 20, 0, 4, 17, dice.pick([("marble", "white"), IRON]), 16),
                tube(bow, 1.4, metal, 6),
            ],
        )
    radius = dice.pick([18, 21, 24])
    width = 2 * radius if kind == "straight" else max(2 * radius, 46)
    middle = width / 2
    solids = shade(middle, middle, high - 32, high, radius, radius * dice.pick([6, 8, 10]) // 10, main)
    solids.append(rod((middle, high - 40, middle), (middle, high - 3, middle), 0.6, metal))
    if kind == "straight":
        solids += [
            lathe(middle, middle, [(14, 0), (14, 2), (3, 4), (1.3, 6)], metal, 16),
            cylinder(middle, middle, 4, high - 34, 1.4, metal, 8),
        ]
    else:
        wood: Surface = ("wood", dice.pick(["light brown", "brown", "black"]))
        turn = cosines(12)
        solids += [
            rod(
                (middle + turn[k] * 20, 0.8, middle + turn[(k + 9) % 12] * 20),
                (middle + turn[k] * 2, high - 36, middle + turn[(k + 9) % 12] * 2),
                1.5,
                wood,
            )
            for k in (1, 5, 9)
        ]
        solids.append(cylinder(middle, middle, high - 40, high - 34, 4, wood, 8))
    return fitted(width, width, solids)


def _ceiling_lamp(dice: Dice, main: Surface) -> Shape:
    kind = dice.pick(["pendant", "drum", "globe", "bell", "flush", "spots"])
    metal = dice.pick(_METALS)
    if kind == "flush":
        width, high = dice.pick([36, 44, 52]), 14
        r = width / 2
        return compose(
            width,
            width,
            high,
            [
                lathe(r, r, [(r * 0.5, 0), (r * 0.9, 4), (r, 9), (r, 11), (r * 0.9, 11)], main, 20),
                cylinder(r, r, 11, high, r * 0.92, metal, 20),
            ],
        )
    if kind == "spots":
        width = 70
        solids: list[Solid] = [cylinder(x, 9, 2, 14, 5, main, 10, top_radius=3.5) for x in (9, 35, 61)]
        solids += [cylinder(x, 9, 1.6, 2.2, 4, GLOW, 10) for x in (9, 35, 61)]
        solids += [
            rounded_box(2, 20, 6, 68, 23, 12, metal, 1, 1),
            *(rod((x, 13, 9), (x, 21, 9), 0.8, metal) for x in (9, 35, 61)),
        ]
        return fitted(width, 18, solids)
    width, high = dice.pick([36, 44, 52]), dice.pick([55, 65, 75])
    r = width / 2
    cord = rod((r, 20, r), (r, high - 3, r), 0.6, IRON, 4)
    rose = cylinder(r, r, high - 3, high, 5, metal, 10)
    if kind == "globe":
        body = [ellipsoid((r, r * 0.9, r), (r * 0.9, r * 0.9, r * 0.9), main, 16)]
    elif kind == "drum":
        body = shade(r, r, 0, 22, r, r, main, 20)
    elif kind == "bell":
        body = [
            lathe(
                r,
                r,
                [
                    (r, 0),
                    (r * 0.94, 6),
                    (r * 0.6, 16),
                    (3, 24),
                    (3, 28),
                    (2, 24),
                    (r * 0.52, 15),
                    (r * 0.9, 5),
                    (r, 0),
                ],
                main,
                16,
            ),
            ellipsoid((r, 8, r), (4, 5, 4), GLOW, 8),
        ]
    else:
        body = shade(r, r, 0, 24, r, r * 0.4, main, 16)
    return compose(width, width, high, [*body, cord, rose])


def _chandelier(dice: Dice, main: Surface) -> Shape:
    arms, width, high = dice.pick([5, 6, 8]), dice.pick([64, 74, 84]), dice.pick([66, 76, 86])
    middle, reach = width / 2, width / 2 - 5
    turn = cosines(arms * 4)
    solids = [
        lathe(middle, middle, [(1, 0), (4, 5), (2, 14), (5, 20), (3, 27), (1.5, 34), (1.5, 44)], main, 10)
    ]
    lampshades = dice.chance(50)
    for k in range(arms):
        cos, sin = turn[4 * k], turn[(4 * k - arms) % (4 * arms)]
        x, z = middle + reach * cos, middle + reach * sin
        bow = [
            (middle + 3 * cos, 22.0, middle + 3 * sin),
            (middle + reach * 0.5 * cos, 13.0, middle + reach * 0.5 * sin),
            (middle + reach * 0.9 * cos, 15.0, middle + reach * 0.9 * sin),
            (x, 23.0, z),
        ]
        solids += [tube(bow, 0.9, main, 5), cylinder(x, z, 23, 25, 3, main, 6)]
        if lampshades:
            solids.append(cylinder(x, z, 28, 38, 5, ("linen", "cream"), 8, top_radius=3))
        else:
            solids += [
                cylinder(x, z, 25, 33, 1.1, ("plain", "white"), 6),
                ellipsoid((x, 35, z), (1.3, 2.6, 1.3), GLOW, 6),
            ]
    solids += [
        rod((middle, 40, middle), (middle, high - 4, middle), 0.7, main, 5),
        lathe(middle, middle, [(2, high - 5), (6, high - 1), (6, high)], main, 10),
    ]
    return compose(width, width, high, solids)


LAMPS: tuple[FurnitureClass, ...] = (
    FurnitureClass("floor lamp", SHADE_FINISHES, SHADE_COLORS, _floor_lamp),
    FurnitureClass(
        "ceiling lamp",
        SHADE_FINISHES,
        ("white", "white", "white", "yellow", "black", "grey", "beige", "green", "red"),
        _ceiling_lamp,
        stands="ceiling",
    ),
    FurnitureClass(
        "chandelier", ("metal",), ("black", "black", "white", "grey", "brown"), _chandelier, stands="ceiling"
    ),
)
