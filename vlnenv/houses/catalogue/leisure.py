"""Sports and play: pool tables, gym machines, easels, balls, toys."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    BRIGHT,
    DARK,
    IRON,
    SCREEN,
    STEEL,
    fitted,
    shown,
    stretched,
)
from vlnenv.houses.catalogue.household import HOUSEHOLD
from vlnenv.houses.catalogue.instruments import drum_set, guitar, piano
from vlnenv.houses.catalogue.parts import legs
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
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

_WOODS = ("black", "black", "brown", "brown", "white")


def _pool_table(dice: Dice, main: Surface) -> Shape:
    """The cloth is the main surface; balls and two cues lie on it."""
    width, depth = dice.pick([(190, 110), (210, 120), (230, 130)])
    wood: Surface = ("wood", dice.pick(["brown", "dark brown", "black"]))
    solids = [
        box(12, 74, 12, width - 12, 78, depth - 12, main),
        box(4, 62, 4, width - 4, 74, depth - 4, wood),
    ]
    solids += [
        box(x0, 74, z0, x1, 80, z1, wood)
        for x0, z0, x1, z1 in (
            (0, 0, width, 8),
            (0, depth - 8, width, depth),
            (0, 8, 8, depth - 8),
            (width - 8, 8, width, depth - 8),
        )
    ]
    solids += [
        box(x0, 77, z0, x1, 80, z1, main)
        for x0, z0, x1, z1 in (
            (12, 8, width - 12, 12),
            (12, depth - 12, width - 12, depth - 8),
            (8, 12, 12, depth - 12),
            (width - 12, 12, width - 8, depth - 12),
        )
    ]
    solids += [
        cylinder(x, z, 78.2, 80.4, 6, BLACK, 10) for x in (9, width / 2, width - 9) for z in (9, depth - 9)
    ]
    solids += legs(dice.pick(["turned", "square", "tapered"]), (14, 14, width - 14, depth - 14), 62, 14, wood)
    tones = ("red", "yellow", "blue", "purple", "orange", "green", "white", "black")
    for number, tone in enumerate(tones):
        x, z = 40 + (number * 53) % (width - 80), 30 + (number * 37) % (depth - 60)
        solids.append(ellipsoid((x, 80.6, z), (2.8, 2.8, 2.8), ("plain", tone), 6))
    solids.append(rod((40, 80.4, 34), (width - 40, 80.8, 88), 1, ("wood", "light brown"), 6))
    return fitted(width, depth, solids)


def _treadmill(dice: Dice, main: Surface) -> Shape:
    """One steps on from the front (+z); the console stands at the back."""
    width, depth = 78, 170
    solids = [
        box(4, 6, 20, 15, 18, depth, main),
        box(width - 15, 6, 20, width - 4, 18, depth, main),
        box(15, 8, 24, width - 15, 16, depth - 2, ("fabric", "black")),
    ]
    solids += [
        rounded_box(2, 2, 8, width - 2, 26, 44, main, 5, 2),
        *(box(x, 0, z, x + 8, 6, z + 8, BLACK) for x in (4, width - 12) for z in (24, depth - 10)),
    ]
    for x in (5.0, width - 5.0):
        solids += [
            tube([(x, 24, 28), (x, 100, 14), (x, 124, 10)], 2.6, STEEL, 8),
            tube([(x, 96, 16), (x, 98, 52), (x, 92, 60)], 2, BLACK, 6),
        ]
    solids += [
        rounded_box(6, 108, 4, width - 6, 132, 16, main, 3, 1),
        shown(14, 113, 16, width - 14, 128, 16.6, ("lit screen", "blue") if dice.chance(50) else SCREEN),
    ]
    return fitted(width, depth, solids)


def _exercise_bike(dice: Dice, main: Surface) -> Shape:
    """Rides along +z: the flywheel and the handlebar are in front."""
    x = 26.0
    solids: list[Solid] = [
        extruded([(48, 30), (18, 44), (16, 84), (40, 92), (58, 62)], "x", x - 5, x + 5, main)
    ]
    solids += [
        extruded(oval(32, 82, 22, 22, 20), "x", x - 3, x + 3, STEEL),
        extruded(oval(32, 82, 17, 17, 16), "x", x - 3.6, x + 3.6, main),
    ]
    solids += [rod((4, 3, z), (48, 3, z), 2.8, DARK, 8) for z in (8, 100)] + [
        rod((x, 4, 8), (x, 12, 98), 2.6, main, 8)
    ]
    solids += [rod((x, 30, 42), (x, 88, 26), 2.4, STEEL, 8), rod((x, 50, 78), (x, 106, 84), 2.4, STEEL, 8)]
    solids += [
        rounded_box(x - 11, 88, 10, x + 11, 95, 38, BLACK, 3, 2),
        rounded_box(x - 9, 106, 80, x + 9, 120, 85, DARK, 2, 1),
    ]
    solids += [
        tube(
            [(x, 104, 86), (x + s * 16, 106, 90), (x + s * 20, 110, 72), (x + s * 18, 112, 64)], 1.5, BLACK, 6
        )
        for s in (-1, 1)
    ]
    solids += [rod((x + s * 5, 30, 60), (x + s * 8, 30 + s * 13, 60), 1.2, STEEL, 6) for s in (-1, 1)]
    solids += [box(x + s * 12 - 5, 29 + s * 13, 55, x + s * 12 + 5, 32 + s * 13, 66, BLACK) for s in (-1, 1)]
    return fitted(52, 106, solids)


def _weight_bench(dice: Dice, main: Surface) -> Shape:
    """A padded bench under a barbell on a rack."""
    width, depth, x = 150, 130, 75.0
    solids = [
        rounded_box(x - 15, 40, 26, x + 15, 48, depth, main, 2.5, 1),
        box(x - 4, 8, 34, x + 4, 40, 40, IRON),
        box(x - 4, 8, depth - 16, x + 4, 40, depth - 10, IRON),
    ]
    solids += [
        box(x - 4, 3, 10, x + 4, 9, depth - 8, IRON),
        box(x - 30, 0, 8, x + 30, 4, 16, IRON),
        box(x - 22, 0, depth - 14, x + 22, 4, depth - 6, IRON),
    ]
    for side in (-1, 1):
        post = x + side * 27
        solids += [
            box(post - 2.5, 4, 9, post + 2.5, 96, 15, IRON),
            box(post - 2.5, 92, 15, post + 2.5, 99, 22, IRON),
        ]
    solids.append(rod((1, 98, 18), (width - 1, 98, 18), 1.4, STEEL, 8))
    for at, radius in ((14, 17), (18.5, 14)):
        for plate in (at, width - at):
            solids.append(
                extruded(
                    oval(98, 18, radius, radius, 16), "x", plate - 1.8, plate + 1.8, dice.pick([BLACK, DARK])
                )
            )
    return fitted(width, depth, solids)


def _punching_bag(dice: Dice, main: Surface) -> Shape:
    """A bag, or a ball on a spring, on a round stand."""
    x = 28.0
    base = [
        cylinder(x, x, 10, 64, 4, STEEL, 8),
        lathe(x, x, [(28, 0), (28, 8), (22, 12), (6, 14)], BLACK, 16),
    ]
    band: Surface = ("leather", "white" if main[1] != "white" else "black")
    if dice.chance(30):
        ball = [ellipsoid((x, 140, x), (13, 16, 13), main, 14), cylinder(x, x, 64, 126, 2, STEEL, 8)]
        return stretched(fitted(56, 56, [*ball, *base]), 100, dice.between(90, 104, 2), 100)
    bag = [(15, 62), (17, 66), (17.5, 110), (17, 160), (14, 168), (3, 170)]
    solids = [lathe(x, x, bag, main, 14), lathe(x, x, [(17.7, 100), (17.7, 112)], band, 14)]
    return stretched(fitted(56, 56, [*solids, *base]), 100, dice.between(90, 104, 2), 100)


def _dumbbells(dice: Dice, main: Surface) -> Shape:
    """Pairs on a rack of two or three boards; the weights are the main surface."""
    wide, round_ones = dice.pick([(52, 6), (90, 8), (90, 6)])
    boards = [(14, 26), (34, 18), (54, 10)][: dice.pick([2, 3, 3])]
    weights: list[Solid] = []
    rack: list[Solid] = [box(x, 0, 4, x + 4, boards[-1][0] + 6, 36, IRON) for x in (0, wide - 4)]
    for y, z in boards:
        rack.append(box(4, y, z - 8, wide - 4, y + 2, z + 8, IRON))
        radius = 4.0 + (60 - y) * 0.04
        level = y + 2 + radius
        for x in range(12, wide - 34, 38):
            rack.append(rod((x + 4, level, z), (x + 24, level, z), 1.2, STEEL, 6))
            weights += [
                rod((x + a, level, z), (x + a + 8, level, z), radius, main, round_ones) for a in (0, 20)
            ]
    return fitted(wide, 36, [*weights, *rack])


def _easel(dice: Dice, main: Surface) -> Shape:
    """A canvas on a wooden easel; the picture is the main surface."""
    wood: Surface = ("wood", dice.pick(["light brown", "brown", "dark brown"]))
    width, depth, high, middle = 70, 70, 170, 35.0
    wide, tall = dice.pick([(56, 44), (46, 58), (60, 60)])
    solids = [shown(middle - wide / 2, 76, 37, middle + wide / 2, 76 + tall, 40, main)]
    solids += [rod((middle + s * 32, 1.4, 66), (middle + s * 4, high - 4, 30), 1.8, wood, 6) for s in (-1, 1)]
    solids += [
        rod((middle, 1.4, 2), (middle, high - 8, 28), 1.8, wood, 6),
        rod((middle, 60, 44), (middle, high - 2, 30), 1.8, wood, 6),
    ]
    solids += [
        box(middle - 30, 72, 35, middle + 30, 76, 45, wood),
        box(middle - 22, 40, 50, middle + 22, 43, 53, wood),
    ]
    return fitted(width, depth, solids)


def _ball(dice: Dice, main: Surface) -> Shape:
    """A toy ball with a band, or a football with patches."""
    r = dice.pick([10, 11, 14])
    solids = [ellipsoid((r, r, r), (r, r, r), main, 14)]
    if dice.chance(60):
        band: Surface = ("plain", "white" if main[1] != "white" else "black")
        turn = cosines(10)
        for k in range(0, 10, 2):
            cos, sin = turn[k], turn[(k - 2) % 10]
            for up, wide in ((0.45, 0.87), (-0.45, 0.87)):
                at = (r + r * wide * cos * 0.97, r + r * up * 0.97, r + r * wide * sin * 0.97)
                solids.append(ellipsoid(at, (r * 0.22, r * 0.22, r * 0.22), band, 6))
    return compose(
        2 * r, 2 * r, 2 * r, [s for s in solids if s.vertices.min() >= 0 and s.vertices.max() <= 2 * r]
    )


def _toy_car(dice: Dice, main: Surface) -> Shape:
    """A large toy car or lorry that a child can pull, standing across."""
    lorry = dice.chance(40)
    solids = [rounded_box(0, 6, 4, 56, 14 if lorry else 20, 30, main, 3, 1)]
    if lorry:
        load: Surface = ("plain", dice.pick([tone for tone in BRIGHT if tone != main[1]]))
        solids += [
            rounded_box(38, 12, 4, 55, 34, 30, main, 2, 1),
            box(54.6, 22, 7, 55.4, 31, 27, ("glass", "glass")),
        ]
        solids += [
            box(2, 14, 4, 36, 24, 6, load),
            box(2, 14, 28, 36, 24, 30, load),
            box(2, 14, 6, 4, 24, 28, load),
        ]
        solids += [ellipsoid((19, 20, 17), (13, 9, 9), ("soil", "brown"), 8)]
    else:
        solids += [frustum((14, 5, 46, 29), 20, (20, 7, 40, 27), 31, ("glass", "glass"))]
        solids.append(box(19.5, 31, 6.5, 40.5, 33, 27.5, main))
    for x in (13, 43):
        for z0 in (1, 28):
            solids += [
                extruded(oval(x, 6.5, 6.5, 6.5, 12), "z", z0, z0 + 5, BLACK),
                extruded(oval(x, 6.5, 3, 3, 8), "z", z0 - 0.4, z0 + 5.4, STEEL),
            ]
    solids += [box(55.4, 9, z, 56, 12, z + 5, ("plain", "light yellow")) for z in (6, 23)]
    size = dice.between(70, 110, 10)
    return stretched(fitted(56, 34, solids), size, size, size)


def _dartboard(dice: Dice, main: Surface) -> Shape:
    """Hangs with its middle 170 cm above the floor; the surround is the main surface."""
    r, sides = 26.0, 20
    solids: list[Solid] = [extruded(oval(r, r, r, r, 24), "z", 0, 2, main)]
    rim = oval(r, r, 20, 20, sides)
    for k in range(sides):
        tone = ("plain", "black") if k % 2 else ("plain", "cream")
        solids.append(extruded([(r, r), rim[k], rim[(k + 1) % sides]], "z", 2, 3, tone))
    solids += [
        extruded(oval(r, r, 3.4, 3.4, 10), "z", 3, 3.3, ("plain", "green")),
        extruded(oval(r, r, 1.6, 1.6, 8), "z", 3.3, 3.6, ("plain", "red")),
    ]
    size = dice.pick([90, 100])
    return stretched(compose(52, 4, 52, solids), size, size, 100)


LEISURE: tuple[FurnitureClass, ...] = (
    FurnitureClass("piano", ("wood",), _WOODS, piano, front_cm=70),
    FurnitureClass("pool table", ("velvet",), ("green", "green", "blue", "red"), _pool_table, front_cm=70),
    FurnitureClass(
        "treadmill", ("plastic",), ("black", "black", "grey", "white", "red"), _treadmill, front_cm=40
    ),
    FurnitureClass(
        "exercise bike", ("plastic",), ("black", "red", "blue", "white", "grey", "yellow"), _exercise_bike
    ),
    FurnitureClass(
        "weight bench", ("leather",), ("black", "black", "red", "blue"), _weight_bench, front_cm=40
    ),
    FurnitureClass("punching bag", ("leather",), ("red", "black", "blue", "brown"), _punching_bag),
    FurnitureClass(
        "dumbbells", ("metal", "plastic"), ("black", "grey", "red", "blue", "pink"), _dumbbells, front_cm=40
    ),
    FurnitureClass(
        "guitar", ("wood", "wood", "plastic"), ("brown", "orange", "red", "black", "white", "blue"), guitar
    ),
    FurnitureClass("drum set", ("plastic",), ("red", "blue", "black", "white", "orange"), drum_set),
    FurnitureClass(
        "easel",
        ("landscape 1", "landscape 2", "abstract 2", "abstract 3", "flowers 1"),
        ("blue", "green", "red", "yellow", "orange", "purple"),
        _easel,
        front_cm=50,
    ),
    FurnitureClass("ball", ("plain", "leather"), BRIGHT, _ball),
    FurnitureClass("toy car", ("plastic",), ("red", "blue", "yellow", "green", "orange", "pink"), _toy_car),
    FurnitureClass(
        "dartboard", ("plain",), ("black", "black", "red", "blue"), _dartboard, stands="wall", front_cm=150
    ),
    *HOUSEHOLD,
)
