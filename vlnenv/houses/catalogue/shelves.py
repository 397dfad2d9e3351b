"""Open storage: bookshelves, wall shelves, display cabinets, racks for shoes, coats and wine."""

from __future__ import annotations

import math

from vlnenv.houses.catalogue.parts import (
    GLASS,
    HARDWARE_CM,
    METALS,
    PAINTED,
    WOODS,
    books,
    carcass,
    door,
    draw_fronts,
    frame,
    tabletop,
)
from vlnenv.houses.catalogue.shape import OPEN_ROOM, FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
    ellipsoid,
    lathe,
    loft,
    moved,
    oval,
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice

_BRIGHT = ("red", "blue", "green", "yellow", "orange", "purple", "white", "pink", "turquoise", "cream")
_WARES = ("ceramic", "ceramic", "glass", "metal", "plain")


def _ware(dice: Dice, x: float, y: float, z: float, tall: float) -> list[Solid]:
    """A vase, bowl, box or ball that stands on a shelf around (x, z), at most `tall` high."""
    finish = dice.pick(_WARES)
    surface = (
        finish,
        "silver" if finish == "metal" else "glass" if finish == "glass" else dice.pick(_BRIGHT),
    )
    kind = dice.pick(["vase", "bowl", "box", "ball"])
    if kind == "vase":
        h = min(tall, dice.between(14, 24))
        return [lathe(x, z, [(3, y), (5, y + h * 0.4), (2, y + h * 0.8), (3, y + h)], surface, 8)]
    if kind == "bowl":
        return [lathe(x, z, [(3, y), (6, y + 3), (8, min(y + 7, y + tall))], surface, 10)]
    if kind == "box":
        h = min(tall, dice.between(8, 16))
        return [
            box(x - 8, y, z - 7, x + 8, y + h, z + 7, ("wicker", "beige") if dice.chance(60) else surface)
        ]
    return [ellipsoid((x, y + 5, z), (5, 5, 5), surface, 8)]


def _bookshelf(dice: Dice, main: Surface) -> Shape:
    """A tall bookcase, one of cubes, an open metal frame; with books and other things."""
    family = dice.pick(["case", "case", "case", "cubes", "frame", "low"])
    depth = dice.between(28, 34, 2)
    width, height = dice.between(70, 110, 5), dice.between(160, 205, 5)
    if family == "low":
        width, height = dice.between(100, 140, 10), dice.between(78, 100, 2)
    if family == "cubes":
        columns, rows = dice.pick([2, 3, 4]), dice.pick([2, 3, 4, 5])
        width, height = columns * 36 + 2, rows * 36 + 2
        depth = 36
        levels = [2 + 36 * i for i in range(rows)]
        room = 34
    else:
        columns = 1 if width < 100 else 2
        foot = 7 if family != "frame" else 14
        rows = max(2, round((height - foot) / 36))
        room = (height - foot - 2 * rows - 2) // rows
        levels = [foot + 2 + i * (room + 2) for i in range(rows)]
        height = levels[-1] + room + 2
    board = 2
    parts: list[Solid] = []
    if family == "frame":
        metal = dice.pick(METALS[1:])
        for x in (0, width - 2.5):
            parts += [box(x, 0, z, x + 2.5, height, z + 2.5, metal) for z in (0, depth - 2.5)]
            parts += [box(x, y - 2, 2.5, x + 2.5, y, depth - 2.5, metal) for y in levels]
        parts.append(rod((2, levels[0], 1.2), (width - 2, height - 3, 1.2), 0.6, metal, 5))
        parts.append(rod((width - 2, levels[0], 1.2), (2, height - 3, 1.2), 0.6, metal, 5))
        parts.append(box(0, height - 2, 0, width, height, depth, main))
    else:
        low = levels[0] - 2
        parts += carcass(0, low, 0, width, height, depth, main, board)
        if low:
            parts.append(box(1, 0, 1, width - 1, low, depth - 2, main))
    step = (width - 2) / columns
    for i in range(1, columns):
        parts.append(box(i * step, levels[0], 1, i * step + 2, height - 2, depth - 0.3, main))
    tops: list[Top] = []
    for row, y in enumerate(levels):
        if row or family == "frame":
            parts.append(box(2, y - 2, 1, width - 2, y, depth - 0.4, main))
        for column in range(columns):
            x0, x1 = column * step + 2, (column + 1) * step
            filling = dice.pick(
                [
                    "books",
                    "books",
                    "books",
                    "wares",
                    "free",
                    "mixed",
                    "bins" if family == "cubes" else "books",
                ]
            )
            if filling in ("books", "mixed"):
                end = x1 if filling == "books" else (x0 + x1) / 2 + 6
                parts += books(dice, x0, end, y, depth - 3, room)
                if filling == "mixed" and x1 - end > 16:
                    parts += _ware(dice, x1 - 10, y, depth / 2 + 1, room - 3)
            elif filling == "wares":
                count = max(1, int((x1 - x0) / 28))
                for k in range(count):
                    parts += _ware(dice, x0 + (k + 0.5) * (x1 - x0) / count, y, depth / 2 + 1, room - 3)
            elif filling == "bins":
                parts.append(
                    rounded_box(
                        x0 + 1,
                        y,
                        4,
                        x1 - 1,
                        y + 28,
                        depth - 2,
                        ("wicker", dice.pick(["beige", "brown", "grey"])),
                        1.5,
                        1,
                    )
                )
            else:
                tops.append(Top(int(x0) + 3, 4, int(x1) - 2, depth - 3, y, room - 2))
    if height <= 125:
        tops.append(Top(3, 3, width - 3, depth - 3, height, OPEN_ROOM))
    return compose(width, depth, height, parts, tops)


