"""Cupboards and drawers: wardrobes, dressers, cabinets, sideboards, tv stands, chests."""

from __future__ import annotations

from vlnenv.houses.catalogue.parts import (
    GLASS,
    HARDWARE_CM,
    LEG_WOODS,
    METALS,
    PAINTED,
    WOODS,
    Fronts,
    carcass,
    door,
    draw_fronts,
    drawer,
    handle,
    legs,
    panel,
    tabletop,
)
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import Solid, Surface, box, cylinder, extruded, rounded_box
from vlnenv.houses.dice import Dice

_DARK: Surface = ("plain", "dark grey")


def _base(dice: Dice, width: float, depth: float, main: Surface, low: bool = True) -> tuple[int, list[Solid]]:
    """What a carcass stands on, and how high that is: a plinth, feet, or legs."""
    style = dice.pick(
        ["plinth", "bun", "tapered", "splayed", "metal"] if low else ["plinth", "plinth", "bun", "square"]
    )
    if style == "plinth":
        return 7, [box(1.5, 0, 1, width - 1.5, 7.5, depth - 5, _DARK if dice.chance(50) else main)]
    surface = dice.pick(METALS) if style == "metal" else dice.pick([main, *LEG_WOODS])
    height = {"bun": 7, "square": 10}.get(style, dice.between(13, 20))
    shape = "square" if style == "metal" else style
    return height, legs(
        shape, (2, 1, width - 2, depth - 2), height + 0.5, 3 if style == "metal" else 5, surface
    )


def _drawer_stack(
    fronts: Fronts, x0: float, x1: float, y0: float, y1: float, z: float, rows: int, main: Surface
) -> list[Solid]:
    """Drawers above each other with gaps of 1.4 cm."""
    step = (y1 - y0) / rows
    parts: list[Solid] = []
    for i in range(rows):
        parts += drawer(fronts, x0 + 0.7, y0 + i * step + 0.7, x1 - 0.7, y0 + (i + 1) * step - 0.7, z, main)
    return parts


def _doors(
    fronts: Fronts, x0: float, x1: float, y0: float, y1: float, z: float, count: int, main: Surface
) -> list[Solid]:
    """Doors side by side whose handles meet in pairs."""
    step = (x1 - x0) / count
    parts: list[Solid] = []
    for i in range(count):
        opens = "right" if i % 2 == 0 and count > 1 else "left"
        parts += door(
            fronts, x0 + i * step + 0.7, y0 + 0.7, x0 + (i + 1) * step - 0.7, y1 - 0.7, z, main, opens
        )
    return parts


def _full_top(width: int, depth: int, y: int, front: int = HARDWARE_CM) -> Top:
    return Top(2, 2, width - 2, depth - front - 1, y)


def _wardrobe(dice: Dice, main: Surface) -> Shape:
    doors = dice.pick([2, 2, 3])
    width, depth, height = doors * dice.between(46, 56, 2), dice.between(57, 63, 2), dice.between(190, 214, 2)
    body = depth - HARDWARE_CM
    family = dice.pick(["doors", "drawers", "sliding", "mirror"])
    fronts = draw_fronts(dice, ("flat", "framed", "framed", "raised", "louvred"))
    foot, parts = _base(dice, width, body, main, low=False)
    crown = dice.chance(50)
    top = height - (4 if crown else 0)
    parts.append(box(0.8, foot, 0, width - 0.8, top, body, main))
    if crown:
        parts.append(tabletop("bevelled", (0, 0, width, body + 3), top, height, main))
    if family == "sliding":
        half, rim = width / 2, ("metal", "silver")
        for i, z in ((0, body), (1, body + 1.6)):
            x0, x1 = i * (half - 2) + 1, half + i * (half - 2) + 1
            mirror = i == 1 and dice.chance(60)
            parts.append(box(x0, foot + 1, z, x1, top - 1, z + 1.4, GLASS if mirror else main))
            parts += [box(x, foot + 1, z, x + 1.6, top - 1, z + 2, rim) for x in (x0, x1 - 1.6)]
        parts += [box(0.8, y, body, width - 0.8, y + 2, body + 3.6, rim) for y in (foot, top - 2)]
    else:
        low = foot
        if family == "drawers":
            low = foot + 40
            parts += _drawer_stack(fronts, 1, width - 1, foot, low, body, 2, main)
        parts += _doors(fronts, 1, width - 1, low, top - 0.5, body, doors, main)
        if family == "mirror":
            step = (width - 2) / doors
            x0 = 1 + (doors - 1) * step
            parts.append(box(x0 + 7, low + 12, body + 2, x0 + step - 7, top - 12, body + 2.4, GLASS))
    return compose(width, depth, height, parts)


