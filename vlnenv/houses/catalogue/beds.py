"""Beds: with a headboard, four posts, slats or drawers; bunk beds and cribs."""

from __future__ import annotations

from vlnenv.houses.catalogue.parts import (
    FABRICS,
    LEG_WOODS,
    METALS,
    TEXTILES,
    WOODS,
    darker,
    draw_fronts,
    drawer,
    frame,
    legs,
    panel,
)
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, compose, flipped
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    ellipsoid,
    extruded,
    lathe,
    loft,
    moved,
    pillow,
    rod,
    rounded_box,
    sheared,
    tube,
    turned,
)
from vlnenv.houses.dice import Dice

_FRAMES: tuple[Surface, ...] = (*LEG_WOODS, ("wood", "white"), ("wood", "grey"), ("oak", "beige"))
_SHEETS = ("white", "white", "cream", "light grey", "light blue", "light pink")


def _quilt(
    dice: Dice, x0: float, x1: float, z0: float, z1: float, y0: float, y1: float, surface: Surface
) -> Solid:
    """A duvet over a mattress: soft folds on top, rounded over the sides, hanging down to y0."""
    rows, columns = 9, 8
    rings = []
    for i in range(rows + 1):
        z = z0 + (z1 - z0) * i / rows
        swell = [dice.between(-10, 10) / 10 for _ in range(columns + 1)]
        last = i == rows
        high = y1 - (5 if last else 1.2)
        points = [(x0, y0, z), (x0 + 0.4, high - 6, z)]
        for j in range(columns + 1):
            x = x0 + 3 + (x1 - x0 - 6) * j / columns
            drop = 2.0 if j in (0, columns) else 0.0
            points.append((x, high - drop + (0 if last else swell[j]), z))
        points += [(x1 - 0.4, high - 6, z), (x1, y0, z)]
        rings.append(points)
    return loft(rings, surface)


def _bedding(
    dice: Dice, main: Surface, x0: float, x1: float, z0: float, z1: float, y: float, wide: bool
) -> list[Solid]:
    """Mattress on y, sheet, pillows at the head (z0) and a duvet of the main surface."""
    sheet: Surface = ("linen", dice.pick(_SHEETS))
    top = y + 20
    parts: list[Solid] = [rounded_box(x0 + 1, y, z0, x1 - 1, top, z1 - 2, sheet, radius=4)]
    fold = z0 + dice.between(52, 66, 2)
    parts.append(_quilt(dice, x0 - 1, x1 + 1, fold, z1, y + dice.pick([2, 4, -4]), top + 5, main))
    parts.append(
        rounded_box(x0 - 0.5, top - 8, fold - 14, x1 + 0.5, top + 4.5, fold + 10, sheet, radius=4, steps=1)
    )
    cases = dice.pick([sheet, sheet, main])
    count = 2 if wide else 1
    step = (x1 - x0) / count
    for i in range(count):
        low, high = x0 + i * step + 4, x0 + (i + 1) * step - 4
        parts.append(pillow(low, top - 2, z0 + 4, high, top + 14, z0 + 46, cases, steps=5))
        if wide and dice.chance(50):
            upright = pillow(
                low + 2, top + 4, z0 + 12, high - 2, top + 42, z0 + 26, (dice.pick(TEXTILES), main[1]), thin=2
            )
            parts.append(sheared(upright, "z", "y", top, -0.28))
    if dice.chance(45):  # throw pillows
        surface = (dice.pick(TEXTILES), dice.pick([color for color in FABRICS if color != main[1]]))
        middle = (x0 + x1) / 2
        small = pillow(middle - 20, top, z0 + 34, middle + 20, top + 32, z0 + 46, surface, thin=2, steps=5)
        parts.append(sheared(small, "z", "y", top, -0.3))
    if dice.chance(40):  # a folded blanket over the foot
        surface = (
            dice.pick(["knit", "fabric", "checked fabric"]),
            dice.pick([color for color in FABRICS if color != main[1]]),
        )
        parts.append(
            rounded_box(x0 - 1.6, top - 14, z1 - 58, x1 + 1.6, top + 6.6, z1 - 20, surface, radius=4, steps=1)
        )
    return parts


