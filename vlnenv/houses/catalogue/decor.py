"""What makes rooms homely: rugs, fireplaces, tall clocks, fish tanks, statues, globes."""

from __future__ import annotations

from dataclasses import replace

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    BRASS,
    IRON,
    SCREEN,
    fitted,
    front,
    shown,
)
from vlnenv.houses.catalogue.lamps import LAMPS
from vlnenv.houses.catalogue.parts import frame
from vlnenv.houses.catalogue.plants import PLANTS
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.catalogue.wall_pieces import WALL_PIECES
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cylinder,
    ellipsoid,
    extruded,
    frustum,
    lathe,
    oval,
    prism,
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice


def _rug(dice: Dice, main: Surface) -> Shape:
    """One centimetre thick, with a border or fringes; round ones are plain."""
    width, depth = dice.pick([(120, 80), (170, 120), (200, 140), (240, 170), (300, 200), (80, 200)])
    second: Surface = ("carpet", dice.pick(["cream", "white", "dark grey", "brown", "light grey", "gold"]))
    kind = dice.pick(["border", "border", "fringes", "plain", "round"])
    if kind == "round":
        width = depth = dice.pick([120, 150, 180])
        r = width / 2
        solids: list[Solid] = [
            prism(oval(r, r, r - 8, r - 8, 32), 0, 1, main),
            prism(oval(r, r, r, r, 32), 0, 0.7, second),
        ]
    elif kind == "border":
        rim = dice.pick([6, 9, 12])
        solids = [box(rim, 0, rim, width - rim, 1, depth - rim, main), box(0, 0, 0, width, 0.7, depth, main)]
        solids += [
            box(x0, 0, z0, x1, 0.9, z1, second)
            for x0, z0, x1, z1 in (
                (rim / 3, rim / 3, width - rim / 3, rim),
                (rim / 3, depth - rim, width - rim / 3, depth - rim / 3),
                (rim / 3, rim, rim, depth - rim),
                (width - rim, rim, width - rim / 3, depth - rim),
            )
        ]
    elif kind == "fringes":
        solids = [box(6, 0, 0, width - 6, 1, depth, main)]
        solids += [
            box(x, 0, z, x + 6, 0.4, z + 2, second) for x in (0, width - 6) for z in range(1, depth - 2, 5)
        ]
    else:
        solids = [rounded_box(0, 0, 0, width, 1, depth, main, 0.5, 1)]
    return compose(width, depth, 1, solids)


def _fireplace(dice: Dice, main: Surface) -> Shape:
    """Hearth, opening with logs and flames, mantelpiece; with or without a chimney breast."""
    width, depth = dice.pick([140, 160]), 45
    breast = dice.chance(35)
    mantel: Surface = dice.pick([("wood", "brown"), ("wood", "white"), ("wood", "dark brown"), main])
    left, right, soot = 34, width - 34, ("brick", "dark grey")
    solids = [
        box(4, 6, 0, left, 104, 36, main),
        box(right, 6, 0, width - 4, 104, 36, main),
        box(left, 76, 0, right, 104, 36, main),
    ]
    solids += [
        box(left, 6, 0, right, 76, 4, soot),
        box(left, 6, 4, left + 2, 76, 34, soot),
        box(right - 2, 6, 4, right, 76, 34, soot),
    ]
    solids += [box(0, 0, 0, width, 6, depth, ("stone", "grey")), box(0, 104, 0, width, 110, 42, mantel)]
    solids += [
        rod((left + 8, 12, 16), (right - 8, 12, 18), 4, ("bark", "brown"), 8),
        rod((left + 10, 13, 26), (right - 12, 11, 24), 4, ("bark", "brown"), 8),
        rod((left + 14, 19, 20), (right - 16, 18, 22), 3.6, ("bark", "dark brown"), 8),
    ]
    if dice.chance(60):
        solids += [
            lathe(
                left + 16 + i * (right - left - 32) / 4,
                21,
                [(2, 16), (5, 22), (3, 28 + i % 2 * 8), (0.4, 36 + i % 2 * 10)],
                ("plain", tone),
                6,
            )
            for i, tone in enumerate(("orange", "yellow", "orange", "yellow", "orange"))
        ]
    solids += [rod((x, 6, 33), (x, 24, 33), 1, IRON) for x in (left + 6, right - 6)] + [
        rod((left + 6, 12, 33), (right - 6, 12, 33), 0.8, IRON)
    ]
    if mantel != main:
        solids += [box(x, 6, 36, x + 14, 104, 38, mantel) for x in (8, width - 22)]
    tops = [Top(3, 6, width - 3, 40, 110, 50)]
    if breast:
        solids.append(box(14, 110, 0, width - 14, 250, 24, main))
        tops = [Top(3, 26, width - 3, 40, 110, 50)]
        return compose(width, depth, 250, solids, tops)
    return compose(width, depth, 110, solids, tops)


