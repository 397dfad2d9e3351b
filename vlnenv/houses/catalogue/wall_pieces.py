"""What hangs on walls: pictures, mirrors, clocks, curtains."""

from __future__ import annotations

from itertools import pairwise

from vlnenv.houses.catalogue.fittings import BRASS, GLASS, IRON, STEEL, fitted, painted, shown
from vlnenv.houses.catalogue.parts import frame
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    ellipsoid,
    extruded,
    merged,
    oval,
    prism,
    rod,
)
from vlnenv.houses.dice import Dice
from vlnenv.houses.looks.pictures import PICTURES

_PAINTINGS = tuple(
    finish for finish in PICTURES if finish.split()[0] in ("landscape", "abstract", "flowers", "portrait")
)
_POSTERS = tuple(finish for finish in PICTURES if finish.startswith("poster"))
_FRAMES: tuple[Surface, ...] = (
    ("wood", "brown"),
    ("wood", "black"),
    ("wood", "white"),
    BRASS,
    ("wood", "light brown"),
)


def _picture(dice: Dice, main: Surface) -> Shape:
    """A painting in a frame, perhaps with a mount; hangs with its middle 150 cm above the floor."""
    width, high = dice.pick([(60, 45), (80, 60), (100, 70), (50, 70), (60, 80), (70, 70), (120, 80)])
    if main[0].startswith("portrait"):
        width, high = dice.pick([(50, 60), (60, 75)])
    rim = dice.pick([3, 4, 6])
    mount = dice.pick([0, 0, 6]) if main[0].startswith("abstract") else 0
    inner = rim + mount
    solids = [shown(inner, inner, 0, width - inner, high - inner, 1.4, main)]
    solids += frame(0, 0, width, high, 0, 3, rim, dice.pick(_FRAMES))
    if mount:
        solids += frame(rim, rim, width - rim, high - rim, 0, 1.5, mount, ("paper", "white"))
    return compose(width, 3, high, solids)


def _poster(dice: Dice, main: Surface) -> Shape:
    width, high = dice.pick([(50, 70), (60, 85)])
    return compose(width, 1, high, [shown(0, 0, 0, width, high, 1, main)])


def _mirror(dice: Dice, main: Surface) -> Shape:
    """A mirror in a frame of the main surface; tall ones hang 20 cm, others 110 cm above the floor."""
    kind = dice.pick(["rectangle", "oval", "tall", "round"])
    rim = dice.pick([4, 5, 7])
    if kind in ("oval", "round"):
        width, high = dice.pick([(60, 60), (76, 76)]) if kind == "round" else (54, 80)
        x, y = width / 2, high / 2
        ring = [(a, b) for a, b in oval(x, y, x, y, 24)]
        solids: list[Solid] = [
            extruded(ring, "z", 0, 2.4, main),
            extruded(oval(x, y, x - rim, y - rim, 24), "z", 2, 3, GLASS),
        ]
        return compose(width, 3, high, solids)
    width, high = (dice.pick([50, 60]), 160) if kind == "tall" else dice.pick([(60, 80), (80, 60), (100, 70)])
    solids = frame(0, 0, width, high, 0, 3, rim, main)
    solids.append(shown(rim, rim, 0, width - rim, high - rim, 2, GLASS))
    return compose(width, 3, high, solids)


def _wall_clock(dice: Dice, main: Surface) -> Shape:
    """Hangs with its middle 190 cm above the floor; the main surface is the dial's rim."""
    width = dice.pick([30, 36, 42])
    r = width / 2
    dial: Surface = ("clock face", dice.pick(["white", "white", "cream", "black"]))
    if dice.chance(25):
        solids = frame(0, 0, width, width, 0, 4, 3, main)
        return compose(width, 4, width, [*solids, shown(3, 3, 0, width - 3, width - 3, 3, dial)])
    face = painted(extruded(oval(r, r, r - 2, r - 2, 24), "z", 2, 3, dial), 3, 3, width - 3, width - 3)
    rim = [extruded(piece, "z", 0, 4, main) for piece in _ring(r, 24)]
    return compose(width, 4, width, [*rim, face])