def _dresser(dice: Dice, main: Surface) -> Shape:
    """A chest of drawers: low and wide, or tall."""
    tall = dice.chance(30)
    width = dice.between(62, 76, 2) if tall else dice.between(90, 140, 10)
    depth, height = dice.between(46, 52, 2), dice.between(104, 124, 4) if tall else dice.between(76, 90, 2)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice, ("flat", "framed", "raised", "reeded"))
    foot, parts = _base(dice, width, body, main)
    parts.append(box(1, foot, 0.5, width - 1, height - 3, body, main))
    parts.append(
        tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, body + 2), height - 3, height, main)
    )
    columns = 1 if width < 80 else dice.pick([1, 2, 2, 3]) if width >= 110 else dice.pick([1, 2])
    rows, step = (5 if tall else 3), (width - 3) / columns
    for i in range(columns):
        x0 = 1.5 + i * step
        parts += _drawer_stack(fronts, x0, x0 + step, foot + 1, height - 4, body, rows, main)
    return compose(width, depth, height, parts, [_full_top(width, depth, height)])


def _nightstand(dice: Dice, main: Surface) -> Shape:
    width, depth, height = dice.between(40, 54, 2), dice.between(38, 46, 2), dice.between(48, 60, 2)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice, ("flat", "framed", "raised", "reeded"))
    family = dice.pick(["drawers", "shelf", "door", "round"])
    if family == "round":
        r, base = width / 2, dice.pick([main, *METALS[:3]])
        parts = [
            cylinder(r, r, 16, height - 3, r - 1.5, main, 20),
            cylinder(r, r, height - 3, height, r, main, 20),
            *legs("splayed", (5, 5, width - 5, width - 5), 17, 3.5, base),
        ]
        margin = int(width * 0.17) + 1
        return compose(
            width, width, height, parts, [Top(margin, margin, width - margin, width - margin, height)]
        )
    foot, parts = _base(dice, width, body, main)
    top = _full_top(width, depth, height)
    parts.append(
        tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, body + 2), height - 2, height, main)
    )
    tops = [top]
    if family == "shelf":  # a drawer over an open compartment
        middle = height - 18
        parts += carcass(0.5, foot, 0.5, width - 0.5, height - 2, body, main)
        parts.append(box(2.5, middle - 2, 1.5, width - 2.5, height - 4, body - 0.2, main))
        parts += drawer(fronts, 2, middle, width - 2, height - 2.5, body - 0.1, main)
        tops.append(Top(5, 4, width - 5, body - 3, foot + 2, middle - foot - 5))
    else:
        parts.append(box(0.5, foot, 0.5, width - 0.5, height - 2, body, main))
        if family == "drawers":
            parts += _drawer_stack(
                fronts, 1.5, width - 1.5, foot + 1, height - 3, body, dice.pick([2, 2, 3]), main
            )
        else:
            parts += _drawer_stack(fronts, 1.5, width - 1.5, height - 18, height - 3, body, 1, main)
            parts += _doors(fronts, 1.5, width - 1.5, foot + 1, height - 18, body, 1, main)
    return compose(width, depth, height, parts, tops)


def _cabinet(dice: Dice, main: Surface) -> Shape:
    """A cupboard of two doors: low ones with a top for things, or high ones with drawers between."""
    width, depth = dice.between(76, 104, 4), dice.between(40, 48, 2)
    height = dice.pick([84, 90, 96, 120, 150, 180])
    body = depth - HARDWARE_CM
    fronts = draw_fronts(dice, ("flat", "framed", "raised", "louvred", "reeded"))
    foot, parts = _base(dice, width, body, main, low=height < 100)
    parts.append(box(1, foot, 0.5, width - 1, height - 3, body, main))
    parts.append(tabletop("bevelled", (0, 0, width, body + 2), height - 3, height, main))
    if height >= 150:
        middle = foot + (height - foot) * 0.42
        parts += _doors(fronts, 1.5, width - 1.5, foot + 1, middle, body, 2, main)
        parts += _drawer_stack(fronts, 1.5, width / 2, middle, middle + 16, body, 1, main)
        parts += _drawer_stack(fronts, width / 2, width - 1.5, middle, middle + 16, body, 1, main)
        parts += _doors(fronts, 1.5, width - 1.5, middle + 16, height - 4, body, 2, main)
    else:
        low = foot + 1
        if dice.chance(40):
            parts += _drawer_stack(fronts, 1.5, width - 1.5, height - 20, height - 4, body, 1, main)
            parts += _doors(fronts, 1.5, width - 1.5, low, height - 20, body, 2, main)
        else:
            parts += _doors(fronts, 1.5, width - 1.5, low, height - 4, body, 2, main)
    tops = [_full_top(width, depth, height)] if height <= 125 else []
    return compose(width, depth, height, parts, tops)