def _grandfather_clock(dice: Dice, main: Surface) -> Shape:
    width, depth, high = 46, 28, dice.pick([190, 205])
    solids = [
        box(0, 0, 0, width, 34, depth - 2, main),
        box(5, 34, 0, width - 5, high - 60, depth - 6, main),
        box(1, high - 60, 0, width - 1, high - 10, depth - 2, main),
    ]
    solids += [
        extruded(
            [(1, high - 10), (width - 1, high - 10), (width - 6, high - 6), (width / 2, high), (6, high - 6)],
            "z",
            0,
            depth - 2,
            main,
        )
    ]
    solids += [box(0, 34, 0, width, 37, depth - 1, main), box(0, high - 62, 0, width, high - 59, depth, main)]
    solids += [
        *front(4, 4, width - 4, 31, depth - 2, main, "framed"),
        box(11, 44, depth - 6, width - 11, high - 68, depth - 5.5, SCREEN),
    ]
    solids += [
        rod((23, high - 74, depth - 5), (23, 66, depth - 5), 0.5, BRASS, 5),
        extruded(oval(23, 62, 6, 6, 12), "z", depth - 5.4, depth - 4, BRASS),
    ]
    solids += [shown(6, high - 54, depth - 2, width - 6, high - 20, depth - 1, ("clock face", "cream"))]
    solids += frame(4, high - 56, width - 4, high - 18, depth - 2, depth - 0.2, 2, BRASS)
    return compose(width, depth, high, solids)


def _fish_tank(dice: Dice, main: Surface) -> Shape:
    """A tank on a stand of the main surface; the water hides what is behind it, so fish swim at the pane."""
    width, depth, stand = dice.pick([80, 100, 120]), 42, dice.pick([66, 74])
    solids = [box(0, 6, 0, width, stand, depth - 5, main), box(3, 0, 3, width - 3, 6, depth - 8, BLACK)]
    half = width / 2
    for x0 in (0, half):
        solids += front(x0, 7, x0 + half, stand - 1, depth - 5, main, "framed")
    solids += [
        box(1, stand, 1, width - 1, stand + 5, depth - 5, ("stone", "beige")),
        box(1, stand + 5, 1, width - 1, stand + 44, depth - 5, ("glass", "water")),
    ]
    solids.append(rounded_box(0, stand + 44, 0, width, stand + 50, depth - 4, BLACK, 1, 1))
    for _ in range(6):
        x, y = dice.between(12, width - 14), stand + dice.between(12, 38)
        tone: Surface = ("plain", dice.pick(["orange", "yellow", "red", "blue"]))
        solids += [
            ellipsoid((x, y, depth - 5), (4, 2, 1), tone, 8),
            extruded([(x + 3, y), (x + 6, y + 2), (x + 6, y - 2)], "z", depth - 5.4, depth - 4.6, tone),
        ]
    for x in range(8, width - 8, dice.pick([15, 18])):
        solids.append(
            frustum(
                (x, depth - 6, x + 3, depth - 4.6),
                stand + 5,
                (x + 1, depth - 5.2, x + 1.5, depth - 4.8),
                stand + dice.between(16, 34),
                ("leaf", "green"),
            )
        )
    return compose(width, depth, stand + 50, solids, [Top(4, 4, width - 4, depth - 8, stand + 50, 40)])