def _ring(r: float, sides: int) -> list[list[tuple[float, float]]]:
    """The rim of a disc of radius r, 3 cm wide, in convex pieces."""
    outer, inner = oval(r, r, r, r, sides), oval(r, r, r - 3, r - 3, sides)
    return [[outer[i], outer[(i + 1) % sides], inner[(i + 1) % sides], inner[i]] for i in range(sides)]


def _curtain(dice: Dice, main: Surface) -> Shape:
    """Two drapes on a rod, drawn aside, 3 cm above the lower edge of the box, which belongs on the floor."""
    width = dice.pick([160, 190, 220])
    high, depth = 238, 15
    metal = dice.pick([STEEL, IRON, BRASS, ("wood", "brown")])
    bunch = min(38, width // 4)
    solids: list[Solid] = [
        _folds(6, 6 + bunch, high - 8, main, dice),
        _folds(width - 6 - bunch, width - 6, high - 8, main, dice),
    ]
    solids.append(rod((2, high - 5, 8), (width - 2, high - 5, 8), 1.4, metal, 8))
    solids += [ellipsoid((x, high - 5, 8), (2.6, 3, 3), metal, 6) for x in (2.6, width - 2.6)]
    solids += [box(x - 1, high - 7, 0, x + 1, high - 4, 8, metal) for x in (5, width - 5)]
    if dice.chance(35):
        tie: Surface = ("velvet", main[1])
        solids += [box(x, 92, 1, x + bunch + 1, 97, 14.8, tie) for x in (5.5, width - 6.5 - bunch)]
    return fitted(width, depth, solids)


def _folds(x0: float, x1: float, y1: float, cloth: Surface, dice: Dice) -> Solid:
    """Cloth in folds between x0 and x1, a prism over a wavy outline."""
    count = dice.pick([4, 5, 6])
    step = (x1 - x0) / (4 * count)
    offsets = (0.0, 4.0, 5.0, 4.0, 0.0, -4.0, -5.0, -4.0)
    wave = [(x0 + i * step, 8.0 + offsets[2 * i % 8]) for i in range(4 * count + 1)]
    # One upright strip a fold, thick enough to be seen from both sides.
    strips = [
        prism([(a, b + 1.2), (c, d + 1.2), (c, d - 1.2), (a, b - 1.2)], 3, y1, cloth)
        for (a, b), (c, d) in pairwise(wave)
    ]
    return merged(strips)[0]


WALL_PIECES: tuple[FurnitureClass, ...] = (
    FurnitureClass(
        "picture",
        _PAINTINGS,
        (
            "red",
            "blue",
            "blue",
            "green",
            "green",
            "yellow",
            "orange",
            "purple",
            "brown",
            "grey",
            "turquoise",
            "pink",
        ),
        _picture,
        stands="wall",
    ),
    FurnitureClass(
        "poster",
        _POSTERS,
        ("red", "blue", "green", "yellow", "orange", "purple", "black", "turquoise", "pink"),
        _poster,
        stands="wall",
    ),
    FurnitureClass(
        "mirror",
        ("wood", "wood", "metal", "plastic"),
        ("brown", "black", "white", "grey", "red", "blue"),
        _mirror,
        stands="wall",
    ),
    FurnitureClass(
        "wall clock",
        ("plastic", "wood", "metal"),
        ("black", "white", "red", "blue", "brown", "grey"),
        _wall_clock,
        stands="wall",
    ),
    FurnitureClass(
        "curtain",
        ("linen", "linen", "velvet", "striped fabric", "patterned fabric"),
        (
            "white",
            "white",
            "beige",
            "cream",
            "grey",
            "red",
            "blue",
            "green",
            "yellow",
            "orange",
            "purple",
            "pink",
            "turquoise",
        ),
        _curtain,
        stands="wall",
    ),
)
