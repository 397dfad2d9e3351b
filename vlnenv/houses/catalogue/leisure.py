"""Music, sports and play: pianos, pool tables, gym machines, instruments, easels, balls."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    BRASS,
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
from vlnenv.houses.catalogue.parts import legs
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.dice import Dice
from vlnenv.houses.solids import (
    Solid,
    Surface,
    box,
    cosines,
    cylinder,
    ellipsoid,
    extruded,
    frustum,
    lathe,
    loft,
    oval,
    prism,
    rod,
    rounded_box,
    tube,
)

_IVORY: Surface = ("plain", "white")
_WOODS = ("black", "black", "brown", "brown", "white")


def _keys(x0: float, x1: float, y: float, z0: float, z1: float) -> list[Solid]:
    """A keyboard: one white slab, grooves left out, and groups of two and three black keys."""
    solids = [box(x0, y, z0, x1, y + 1.4, z1, _IVORY)]
    step = (x1 - x0) / 35
    for octave in range(5):
        for key in (1, 2, 4, 5, 6):
            x = x0 + (octave * 7 + key) * step
            solids.append(
                box(
                    x - step * 0.3,
                    y + 1.4,
                    z0,
                    x + step * 0.3,
                    y + 2.4,
                    z0 + (z1 - z0) * 0.6,
                    ("plain", "black"),
                )
            )
    return solids


def _piano(dice: Dice, main: Surface) -> Shape:
    """An upright piano with its bench, or a grand piano."""
    if dice.chance(35):
        return _grand_piano(dice, main)
    width, depth, high = 148, 62, dice.pick([112, 122])
    solids = [box(0, 0, 0, width, high - 3, 32, main), box(0, high - 3, 0, width, high, 36, main)]
    solids += [box(0, 56, 32, width, 64, 60, main), *_keys(6, width - 6, 64, 42, 59)]
    solids += [box(x, 64, 32, x + 5, 70, 60, main) for x in (0, width - 5)]
    solids += [
        box(5, 66, 32, width - 5, 82, 36, main),
        frustum((40, 34, 108, 37), 84, (42, 32, 106, 33), 106, main),
    ]
    solids += [box(x, 4, 50, x + 7, 56, 58, main) for x in (1, width - 8)] + [
        box(x, 0, 32, x + 8, 4, 60, main) for x in (0, width - 8)
    ]
    solids += [box(70 + i * 8, 6, 32, 74 + i * 8, 7.5, 42, BRASS) for i in range(2)]
    solids.append(box(46, 86, 34.4, 102, 104, 35.6, ("paper", "white")))
    return compose(width, depth, high, solids, [Top(4, 3, width - 4, 34, high, 50)])


def _grand_piano(dice: Dice, main: Surface) -> Shape:
    """The lid is propped open; the keys look along +z."""
    width, depth = 148, dice.pick([160, 185])
    back = depth - 48
    outline = [
        (2, depth - 36),
        (2, 26),
        (10, 8),
        (30, 2),
        (58, 6),
        (80, back * 0.45),
        (108, back * 0.62),
        (142, back * 0.74),
        (146, depth - 36),
    ]
    solids = [
        prism(outline, 62, 94, main),
        box(2, 62, depth - 36, 146, 74, depth, main),
        *_keys(10, 138, 74, depth - 24, depth - 3),
    ]
    solids += [box(x, 74, depth - 36, x + 8, 84, depth, main) for x in (2, 138)]
    solids += [prism([(x + (2 if x < 70 else -2), z + 3) for x, z in outline], 94, 94.6, ("metal", "gold"))]
    # Higher towards the curved side, hinged at the straight one.
    hinge = [(x, 96.0 + (x - 2) * 0.42, z) for x, z in outline]
    solids.append(loft([hinge, [(x, y + 2, z) for x, y, z in hinge]], main, star=True))
    solids += [rod((120, 94, back * 0.72), (128, 147, back * 0.70), 1, main, 5)]
    solids += [
        frustum((x - 4, z - 4, x + 4, z + 4), 0, (x - 6, z - 6, x + 6, z + 6), 62, main)
        for x, z in ((14, depth - 22), (134, depth - 22), (32, 24))
    ]
    solids += [
        box(66, 6, depth - 34, 82, 62, depth - 30, main),
        *(box(68 + i * 5, 5, depth - 32, 71 + i * 5, 6.5, depth - 22, BRASS) for i in range(3)),
    ]
    solids.append(box(44, 84, depth - 38, 104, 106, depth - 36, main))
    return fitted(width, depth, solids)


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


def _guitar(dice: Dice, main: Surface) -> Shape:
    """Leans upright on a stand; acoustic or electric."""
    x, tone = 24.0, ("wood", "dark brown")
    acoustic = main[0] == "wood"
    outline = [
        (24, 9),
        (34, 10),
        (40, 17),
        (41, 24),
        (37, 32),
        (33, 37),
        (34, 43),
        (37, 49),
        (34, 56),
        (27, 59),
        (21, 59),
        (14, 56),
        (11, 49),
        (14, 43),
        (15, 37),
        (11, 32),
        (7, 24),
        (8, 17),
        (14, 10),
    ]
    if not acoustic:
        outline = [
            (24, 10),
            (34, 10),
            (39, 18),
            (38, 28),
            (34, 36),
            (37, 46),
            (42, 58),
            (36, 56),
            (28, 48),
            (20, 48),
            (14, 53),
            (9, 55),
            (13, 44),
            (14, 34),
            (9, 26),
            (9, 16),
            (14, 10),
        ]
    thick = 10 if acoustic else 5
    solids = [extruded(outline, "z", 14, 14 + thick, main)]
    face = 14.0 + thick
    if acoustic:
        solids += [
            extruded(oval(x, 42, 5, 5, 14), "z", face, face + 0.3, BLACK),
            box(x - 6, 22, face, x + 6, 24, face + 1, tone),
        ]
    else:
        solids += [
            extruded(
                [(x - 3, 14), (36, 14), (34, 30), (30, 44), (x - 3, 44)],
                "z",
                face,
                face + 0.3,
                ("plastic", "white"),
            ),
            *(box(x - 4, y, face, x + 4, y + 2.4, face + 1, BLACK) for y in (24, 34)),
        ]
    solids += [
        box(x - 2.6, 44, face - 1, x + 2.6, 96, face + 1, tone),
        frustum(
            (x - 2.6, face - 1.6, x + 2.6, face + 0.6),
            96,
            (x - 4.5, face - 2.4, x + 4.5, face - 0.4),
            110,
            tone,
        ),
    ]
    solids += [
        box(x + s * 5.4 - 1, y, face - 1.6, x + s * 5.4 + 1, y + 1.4, face - 0.4, STEEL)
        for s in (-1, 1)
        for y in (99, 103, 107)
    ]
    solids += [
        rod((x, 60, 4), (x, 4, 4), 1.2, IRON),
        *(rod((x, 20, 4), (x + s * 16, 1.2, 30), 1.1, IRON) for s in (-1, 1)),
        rod((x, 8, 4), (x, 1.2, 1.2), 1.1, IRON),
    ]
    solids += [rod((x + s * 10, 8.8, 5), (x + s * 10, 8.8, 28), 1.1, IRON) for s in (-1, 1)] + [
        rod((x - 10, 8.8, 5), (x + 10, 8.8, 5), 1.1, IRON)
    ]
    return fitted(48, 32, solids)


def _drum_set(dice: Dice, main: Surface) -> Shape:
    """Bass drum, two toms, a floor tom, a snare and two cymbals."""
    skin: Surface = ("paper", "white")
    solids = [
        extruded(oval(75, 28, 26, 26, 18), "z", 48, 88, main),
        extruded(oval(75, 28, 24, 24, 18), "z", 88, 88.6, skin),
    ]
    for x, z, y0, y1, radius in (
        (58, 58, 62, 80, 14),
        (92, 58, 62, 80, 14),
        (122, 40, 26, 62, 18),
        (28, 36, 50, 64, 16),
    ):
        solids += [
            cylinder(x, z, y0, y1, radius, main, 14),
            cylinder(x, z, y1, y1 + 0.6, radius - 0.8, skin, 14),
        ]
        solids += [cylinder(x, z, 0 if radius > 14 else 52, y0, 1.2, STEEL, 6)]
    for x, z, y in ((22, 64, 108), (130, 66, 116)):
        solids += [
            lathe(x, z, [(19, y), (4, y + 2), (1.5, y + 4)], ("metal", "gold"), 16),
            cylinder(x, z, 0, y, 1.1, STEEL, 6),
        ]
        solids += [
            rod((x, 20, z), (x + dx, 1.2, z + dz), 1, STEEL, 5) for dx, dz in ((14, 0), (-12, 8), (-12, -12))
        ]
    solids += [
        cylinder(75, 16, 46, 54, 15, ("leather", "black"), 14),
        cylinder(75, 16, 3, 46, 2, STEEL, 8),
        cylinder(75, 16, 0, 3, 14, STEEL, 10),
    ]
    return stretched(fitted(150, 90, solids), dice.between(90, 104, 7), dice.between(90, 105, 5), 100)


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
    FurnitureClass("piano", ("wood",), _WOODS, _piano, front_cm=70),
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
        "guitar", ("wood", "wood", "plastic"), ("brown", "orange", "red", "black", "white", "blue"), _guitar
    ),
    FurnitureClass("drum set", ("plastic",), ("red", "blue", "black", "white", "orange"), _drum_set),
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