def _statue(dice: Dice, main: Surface) -> Shape:
    """A bust, a figure or an abstract form on a plinth."""
    kind = dice.pick(["bust", "figure", "form"])
    base: Surface = dice.pick([("marble", "dark grey"), ("wood", "black"), ("stone", "light grey"), main])
    y, x = float(dice.pick([60, 80])), 20.0
    plinth = [
        box(2, 0, 2, 38, 5, 38, base),
        frustum((5, 5, 35, 35), 5, (7, 7, 33, 33), y - 4, base),
        box(4, y - 4, 4, 36, y, 36, base),
    ]
    if kind == "bust":
        solids = [
            lathe(x, x, [(9, y), (8, y + 4), (4, y + 8), (4, y + 12)], main, 12),
            ellipsoid((x, y + 20, x), (18, 11, 10), main, 12),
            cylinder(x, x, y + 24, y + 38, 5, main, 10),
            ellipsoid((x, y + 45, x + 1), (8.5, 12, 10), main, 12),
            ellipsoid((x, y + 43, x + 11), (1.8, 3, 2.4), main, 6),
        ]
    elif kind == "figure":
        solids = [cylinder(x, x, y, y + 3, 12, main, 12)]
        solids += [
            tube([(x + s * 4, y + 3, x), (x + s * 5, y + 24, x + 1), (x + s * 4, y + 46, x)], 3.4, main, 8)
            for s in (-1, 1)
        ]
        solids += [
            ellipsoid((x, y + 60, x), (9, 17, 6.5), main, 10),
            ellipsoid((x, y + 85, x), (5.5, 7, 6), main, 10),
            cylinder(x, x, y + 74, y + 80, 2.8, main, 8),
        ]
        solids += [
            tube([(x - 8, y + 70, x), (x - 14, y + 56, x + 4), (x - 8, y + 46, x + 9)], 2.4, main, 6),
            tube([(x + 8, y + 70, x), (x + 15, y + 80, x + 2), (x + 11, y + 96, x)], 2.4, main, 6),
        ]
    else:
        solids = [
            lathe(
                x,
                x,
                [(10, y), (4, y + 8), (13, y + 24), (15, y + 34), (6, y + 46), (9, y + 56), (1, y + 66)],
                main,
                14,
            )
        ]
    return fitted(40, 40, [*solids, *plinth])


def _globe(dice: Dice, main: Surface) -> Shape:
    """A world globe on a stand; the sea is the main surface."""
    foot: Surface = ("wood", dice.pick(["brown", "dark brown", "black"]))
    high = dice.pick([95, 105])
    y, x, r = high - 25.0, 25.0, 20.0
    ball = ellipsoid((x, y, x), (r, r, r), main, 20)
    # The whole map on each half of the ball.
    ball = replace(ball, uv=ball.uv * (100.0 / (2 * r + 2)))
    meridian = [
        (x + dx * 22.5, y + dy * 22.5, x)
        for dx, dy in ((0, -1), (-0.71, -0.71), (-1, 0), (-0.71, 0.71), (0, 1))
    ]
    solids = [ball, tube(meridian, 1.0, BRASS, 6), cylinder(x, x, 30, y - 21, 2.2, foot, 8)]
    solids += [lathe(x, x, [(5, 26), (6, 30), (3, 36), (4, 44)], foot, 10)]
    solids += [
        tube([(x, 30, x), (x + dx * 12, 20, x + dz * 12), (x + dx * 20, 1.4, x + dz * 20)], 1.4, foot, 6)
        for dx, dz in ((0, 1), (0.87, -0.5), (-0.87, -0.5))
    ]
    return fitted(50, 50, solids)


DECOR: tuple[FurnitureClass, ...] = (
    FurnitureClass(
        "rug",
        ("carpet", "shag", "striped rug", "checked rug", "diamond rug", "persian rug", "persian rug"),
        ("red", "blue", "green", "yellow", "orange", "purple", "brown", "grey", "beige", "pink", "turquoise"),
        _rug,
    ),
    FurnitureClass(
        "fireplace",
        ("brick", "brick", "stone", "marble"),
        ("red", "brown", "grey", "white", "beige"),
        _fireplace,
        front_cm=60,
    ),
    FurnitureClass(
        "grandfather clock", ("wood", "oak"), ("brown", "brown", "black", "white"), _grandfather_clock
    ),
    FurnitureClass(
        "fish tank", ("wood", "enamel"), ("black", "brown", "white", "grey"), _fish_tank, front_cm=50
    ),
    FurnitureClass(
        "statue", ("marble", "stone", "metal"), ("white", "white", "grey", "black", "brown", "beige"), _statue
    ),
    FurnitureClass("globe", ("world map",), ("blue", "blue", "turquoise", "beige"), _globe),
    *LAMPS,
    *WALL_PIECES,
    *PLANTS,
)
