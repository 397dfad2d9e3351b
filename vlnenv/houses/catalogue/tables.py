"""Tables: low, side, console, dining and dressing tables, and desks."""

from __future__ import annotations

from vlnenv.houses.catalogue.parts import (
    GLASS,
    HARDWARE_CM,
    LEG_STYLES,
    LEG_WOODS,
    METALS,
    PAINTED,
    Rectangle,
    draw_fronts,
    drawer,
    frame,
    legs,
    tabletop,
)
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose, flipped
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
    cylinder,
    ellipsoid,
    extruded,
    lathe,
    oval,
    prism,
    rod,
    sheared,
    tube,
)
from vlnenv.houses.dice import Dice

_WOODEN = ("wood", "oak", "bamboo")
_EDGES = ("sharp", "rounded", "bevelled")


def _under(dice: Dice, main: Surface) -> Surface:
    """Surface of what carries a top: mostly the top's own where that is wood or metal, else another."""
    if main[0] == "metal" or (main[0] in _WOODEN and dice.chance(80)):
        return main
    return dice.pick(METALS) if main[0] in _WOODEN else dice.pick([*METALS, LEG_WOODS[0]])


def _inside(outline: str, area: Rectangle, y: int) -> Top:
    """Where things stand on a tabletop: all but its rim, or the rectangle inside an oval."""
    x0, z0, x1, z1 = area
    share = 0.16 if outline == "oval" else 0.04
    dx, dz = (x1 - x0) * share, (z1 - z0) * share
    return Top(int(x0 + dx) + 1, int(z0 + dz) + 1, int(x1 - dx) - 1, int(z1 - dz) - 1, y)


