"""Musical instruments: pianos, guitars, drum sets."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import (
    BLACK,
    BRASS,
    IRON,
    STEEL,
    fitted,
    stretched,
)
from vlnenv.houses.catalogue.shape import Shape, Top, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cylinder,
    extruded,
    frustum,
    lathe,
    loft,
    oval,
    prism,
    rod,
)
from vlnenv.houses.dice import Dice

_IVORY: Surface = ("plain", "white")


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


def piano(dice: Dice, main: Surface) -> Shape:
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


def guitar(dice: Dice, main: Surface) -> Shape:
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


def drum_set(dice: Dice, main: Surface) -> Shape:
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
