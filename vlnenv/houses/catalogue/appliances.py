"""Large appliances of kitchens and laundry rooms; those that stand in a run are 62 cm deep and 88 cm high."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    DARK,
    GLASS,
    IRON,
    SCREEN,
    STEEL,
    WHITE,
    fitted,
    front,
    pull,
    studs,
)
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cylinder,
    extruded,
    frustum,
    lathe,
    oval,
    rod,
    rounded_box,
    tube,
)
from vlnenv.houses.dice import Dice

_FINISHES = ("enamel", "enamel", "metal")
_COLORS = ("white", "white", "white", "grey", "grey", "black", "red")
_DEPTH, _HEIGHT = 62, 88


def _fridge(dice: Dice, main: Surface) -> Shape:
    kind = dice.pick(["two doors", "side by side", "round"])
    width = 92 if kind == "side by side" else dice.pick([60, 66, 72])
    high, depth = dice.pick([165, 175, 185]), 72
    body, radius = depth - 12, 5 if kind == "round" else 1.5
    solids: list[Solid] = [
        rounded_box(0, 5, 0, width, high, body, main, radius, 1),
        box(3, 0, 4, width - 3, 6, body, DARK),
    ]
    if kind == "side by side":
        middle = width // 2
        spans = [(0, middle, 6, high - 1), (middle, width, 6, high - 1)]
        pulls = [(middle - 4, high * 0.55), (middle + 4, high * 0.55)]
    else:
        cut = dice.pick([high - 52, 62])
        spans = [(0, width, 6, cut), (0, width, cut, high - 1)]
        side = dice.pick([6, width - 6])
        pulls = [(side, cut - 26 if cut > 80 else cut - 22), (side, cut + 26)]
    for x0, x1, y0, y1 in spans:
        solids.append(
            rounded_box(x0 + 0.3, y0 + 0.4, body, x1 - 0.3, y1 - 0.4, depth - 5, main, max(radius, 2), 2)
        )
    for x, y in pulls:
        long = 60 if kind == "side by side" else 34
        solids.append(box(x - 1.2, y - long / 2, depth - 3, x + 1.2, y + long / 2, depth - 1, STEEL))
        solids += [
            box(x - 1, y + s * (long / 2 - 3), depth - 5, x + 1, y + s * (long / 2 - 3) + 2, depth - 3, STEEL)
            for s in (-1, 0.9)
        ]
    if kind == "side by side" and dice.chance(60):
        solids.append(
            box(width // 4 - 9, high * 0.55, depth - 5, width // 4 + 9, high * 0.55 + 30, depth - 4.6, SCREEN)
        )
    return compose(width, depth, high, solids, [Top(7, 7, width - 7, body - 7, high, 50)])


def _stove(dice: Dice, main: Surface) -> Shape:
    width, gas = 60, dice.chance(50)
    solids = [box(0, 8, 0, width, 86, 57, main), box(2, 0, 2, width - 2, 8, 52, DARK)]
    solids += [box(0.5, 9, 57, width - 0.5, 24, 58.5, main), box(0.5, 25, 57, width - 0.5, 72, 59, main)]
    solids += [box(7, 32, 59, width - 7, 62, 59.4, SCREEN), box(6, 66, 59, width - 6, 68, 62, STEEL)]
    solids += [box(0.5, 73, 57, width - 0.5, 85, 58.5, BLACK if dice.chance(50) else main)]
    solids += [_knob(8 + 11 * i, 79, 58.5) for i in (0, 1, 3, 4)]
    solids.append(box(25, 76, 58.5, 35, 82, 58.8, SCREEN))
    solids.append(box(0, 86, 0, width, 87, _DEPTH, BLACK if not gas else STEEL))
    for x, z, radius in ((16, 18, 8), (44, 18, 10), (16, 44, 10), (44, 44, 8)):
        if gas:
            solids.append(cylinder(x, z, 87, 87.6, radius * 0.5, IRON, 8))
            solids += [
                box(x - radius, 87, z - 0.7, x + radius, 88, z + 0.7, IRON),
                box(x - 0.7, 87, z - radius, x + 0.7, 88, z + radius, IRON),
            ]
        else:
            solids.append(
                lathe(
                    x, z, [(radius, 87), (radius, 87.3), (radius - 1.5, 87.3), (radius - 1.5, 87)], STEEL, 12
                )
            )
    return compose(width, _DEPTH, _HEIGHT, solids, [Top(6, 6, width - 6, 56, _HEIGHT, 50)])


def _knob(x: float, y: float, z: float) -> Solid:
    """A turning knob that looks along +z."""
    return extruded(oval(x, y, 2.4, 2.4, 8), "z", z, z + 2.5, STEEL)


def _range_hood(dice: Dice, main: Surface) -> Shape:
    """Hangs with its lower edge 150 cm above the floor; the chimney reaches the ceiling at 260 cm."""
    width, depth, high = 60, 48, 110
    solids = [box(0, 0, 0, width, 6, depth, main)]
    if dice.chance(60):
        solids.append(frustum((0, 0, width, depth), 6, (18, 0, width - 18, 28), 34, main))
    else:
        solids.append(box(4, 6, 0, width - 4, 12, depth - 8, main))
    solids += [box(18, 12, 0, width - 18, high, 28, main), box(6, -0.0, 6, width - 6, 0.5, depth - 6, DARK)]
    solids += [box(20 + 8 * i, 2, depth - 0.5, 24 + 8 * i, 4, depth, BLACK) for i in range(3)]
    return compose(width, depth, high, solids)


def _dishwasher(dice: Dice, main: Surface) -> Shape:
    solids = [box(0, 10, 0, 60, 84, 57, main), box(0, 0, 0, 60, 10, 51, DARK)]
    solids += front(0, 11, 60, 72, 57, main)
    solids += [
        box(0.4, 72.6, 57, 59.6, 83.6, 59, dice.pick([main, BLACK, STEEL])),
        pull(30, 68, 59, 44, False, STEEL),
    ]
    solids.append(box(22, 76, 59, 38, 80, 59.3, SCREEN))
    solids += [box(44 + 4 * i, 77, 59, 46 + 4 * i, 79, 59.6, STEEL) for i in range(3)]
    solids.append(box(0, 84, 0, 60, _HEIGHT, _DEPTH, dice.pick([main, main, ("granite", "black")])))
    return compose(60, _DEPTH, _HEIGHT, solids, [Top(2, 3, 58, _DEPTH - 3, _HEIGHT, 50)])


def _washing_machine(dice: Dice, main: Surface) -> Shape:
    return _drum(dice, main, glass=SCREEN, drawer=True)


def _dryer(dice: Dice, main: Surface) -> Shape:
    return _drum(dice, main, glass=GLASS if dice.chance(40) else main, drawer=False)


def _drum(dice: Dice, main: Surface, glass: Surface, drawer: bool) -> Shape:
    """A white box with a round door: a washing machine with a drawer, a dryer with a grille."""
    ring = dice.pick([STEEL, WHITE, DARK])
    radius = dice.pick([17, 19, 21])
    solids = [rounded_box(0, 2, 0, 60, 85, 58, main, 2, 1), box(0, 85, 0, 60, _HEIGHT, 59, main)]
    solids += studs(2, 2, 58, 56, 3, 3, BLACK)
    panel = dice.pick([main, DARK, STEEL])
    solids += [
        box(1, 71, 58, 59, 84, 59, panel),
        extruded(oval(30, 40, radius, radius, 20), "z", 58, 60, ring),
        extruded(oval(30, 40, radius - 4, radius - 4, 20), "z", 60, 61.5, glass),
        extruded(oval(dice.pick([30, 42]), 77.5, 4, 4, 10), "z", 59, 62, STEEL),
        box(48, 75, 59, 56, 80, 59.3, SCREEN),
        box(30 + radius - 4, 36, 60, 30 + radius - 1, 44, 62, DARK),
    ]
    if drawer:
        solids += [box(3, 73, 59, 21, 82, 60, WHITE), box(8, 75, 60, 16, 76.5, 61, DARK)]
    else:
        solids += [box(6 + 5 * i, 6, 58, 9 + 5 * i, 15, 58.4, DARK) for i in range(10)]
    return compose(60, _DEPTH, _HEIGHT, solids, [Top(3, 3, 57, 55, _HEIGHT)])


def _water_dispenser(dice: Dice, main: Surface) -> Shape:
    bottle: Surface = ("glass", "water")
    solids = [rounded_box(0, 2, 0, 32, 98, 32, main, 2, 1), box(3, 0, 3, 29, 2, 29, DARK)]
    solids += [box(5, 60, 32, 27, 84, 32.6, DARK), box(6, 58, 32, 26, 60, 38, STEEL)]
    for x, tone in ((11, "blue"), (21, "red")):
        solids += [box(x - 1.5, 74, 32.6, x + 1.5, 80, 37, ("plastic", tone))]
    solids.append(
        lathe(
            16,
            16,
            [(7, 98), (7, 102), (13.5, 107), (13.5, 118), (12.5, 120), (13.5, 122), (13.5, 133), (11, 136)],
            bottle,
            12,
        )
    )
    return compose(32, 38, 136, solids)


def _fan(dice: Dice, main: Surface) -> Shape:
    """A pedestal fan: blades behind a wire cage."""
    high = dice.pick([110, 125])
    y, radius, x = high - 20.0, 20, 22
    solids = [lathe(x, 20, [(17, 0), (17, 2), (3, 4)], main, 16), cylinder(x, 20, 3, y, 1.8, STEEL, 8)]
    solids.append(extruded(oval(x, y, 6, 6, 10), "z", 12, 24, main))
    circle = oval(x, y, radius - 1, radius - 1, 16)
    for z in (25.0, 33.0):
        solids.append(tube([(a, b, z) for a, b in [*circle, circle[0]]], 0.7, STEEL, 4))
    solids += [rod((x, y, 33.5), (a, b, 33.0), 0.4, STEEL, 4) for a, b in circle[::2]]
    for dx, dy in ((0, 1), (0.87, -0.5), (-0.87, -0.5)):
        tip, side = (x + dx * 17, y + dy * 17), (-dy * 6, dx * 6)
        outline = [
            (x, y),
            (tip[0] + side[0], tip[1] + side[1]),
            (tip[0] - side[0] * 0.6, tip[1] - side[1] * 0.6),
        ]
        solids.append(extruded(outline, "z", 28, 29.5, ("plastic", "light blue")))
    solids.append(extruded(oval(x, y, 4, 4, 8), "z", 24, 34, main))
    return fitted(44, 39, solids)


APPLIANCES: tuple[FurnitureClass, ...] = (
    FurnitureClass("fridge", _FINISHES, (*_COLORS, "blue", "turquoise", "cream"), _fridge, front_cm=80),
    FurnitureClass("stove", _FINISHES, _COLORS, _stove, front_cm=80),
    FurnitureClass(
        "range hood",
        ("metal", "metal", "enamel"),
        ("grey", "grey", "white", "black"),
        _range_hood,
        stands="wall",
    ),
    FurnitureClass("dishwasher", _FINISHES, ("white", "grey", "black"), _dishwasher, front_cm=80),
    FurnitureClass(
        "washing machine",
        ("enamel",),
        ("white", "white", "white", "grey", "black"),
        _washing_machine,
        front_cm=80,
    ),
    FurnitureClass("dryer", ("enamel",), ("white", "white", "white", "grey", "black"), _dryer, front_cm=80),
    FurnitureClass(
        "water dispenser",
        ("plastic",),
        ("white", "white", "grey", "black", "blue"),
        _water_dispenser,
        front_cm=60,
    ),
    FurnitureClass("fan", ("plastic",), ("white", "black", "grey", "blue", "red"), _fan),
)