def _sideboard(dice: Dice, main: Surface) -> Shape:
    """Long and low: doors at both ends, drawers or an open compartment in the middle."""
    width, depth, height = dice.between(140, 190, 10), dice.between(42, 50, 2), dice.between(72, 88, 2)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice, ("flat", "framed", "raised", "reeded", "louvred"))
    foot, parts = _base(dice, width, body, main)
    third = (width - 2) / 3
    parts.append(
        tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, body + 2), height - 3, height, main)
    )
    family = dice.pick(["drawers", "open", "doors"])
    for x0 in (1, 1 + 2 * third):
        parts.append(box(x0, foot, 0.5, x0 + third, height - 3, body, main))
        parts += _doors(
            fronts, x0 + 0.5, x0 + third - 0.5, foot + 1, height - 4, body, 1 if third < 52 else 2, main
        )
    tops = [_full_top(width, depth, height)]
    x0, x1 = 1 + third, 1 + 2 * third
    if family == "open":
        middle = int(foot + (height - foot) * 0.5)
        parts += carcass(x0, foot, 0.5, x1, height - 3, body, main)
        parts.append(box(x0 + 2, middle - 2, 1.5, x1 - 2, middle, body - 1, main))
        tops += [
            Top(int(x0) + 5, 4, int(x1) - 4, body - 3, foot + 2, middle - foot - 5),
            Top(int(x0) + 5, 4, int(x1) - 4, body - 3, middle, height - middle - 6),
        ]
    else:
        parts.append(box(x0, foot, 0.5, x1, height - 3, body, main))
        if family == "drawers":
            parts += _drawer_stack(fronts, x0 + 0.5, x1 - 0.5, foot + 1, height - 4, body, 3, main)
        else:
            parts += _doors(fronts, x0 + 0.5, x1 - 0.5, foot + 1, height - 4, body, 2, main)
    return compose(width, depth, height, parts, tops)


def _filing_cabinet(dice: Dice, main: Surface) -> Shape:
    """Steel or wooden drawers with label holders."""
    width, depth = dice.between(40, 48, 2), dice.between(50, 62, 2)
    rows = dice.pick([2, 3, 4])
    height, body = 6 + rows * 32, depth - HARDWARE_CM
    metal = dice.pick(METALS[:2])
    parts: list[Solid] = [
        box(1, 0, 1, width - 1, 4, body - 2, _DARK),
        rounded_box(0, 4, 0, width, height, body, main, radius=0.8, steps=1),
    ]
    for i in range(rows):
        y0 = 5 + i * 32
        parts.append(
            rounded_box(1.2, y0, body - 1, width - 1.2, y0 + 30, body + 2, main, radius=0.8, steps=1)
        )
        parts += handle("cup", width / 2, y0 + 17, body + 2, metal, 13, upright=False)
        parts.append(
            box(width / 2 - 5, y0 + 22, body + 2, width / 2 + 5, y0 + 26, body + 2.5, ("paper", "white"))
        )
    parts.append(cylinder(width - 5, body - 2, height - 4, height - 3.5, 1, metal, 6))
    tops = [_full_top(width, depth, height)] if height < 125 else []
    return compose(width, depth, height, parts, tops)


def _tv_stand(dice: Dice, main: Surface) -> Shape:
    """Low and long: open compartments in the middle, doors or drawers at the ends."""
    width, depth, height = dice.between(120, 180, 10), dice.between(40, 48, 2), dice.between(44, 58, 2)
    body, fronts = depth - HARDWARE_CM, draw_fronts(dice, ("flat", "framed", "reeded", "louvred"))
    foot, parts = _base(dice, width, body, main)
    parts.append(
        tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, body + 2), height - 3, height, main)
    )
    parts += carcass(1, foot, 0.5, width - 1, height - 3, body, main)
    share = width * dice.pick([0.26, 0.3, 0.34])
    x0, x1 = int(share), int(width - share)
    for low, high in ((1.0, float(x0)), (float(x1), width - 1.0)):
        parts.append(box(low, foot, 1, high, height - 3, body - 0.2, main))
        if dice.chance(50):
            parts += _doors(fronts, low + 0.5, high - 0.5, foot + 1, height - 4, body, 1, main)
        else:
            parts += _drawer_stack(fronts, low + 0.5, high - 0.5, foot + 1, height - 4, body, 2, main)
    middle = foot + 2 + (height - foot - 5) // 2
    parts.append(box(x0, middle - 2, 1.5, x1, middle, body - 1, main))
    if dice.chance(60):  # a player on the shelf
        center = (x0 + x1) / 2
        parts.append(
            box(center - 20, middle, body - 26, center + 20, middle + 6, body - 3, ("plastic", "black"))
        )
        parts.append(
            box(center + 8, middle + 2, body - 3, center + 16, middle + 4, body - 2.8, ("plain", "silver"))
        )
    return compose(width, depth, height, parts, [_full_top(width, depth, height)])


