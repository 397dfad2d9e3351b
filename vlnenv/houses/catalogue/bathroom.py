"""Bathroom fixtures, and the radiators of all rooms."""

from __future__ import annotations

from collections.abc import Sequence

from vlnenv.houses.catalogue.fittings import BRASS, DARK, GLASS, IRON, STEEL, fitted, front, pull
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cylinder,
    ellipsoid,
    extruded,
    lathe,
    loft,
    oval,
    prism,
    rod,
    rounded_box,
    rounded_rectangle,
    tube,
)
from vlnenv.houses.dice import Dice

_CERAMIC = (*("white",) * 9, "beige", "pink", "green", "blue", "grey", "black")


def _tub(rings: Sequence[tuple[list[tuple[float, float]], float]], surface: Surface) -> Solid:
    """A shell through outlines in x and z at heights: up the outside, down the inside."""
    return loft([[(x, y, z) for x, z in outline] for outline, y in rings], surface)


def _faucet(x: float, y: float, z: float, metal: Surface) -> list[Solid]:
    """A basin tap 16 cm high that reaches 12 cm forward."""
    bow = [(x, y, z), (x, y + 13.0, z), (x, y + 15.0, z + 3.0), (x, y + 14.0, z + 10.0)]
    return [tube(bow, 1.3, metal, 6), rod((x - 5, y + 3, z), (x + 5, y + 3, z), 1.2, metal, 6)]


def _toilet(dice: Dice, main: Surface) -> Shape:
    width, depth, high = 38, 68, dice.pick([76, 80])
    seat: Surface = dice.pick([main, main, ("wood", "brown"), ("plastic", "black")])
    bowl = _tub(
        [
            (oval(19, 36, 11, 22, 16), 0),
            (oval(19, 36, 10, 20, 16), 14),
            (oval(19, 42, 16, 23, 16), 30),
            (oval(19, 44, 18.5, 23.5, 16), 38),
            (oval(19, 44, 18.5, 23.5, 16), 40),
            (oval(19, 45, 13, 18, 16), 40),
            (oval(19, 44, 8, 10, 16), 28),
        ],
        main,
    )
    solids = [
        bowl,
        rounded_box(1, 38, 0, 37, high - 3, 19, main, 3, 2),
        rounded_box(0, high - 3, 0, 38, high, 20, main, 1.4, 1),
    ]
    solids += [box(8, 0, 4, 30, 38, 20, main), cylinder(19, 10, high - 0.5, high, 3, STEEL, 8)]
    ring = _tub(
        [
            (oval(19, 44, 18.8, 23.8, 16), 40),
            (oval(19, 44, 18.8, 23.8, 16), 42),
            (oval(19, 45, 11, 16, 16), 42),
            (oval(19, 45, 11, 16, 16), 40),
        ],
        seat,
    )
    solids.append(ring)
    if dice.chance(45):
        solids.append(prism(oval(19, 44, 18.4, 23.4, 16), 42.2, 44.2, seat))
    else:
        solids.append(extruded(oval(19, 60, 18, 18, 16), "z", 20.5, 22.5, seat))
    return fitted(width, depth, solids)


