"""Things that stand about: bins, boxes, suitcases, ironing boards, umbrella stands."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import BLACK, BRASS, BRIGHT, DARK, IRON, STEEL, fitted, stretched
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
    prism,
    rod,
    rounded_box,
    rounded_rectangle,
    tube,
)
from vlnenv.houses.dice import Dice


def _trash_can(dice: Dice, main: Surface) -> Shape:
    """A pedal bin with a domed lid, an open basket with paper, or a tall bin with a swing lid."""
    kind = dice.pick(["pedal", "open", "swing"])
    if kind == "pedal":
        r, high = 15.0, dice.pick([40, 56])
        solids = [
            lathe(r, r, [(14, 2), (14.6, 4), (14.6, high)], main, 16),
            lathe(r, r, [(15, high), (15, high + 2), (10, high + 6), (2, high + 7.5)], main, 16),
        ]
        return fitted(
            30,
            36,
            [*solids, cylinder(r, r, 0, 2.4, 14.8, BLACK, 16), box(r - 4, 1, 28, r + 4, 2.4, 36, STEEL)],
        )
    if kind == "open":
        r, high = 14.0, 32
        solids = [lathe(r, r, [(10, 0), (13.4, high - 2), (14, high), (12.8, high), (9, 4)], main, 14)]
        solids += [
            ellipsoid((r + dx, high - 3 + up, r + dz), (5.4, 4.6, 5), ("paper", "white"), 6)
            for dx, dz, up in ((-4, -3, 0), (4, -1, 1), (0, 5, 0))
        ]
        return fitted(28, 28, solids)
    high = dice.pick([60, 70])
    rings = [
        (rounded_rectangle(2, 2, 32, 24, 4, 2), 0),
        (rounded_rectangle(0.4, 0.4, 33.6, 25.6, 4, 2), high - 14),
        (rounded_rectangle(0, 0, 34, 26, 4, 2), high - 13),
    ]
    solids = [loft([[(x, y, z) for x, z in ring] for ring, y in rings], main)]
    lid = [(0.5, high - 13), (25.5, high - 13), (20, high - 2), (13, high), (6, high - 2)]
    solids += [
        extruded([(y, z) for z, y in lid], "x", 0.5, 33.5, main),
        box(6, high - 10, 22.6, 28, high - 6, 24.4, DARK),
    ]
    return compose(34, 26, high, solids)


def _ironing_board(dice: Dice, main: Surface) -> Shape:
    """Unfolded, with an iron on it."""
    width, depth = 130, 40
    cover = [(0, 20), (3, 14), (14, 8), (34, 3), (width, 1), (width, 39), (34, 37), (14, 32), (3, 26)]
    iron: Surface = ("plastic", dice.pick(["blue", "red", "white", "green", "purple"]))
    solids = [prism(cover, 88, 91, main), box(100, 86, 4, 129, 88, 36, STEEL)]
    solids += [tube([(30, 87, z), (96, 1.4, z)], 1.2, STEEL, 6) for z in (8, 32)] + [
        tube([(96, 87, z), (30, 1.4, z)], 1.2, STEEL, 6) for z in (12, 28)
    ]
    solids += [rod((x, 1.4, 6), (x, 1.4, 34), 1.4, BLACK, 6) for x in (30, 96)]
    solids += [
        extruded([(100, 20), (104, 15), (122, 13), (122, 27), (104, 25)], "y", 91, 92.4, STEEL),
        extruded([(102, 20), (105, 16), (121, 14), (121, 26), (105, 24)], "y", 92.4, 97, iron),
    ]
    solids.append(tube([(106, 97, 20), (107, 104, 20), (120, 105, 20), (120, 97, 20)], 1.4, iron, 6))
    high = dice.between(90, 104, 2)
    return stretched(fitted(width, depth, solids), dice.between(88, 104, 4), high, 100)


def _suitcase(dice: Dice, main: Surface) -> Shape:
    """Upright on wheels with a drawn-out grip, or a lying trunk with straps."""
    if dice.chance(65):
        high = dice.pick([58, 68])
        solids = [
            rounded_box(1, 5, 1, 45, high, 27, main, 5, 2),
            *(cylinder(x, z, 0, 5, 2.4, BLACK, 8) for x in (8, 38) for z in (6, 22)),
        ]
        solids += [box(x, 9, 26.6, x + 2, high - 4, 28, main) for x in (9, 17, 26, 35)]
        solids += [
            box(0.4, 5, 13.4, 45.6, high, 14.6, DARK),
            tube(
                [(14, high - 2, 5), (14, high + 30, 5), (32, high + 30, 5), (32, high - 2, 5)], 0.9, STEEL, 6
            ),
        ]
        return fitted(46, 28, [*solids, box(15, high + 29, 4, 31, high + 31.4, 6, BLACK)])
    strap: Surface = ("leather", "dark brown")
    solids = [
        rounded_box(0, 0, 1, 70, 24, 45, main, 2, 1),
        *(box(x, 0, 0.4, x + 4, 24.4, 45.6, strap) for x in (12, 54)),
    ]
    solids += [
        tube([(28, 12, 45.5), (29, 14, 48), (41, 14, 48), (42, 12, 45.5)], 0.9, strap, 5),
        *(box(x + 1, 12, 45.6, x + 3, 16, 46.4, BRASS) for x in (12, 54)),
    ]
    return fitted(70, 49, solids)


def _cardboard_box(dice: Dice, main: Surface) -> Shape:
    """A closed box with tape, an open one with its flaps out, or two stacked."""
    width, depth, high = dice.pick([(50, 40, 38), (60, 45, 45), (44, 44, 30)])
    tape: Surface = ("paper", "light brown")
    kind = dice.pick(["closed", "open", "stack"])
    if kind == "open":
        flap = 9
        solids: list[Solid] = [box(flap, 0, flap, flap + width, 1, flap + depth, main)]
        solids += [box(x, 0, flap, x + 1, high, flap + depth, main) for x in (flap, flap + width - 1)]
        solids += [box(flap, 0, z, flap + width, high, z + 1, main) for z in (flap, flap + depth - 1)]
        for x0, x1 in ((0.5, flap + 0.5), (flap + width - 0.5, 2 * flap + width - 0.5)):
            out = x0 < flap
            edge = [(x0, high - 6), (x1, high)] if out else [(x0, high), (x1, high - 6)]
            solids.append(
                extruded([*edge, *((x, y - 0.8) for x, y in reversed(edge))], "z", flap, flap + depth, main)
            )
        solids += [
            box(
                flap + 3,
                1,
                flap + 3,
                flap + width - 3,
                high * 0.6,
                flap + depth - 3,
                ("fabric", dice.pick(["blue", "red", "white", "grey"])),
            )
        ]
        return compose(width + 2 * flap, depth + 2 * flap, high, solids)
    solids = _sealed(0, 0, 0, width, high, depth, main, tape)
    if kind == "stack":
        solids += _sealed(4, high, 3, width - 8, high + 26, depth - 6, main, tape)
        return fitted(width, depth, solids)
    return fitted(width, depth, solids, [Top(3, 3, width - 3, depth - 3, high + 1)])


def _sealed(
    x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, main: Surface, tape: Surface
) -> list[Solid]:
    middle = (x0 + x1) / 2
    return [
        box(x0, y0, z0, x1, y1, z1 - 0.4, main),
        box(middle - 3, y1, z0, middle + 3, y1 + 0.3, z1, tape),
        box(middle - 3, y1 - 10, z1 - 0.4, middle + 3, y1, z1, tape),
        box(x0 + 6, y0 + 6, z1 - 0.4, x0 + 16, y0 + 13, z1, ("paper", "white")),
    ]


def _umbrella_stand(dice: Dice, main: Surface) -> Shape:
    """A stand with two folded umbrellas."""
    r = 14.0
    walls: list[list[tuple[float, float]]] = [
        [(12, 0), (12, 3), (11, 20), (13, 50)],
        [(13.4, 0), (13.4, 44)],
        [(9, 0), (13.6, 20), (11, 44)],
    ]
    wall = dice.pick(walls)
    radius, high = wall[-1]
    sides = dice.pick([4, 14, 14])
    rim = [(radius + 0.4, high), (radius + 0.4, high + 2), (radius - 1.4, high + 2), (8, 6)]
    solids = [lathe(r, r, [*wall, *rim], main, sides)]
    for dx, dz, grip, tone in ((-5, -3, 84, dice.pick(BRIGHT)), (5, 2, 78, "black")):
        solids += [
            loft(
                [
                    [
                        (r + dx * s + a * w, y, r + dz * s + b * w)
                        for a, b in ((1, 0), (0.5, 0.87), (-0.5, 0.87), (-1, 0), (-0.5, -0.87), (0.5, -0.87))
                    ]
                    for y, w, s in ((6, 0.6, 0.4), (40, 3.2, 0.8), (66, 1.0, 1.0))
                ],
                ("fabric", tone),
            ),
            tube(
                [
                    (r + dx, 64, r + dz),
                    (r + dx, grip, r + dz),
                    (r + dx + 2, grip + 3, r + dz),
                    (r + dx + 5, grip, r + dz),
                    (r + dx + 5, grip - 4, r + dz),
                ],
                0.9,
                ("wood", "brown"),
                6,
            ),
        ]
    return fitted(28, 28, solids)


def _step_ladder(dice: Dice, main: Surface) -> Shape:
    """Four steps, unfolded."""
    high, depth = 140, 80
    solids: list[Solid] = []
    for x in (1.5, 46.5):
        solids += [
            rod((x, 1.2, depth - 1.5), (x, high - 1.5, 24), 1.5, main, 6),
            rod((x, 1.2, 1.5), (x, high - 8, 22), 1.2, IRON, 6),
        ]
    for number in range(1, 5):
        y = number * 28
        z = depth - 1.5 - (depth - 25.5) * y / high
        solids.append(box(2, y - 1.5, z - 8, 46, y + 1.5, z + 4, main if number < 4 else BLACK))
    return fitted(48, depth, [*solids, rod((2, 40, 7.2), (46, 40, 7.2), 1, IRON, 5)])


def _vacuum_cleaner(dice: Dice, main: Surface) -> Shape:
    """A canister with hose, tube and nozzle."""
    solids = [rounded_box(4, 4, 4, 34, 26, 44, main, 8, 2), rod((1, 7, 34), (37, 7, 34), 7, BLACK, 10)]
    solids += [rod((10, 4, 10), (28, 4, 10), 3.8, BLACK, 8), box(17, 25.6, 14, 21, 27, 34, DARK)]
    solids.append(tube([(19, 20, 44), (19, 36, 56), (34, 62, 58), (48, 88, 56), (50, 92, 50)], 2, DARK, 8))
    solids += [
        rod((50, 92, 50), (50, 5, 76), 1.6, STEEL, 8),
        rounded_box(36, 0, 72, 64, 5, 84, BLACK, 1.5, 1),
    ]
    return fitted(64, 84, solids)


HOUSEHOLD: tuple[FurnitureClass, ...] = (
    FurnitureClass(
        "trash can",
        ("metal", "plastic", "plastic"),
        ("grey", "black", "white", "red", "green", "blue"),
        _trash_can,
    ),
    FurnitureClass(
        "ironing board",
        ("fabric", "checked fabric", "dotted fabric", "striped fabric"),
        ("blue", "red", "grey", "green", "purple", "pink"),
        _ironing_board,
        front_cm=40,
    ),
    FurnitureClass(
        "suitcase",
        ("plastic", "leather"),
        ("red", "blue", "black", "grey", "brown", "yellow", "purple", "green"),
        _suitcase,
    ),
    FurnitureClass("cardboard box", ("cardboard",), ("beige", "beige", "brown"), _cardboard_box),
    FurnitureClass(
        "umbrella stand",
        ("ceramic", "metal", "wicker"),
        ("white", "blue", "black", "brown", "grey", "green"),
        _umbrella_stand,
    ),
    FurnitureClass(
        "step ladder", ("metal", "wood"), ("grey", "red", "yellow", "brown", "blue"), _step_ladder
    ),
    FurnitureClass(
        "vacuum cleaner", ("plastic",), ("red", "blue", "black", "green", "grey"), _vacuum_cleaner
    ),
)