def _slab(outline: str, area: Rectangle, y0: float, y1: float, main: Surface) -> list[Solid]:
    """The top of a table: a board, or a pane of glass in a rim where the main surface is metal."""
    if main[0] != "metal":
        return [tabletop(outline, area, y0, y1, main)]
    x0, z0, x1, z1 = area
    if outline != "oval":
        inner = (x0 + 2, z0 + 2, x1 - 2, z1 - 2)
        return [*_apron(area, y0, y1, 2, main), tabletop("sharp", inner, y1 - 1.2, y1 - 0.01, GLASS)]
    ring = oval((x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2 - 1.2, (z1 - z0) / 2 - 1.2, 24)
    loop = [(x, y1 - 1.2, z) for x, z in ring]
    return [tube([*loop, loop[0]], 1.2, main, 5), prism(ring, y1 - 1.2, y1, GLASS)]


def _apron(area: Rectangle, y0: float, y1: float, thick: float, surface: Surface) -> list[Solid]:
    """Four boards under the edges of a tabletop."""
    x0, z0, x1, z1 = area
    return [
        box(x0, y0, z0, x1, y1, z0 + thick, surface),
        box(x0, y0, z1 - thick, x1, y1, z1, surface),
        box(x0, y0, z0 + thick, x0 + thick, y1, z1 - thick, surface),
        box(x1 - thick, y0, z0 + thick, x1, y1, z1 - thick, surface),
    ]


def _pedestal(x: float, z: float, top: float, reach: float, surface: Surface, style: str) -> list[Solid]:
    """One foot in the middle: a "disc" with a column, four curved "claws", or a "cone"."""
    if style == "disc":
        profile = [
            (reach, 0),
            (reach, 1.5),
            (reach * 0.3, 4),
            (4, 8),
            (3.5, top * 0.6),
            (5, top * 0.9),
            (9, top),
        ]
        return [lathe(x, z, profile, surface, 16)]
    if style == "cone":
        return [lathe(x, z, [(reach, 0), (reach * 0.28, top * 0.5), (reach * 0.75, top)], surface, 16)]
    column = [(3, 12), (6.5, 18), (4, 26), (5.5, top * 0.6), (3.6, top * 0.75), (8, top)]
    parts = [lathe(x, z, column, surface, 10)]
    for cos, sin in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        curve = [(x + cos * r * reach, y, z + sin * r * reach) for r, y in ((0.0, 24), (0.45, 18), (0.92, 3))]
        parts += [
            tube(curve, 2.4, surface),
            ellipsoid((x + cos * reach * 0.9, 3, z + sin * reach * 0.9), (3, 3, 3), surface, 6),
        ]
    return parts


def _metal_frames(width: int, depth: int, top: float, bar: float, surface: Surface) -> list[Solid]:
    """Two closed rectangles of square tube under the ends of a top."""
    parts: list[Solid] = []
    for x in (width * 0.06, width * 0.94 - bar):
        parts += [
            box(x, 0, 2, x + bar, bar, depth - 2, surface),
            box(x, top - bar, 2, x + bar, top, depth - 2, surface),
            box(x, bar, 2, x + bar, top - bar, 2 + bar, surface),
            box(x, bar, depth - 2 - bar, x + bar, top - bar, depth - 2, surface),
        ]
    return parts


def _coffee_table(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["shelf", "round", "frame", "drawers", "oval", "pair"])
    height, slab = dice.between(38, 46), dice.between(3, 5)
    under = _under(dice, main)
    if family == "round":
        width = dice.between(72, 94, 2)
        depth = width
        base = (
            _pedestal(width / 2, depth / 2, height - slab, width * 0.3, under, dice.pick(["disc", "cone"]))
            if dice.chance(40)
            else legs(
                dice.pick(["splayed", "hairpin"]), (8, 8, width - 8, depth - 8), height - slab, 4, under
            )
        )
    else:
        width, depth = dice.between(95, 125, 5), dice.between(52, 66, 2)
        base = []
    area = (0, 0, width, depth)
    tops = []
    outline = "oval" if family in ("round", "oval") else dice.pick(_EDGES)
    if family == "shelf":
        base = legs(dice.pick(LEG_STYLES[:3]), (2, 2, width - 2, depth - 2), height - slab, 6, under)
        base += _apron((5, 5, width - 5, depth - 5), height - slab - 6, height - slab, 2, under)
        base.append(box(4, 11, 4, width - 4, 14, depth - 4, under))
        tops.append(Top(8, 8, width - 8, depth - 8, 14, height - slab - 20))
    elif family == "frame":
        metal = dice.pick(METALS)
        base = _metal_frames(width, depth, height - slab, 3, metal)
    elif family == "oval":
        base = legs(
            dice.pick(["splayed", "tapered"]),
            (width * 0.16, depth * 0.14, width * 0.84, depth * 0.86),
            height - slab,
            4.5,
            under,
        )
    elif family == "drawers":
        fronts = draw_fronts(dice)
        base = [
            *legs(dice.pick(["square", "bun", "tapered"]), (3, 3, width - 3, depth - 7), 12, 6, under),
            box(2, 11, 2, width - 2, height - slab, depth - 6, main),
            *drawer(fronts, 4, 13, width / 2 - 1, height - slab - 1, depth - 6, main),
            *drawer(fronts, width / 2 + 1, 13, width - 4, height - slab - 1, depth - 6, main),
        ]
    elif family == "pair":  # a solid block of a table: two slabs at the ends
        base = [box(x, 0, 3, x + 5, height - slab, depth - 3, main) for x in (6, width - 11)]
        base.append(box(11, 10, depth / 2 - 2, width - 11, height - slab, depth / 2 + 2, main))
    tops.insert(0, _inside(outline, area, height))
    return compose(width, depth, height, [*_slab(outline, area, height - slab, height, main), *base], tops)


def _side_table(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["pedestal", "shelf", "tripod", "drum", "c"])
    width, height, slab = dice.between(40, 52, 2), dice.between(50, 62, 2), dice.pick([2, 3])
    middle, under = width / 2, _under(dice, main)
    area = (0, 0, width, width)
    outline = "oval" if family in ("pedestal", "tripod", "drum") else dice.pick(_EDGES)
    tops = [_inside(outline, area, height)]
    if family == "pedestal":
        base = _pedestal(
            middle, middle, height - slab, width * 0.34, under, dice.pick(["disc", "claws", "cone"])
        )
    elif family == "tripod":
        turn = cosines(12)
        base = []
        for k in (1, 5, 9):
            dx, dz = turn[k], turn[(k - 3) % 12]
            foot = (middle + dx * (middle - 3), 1.2, middle + dz * (middle - 3))
            base.append(rod(foot, (middle - dx * 4, height - slab, middle - dz * 4), 1.5, under, 6))
    elif family == "drum":
        base = [
            cylinder(middle, middle, 0, height - slab, middle - 2, main, 20),
            cylinder(middle, middle, 2, 5, middle - 0.6, METALS[2], 20),
        ]
    elif family == "c":
        base = [
            box(3, 0, 0, 7, 2.5, width, under),
            box(width - 7, 0, 0, width - 3, 2.5, width, under),
            box(3, 2.5, 0, 7, height - slab, 2.5, under),
            box(width - 7, 2.5, 0, width - 3, height - slab, 2.5, under),
            box(7, 0, 0, width - 7, 2.5, 2.5, under),
        ]
    else:
        base = legs(
            dice.pick(["square", "tapered", "turned"]), (1, 1, width - 1, width - 1), height - slab, 4, under
        )
        base += _apron((3, 3, width - 3, width - 3), height - slab - 5, height - slab, 2, under)
        base.append(box(2, 14, 2, width - 2, 16, width - 2, under))
        tops.append(Top(6, 6, width - 6, width - 6, 16, height - slab - 22))
    return compose(width, width, height, [*_slab(outline, area, height - slab, height, main), *base], tops)


def _console_table(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["drawers", "frame", "shelf", "trestle"])
    width, depth, height, slab = dice.between(95, 140, 5), dice.between(32, 40), dice.between(76, 86, 2), 3
    under = _under(dice, main)
    parts: list[Solid] = []
    area = (0.0, 0.0, float(width), float(depth))
    tops = [_inside("sharp", area, height)]
    if family == "drawers":
        body = depth - HARDWARE_CM
        fronts = draw_fronts(dice)
        count = 2 if width < 120 else 3
        step = (width - 6) / count
        parts += legs(
            dice.pick(["tapered", "turned", "square"]), (1, 1, width - 1, body), height - slab - 14, 5, under
        )
        parts.append(box(1, height - slab - 15, 1, width - 1, height - slab, body, main))
        for i in range(count):
            parts += drawer(
                fronts,
                3 + i * step + 0.5,
                height - slab - 13,
                3 + (i + 1) * step - 0.5,
                height - slab - 1,
                body,
                main,
            )
        area = (0, 0, width, depth - 2)
        tops = [_inside("sharp", area, height)]
    elif family == "frame":
        parts += _metal_frames(width, depth, height - slab, 2.5, dice.pick(METALS))
        parts.append(box(width * 0.06, 12, 3, width * 0.94, 15, depth - 3, main))
        tops.append(Top(int(width * 0.06) + 5, 5, int(width * 0.94) - 5, depth - 5, 15, 50))
    elif family == "shelf":
        parts += legs(dice.pick(["square", "turned"]), (1, 1, width - 1, depth - 1), height - slab, 5, under)
        parts += _apron((3, 3, width - 3, depth - 3), height - slab - 8, height - slab, 2, under)
        parts.append(box(2, 16, 2, width - 2, 19, depth - 2, main))
        tops.append(Top(8, 5, width - 8, depth - 5, 19, height - slab - 30))
    else:
        for x in (12, width - 18):
            parts.append(
                sheared(box(x, 0, 2, x + 6, height - slab, 6, under), "z", "y", 0, (depth / 2 - 8) / height)
            )
            parts.append(
                sheared(
                    box(x, 0, depth - 6, x + 6, height - slab, depth - 2, under),
                    "z",
                    "y",
                    0,
                    -(depth / 2 - 8) / height,
                )
            )
            parts.append(box(x + 1, 24, 4, x + 5, 28, depth - 4, under))
        parts.append(box(15, 24, depth / 2 - 2, width - 15, 28, depth / 2 + 2, under))
    return compose(width, depth, height, [*_slab("sharp", area, height - slab, height, main), *parts], tops)


def _dining_table(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["legs", "legs", "round", "trestle", "oval", "farm", "frame"])
    height, slab = dice.between(73, 77), dice.pick([3, 4, 5])
    under = _under(dice, main)
    width, depth = dice.between(120, 180, 10), dice.between(78, 92, 2)
    outline = dice.pick(_EDGES)
    below = height - slab
    if family == "round":
        width = depth = dice.between(96, 120, 4)
        outline = "oval"
        style = dice.pick(["disc", "claws", "cone"])
        base = _pedestal(width / 2, width / 2, below, width * 0.3, under, style)
    elif family == "oval":
        outline = "oval"
        base = [
            part
            for x in (width * 0.32, width * 0.68)
            for part in _pedestal(x, depth / 2, below, depth * 0.24, under, dice.pick(["disc", "claws"]))
        ]
    elif family == "trestle":
        base = []
        for x in (width * 0.14, width * 0.86 - 6):
            base += [
                box(x, 0, depth * 0.14, x + 8, 7, depth * 0.86, under),
                box(x, below - 6, depth * 0.12, x + 8, below, depth * 0.88, under),
                *(
                    rod(
                        (x + 4, 5, depth * (0.5 + s * 0.30)),
                        (x + 4, below - 4, depth * (0.5 - s * 0.24)),
                        3,
                        under,
                        6,
                    )
                    for s in (-1, 1)
                ),
            ]
        base.append(
            box(
                width * 0.14 + 4,
                below * 0.5 - 4,
                depth / 2 - 2,
                width * 0.86 - 2,
                below * 0.5 + 4,
                depth / 2 + 2,
                under,
            )
        )
    elif family == "frame":
        base = _metal_frames(width, depth, below, 6, dice.pick(METALS))
    else:
        style = "turned" if family == "farm" else dice.pick(["square", "tapered", "splayed", "round"])
        base = legs(style, (2, 2, width - 2, depth - 2), below, dice.pick([6, 7, 8]), under)
        inset = 12 if style == "splayed" else 5
        base += _apron((inset, inset, width - inset, depth - inset), below - 9, below, 2.5, under)
    area = (0, 0, width, depth)
    top = _inside(outline, area, height)
    return compose(width, depth, height, [*_slab(outline, area, height - slab, height, main), *base], [top])


def _desk(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["pedestal", "writing", "double", "frame", "hutch"])
    width, depth, height = dice.between(110, 150, 10), dice.between(58, 70, 2), dice.between(74, 77)
    fronts, below, body = draw_fronts(dice), height - 3, depth - HARDWARE_CM
    under = _under(dice, main)
    parts: list[Solid] = [
        tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, depth), below, height, main)
    ]
    tops = [_inside("sharp", (0, 0, width, depth), height)]
    if family in ("pedestal", "double", "hutch"):
        sides = [width - 42.0] if family != "double" else [1.0, width - 39.0]
        for x in sides:
            parts.append(box(x, 0, 2, x + 38, 5, body - 4, ("plain", "dark grey")))
            parts.append(box(x, 5, 1, x + 38, below, body, main))
            step = (below - 7) / 3
            for i in range(3):
                parts += drawer(fronts, x + 1, 6 + i * step, x + 37, 6 + (i + 1) * step - 1, body, main)
        if family != "double":
            parts.append(box(1, 0, 1, 4, below, depth - 3, main))
        parts.append(box(4, below - 38, 1, sides[-1], below, 3, main))
    elif family == "writing":
        parts += legs(
            dice.pick(["tapered", "splayed", "turned", "square"]),
            (2, 2, width - 2, body),
            below - 11,
            5,
            under,
        )
        parts.append(box(1, below - 12, 1, width - 1, below, body, main))
        for i in range(2):
            parts += drawer(
                fronts,
                3 + i * (width - 6) / 2 + 1,
                below - 11,
                3 + (i + 1) * (width - 6) / 2 - 1,
                below - 1,
                body,
                main,
            )
    else:
        metal = dice.pick(METALS)
        parts += _metal_frames(width, depth, below, 4, metal)
        parts.append(
            box(width * 0.07, below - 5, depth / 2 - 2, width * 0.93, below - 1, depth / 2 + 2, metal)
        )
        if dice.chance(60):
            parts.append(box(width - 48, below - 14, 6, width - 14, below, body - 8, main))
            parts += drawer(fronts, width - 47, below - 13, width - 15, below - 1, body - 8, main)
    if family != "hutch":
        shape = compose(width, depth, height, parts, tops)
        return flipped(shape) if dice.chance(50) else shape
    shelf = height + dice.between(26, 32)
    high = shelf + 26
    parts += [
        *(box(x, height, 0, x + 2, high, 24, main) for x in (0, width / 2 - 1, width - 2)),
        box(2, height, 0, width - 2, high, 1.2, main),
        box(2, shelf - 2, 1.2, width - 2, shelf, 24, main),
        box(0, high - 2, 0, width, high, 25, main),
    ]
    half = width // 2
    tops = [
        Top(4, 28, width - 4, depth - 4, height),
        Top(4, 3, half - 3, 22, shelf, high - shelf - 4),
        Top(half + 3, 3, width - 4, 22, shelf, high - shelf - 4),
        Top(3, 2, width - 3, 22, high),
    ]
    return compose(width, depth, high, parts, tops)


