"""Small things that stand on tops."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    BRASS,
    BRIGHT,
    DARK,
    GLOW,
    IRON,
    SCREEN,
    STEEL,
    fitted,
    painted,
    shown,
)
from vlnenv.houses.catalogue.lamps import SHADE_COLORS, SHADE_FINISHES, shade
from vlnenv.houses.catalogue.parts import frame
from vlnenv.houses.catalogue.plants import FLOWER_POT
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape
from vlnenv.houses.catalogue.tableware import TABLEWARE
from vlnenv.houses.dice import Dice
from vlnenv.houses.solids import (
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

_GADGETS = ("black", "black", "white", "grey")


def _table_lamp(dice: Dice, main: Surface) -> Shape:
    """The shade is the main surface; the foot is turned, a ball or a column."""
    radius, high = dice.pick([12, 14, 16]), dice.pick([38, 46, 54])
    foot: Surface = dice.pick(
        [("ceramic", "white"), ("ceramic", "blue"), BRASS, ("wood", "brown"), IRON, STEEL]
    )
    x = float(radius)
    low = high - radius * 1.3
    profiles: list[list[tuple[float, float]]] = [
        [(7, 0), (7, 1.5), (2, 3), (5, low * 0.35), (6, low * 0.55), (2, low * 0.9), (1, low)],
        [(4, 0), (4, 1), (8, low * 0.3), (8.5, low * 0.5), (3, low * 0.85), (1, low)],
        [(8, 0), (8, 2), (2, 2.5), (1.5, low)],
    ]
    solids = shade(x, x, low - 2, high, radius, radius * 0.6, main, 12)
    return fitted(2 * radius, 2 * radius, [*solids, lathe(x, x, dice.pick(profiles), foot, 8)])


def _vase(dice: Dice, main: Surface) -> Shape:
    """A vase, empty or with flowers."""
    high = dice.pick([20, 26, 34])
    r = 9.0
    profile = dice.pick(
        [
            [(4, 0), (8.5, high * 0.35), (8.8, high * 0.5), (3, high * 0.85), (4.5, high)],
            [(5, 0), (5, high * 0.1), (8, high * 0.8), (6, high * 0.92), (6.5, high)],
            [(6, 0), (4, high * 0.5), (7.5, high)],
        ]
    )
    mouth = profile[-1][0]
    solids = [lathe(r, r, [*profile, (mouth - 0.8, high), (2, high * 0.6)], main, 12)]
    if dice.chance(60):
        petals: Surface = ("velvet", dice.pick(["red", "yellow", "pink", "white", "purple", "orange"]))
        for dx, dz, up in ((0, 0, 16), (5, 2, 11), (-5, 3, 12), (2, -5, 13), (-3, -4, 9)):
            tip = (r + dx, high + up, r + dz)
            solids += [
                rod((r, high - 4, r), tip, 0.4, ("leaf", "green"), 3),
                ellipsoid(tip, (2.8, 2.2, 2.8), petals, 6),
            ]
    return fitted(18, 18, solids)


def _book(dice: Dice, main: Surface) -> Shape:
    """A few books, the lowest one in the main colour: a pile, or a row between two others."""
    solids: list[Solid] = []
    y = 0
    for number in range(dice.between(2, 4)):
        cover: Surface = main if number == 0 else ("paper", dice.pick(BRIGHT))
        thick, dx, dz = dice.between(3, 5), dice.between(0, 4), dice.between(0, 3)
        wide, deep = dice.pick([20, 22, 24]), dice.pick([15, 16, 17])
        solids += [
            box(dx, y, dz, dx + wide, y + 0.4, dz + deep, cover),
            box(dx + 0.5, y + 0.4, dz, dx + wide - 0.5, y + thick - 0.4, dz + deep - 0.5, ("paper", "cream")),
            box(dx, y + thick - 0.4, dz, dx + wide, y + thick, dz + deep, cover),
            box(dx, y, dz + deep - 0.4, dx + wide, y + thick, dz + deep, cover),
        ]
        y += thick
    return fitted(28, 20, solids)


def _laptop(dice: Dice, main: Surface) -> Shape:
    screen: Surface = ("lit screen", "blue") if dice.chance(70) else SCREEN
    keys = painted(box(3, 1.6, 9, 31, 1.9, 19, ("key caps", "dark grey")), 3, 9, 31, 19, lying=True)
    solids = [rounded_box(0, 0, 5, 34, 1.6, 27, main, 0.7, 1), keys, box(12, 1.6, 20.5, 22, 1.8, 26, DARK)]
    back, tilt = 5.0, 4.0
    lid = [(1.6, back), (23.6, back - tilt), (23.6, back - tilt - 0.9), (1.6, back - 0.9)]
    pane = [(2.8, back + 0.15), (22.6, back - tilt + 0.4), (22.6, back - tilt), (2.8, back - 0.2)]
    solids += [
        extruded(lid, "x", 0, 34, main),
        painted(extruded(pane, "x", 1.2, 32.8, screen), 1.2, 2.8, 32.8, 22.6),
    ]
    return fitted(34, 27, solids)


def _monitor(dice: Dice, main: Surface) -> Shape:
    width = dice.pick([52, 60, 70])
    screen: Surface = (
        ("lit screen", dice.pick(["blue", "purple", "turquoise"])) if dice.chance(60) else SCREEN
    )
    high, middle = width * 9 // 16, width / 2
    solids = [
        rounded_box(0, 14, 8, width, 16 + high, 12, main, 1, 1),
        shown(1.2, 16.5, 12, width - 1.2, 15 + high, 12.3, screen),
    ]
    solids += [
        box(middle - 3, 1, 6, middle + 3, 24, 9, main),
        rounded_box(middle - 12, 0, 2, middle + 12, 1.6, 20, main, 0.7, 1),
    ]
    return fitted(width, 20, solids)


def _keyboard(dice: Dice, main: Surface) -> Shape:
    keys: Surface = ("key caps", main[1])
    return fitted(
        44,
        15,
        [
            rounded_box(0, 0, 0, 44, 2, 15, main, 0.8, 1),
            painted(box(1, 2, 1, 43, 2.6, 14, keys), 1, 1, 43, 14, lying=True),
        ],
    )


def _printer(dice: Dice, main: Surface) -> Shape:
    solids = [
        rounded_box(0, 0, 4, 44, 18, 34, main, 2, 1),
        box(4, 18, 6, 40, 22, 22, main),
        box(6, 5, 30, 38, 11, 34.4, DARK),
    ]
    solids += [box(8, 4, 30, 36, 5, 42, DARK), box(10, 5, 31, 34, 5.6, 41, ("paper", "white"))]
    solids += [
        box(11, 16, 1, 33, 34, 2.5, ("paper", "white")),
        box(9, 14, 0, 35, 26, 1, DARK),
        box(27, 18, 26, 39, 18.8, 33, SCREEN),
    ]
    return fitted(44, 42, solids)


def _speaker(dice: Dice, main: Surface) -> Shape:
    high = dice.pick([28, 36, 44])
    solids = [rounded_box(0, 0, 0, 20, high, 20, main, 1, 1)]
    for y, radius in ((high * 0.34, 7.5), (high * 0.76, 4.0)):
        solids += [
            extruded(oval(10, y, radius, radius, 16), "z", 20, 20.7, DARK),
            extruded(oval(10, y, radius * 0.5, radius * 0.5, 12), "z", 20.7, 21, STEEL),
        ]
    return fitted(20, 21, solids)


def _candle(dice: Dice, main: Surface) -> Shape:
    """Three candles of different heights on a plate."""
    holder: Surface = dice.pick([BRASS, STEEL, ("ceramic", "white"), ("wood", "brown")])
    solids = []
    for x, z, high in (
        (7, 8, dice.between(12, 20)),
        (14, 7, dice.between(8, 14)),
        (11, 14, dice.between(6, 11)),
    ):
        solids += [
            cylinder(x, z, 1, high, 2.8, main, 10),
            ellipsoid((x, high + 2, z), (0.8, 2, 0.8), GLOW, 6),
        ]
    return fitted(21, 21, [*solids, cylinder(10.5, 10.5, 0, 1.2, 10.5, holder, 16)])


def _photo_frame(dice: Dice, main: Surface) -> Shape:
    """A framed photograph on a strut; the frame is the main surface."""
    width, high = dice.pick([(15, 20), (20, 15), (18, 24)])
    photo: Surface = (
        dice.pick(["portrait 1", "portrait 2", "landscape 2", "flowers 1"]),
        dice.pick(["blue", "green", "brown", "beige"]),
    )
    solids = [*frame(0, 0, width, high, 7, 9, 2, main), shown(2, 2, 7, width - 2, high - 2, 8.4, photo)]
    return fitted(width, 9, [*solids, rod((width / 2, 0.6, 0.8), (width / 2, high * 0.7, 7), 0.6, BLACK, 4)])


def _teddy_bear(dice: Dice, main: Surface) -> Shape:
    """Sits and holds out its paws."""
    snout: Surface = ("knit", "cream")
    solids = [ellipsoid((14, 10, 9), (8, 10, 7), main, 8), ellipsoid((14, 26, 9), (7, 7, 6.5), main, 8)]
    for side in (-1, 1):
        solids += [
            box(14 + side * 6 - 2, 30, 7, 14 + side * 6 + 2, 34, 9, main),
            rod((14 + side * 6, 17, 9), (14 + side * 11, 11, 14), 2.5, main, 5),
            rod((14 + side * 5, 3, 11), (14 + side * 8, 3, 20), 3, main, 6),
            box(14 + side * 2.8 - 0.8, 27.6, 14.2, 14 + side * 2.8 + 0.8, 29.2, 15.4, BLACK),
        ]
    solids += [ellipsoid((14, 24.5, 14.6), (3, 2.4, 2.6), snout, 6), box(13, 25, 16, 15, 26.4, 17.6, BLACK)]
    return fitted(28, 21, solids)


def _alarm_clock(dice: Dice, main: Surface) -> Shape:
    dial: Surface = ("clock face", dice.pick(["white", "cream"]))
    if dice.chance(40):
        solids = [rounded_box(0, 0, 0, 18, 9, 8, main, 1.5, 1), box(2, 2, 8, 16, 7, 8.3, SCREEN)]
        solids += [box(4 + 3 * i, 3, 8.3, 5.6 + 3 * i, 6.2, 8.5, ("plain", "red")) for i in range(4)]
        return fitted(18, 9, solids)
    face = painted(extruded(oval(7, 8.5, 5.8, 5.8, 16), "z", 6, 6.4, dial), 1.2, 2.7, 12.8, 14.3)
    solids = [extruded(oval(7, 8.5, 6.8, 6.8, 16), "z", 1, 6, main), face]
    solids += [ellipsoid((7 + s * 4, 16, 3.5), (2.8, 1.8, 2.8), STEEL, 8) for s in (-1, 1)]
    solids += [rod((7 + s * 5, 0.5, 3.5), (7 + s * 3, 4, 3.5), 0.5, STEEL, 4) for s in (-1, 1)]
    return fitted(14, 7, solids)


def _basket(dice: Dice, main: Surface) -> Shape:
    width, depth, high = dice.pick([(30, 22, 14), (36, 26, 18), (26, 26, 16)])
    solids = [box(1, 0, 1, width - 1, 1, depth - 1, main)]
    solids += [box(x, 0, 0, x + 1.4, high, depth, main) for x in (0, width - 1.4)]
    solids += [box(1.4, 0, z, width - 1.4, high, z + 1.4, main) for z in (0, depth - 1.4)]
    if dice.chance(50):
        bow = [
            (width / 2, high - 2.0, 1.5),
            (width / 2, high + 9.0, depth * 0.3),
            (width / 2, high + 9.0, depth * 0.7),
            (width / 2, high - 2.0, depth - 1.5),
        ]
        solids.append(tube(bow, 0.9, main, 6))
    cloth: Surface = ("fabric", dice.pick(["white", "red", "blue", "light green", "yellow"]))
    solids.append(
        ellipsoid((width / 2, high * 0.7, depth / 2), (width * 0.4, high * 0.3, depth * 0.38), cloth, 10)
    )
    return fitted(width, depth, solids)


def _radio(dice: Dice, main: Surface) -> Shape:
    solids = [rounded_box(0, 0, 0, 30, 17, 10, main, 2, 1), box(2, 3, 10, 15, 14, 10.4, ("fabric", "beige"))]
    solids += [
        box(17, 10, 10, 28, 14, 10.4, ("plain", "light yellow")),
        rod((27, 17, 3), (20, 34, 3), 0.4, STEEL, 4),
    ]
    solids += [extruded(oval(x, 6, 2, 2, 8), "z", 10, 11.4, STEEL) for x in (20, 25)]
    return fitted(30, 12, [*solids, tube([(3, 16, 5), (3, 21, 5), (17, 21, 5), (17, 16, 5)], 0.7, STEEL, 4)])


def _telephone(dice: Dice, main: Surface) -> Shape:
    solids = [
        extruded([(0, 2), (0, 20), (3, 20), (8, 6), (8, 2)], "x", 1, 19, main),
        extruded(
            oval(10, 12.4, 5, 5, 14), "y", 4.8, 6.4, ("plastic", "cream" if main[1] != "white" else "grey")
        ),
        tube([(0.8, 9.5, 4), (2, 11, 4), (18, 11, 4), (19.2, 9.5, 4)], 1.3 / 1.7, main, 6),
        rounded_box(0, 7, 1.8, 5, 10.6, 6.2, main, 1.2, 1),
        rounded_box(15, 7, 1.8, 20, 10.6, 6.2, main, 1.2, 1),
    ]
    return fitted(20, 20, solids)


def _soap_dispenser(dice: Dice, main: Surface) -> Shape:
    solids = [
        lathe(4, 5, [(3.8, 0), (4, 2), (4, 10), (1.6, 12.5), (1.6, 14)], main, 12),
        cylinder(4, 5, 14, 17, 0.6, STEEL, 6),
    ]
    return fitted(8, 9, [*solids, box(3, 17, 3, 5, 18.4, 9, STEEL)])


def _tissue_box(dice: Dice, main: Surface) -> Shape:
    paper: Surface = ("paper", "white")
    solids = [box(0, 0, 0, 23, 9, 12, main), extruded(oval(11.5, 6, 5, 2, 10), "y", 9, 9.2, DARK)]
    return fitted(23, 12, [*solids, lathe(11.5, 6, [(2.5, 8.6), (4, 12), (1.4, 15)], paper, 5)])


def _television(dice: Dice, main: Surface) -> Shape:
    """A flat screen on two feet, to stand on a stand; off, or showing a landscape."""
    width = dice.pick([95, 110, 125, 145])
    high, middle = width * 9 // 16, width / 2
    screen: Surface = (
        SCREEN
        if dice.chance(65)
        else (dice.pick(["landscape 1", "landscape 4"]), dice.pick(["blue", "green"]))
    )
    solids = [
        rounded_box(0, 6, 9, width, 6 + high, 13, main, 1, 1),
        shown(1.4, 7.6, 13, width - 1.4, 4.6 + high, 13.2, screen),
    ]
    solids.append(
        rounded_box(middle - width * 0.3, 12, 4, middle + width * 0.3, 6 + high * 0.6, 9, main, 1.5, 1)
    )
    if dice.chance(50):
        for x in (width * 0.16, width * 0.84):
            solids += [
                rod((x, 7, 11), (x, 0.8, 1.2), 0.8, STEEL, 5),
                rod((x, 7, 11), (x, 0.8, 22), 0.8, STEEL, 5),
            ]
    else:
        solids += [
            box(middle - 4, 1, 8, middle + 4, 8, 12, main),
            rounded_box(middle - 24, 0, 0, middle + 24, 1.6, 23, main, 0.7, 1),
        ]
    return fitted(width, 23, solids)


SMALL: tuple[FurnitureClass, ...] = (
    FurnitureClass("table lamp", SHADE_FINISHES, SHADE_COLORS, _table_lamp, stands="top"),
    FurnitureClass("vase", ("ceramic", "ceramic", "glass"), BRIGHT, _vase, stands="top"),
    FurnitureClass("book", ("paper",), BRIGHT, _book, stands="top"),
    FurnitureClass("laptop", ("metal",), _GADGETS, _laptop, stands="top"),
    FurnitureClass("monitor", ("plastic",), _GADGETS, _monitor, stands="top"),
    FurnitureClass("keyboard", ("plastic",), _GADGETS, _keyboard, stands="top"),
    FurnitureClass("printer", ("plastic",), ("white", "white", "grey", "black"), _printer, stands="top"),
    FurnitureClass(
        "speaker", ("wood", "plastic"), ("black", "black", "brown", "white"), _speaker, stands="top"
    ),
    FurnitureClass(
        "television", ("plastic",), ("black", "black", "black", "grey", "white"), _television, stands="top"
    ),
    FurnitureClass(
        "candle", ("plain",), ("white", "white", "red", "yellow", "purple", "green"), _candle, stands="top"
    ),
    FurnitureClass(
        "photo frame", ("wood", "metal"), ("brown", "black", "white", "grey"), _photo_frame, stands="top"
    ),
    FurnitureClass(
        "teddy bear",
        ("knit",),
        ("brown", "brown", "white", "pink", "beige", "blue"),
        _teddy_bear,
        stands="top",
    ),
    FurnitureClass(
        "alarm clock",
        ("plastic", "metal"),
        ("red", "black", "white", "blue", "green"),
        _alarm_clock,
        stands="top",
    ),
    FurnitureClass("basket", ("wicker",), ("brown", "beige", "white", "grey"), _basket, stands="top"),
    FurnitureClass(
        "radio", ("wood", "plastic"), ("brown", "red", "turquoise", "black", "white"), _radio, stands="top"
    ),
    FurnitureClass(
        "telephone", ("plastic",), ("black", "red", "white", "green", "beige"), _telephone, stands="top"
    ),
    FurnitureClass("soap dispenser", ("ceramic", "plastic"), BRIGHT, _soap_dispenser, stands="top"),
    FurnitureClass(
        "tissue box", ("cardboard",), ("blue", "pink", "green", "beige", "purple"), _tissue_box, stands="top"
    ),
    FLOWER_POT,
    *TABLEWARE,
)
