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
    stretched,
)
from vlnenv.houses.catalogue.lamps import SHADE_COLORS, SHADE_FINISHES, shade
from vlnenv.houses.catalogue.parts import frame
from vlnenv.houses.catalogue.plants import FLOWER_POT
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape
from vlnenv.houses.catalogue.tableware import TABLEWARE
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
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice

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
    profiles: list[list[tuple[float, float]]] = [
        [(4, 0), (8.5, high * 0.35), (8.8, high * 0.5), (3, high * 0.85), (4.5, high)],
        [(5, 0), (5, high * 0.1), (8, high * 0.8), (6, high * 0.92), (6.5, high)],
        [(6, 0), (4, high * 0.5), (7.5, high)],
    ]
    profile = dice.pick(profiles)
    mouth = profile[-1][0]
    solids = [lathe(r, r, [*profile, (mouth - 0.8, high), (2, high * 0.6)], main, 10)]
    if dice.chance(60):
        petals: Surface = ("velvet", dice.pick(["red", "yellow", "pink", "white", "purple", "orange"]))
        for dx, dz, up in ((0, 0, 16), (5, 2, 11), (-5, 3, 12), (-1, -5, 13)):
            tip = (r + dx, high + up, r + dz)
            solids += [
                rod((r, high - 4, r), tip, 0.4, ("leaf", "green"), 3),
                lathe(tip[0], tip[2], [(1, tip[1] - 2), (3, tip[1]), (1.6, tip[1] + 2)], petals, 6),
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
    """A keyboard, with or without a number pad."""
    wide = dice.pick([32, 44])
    keys: Surface = ("key caps", main[1])
    board = rounded_box(0, 0, 0, wide, 2, 15, main, 0.8, 1)
    return fitted(
        wide, 15, [board, painted(box(1, 2, 1, wide - 1, 2.6, 14, keys), 1, 1, wide - 1, 14, lying=True)]
    )


def _printer(dice: Dice, main: Surface) -> Shape:
    """An ink-jet with paper standing behind, or a laser printer with a drawer."""
    paper: Surface = ("paper", "white")
    wide = dice.pick([38, 44])
    if dice.chance(40):
        solids = [rounded_box(0, 1, 2, wide, 30, 36, main, 2, 1), box(2, 0, 4, wide - 2, 1.5, 34, DARK)]
        solids += [
            box(1.5, 3, 36, wide - 1.5, 10, 37, main),
            box(wide / 2 - 6, 6, 37, wide / 2 + 6, 7.4, 38, DARK),
        ]
        solids += [box(6, 29.8, 10, wide - 6, 30.4, 34, DARK), box(8, 30.4, 12, wide - 8, 31, 32, paper)]
        return fitted(wide, 38, [*solids, box(wide - 14, 22, 36, wide - 4, 27, 36.4, SCREEN)])
    solids = [rounded_box(0, 0, 4, wide, 18, 34, main, 2, 1), box(4, 18, 6, wide - 4, 22, 22, main)]
    solids += [box(6, 5, 30, wide - 6, 11, 34.4, DARK), box(8, 4, 30, wide - 8, 5, 42, DARK)]
    solids += [box(10, 5, 31, wide - 10, 5.6, 41, paper), box(11, 16, 1, wide - 11, 34, 2.5, paper)]
    solids += [box(9, 14, 0, wide - 9, 26, 1, DARK), box(wide - 17, 18, 26, wide - 5, 18.8, 33, SCREEN)]
    return fitted(wide, 42, solids)


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
            rod((14 + side * 6, 31.5, 7), (14 + side * 6, 31.5, 9), 2.8, main, 5),
            rod((14 + side * 6, 17, 9), (14 + side * 11, 11, 14), 2.5, main, 5),
            rod((14 + side * 5, 3, 11), (14 + side * 8, 3, 20), 3, main, 6),
            box(14 + side * 2.8 - 0.8, 27.6, 14.2, 14 + side * 2.8 + 0.8, 29.2, 15.4, BLACK),
        ]
    solids += [ellipsoid((14, 24.5, 14.6), (3, 2.4, 2.6), snout, 6), box(13, 25, 16, 15, 26.4, 17.6, BLACK)]
    if dice.chance(50):
        bow: Surface = ("velvet", dice.pick([tone for tone in BRIGHT if tone != main[1]]))
        solids += [
            frustum(
                (14 + s * 3 - 2.5, 14.2, 14 + s * 3 + 2.5, 16.6), 18, (13 + s, 14.6, 15 + s, 16.2), 20.4, bow
            )
            for s in (-1, 1)
        ]
    size = dice.between(70, 130, 10)
    return stretched(fitted(28, 21, solids), size, size, size)


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
    """A telephone with a dial, or a cordless one on its base."""
    if dice.chance(45):
        solids = [
            rounded_box(0, 0, 0, 12, 4, 12, main, 1.5, 1),
            rounded_box(3.4, 3, 2, 8.6, dice.pick([19, 22]), 5.4, main, 1.2, 1),
        ]
        solids += [box(4.2, 13, 5.4, 7.8, 16, 5.7, ("plain", "turquoise"))]
        return fitted(12, 12, [*solids, *(box(4.2, y, 5.4, 7.8, y + 1, 5.8, STEEL) for y in (6, 8, 10))])
    dial: Surface = ("plastic", "cream" if main[1] != "white" else "grey")
    solids = [extruded([(0, 2), (0, 20), (3, 20), (8, 6), (8, 2)], "x", 1, 19, main)]
    # The dial lies on the slope, turned towards the one who dials.
    solids += [extruded([(4.2, 18.4), (5.4, 18.8), (7.6, 11.6), (6.4, 11.2)], "x", 6.5, 13.5, dial)]
    solids += [rod((3, 9.5, 4), (17, 9.5, 4), 1.6, main, 6)]
    solids += [rounded_box(x, 7, 1.4, x + 5, 11.4, 6.6, main, 1.2, 1) for x in (0, 15)]
    return fitted(20, 20, solids)


def _soap_dispenser(dice: Dice, main: Surface) -> Shape:
    """Round, square or bulging, with a pump."""
    wall: list[tuple[float, float]] = dice.pick(
        [
            [(3.8, 0), (4, 2), (4, 10), (1.6, 12.5)],
            [(2.6, 0), (4, 3), (3.8, 7), (1.6, 11)],
            [(3.6, 0), (3.6, 12)],
        ]
    )
    top = wall[-1][1]
    sides = 4 if len(wall) == 2 else 12
    solids = [
        lathe(4, 5, [*wall, (1.6, top + 1.5)], main, sides),
        cylinder(4, 5, top + 1, top + 4.5, 0.6, STEEL, 6),
    ]
    return fitted(8, 9, [*solids, box(3, top + 4.5, 3, 5, top + 6, 9, STEEL)])


def _tissue_box(dice: Dice, main: Surface) -> Shape:
    """Flat or a cube, with a tissue sticking out."""
    wide, deep, high = dice.pick([(23, 12, 9), (23, 12, 6), (12, 12, 13)])
    x = wide / 2
    solids = [
        box(0, 0, 0, wide, high, deep, main),
        extruded(oval(x, 6, 5, 2, 10), "y", high, high + 0.2, DARK),
    ]
    tissue = [(2.5, high - 0.4), (4, high + 3), (1.4, high + 6)]
    return fitted(wide, deep, [*solids, lathe(x, 6, tissue, ("paper", "white"), 5)])


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