def _chest(dice: Dice, main: Surface) -> Shape:
    """A trunk with a flat or rounded lid, iron bands and grips."""
    width, depth = dice.between(80, 115, 5), dice.between(44, 54, 2)
    base, iron = (
        dice.between(34, 42, 2),
        dice.pick([("metal", "black"), ("metal", "gold"), ("leather", "dark brown")]),
    )
    family = dice.pick(["flat", "domed", "blanket"])
    front = depth - 2
    parts: list[Solid] = []
    tops: list[Top] = []
    bands = [width * share for share in (0.12, 0.88)] if family != "blanket" else []
    if family == "domed":
        rise = 12
        arc = [
            (base, 0.5),
            *(
                (base + 1 + rise * (1 - ((z - front / 2) / (front / 2)) ** 2), z)
                for z in _steps(0.5, front, 9)
            ),
            (base, front),
        ]
        parts.append(extruded(arc, "x", 1, width - 1, main))
        height = base + 2 + rise
        for x in bands:
            wide = [
                (base + 0.5, 0),
                *((min(y + 0.8, height), z) for y, z in arc[1:-1]),
                (base + 0.5, front + 0.8),
            ]
            parts.append(extruded(wide, "x", x - 2, x + 2, iron))
    else:
        height = base + 6
        parts.append(tabletop("bevelled", (0, 0, width, depth - 1), base + 0.5, height, main))
        tops.append(Top(6, 5, width - 6, depth - 7, height))
        parts += [box(x - 2, base + 0.5, depth - 1.2, x + 2, height - 0.6, depth - 0.4, iron) for x in bands]
    parts.append(box(1, 2 if bands else 8, 0.5, width - 1, base, front, main))
    for x in bands:
        parts.append(box(x - 2, 2, front, x + 2, base, front + 0.8, iron))
    if bands:
        parts += [box(x, 0, z, x + 6, 2, z + 6, iron) for x in (2, width - 8) for z in (1, front - 7)]
        parts.append(box(width / 2 - 4, base - 7, front, width / 2 + 4, base + 3, front + 1.6, iron))
    else:
        parts += legs("bun", (2, 1, width - 2, front), 8.5, 7, main)
        for i in range(3):
            x0 = 3 + i * (width - 6) / 3
            parts += panel("framed", x0 + 1, 10, x0 + (width - 6) / 3 - 1, base - 1, front - 1, main)
    return compose(width, depth, height, parts, tops)


def _steps(low: float, high: float, count: int) -> list[float]:
    return [low + i * (high - low) / (count - 1) for i in range(count)]


STORAGE = (
    FurnitureClass("wardrobe", ("wood", "wood", "oak"), PAINTED, _wardrobe, front_cm=60),
    FurnitureClass("dresser", ("wood", "wood", "oak"), PAINTED, _dresser, front_cm=50),
    FurnitureClass("nightstand", ("wood", "wood", "oak"), PAINTED, _nightstand),
    FurnitureClass("cabinet", ("wood", "wood", "oak"), (*PAINTED, "red", "yellow"), _cabinet, front_cm=50),
    FurnitureClass("sideboard", ("wood", "wood", "oak"), PAINTED, _sideboard, front_cm=45),
    FurnitureClass(
        "filing cabinet",
        ("metal", "metal", "wood"),
        ("grey", "grey", "white", "black", "green", "beige", "blue"),
        _filing_cabinet,
        front_cm=50,
    ),
    FurnitureClass("tv stand", ("wood", "wood", "oak"), WOODS, _tv_stand, front_cm=30),
    FurnitureClass(
        "chest",
        ("wood", "wood", "oak", "leather", "wicker"),
        ("brown", "brown", "white", "black", "grey", "green", "blue"),
        _chest,
        front_cm=30,
    ),
)
"""Classes with doors, drawers and lids."""