def _headboard(
    dice: Dice, style: str, width: float, y: float, top: float, wood: Surface, main: Surface
) -> list[Solid]:
    """What stands behind the pillows, 8 cm deep."""
    parts: list[Solid] = []
    if style == "panels":
        parts += [box(x, 0, 1, x + 6, top, 6, wood) for x in (0, width - 6)]
        count = 2 if width < 130 else 3
        step = (width - 12) / count
        parts.append(box(6, y - 10, 1.5, width - 6, top - 4, 3, darker(wood)))
        for i in range(count):
            parts += panel("framed", 6 + i * step, y - 10, 6 + (i + 1) * step, top - 4, 3, wood)
        parts.append(rounded_box(0, top - 4, 0, width, top, 7, wood, radius=1.5, steps=1))
    elif style == "slats":
        parts += [box(x, 0, 2, x + 5, top - 3, 6, wood) for x in (0, width - 5)]
        parts += [box(5, at, 3, width - 5, at + 5, 5, wood) for at in (y, y + 2 + (top - y) * 0.45)]
        count = max(5, int(width / 13))
        for i in range(1, count):
            x = 5 + (width - 10) * i / count
            parts.append(box(x - 1.5, y, 3.2, x + 1.5, top - 4, 4.8, wood))
        parts.append(rounded_box(0, top - 5, 1, width, top, 7, wood, radius=1.5, steps=1))
    elif style == "metal":
        parts += _rails(width, y, top, 4.0, wood)
    elif style == "arched":
        parts.append(extruded(_arch(width, y - 12, top), "z", 1, 6, wood))
        parts.append(
            extruded(
                [(x * 0.86 + width * 0.07, y + (at - y) * 0.84) for x, at in _arch(width, y, top)],
                "z",
                6,
                7,
                wood,
            )
        )
        parts += [box(x, 0, 1, x + 6, y - 8, 6, wood) for x in (0, width - 6)]
    else:  # upholstered in vertical channels or tufted
        parts.append(rounded_box(0, y - 14, 0, width, top, 6, main, radius=3))
        count = max(4, int(width / 18))
        step = (width - 4) / count
        if style == "channels":
            for i in range(count):
                x = 2 + i * step
                parts.append(
                    rounded_box(x + 0.3, y, 3, x + step - 0.3, top - 2, 8, main, radius=2.2, steps=1)
                )
        else:
            for row in range(3):
                for i in range(count - row % 2):
                    x, at = 2 + (i + 0.5 + 0.5 * (row % 2)) * step, y + 22 + row * (top - y - 26) / 3
                    parts.append(rod((x, at, 5), (x, at, 7), 1.6, darker(main), 5))
        parts += [box(x, 0, 1, x + 5, y - 13, 5, wood) for x in (4, width - 9)]
    return parts


def _arch(width: float, low: float, top: float) -> list[tuple[float, float]]:
    side = low + (top - low) * 0.72
    curve = [(width * i / 12, side + (top - side) * (1 - (2 * i / 12 - 1) ** 2)) for i in range(12, -1, -1)]
    return [(0, low), (width, low), *curve]


def _rails(width: float, y: float, top: float, z: float, metal: Surface) -> list[Solid]:
    """Upright metal bars under a bent tube with balls on its ends."""
    corner = 10
    bend = [(2, 0.5, z), (2, top - corner - 1.4, z), (5, top - 4, z), (corner + 2, top - 1.5, z)]
    other = [(width - x, at, z) for x, at, _ in reversed(bend)]
    parts: list[Solid] = [tube([*bend, *other], 1.5, metal)]
    parts.append(rod((2, y + 4, z), (width - 2, y + 4, z), 1.0, metal))
    count = max(5, int(width / 14))
    for i in range(1, count):
        x = 2 + (width - 4) * i / count
        parts.append(rod((x, y + 4, z), (x, top - 3, z), 0.7, metal, 5))
        if i % 3 == 0:
            parts.append(ellipsoid((x, (y + top) / 2 + 2, z), (1.7, 1.7, 1.7), metal, 6))
    return parts