def _sink(dice: Dice, main: Surface) -> Shape:
    kind = dice.pick(["pedestal", "vanity", "vanity", "bowl"])
    metal = dice.pick([STEEL, STEEL, BRASS, IRON])
    if kind == "pedestal":
        width, depth = dice.pick([52, 58, 64]), 46
        middle, centre = width / 2, 26
        outer, inner = width / 2 - 0.5, width / 2 - 6
        basin = _tub(
            [
                (oval(middle, 24, 8, 8, 20), 64),
                (oval(middle, 25, outer * 0.75, 17, 20), 72),
                (oval(middle, 24.5, outer, 21, 20), 82),
                (oval(middle, 24.5, outer, 21, 20), 84),
                (oval(middle, centre, inner, 15, 20), 84),
                (oval(middle, centre, inner * 0.7, 10, 20), 72),
            ],
            main,
        )
        foot = lathe(middle, 22, [(13, 0), (12, 4), (8, 14), (7, 50), (9, 66)], main, 12)
        solids = [
            basin,
            foot,
            box(middle - 16, 76, 0, middle + 16, 86, 9, main),
            *_faucet(middle, 86, 6, metal),
        ]
        return fitted(width, depth, solids)
    width, depth = dice.pick([60, 80, 100]), 48
    body: Surface = ("enamel", main[1])
    middle = width / 2
    doors = dice.pick(["flat", "framed"])
    solids = [box(1, 12, 0, width - 1, 78, 43, body), box(4, 0, 3, width - 4, 12, 38, DARK)]
    half = (width - 2) / 2
    for x0 in (1, 1 + half):
        solids += front(x0, 12, x0 + half, 78, 43, body, doors)
    solids += [pull(middle + s * 4, 60, 44.9, 14, True, metal) for s in (-1, 1)]
    if kind == "bowl":
        solids = [
            lathe(middle, 25, [(9, 82), (18, 90), (20, 96), (19, 96), (16, 90), (6, 84.5)], main, 16),
            *solids,
        ]
        solids += [
            box(
                0,
                78,
                0,
                width,
                82,
                depth,
                dice.pick([("marble", "white"), ("wood", "brown"), ("granite", "black")]),
            )
        ]
        solids += _faucet(middle, 82, 4, metal)
        tops = [Top(2, 6, width // 2 - 22, 44, 82, 50), Top(width // 2 + 22, 6, width - 2, 44, 82, 50)]
        tops = [top for top in tops if top.x1 - top.x0 >= 14]
        return fitted(width, depth, solids, tops)
    slab = rounded_rectangle(0, 0, width, depth, 3, 4)
    hole = oval(middle, 27, min(width / 2 - 6, 26), 15, 20)
    solids = [_tub([(slab, 78), (slab, 84), (hole, 84), (oval(middle, 27, 12, 8, 20), 78.5)], main), *solids]
    solids += _faucet(middle, 84, 6, metal)
    tops = [Top(2, 6, int(middle) - 30, 44, 84, 50), Top(int(middle) + 30, 6, width - 2, 44, 84, 50)]
    return fitted(width, depth, solids, [top for top in tops if top.x1 - top.x0 >= 14])


def _bathtub(dice: Dice, main: Surface) -> Shape:
    width, depth, high = dice.pick([160, 170, 180]), dice.pick([72, 78]), 58
    metal = dice.pick([STEEL, BRASS])
    middle, centre = width / 2, depth / 2
    if dice.chance(45):
        shell = _tub(
            [
                (oval(middle, centre, middle * 0.70, centre * 0.62, 24), 9),
                (oval(middle, centre, middle * 0.90, centre * 0.85, 24), 24),
                (oval(middle, centre, middle - 0.1, centre - 0.1, 24), high - 2),
                (oval(middle, centre, middle - 0.1, centre - 0.1, 24), high),
                (oval(middle, centre, middle - 5, centre - 5, 24), high),
                (oval(middle, centre, middle * 0.72, centre * 0.58, 24), 16),
            ],
            main,
        )
        feet = [
            ellipsoid((middle + sx * middle * 0.5, 5, centre + sz * centre * 0.4), (4, 5, 4), metal, 8)
            for sx in (-1, 1)
            for sz in (-1, 1)
        ]
        tap = [
            rod((middle, 0, 1.5), (middle, high + 14, 1.5), 1.2, metal),
            rod((middle, high + 14, 1.5), (middle, high + 12, 14), 1.4, metal),
        ]
        return fitted(width, depth, [shell, *feet, *tap])
    rim = rounded_rectangle(0, 0, width, depth, 3, 5)
    apron = rounded_rectangle(3, 3, width - 3, depth - 3, 1, 5)
    inner = rounded_rectangle(7, 7, width - 7, depth - 7, 20, 5)
    floor = rounded_rectangle(18, 14, width - 26, depth - 14, 14, 5)
    rings = [(apron, 0), (apron, high - 5), (rim, high - 5), (rim, high), (inner, high), (floor, 14)]
    solids = [_tub(rings, main)]
    if dice.chance(40):
        panel: Surface = dice.pick([("wall tiles", "white"), ("wall panels", "white"), ("wood", "brown")])
        solids += [box(x, 0, 1, x + 2, high - 5, depth - 1, panel) for x in (1, width - 3)]
        solids.append(box(1, 0, depth - 3, width - 1, high - 5, depth - 1, panel))
    solids += [tube([(6, high, centre), (6, high + 12.0, centre), (16, high + 12.0, centre)], 1.4, metal, 6)]
    solids += [cylinder(5, centre + s * 10, high, high + 5, 2.5, metal, 8) for s in (-1, 1)]
    return fitted(width, depth, solids)


def _shower(dice: Dice, main: Surface) -> Shape:
    """A corner cabin: tray, two tiled walls, two panes in frames, one of them open halfway."""
    side, high = dice.pick([80, 90, 100]), 205
    metal = dice.pick([STEEL, STEEL, IRON])
    tiles: Surface = ("wall tiles", dice.pick(["white", "light blue", "beige", "light green"]))
    tray = _tub(
        [
            (rounded_rectangle(0, 0, side, side, 2, 1), 0),
            (rounded_rectangle(0, 0, side, side, 2, 1), 12),
            (rounded_rectangle(5, 5, side - 5, side - 5, 4, 1), 12),
            (rounded_rectangle(8, 8, side - 8, side - 8, 4, 1), 8),
        ],
        main,
    )
    solids = [tray, box(0, 12, 0, side, high, 2, tiles), box(0, 12, 2, 2, high, side - 2, tiles)]
    solids += [cylinder(side / 2, side / 2, 8, 8.4, 4, metal, 8)]
    pane = side // 2
    solids += [
        box(2, 13, side - 3, pane, high - 3, side - 2, GLASS),
        box(side - 3, 13, 2, side - 2, high - 3, side - 3, GLASS),
    ]
    solids += [box(x, 12, side - 4, x + 2, high, side - 1, metal) for x in (2, pane, side - 4)]
    solids += [
        box(2, high - 3, side - 4, side - 1, high, side - 1, metal),
        box(side - 4, high - 3, 2, side - 1, high, side - 4, metal),
    ]
    solids += [
        box(side - 4, 12, 2, side - 1, high, 4, metal),
        box(pane + 3, 100, side - 4, pane + 5, 124, side, metal),
    ]
    solids += [
        rod((side / 2, 100, 4), (side / 2, 198, 4), 1.1, metal),
        rod((side / 2, 198, 4), (side / 2, 198, 26), 1.1, metal),
    ]
    solids += [
        cylinder(side / 2, 26, 194, 197, 10, metal, 12),
        box(side / 2 - 10, 104, 2, side / 2 + 10, 109, 7, metal),
    ]
    solids += [
        box(4, 100, 4, 18, 101.5, 14, metal),
        cylinder(8, 8, 101.5, 118, 3, ("plastic", "blue"), 8),
        cylinder(14, 9, 101.5, 114, 2.6, ("plastic", "yellow"), 8),
    ]
    return compose(side, side, high, solids)


def _towel_rack(dice: Dice, main: Surface) -> Shape:
    """Rails with towels over them; hangs with its lower edge 60 to 90 cm above the floor."""
    metal = dice.pick([STEEL, IRON, BRASS])
    width = dice.pick([50, 60, 70])
    second: Surface = ("towel", dice.pick(["white", "beige", main[1]]))
    if dice.chance(45):
        high, levels = 90, (20.0, 52.0, 84.0)
        solids = [box(x, 0, 4, x + 3, high, 7, metal) for x in (0, width - 3)]
        solids += [
            rod((1.5, y + d, 5.5), (width - 1.5, y + d, 5.5), 1.0, metal) for y in levels for d in (-8, 0)
        ]
        solids += [box(x, y, 0, x + 3, y + 3, 4, metal) for x in (0, width - 3) for y in (6, high - 10)]
        folds = [(6, width - 6, 84.0, 28, main), (10, width - 14, 52.0, 26, second)]
    else:
        drop = dice.pick([42, 48, 56])
        high = drop + 4
        solids = [rod((1, drop + 2, 6), (width - 1, drop + 2, 6), 1.0, metal)]
        solids += [box(x, drop - 1, 0, x + 2, high, 7, metal) for x in (0, width - 2)]
        cut = dice.pick([width // 2, width - 6])
        folds = [(4, cut - 1, drop + 2.0, drop, main)]
        if cut == width // 2:
            folds.append((cut + 1, width - 4, drop + 2.0, 34, second))
    cloths = [
        part
        for x0, x1, y, drop, cloth in folds
        for part in _draped(x0, x1, y, drop, 5.5 if high == 90 else 6.0, cloth)
    ]
    return compose(width, 10, high, [*cloths, *solids])


def _draped(x0: float, x1: float, y: float, drop: float, z: float, cloth: Surface) -> list[Solid]:
    """A towel over a rail at (y, z): a front and a shorter back flap joined on top."""
    return [
        rounded_box(x0, y - drop, z + 0.8, x1, y + 1.8, z + 3.2, cloth, 1, 1),
        rounded_box(x0, y - drop * 0.7, z - 2.8, x1, y + 1.8, z - 0.8, cloth, 0.9, 1),
        box(x0, y + 0.9, z - 2, x1, y + 1.9, z + 2.5, cloth),
    ]


def _radiator(dice: Dice, main: Surface) -> Shape:
    width, high = dice.pick([60, 80, 100, 120]), dice.pick([55, 65])
    if dice.chance(50):
        count = width // 10
        solids = [rounded_box(i * 10 + 1, 6, 3, i * 10 + 9, high, 13, main, 3, 1) for i in range(count)]
        solids += [box(4, y, 6, width - 4, y + 4, 10, main) for y in (10, high - 8)]
        solids += [box(x, 0, 5, x + 4, 8, 11, main) for x in (3, width - 7)]
    else:
        solids = [box(0, 8, 3, width, high, 11, main), box(1, high, 2, width - 1, high + 1, 12, main)]
        solids += [box(3 + i * 4, 11, 11, 5.4 + i * 4, high - 3, 12, main) for i in range((width - 5) // 4)]
        solids += [rod((x, 0, 6), (x, 10, 6), 1.2, STEEL) for x in (6, width - 6)]
    solids += [
        rod((width - 3, 12, 2), (width - 3, 12, 14), 1.5, STEEL),
        cylinder(width - 3, 8, 14, 17, 2.2, STEEL, 8),
    ]
    return fitted(width, 14, solids)


def _laundry_basket(dice: Dice, main: Surface) -> Shape:
    width, high = dice.pick([42, 48]), dice.pick([48, 56, 62])
    r = width / 2
    shell = lathe(
        r,
        r,
        [(r * 0.78, 0), (r * 0.96, high - 4), (r, high - 3), (r, high), (r - 3, high), (r * 0.7, high - 14)],
        main,
        16,
    )
    cloth: Surface = ("fabric", dice.pick(["white", "blue", "red", "yellow", "light grey"]))
    other: Surface = ("fabric", dice.pick(["white", "green", "pink", "grey"]))
    heap = [
        ellipsoid((r - 4, high - 4, r), (r * 0.5, 8, r * 0.45), cloth, 10),
        ellipsoid((r + 6, high - 4, r + 4), (r * 0.42, 7, r * 0.4), other, 10),
    ]
    return fitted(width, width, [shell, *heap])


BATHROOM: tuple[FurnitureClass, ...] = (
    FurnitureClass("toilet", ("ceramic",), _CERAMIC, _toilet, front_cm=55),
    FurnitureClass("sink", ("ceramic",), _CERAMIC, _sink, front_cm=55),
    FurnitureClass("bathtub", ("ceramic",), _CERAMIC, _bathtub, front_cm=55),
    FurnitureClass(
        "shower", ("ceramic",), ("white", "white", "white", "grey", "beige", "black"), _shower, front_cm=60
    ),
    FurnitureClass(
        "towel rack",
        ("towel",),
        ("red", "blue", "green", "white", "yellow", "orange", "purple", "pink", "turquoise", "brown"),
        _towel_rack,
        stands="wall",
    ),
    FurnitureClass("radiator", ("enamel",), ("white", "white", "white", "grey", "black", "beige"), _radiator),
    FurnitureClass(
        "laundry basket",
        ("wicker", "wicker", "plastic"),
        ("beige", "brown", "white", "grey", "blue", "green", "pink"),
        _laundry_basket,
    ),
)