def _dressing_table(dice: Dice, main: Surface) -> Shape:
    """A small table with drawers and a mirror at the back."""
    width, depth, height = dice.between(90, 115, 5), dice.between(44, 50, 2), dice.between(74, 78, 2)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice)
    parts: list[Solid] = [tabletop("bevelled", (0, 0, width, depth - 2), height - 3, height, main)]
    if dice.chance(50):  # two stacks of drawers
        for x in (1, width - 31):
            parts += legs("tapered", (x + 1, 3, x + 29, body - 1), 15, 4, main)
            parts.append(box(x, 14, 1, x + 30, height - 3, body, main))
            step = (height - 3 - 15) / 3
            for i in range(3):
                parts += drawer(fronts, x + 1, 15 + i * step, x + 29, 14.2 + (i + 1) * step, body, main)
        parts.append(box(31, height - 16, 1, width - 31, height - 3, body - 1, main))
        parts += drawer(fronts, 33, height - 15, width - 33, height - 4, body - 1, main)
    else:
        parts += legs(dice.pick(["turned", "tapered"]), (1, 1, width - 1, body), height - 17, 5, main)
        parts.append(box(1, height - 18, 1, width - 1, height - 3, body, main))
        step = (width - 4) / 3
        for i in range(3):
            parts += drawer(fronts, 2.5 + i * step, height - 17, 1.5 + (i + 1) * step, height - 4, body, main)
    wide, tall = dice.between(50, 66, 2), dice.between(58, 76, 2)
    x0, top = (width - wide) / 2, height + 6 + tall
    if dice.chance(50):  # an oval mirror between two posts
        ring = oval(width / 2, height + 4.4 + tall / 2, wide / 2, tall / 2, 20)
        loop = [(x, y, 5.0) for x, y in ring]
        parts += [tube([*loop, loop[0]], 1.6, main, 6), extruded(ring, "z", 4.5, 5.5, GLASS)]
        parts += [
            rod((x, height, 5), (x, height + 6 + tall * 0.6, 5), 1.6, main, 8)
            for x in (x0 - 2.5, x0 + wide + 2.5)
        ]
    else:
        parts += frame(x0, height, x0 + wide, top, 1, 5, 4, main)
        parts.append(box(x0 + 4, height + 4, 2, x0 + wide - 4, top - 4, 4, GLASS))
    tops = [Top(2, 9, width - 2, depth - 5, height)]
    return compose(width, depth, top, parts, tops)


_TOPS = ("wood", "wood", "wood", "oak", "oak", "marble", "metal", "metal")
_TOP_COLORS = ("brown", "brown", "white", "black", "grey", "beige")

TABLES = (
    FurnitureClass("coffee table", _TOPS, _TOP_COLORS, _coffee_table),
    FurnitureClass("side table", _TOPS, (*_TOP_COLORS, "blue", "green", "red"), _side_table),
    FurnitureClass(
        "console table",
        ("wood", "wood", "oak", "oak", "marble", "metal"),
        PAINTED,
        _console_table,
        front_cm=40,
    ),
    FurnitureClass(
        "dining table", ("wood", "wood", "wood", "oak", "oak", "metal", "marble"), _TOP_COLORS, _dining_table
    ),
    FurnitureClass("desk", ("wood", "wood", "oak"), PAINTED, _desk, front_cm=60),
    FurnitureClass(
        "dressing table",
        ("wood", "wood", "oak"),
        (*_TOP_COLORS, "pink", "cream", "turquoise"),
        _dressing_table,
        front_cm=50,
    ),
)
"""Classes of tables and desks."""