def _bed(dice: Dice, main: Surface) -> Shape:
    """Single to king size. The main surface is the duvet's."""
    mattress = dice.pick([90, 100, 120, 140, 160, 160, 180])
    family = dice.pick(["panels", "slats", "metal", "arched", "channels", "tufted", "posts", "drawers"])
    wood = dice.pick(METALS[:3]) if family == "metal" else dice.pick(_FRAMES)
    rim = 4
    width, depth = mattress + 2 * rim, dice.between(208, 214, 2)
    base = dice.between(26, 32, 2) if family != "drawers" else 36
    top = dice.between(96, 116, 4)
    low = base - (14 if family != "drawers" else 30)
    wide = mattress >= 140
    foot = depth - rim - 2
    parts: list[Solid] = _bedding(dice, main, rim, width - rim, 9, foot + 2, base - 4, wide)
    style = {"posts": "panels", "drawers": dice.pick(["panels", "slats", "arched"])}.get(family, family)
    cover: Surface = (
        dice.pick(["fabric", "velvet", "linen", "leather"]),
        dice.pick(["grey", "beige", "cream", "brown", main[1]]),
    )
    parts += _headboard(dice, style, width, base + 6, top, wood, cover)
    rails = cover if family in ("channels", "tufted") else wood
    parts += [box(x, low, 7, x + rim - 1, base, foot, rails) for x in (0, width - rim + 1)]
    parts.append(box(0, low, foot, width, base, foot + 3, rails))
    parts.append(box(rim, low, 8, width - rim, base - 4, foot, darker(rails)))
    if family == "posts":
        high = dice.between(196, 208, 2)
        for x in (3.5, width - 3.5):
            for z in (3.5, depth - 3.5):
                post = [
                    (3.2, 0),
                    (3.2, base + 4),
                    (2, base + 14),
                    (2.6, base + 60),
                    (1.8, high - 10),
                    (2.6, high - 4),
                    (2.6, high),
                ]
                parts.append(lathe(x, z, post, wood, 8))
            parts.append(box(x - 1.5, high - 3, 4, x + 1.5, high - 0.5, depth - 4, wood))
        parts += [box(4, high - 3, z - 1.5, width - 4, high - 0.5, z + 1.5, wood) for z in (3.5, depth - 3.5)]
        return compose(width, depth, high, parts)
    if family == "metal":
        end = _rails(width, base - 8, base + 26, depth - 2.0, wood)
        parts += end
    elif family == "slats":
        parts += frame(0, base - 10, width, base + 16, depth - 3, depth, 5, wood)
        parts += [box(x, 0, depth - 5, x + 5, base, depth, wood) for x in (0, width - 5)]
        count = int(width / 13)
        for i in range(1, count):
            x = 5 + (width - 10) * i / count
            parts.append(box(x - 1.5, base - 6, depth - 2.4, x + 1.5, base + 12, depth - 0.6, wood))
    elif family == "panels":
        parts += [box(x, 0, depth - 6, x + 6, base + 10, depth, wood) for x in (0, width - 6)]
        parts.append(box(6, low, depth - 4, width - 6, base + 8, depth - 1.5, wood))
    elif family == "arched":
        parts.append(extruded(_arch(width, low, base + 22), "z", depth - 4, depth, wood))
        parts += [box(x, 0, depth - 5, x + 6, low + 2, depth, wood) for x in (0, width - 6)]
    elif family == "drawers":
        fronts = draw_fronts(dice)
        half = (width - 2) / 2
        for i in range(2):
            parts += drawer(fronts, 1 + i * half + 1, 8, 1 + (i + 1) * half - 1, base - 2, foot + 1, wood)
        parts.append(box(2, 0, 10, width - 2, low, foot, ("plain", "dark grey")))
    else:
        parts += legs(dice.pick(["tapered", "bun", "square"]), (3, 10, width - 3, depth - 4), low, 6, wood)
    return compose(width, depth, top, parts)