def _shelf(dice: Dice, main: Surface) -> Shape:
    """On the wall: one to three boards on brackets, or a box of compartments."""
    width, depth = dice.between(70, 120, 10), dice.between(20, 28, 2)
    family = dice.pick(["boards", "boards", "box"])
    parts: list[Solid] = []
    tops: list[Top] = []
    if family == "box":
        height = dice.between(28, 34, 2)
        half = width // 2
        parts += carcass(0, 0, 0, width, height, depth, main)
        parts.append(box(half - 1, 2, 1, half + 1, height - 2, depth - 0.3, main))
        parts += books(dice, 2, half - 1, 2, depth - 2, height - 4)
        tops += [
            Top(half + 3, 3, width - 4, depth - 2, 2, height - 6),
            Top(2, 2, width - 2, depth - 2, height),
        ]
        return compose(width, depth, height, parts, tops)
    rows, gap = dice.pick([1, 2, 2, 3]), 32
    metal = dice.pick(METALS)
    for row in range(rows):
        y = 14 + row * gap
        parts.append(tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, depth), y - 3, y, main))
        for x in (width * 0.15, width * 0.85):
            parts += [
                box(x - 1, y - 14, 0, x + 1, y - 3, 1.5, metal),
                box(x - 1, y - 4.5, 1.5, x + 1, y - 3, depth - 4, metal),
                rod((x, y - 13, 1), (x, y - 4, depth - 6), 0.7, metal, 5),
            ]
        room = gap - 18 if row < rows - 1 else OPEN_ROOM
        half = width // 2
        if dice.chance(60):
            parts += books(dice, 4, half, y, depth - 2, 24)
            tops.append(Top(half + 3, 3, width - 4, depth - 2, y, room))
        else:
            parts += _ware(dice, width * 0.2, y, depth / 2 + 1, 22)
            tops.append(Top(width // 3 + 3, 3, width - 4, depth - 2, y, room))
    height = math.ceil(max(part.vertices[:, 1].max() for part in parts))
    return compose(width, depth, height, parts, tops)


def _display_cabinet(dice: Dice, main: Surface) -> Shape:
    """Glass doors in front of shelves with china; closed doors below in most."""
    width, depth, height = dice.between(80, 110, 5), dice.between(40, 46, 2), dice.between(170, 200, 5)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice, ("framed", "raised", "flat"))
    closed = 70 if dice.chance(70) else 8
    crown = dice.chance(60)
    top = height - 4
    parts: list[Solid] = [box(1.5, 0, 1, width - 1.5, 8, body - 3, main)]
    half = width / 2
    if closed > 8:
        parts.append(box(1, 8, 0, width - 1, closed, body, main))
        parts += door(fronts, 1.8, 9, half - 0.5, closed - 1, body, main, "right")
        parts += door(fronts, half + 0.5, 9, width - 1.8, closed - 1, body, main, "left")
    parts += carcass(1, closed, 0, width - 1, top, body, main)
    parts.append(
        tabletop(
            "bevelled" if crown else "sharp", (0, 0, width, body + (3 if crown else 0)), top, height, main
        )
    )
    rows = max(2, round((top - closed) / 38))
    gap = (top - closed - 4) / rows
    for row in range(rows):
        y = closed + 2 + row * gap
        if row:
            parts.append(box(3, y - 1.2, 1, width - 3, y, body - 2, GLASS if dice.chance(50) else main))
        count = dice.between(2, 4)
        for k in range(count):
            x = 3 + (k + 0.5) * (width - 6) / count
            parts += _ware(dice, x, y, body - 12, gap - 8)
    # Open frames with thin bars: what stands behind the panes must be seen, and glass here is opaque.
    for x0, x1, side in ((1.8, half - 0.4, 1), (half + 0.4, width - 1.8, 0)):
        parts += frame(x0, closed + 1, x1, top - 1, body, body + 2, 5, main)
        middle = (closed + top) / 2
        parts.append(box(x0 + 5, middle - 0.8, body + 0.4, x1 - 5, middle + 0.8, body + 1.4, main))
        parts.append(
            box((x0 + x1) / 2 - 0.8, closed + 6, body + 0.4, (x0 + x1) / 2 + 0.8, top - 6, body + 1.4, main)
        )
        knob = x1 - 2.5 if side else x0 + 2.5
        parts.append(rod((knob, middle, body + 2), (knob, middle, body + 4.6), 1.5, fronts.metal, 8))
    return compose(width, depth, height, parts)


def _shoe(color: str) -> Solid:
    """One shoe, its toe towards +z: a sole's outline that is pulled in upwards at the toe."""
    sole = [
        (2.0, 0.0),
        (8.0, 0.0),
        (9.0, 8.0),
        (9.5, 20.0),
        (7.0, 26.0),
        (3.0, 26.0),
        (0.5, 20.0),
        (1.0, 8.0),
    ]
    rings = [
        [(x, 0.0, z) for x, z in sole],
        [(x, 3.0, z) for x, z in sole],
        [(5 + (x - 5) * 0.85, 8.0 if z < 12 else 4.5, z * (1.0 if z < 12 else 0.9)) for x, z in sole],
    ]
    return loft(rings, ("leather", color))


def _shoe_rack(dice: Dice, main: Surface) -> Shape:
    """Slatted boards with pairs of shoes, or a narrow cupboard with tilting flaps."""
    width = dice.between(66, 100, 2)
    if dice.chance(30):
        depth, height = 28, dice.between(96, 120, 4)
        fronts = draw_fronts(dice, ("flat", "framed", "raised"))
        rows = 2 if height < 108 else 3
        step = (height - 12) / rows
        parts: list[Solid] = [
            box(1, 0, 1, width - 1, 8, depth - 8, ("plain", "dark grey")),
            box(0.5, 7, 0, width - 0.5, height - 2, depth - HARDWARE_CM, main),
            tabletop("bevelled", (0, 0, width, depth - 2), height - 2, height, main),
        ]
        for i in range(rows):
            parts += door(
                fronts, 1.5, 9 + i * step, width - 1.5, 8 + (i + 1) * step, depth - HARDWARE_CM, main
            )
        return compose(width, depth, height, parts, [Top(2, 2, width - 2, depth - 8, height)])
    depth, rows = 32, dice.pick([2, 3, 4])
    height = 12 + 20 * rows
    metal = main[0] == "metal"
    parts = []
    for x in (0, width - 3):
        parts += [box(x, 0, z, x + 3, height - 2, z + 3, main) for z in (0, depth - 3)]
    parts.append(tabletop("sharp", (0, 0, width, depth), height - 2, height, main))
    for row in range(rows):
        y = 9 + 20 * row
        for k in range(5):
            z = 2 + k * (depth - 5) / 4.4
            if metal:
                parts.append(rod((1, y - 0.8, z + 1), (width - 1, y - 0.8, z + 1), 0.7, main, 5))
            else:
                parts.append(box(3, y - 1.6, z, width - 3, y, z + 3.6, main))
        x = 5
        while x + 22 < width - 3:
            if dice.chance(75):
                color = dice.pick(["black", "brown", "white", "red", "dark blue", "grey", "dark brown"])
                shoe = _shoe(color)
                parts += [moved(shoe, x, y, 4), moved(shoe, x + 11, y, 4)]
            x += 24
    return compose(width, depth, height, parts, [Top(2, 2, width - 2, depth - 2, height)])


def _coat(dice: Dice, x: float, z: float, top: float, deep: float) -> Solid:
    """A coat or bag that hangs from (x, top, z) as a body that widens downwards."""
    wide, long = dice.between(9, 13), dice.between(50, 78)
    profile = ((0.25, 0.3, 0), (0.9, 0.8, 0.1), (0.8, 0.7, 0.5), (1.0, 1.0, 1.0))
    color = dice.pick(
        ["black", "dark blue", "brown", "grey", "red", "beige", "green", "yellow", "dark green"]
    )
    folds = (1.0, 0.86, 1.0, 0.86, 1.0, 0.86, 1.0, 0.86, 1.0, 0.86)
    circle = [(c * f, s * f) for (c, s), f in zip(oval(0, 0, 1, 1, 10), folds, strict=True)]
    return loft(
        [
            [(x + a * wide * c, top - long * down, z + b * deep * s) for c, s in circle]
            for a, b, down in profile[::-1]
        ],
        (dice.pick(["fabric", "knit", "leather", "linen"]), color),
    )


def _coat_rack(dice: Dice, main: Surface) -> Shape:
    """A post with arms on a foot, with some coats and hats."""
    height, width = dice.between(168, 184, 2), dice.between(52, 60, 2)
    middle = width / 2
    parts: list[Solid] = []
    turn = cosines(24)
    post = [
        (2.6, 6),
        (3.0, 20),
        (2.0, 40),
        (2.4, height * 0.6),
        (2.0, height - 8),
        (3.4, height - 4),
        (0.8, height),
    ]
    parts.append(lathe(middle, middle, post, main, 10))
    if dice.chance(50):
        parts.append(
            lathe(
                middle, middle, [(middle * 0.6, 0), (middle * 0.6, 2), (middle * 0.2, 5), (2.4, 7)], main, 16
            )
        )
    else:
        for k in (0, 6, 12, 18):
            c, s = turn[k], turn[(k - 6) % 24]
            reach = middle - 2.5
            foot = [
                (middle + c * r * reach, y, middle + s * r * reach)
                for r, y in ((0.0, 26), (0.5, 16), (0.97, 2.2))
            ]
            parts.append(tube(foot, 1.8, main))
    hanging = dice.between(0, 3)
    for ring, (level, reach) in enumerate(((height - 12, 15), (height - 42, 11))):
        for k in range(4):
            at = 6 * k + 3 * ring
            c, s = turn[at % 24], turn[(at - 6) % 24]
            arm = [
                (middle + c * r, y, middle + s * r)
                for r, y in ((1.0, level - 6), (reach * 0.7, level - 5), (reach, level + 3))
            ]
            parts += [tube(arm, 1.1, main), ellipsoid(arm[-1], (1.9, 1.9, 1.9), main, 6)]
            if ring == 0 and k < hanging:
                parts.append(_coat(dice, middle + c * reach * 0.9, middle + s * reach * 0.9, level - 4, 9))
    if dice.chance(40):
        hat = ("fabric", dice.pick(["black", "brown", "beige", "grey"]))
        x, z, y = middle, middle, height - 7
        parts.append(lathe(x, z, [(15, y), (15, y + 0.8), (8, y + 1), (7, y + 6.6), (5, y + 7)], hat, 14))
    return compose(width, width, height, parts)


def _wine_rack(dice: Dice, main: Surface) -> Shape:
    """Bottles that lie in a lattice, in round holes of a frame, or on scalloped shelves."""
    columns, rows = dice.between(4, 6), dice.between(4, 8)
    pitch, depth = 11, 32
    width, height = columns * pitch + 4, rows * pitch + 10
    metal = main[0] == "metal"
    parts: list[Solid] = []
    if metal:
        for i in range(columns + 1):
            x = 2 + i * pitch
            parts += [rod((x, 0.7, z), (x, height - 1, z), 0.7, main, 5) for z in (2, depth - 6)]
        for j in range(rows + 1):
            y = 5 + j * pitch
            parts += [rod((1.4, y, z), (width - 1.4, y, z), 0.7, main, 5) for z in (2, depth - 6)]
        top = box(0, height - 1, 0, width, height, depth - 3, main)
        parts.append(top)
    else:
        parts += carcass(0, 3, 0, width, height, depth - 4, main)
        parts += [box(x, 0, 1, x + 5, 3, depth - 5, main) for x in (1, width - 6)]
        for i in range(1, columns):
            parts.append(box(2 + i * pitch - 0.5, 5, 1, 2 + i * pitch + 0.5, height - 2, depth - 5, main))
        for j in range(1, rows):
            parts.append(box(2, 5 + j * pitch - 0.5, 1, width - 2, 5 + j * pitch + 0.5, depth - 4.5, main))
    for j in range(rows):
        for i in range(columns):
            if not dice.chance(55):
                continue
            along, up = 2 + (i + 0.5) * pitch, 5 + j * pitch + 4.5
            glass = ("glass", dice.pick(["dark green", "dark red", "dark brown", "green"]))
            parts.append(rod((along, up, 3), (along, up, depth - 9), 3.8, glass, 6))
            parts.append(rod((along, up, depth - 9), (along, up, depth - 0.5), 1.5, glass, 5))
    return compose(width, depth, height, parts, [Top(2, 2, width - 2, depth - 6, height)])


SHELVES = (
    FurnitureClass("bookshelf", ("wood", "wood", "oak"), WOODS, _bookshelf, front_cm=40),
    FurnitureClass("shelf", ("wood", "wood", "oak"), WOODS, _shelf, stands="wall"),
    FurnitureClass("display cabinet", ("wood", "wood", "oak"), PAINTED, _display_cabinet, front_cm=50),
    FurnitureClass("shoe rack", ("wood", "oak", "bamboo", "metal"), WOODS, _shoe_rack, front_cm=40),
    FurnitureClass("coat rack", ("wood", "wood", "oak", "metal"), WOODS, _coat_rack),
    FurnitureClass("wine rack", ("wood", "wood", "oak", "metal"), WOODS, _wine_rack, front_cm=30),
)
"""Classes of shelves and racks."""
