"""Plants in pots: leafy bushes, palms, snake plants, small trees, cacti."""

from __future__ import annotations

from vlnenv.houses.catalogue.fittings import fitted
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
    cylinder,
    ellipsoid,
    frustum,
    lathe,
    loft,
    rod,
    tube,
)
from vlnenv.houses.dice import Dice

POT_COLORS = (
    "white",
    "white",
    "grey",
    "black",
    "brown",
    "orange",
    "blue",
    "turquoise",
    "yellow",
    "red",
    "beige",
)
LEAF: Surface = ("leaf", "green")
_SOIL: Surface = ("soil", "dark brown")


def pot(
    dice: Dice, x: float, z: float, radius: float, high: float, surface: Surface, sides: int = 14
) -> list[Solid]:
    """A pot filled with soil up to 2 cm below its rim."""
    kind = dice.pick(["tapered", "tapered", "round", "square"])
    if kind == "square":
        r = radius * 0.88
        body = [
            frustum(
                (x - r * 0.8, z - r * 0.8, x + r * 0.8, z + r * 0.8),
                0,
                (x - r, z - r, x + r, z + r),
                high,
                surface,
            )
        ]
        return [
            *body,
            box(x - r * 0.86, high - 0.1, z - r * 0.86, x + r * 0.86, high + 0.2, z + r * 0.86, _SOIL),
        ]
    wall = {
        "tapered": [(radius * 0.7, 0), (radius * 0.96, high * 0.85), (radius, high * 0.85), (radius, high)],
        "round": [(radius * 0.6, 0), (radius * 0.95, high * 0.3), (radius, high * 0.6), (radius * 0.8, high)],
    }[kind]
    rim = wall[-1][0]
    shell = [*wall, (rim - 1.2, high), (rim - 1.6, high - 2)]
    return [lathe(x, z, shell, surface, sides), cylinder(x, z, high - 3, high - 1.8, rim - 1.4, _SOIL, sides)]


def _blade(
    base: tuple[float, float, float],
    bend: list[tuple[float, float]],
    way: tuple[float, float],
    wide: float,
    surface: Surface,
) -> Solid:
    """A leaf from `base` through (outward, up) points along the direction `way`; widest in the middle."""
    x, y, z = base
    rings = []
    for number, (out, up) in enumerate([(0.0, 0.0), *bend]):
        share = number / len(bend)
        half = wide * max(0.12, 4 * share * (1 - share)) / 2
        cx, cz = x + way[0] * out, z + way[1] * out
        rings.append(
            [
                (cx - way[1] * half, y + up + 0.3, cz + way[0] * half),
                (cx, y + up - half * 0.3, cz),
                (cx + way[1] * half, y + up + 0.3, cz - way[0] * half),
                (cx, y + up - half * 0.3 + 0.5, cz),
            ]
        )
    return loft(rings, surface)