def _simple_bed(
    dice: Dice, surface: Surface, x0: float, x1: float, z0: float, z1: float, y: float
) -> list[Solid]:
    """A thin mattress with one pillow at z0 and a duvet."""
    sheet: Surface = ("linen", dice.pick(_SHEETS))
    return [
        rounded_box(x0, y, z0, x1, y + 13, z1, sheet, radius=3, steps=1),
        _quilt(dice, x0 - 0.4, x1 + 0.4, z0 + 55, z1 - 0.5, y + 3, y + 18, surface),
        pillow(x0 + 8, y + 11, z0 + 5, x1 - 8, y + 24, z0 + 45, sheet),
    ]


def _bunk_bed(dice: Dice, main: Surface) -> Shape:
    """Two beds above each other with a ladder, some with drawers below; the long side is at the wall."""
    width, depth = dice.between(200, 208, 2), dice.between(98, 104, 2)
    lower, upper, high = 32, dice.between(122, 130, 2), dice.between(164, 174, 2)
    duvet: Surface = (
        dice.pick(["fabric", "striped fabric", "dotted fabric", "checked fabric"]),
        dice.pick(FABRICS),
    )
    back, front = 3, depth - 14
    parts: list[Solid] = []
    for x in (0, width - 7):
        parts += [box(x, 0, z, x + 7, high, z + 7, main) for z in (0, front - 7)]
        for y in (lower - 12, upper - 12):
            parts.append(box(x + 2, y, 7, x + 5, y + 14, front - 7, main))
        for y in (lower + 22, upper + 22, high - 10):
            parts.append(box(x + 2.5, y, 7, x + 4.5, y + 7, front - 7, main))
    for y in (lower, upper):
        parts += [box(7, y - 12, z, width - 7, y + 2, z + 3, main) for z in (back - 1, front - 5)]
        parts.append(box(7, y - 4, 5, width - 7, y - 2, front - 5, main))
        bed = _simple_bed(dice, duvet, 0, front - 12, 0, width - 16, y - 2)
        parts += [moved(turned(solid, 1, front - 12, width - 16), 8, 0, 6) for solid in bed]
    parts += [box(7, y, 2.5, width - 7, y + 7, 4.5, main) for y in (upper + 16, high - 9)]
    gap = 46
    parts += [
        box(7, y, front - 4.5, width - 7 - gap, y + 7, front - 2.5, main) for y in (upper + 16, high - 9)
    ]
    parts.append(box(width - 9 - gap, upper - 10, front - 5, width - 5 - gap, high, front - 2, main))
    for x in (width - 10 - gap + 6, width - 12):  # the ladder
        side = box(x, 0, front, x + 4, high - 16, front + 4, main)
        parts.append(sheared(side, "z", "y", high - 16, -9.5 / (high - 16)))
    for i in range(5):
        step = 20 + i * (upper - 24) / 4.2
        out = front + 0.6 + 9.5 * (1 - step / (high - 16))
        parts.append(box(width - gap, step, out, width - 9, step + 3, out + 3, main))
    if dice.chance(45):
        body, half = front - 9, (width - 14) / 2
        parts.append(box(7, 2, 8, width - 7, lower - 13, body, main))
        for i in range(2):
            parts += drawer(draw_fronts(dice), 8 + i * half, 3, 6 + (i + 1) * half, lower - 14, body, main)
    shape = compose(width, depth, high, parts)
    return flipped(shape) if dice.chance(50) else shape


def _crib(dice: Dice, main: Surface) -> Shape:
    """A child's bed behind bars; its ends are of bars or of boards."""
    width, depth = dice.between(124, 134, 2), dice.between(66, 72, 2)
    high, floor = dice.between(88, 100, 2), dice.between(34, 42, 2)
    solid_ends = dice.chance(50)
    parts: list[Solid] = []
    for x in (0, width - 5):
        parts += [box(x, 0, z, x + 5, high, z + 5, main) for z in (0, depth - 5)]
        if solid_ends:
            parts.append(box(x + 1.5, floor - 8, 5, x + 3.5, high - 2, depth - 5, main))
            parts.append(rounded_box(x, high - 4, 0, x + 5, high, depth, main, radius=1.5, steps=1))
        else:
            parts += _bars((x + 2.5, 5), (x + 2.5, depth - 5), floor - 6, high, main)
    for z in (2.5, depth - 2.5):
        parts += _bars((5, z), (width - 5, z), floor - 6, high, main)
    sheet: Surface = ("linen", dice.pick(_SHEETS))
    blanket: Surface = (
        dice.pick(["knit", "dotted fabric", "striped fabric", "checked fabric"]),
        dice.pick(FABRICS),
    )
    parts += [
        box(4, floor - 4, 4, width - 4, floor, depth - 4, main),
        rounded_box(5.5, floor, 5.5, width - 5.5, floor + 12, depth - 5.5, sheet, radius=3, steps=1),
        rounded_box(
            width * 0.42, floor + 2, 5, width - 5.2, floor + 14, depth - 5, blanket, radius=3, steps=1
        ),
        pillow(9, floor + 11, depth * 0.2, 36, floor + 19, depth * 0.8, sheet, steps=4),
    ]
    if dice.chance(35):  # a drawer below
        fronts, body = draw_fronts(dice, ("flat", "framed")), depth - 9
        parts.append(box(6, 8, 5, width - 6, floor - 8, body, main))
        parts += drawer(fronts, 7, 9, width - 7, floor - 9, body, main)
    bear: Surface = ("fabric", dice.pick(["brown", "beige", "white", "pink"]))
    if dice.chance(60):  # a soft toy in the corner
        y, mid = floor + 12.0, depth * 0.34
        parts += [
            ellipsoid((30, y + 7, mid), (5.5, 7, 5), bear, 8),
            ellipsoid((30, y + 17, mid), (4.6, 4.6, 4.4), bear, 8),
            *(ellipsoid((30, y + 21, mid + side * 3.6), (1.2, 1.8, 1.8), bear, 6) for side in (-1, 1)),
        ]
    return compose(width, depth, high, parts)


def _bars(
    start: tuple[float, float], end: tuple[float, float], low: float, high: float, surface: Surface
) -> list[Solid]:
    """Rails at two heights between two points (x, z) with upright bars about every 9 cm."""
    (x0, z0), (x1, z1) = start, end
    along_x = x1 - x0 > z1 - z0
    pad = (0.0, 1.5) if along_x else (1.5, 0.0)
    parts: list[Solid] = [
        box(x0 - pad[0], y, z0 - pad[1], x1 + pad[0], y + tall, z1 + pad[1], surface)
        for y, tall in ((low, 6), (high - 5, 5))
    ]
    count = max(3, round((x1 - x0 + z1 - z0) / 9))
    for i in range(1, count):
        x, z = x0 + (x1 - x0) * i / count, z0 + (z1 - z0) * i / count
        parts.append(box(x - 0.8, low + 6, z - 0.8, x + 0.8, high - 5, z + 0.8, surface))
    return parts


BEDS = (
    FurnitureClass(
        "bed",
        (
            "fabric",
            "fabric",
            "linen",
            "velvet",
            "striped fabric",
            "checked fabric",
            "patterned fabric",
            "dotted fabric",
        ),
        FABRICS,
        _bed,
    ),
    FurnitureClass(
        "bunk bed", ("wood", "wood", "oak", "metal"), (*WOODS, "red", "blue", "green"), _bunk_bed, front_cm=50
    ),
    FurnitureClass("crib", ("wood", "wood", "oak"), WOODS, _crib, front_cm=40),
)
"""Classes of beds."""