def _ways(count: int, start: int) -> list[tuple[float, float]]:
    turn = cosines(48)
    return [
        (turn[(start + k * 48 // count) % 48], turn[(start + k * 48 // count - 12) % 48])
        for k in range(count)
    ]


def crown(dice: Dice, kind: str, x: float, z: float, y: float, reach: float, tall: float) -> list[Solid]:
    """Leaves above (x, y, z) that stay within `reach` sideways and `tall` upwards."""
    solids: list[Solid] = []
    start = dice.below(48)
    if kind == "snake":
        for number, (wx, wz) in enumerate(_ways(9, start)):
            out = reach * (0.2 + 0.5 * (number % 3) / 2)
            up = tall * (0.55 + dice.between(0, 45) / 100)
            solids.append(
                _blade(
                    (x + wx * 2, y, z + wz * 2),
                    [(out * 0.4, up * 0.5), (out, up)],
                    (wx, wz),
                    6 + tall / 25,
                    LEAF,
                )
            )
    elif kind == "palm":
        stem = tall * 0.45
        bow = [(x, y - 2.0, z), (x + 1.5, y + stem * 0.5, z), (x, y + stem, z)]
        solids.append(tube(bow, 1.5 + tall / 60, ("bark", "brown"), 6))
        for ring, (count, lift) in enumerate(((8, 0.42), (6, 0.52))):
            for wx, wz in _ways(count, start + ring * 3):
                far = reach * (0.97 if ring == 0 else 0.7)
                bend = [
                    (far * 0.35, tall * (lift - 0.08)),
                    (far * 0.75, tall * (lift - 0.1)),
                    (far, tall * (lift - 0.3)),
                ]
                solids.append(_blade((x, y + stem, z), bend, (wx, wz), reach * 0.3, LEAF))
    elif kind == "tree":
        trunk = tall * 0.5
        solids.append(
            tube(
                [(x, y - 2.0, z), (x + 1.0, y + trunk * 0.6, z - 1.0), (x, y + trunk, z)],
                1.6,
                ("bark", "brown"),
                6,
            )
        )
        for _ in range(9):
            size = reach * dice.between(34, 48) / 100
            wx, wz = dice.pick(_ways(12, start))
            out = (reach - size) * dice.between(20, 98) / 100
            up = trunk + size * 0.8 + (tall - trunk - 1.8 * size) * dice.between(0, 100) / 100
            solids.append(
                ellipsoid(
                    (x + wx * out, y + up, z + wz * out), (size * 0.95, size * 0.8, size * 0.95), LEAF, 8
                )
            )
    elif kind == "cactus":
        skin: Surface = ("leaf", "dark green")
        r = min(reach * 0.35, tall * 0.2)
        solids.append(
            lathe(
                x,
                z,
                [
                    (r * 0.9, y - 2),
                    (r, y + tall * 0.4),
                    (r * 0.9, y + tall * 0.85),
                    (r * 0.4, y + tall * 0.99),
                ],
                skin,
                10,
            )
        )
        for side, at in ((1, 0.35), (-1, 0.5)):
            arm = [
                (x, y + tall * at, z),
                (x + side * reach * 0.7, y + tall * at, z),
                (x + side * reach * 0.72, y + tall * (at + 0.3), z),
            ]
            solids.append(tube(arm, min(r * 0.5, reach * 0.25), skin, 8))
    else:
        for level, count in enumerate((7, 7, 6, 4)):
            for wx, wz in _ways(count, start + level * 5):
                far = reach * (0.98 - 0.22 * level) * dice.between(82, 100) / 100
                up = tall * (0.22 + 0.24 * level)
                bend = [(far * 0.3, up * 0.75), (far * 0.7, up), (far, up * 0.82)]
                solids.append(_blade((x, y, z), bend, (wx, wz), reach * 0.42, LEAF))
    return solids


def _plant(dice: Dice, main: Surface) -> Shape:
    """A plant on the floor; the pot is the main surface."""
    kind = dice.pick(["bush", "bush", "palm", "snake", "tree", "cactus"])
    width, tall = {
        "bush": (dice.pick([60, 70, 80]), dice.pick([45, 60, 75])),
        "palm": (dice.pick([80, 90]), dice.pick([100, 130])),
        "snake": (40, dice.pick([55, 75])),
        "tree": (dice.pick([56, 66]), dice.pick([90, 115])),
        "cactus": (40, dice.pick([50, 75])),
    }[kind]
    middle, radius, high = width / 2, dice.pick([15, 18]), dice.pick([24, 32, 40])
    solids = pot(dice, middle, middle, radius, high, main)
    solids += crown(dice, kind, middle, middle, high, middle - 3, tall)
    return fitted(width, width, solids)


def _flower_pot(dice: Dice, main: Surface) -> Shape:
    """A small plant to stand on a top, green or in bloom."""
    kind = dice.pick(["bush", "snake", "cactus", "flowers"])
    width, high = 24, dice.pick([9, 11, 13])
    solids = pot(dice, 12, 12, 7, high, main, sides=8)
    start = dice.below(48)
    if kind == "flowers":
        petals: Surface = ("velvet", dice.pick(["red", "yellow", "pink", "purple", "orange", "white"]))
        solids += _few_leaves(high, 10, 3, start)
        for wx, wz in _ways(3, start + 8):
            tip = (12 + wx * 6, high + dice.between(11, 18), 12 + wz * 6)
            solids += [
                rod((12, high - 2, 12), tip, 0.4, LEAF, 3),
                lathe(tip[0], tip[2], [(1, tip[1] - 2), (3.4, tip[1]), (1.8, tip[1] + 2)], petals, 5),
            ]
    elif kind == "bush":
        solids += _few_leaves(high, 10, 5, start) + _few_leaves(high + 3, 6, 2, start + 4)
    else:
        solids += crown(dice, kind, 12, 12, high, 9, 18)[:7]
    return fitted(width, width, solids)


def _few_leaves(high: float, far: float, count: int, start: int) -> list[Solid]:
    return [
        _blade((12, high - 1, 12), [(far * 0.5, 9), (far, 7)], way, 6, LEAF) for way in _ways(count, start)
    ]


PLANTS: tuple[FurnitureClass, ...] = (
    FurnitureClass("plant", ("ceramic", "ceramic", "wicker", "stone"), POT_COLORS, _plant),
)
FLOWER_POT = FurnitureClass("flower pot", ("ceramic",), POT_COLORS, _flower_pot, stands="top")
