"""The furniture catalogue: every class is a small composition of boxes, drawn from integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vlnenv.houses.dice import Dice

Surface = tuple[str, str]
"""(finish, colour): see `textures.FINISHES` and `textures.COLORS`."""
Box = tuple[int, int, int, int, int, int, Surface]
"""x0, y0, z0, x1, y1, z1 in centimetres and the surface."""

WOODS = ("brown", "brown", "white", "black", "grey")
FABRICS = ("red", "blue", "green", "grey", "yellow", "orange", "purple", "brown", "black", "white")
BRIGHT = ("red", "blue", "green", "yellow", "orange", "purple", "white", "grey")
APPLIANCES = ("white", "grey", "black", "red")
CERAMIC = ("white", "white", "grey", "blue", "green")

METAL: Surface = ("plain", "grey")
DARK: Surface = ("plain", "black")
LIGHT: Surface = ("plain", "white")
CREAM: Surface = ("fabric", "cream")


@dataclass(frozen=True)
class Shape:
    """One drawn piece in its own frame: back on z = 0, front looking along +z, x across."""

    width: int
    depth: int
    height: int
    boxes: tuple[Box, ...]


def _shape(width: int, depth: int, boxes: list[Box]) -> Shape:
    return Shape(width, depth, max(box[4] for box in boxes), tuple(boxes))


def _legs(w: int, d: int, top: int, thick: int, surface: Surface, inset: int = 0) -> list[Box]:
    near, far_x, far_z = inset, w - inset, d - inset
    return [
        (x, 0, z, x + thick, top, z + thick, surface)
        for x in (near, far_x - thick)
        for z in (near, far_z - thick)
    ]


def _bed(dice: Dice, main: Surface) -> Shape:
    w, d, frame = dice.pick([100, 140, 160, 180]), 205, ("wood", dice.pick(["brown", "white", "black"]))
    pillows = [(12, w // 2 - 6), (w // 2 + 6, w - 12)] if w >= 140 else [(15, w - 15)]
    return _shape(
        w,
        d,
        [
            (0, 0, 0, w, dice.between(80, 110, 5), 6, frame),
            (0, 12, 6, w, 30, d, frame),
            *_legs(w, d, 12, 6, frame),
            (3, 30, 8, w - 3, 48, d - 3, CREAM),
            (2, 36, 65, w - 2, 52, d - 1, main),
            *((x0, 48, 12, x1, 60, 50, CREAM) for x0, x1 in pillows),
        ],
    )


def _sofa(dice: Dice, main: Surface) -> Shape:
    return _seat(dice.pick([160, 190, 220]), 90, main, seats=2)


def _armchair(dice: Dice, main: Surface) -> Shape:
    return _seat(dice.pick([80, 90]), 85, main, seats=1)


def _seat(w: int, d: int, main: Surface, seats: int) -> Shape:
    arm, step = 16, (w - 32) // seats
    cushions: list[Box] = [
        (arm + i * step + 1, 32, 22, arm + (i + 1) * step - 1, 46, d - 2, main) for i in range(seats)
    ]
    return _shape(
        w,
        d,
        [
            (0, 8, 0, w, 32, d - 4, main),
            *_legs(w, d - 4, 8, 6, DARK, 3),
            (0, 32, 0, w, 85, 22, main),
            (0, 32, 22, arm, 60, d - 4, main),
            (w - arm, 32, 22, w, 60, d - 4, main),
            *cushions,
        ],
    )


def _coffee_table(dice: Dice, main: Surface) -> Shape:
    w, d = dice.pick([90, 110, 120]), dice.pick([50, 60])
    return _shape(
        w, d, [(0, 40, 0, w, 45, d, main), *_legs(w, d, 40, 6, main), (6, 15, 6, w - 6, 18, d - 6, main)]
    )


def _dining_table(dice: Dice, main: Surface) -> Shape:
    w, d = dice.pick([120, 140, 160]), dice.pick([80, 90])
    return _shape(w, d, [(0, 72, 0, w, 76, d, main), *_legs(w, d, 72, 7, main, 3)])


def _chair(dice: Dice, main: Surface) -> Shape:
    return _shape(
        44,
        46,
        [
            *_legs(44, 46, 43, 4, main),
            (0, 43, 0, 44, 47, 46, main),
            (0, 47, 0, 4, 90, 4, main),
            (40, 47, 0, 44, 90, 4, main),
            (4, 66, 0, 40, 88, 3, main),
        ],
    )


def _office_chair(dice: Dice, main: Surface) -> Shape:
    return _shape(
        56,
        56,
        [
            (2, 4, 25, 54, 9, 31, DARK),
            (25, 4, 2, 31, 9, 54, DARK),
            (25, 9, 25, 31, 44, 31, METAL),
            (4, 44, 4, 52, 52, 52, main),
            (6, 56, 0, 50, 104, 7, main),
            (25, 44, 0, 31, 60, 5, DARK),
            (0, 64, 12, 5, 68, 42, DARK),
            (51, 64, 12, 56, 68, 42, DARK),
        ],
    )


def _desk(dice: Dice, main: Surface) -> Shape:
    w, d = dice.pick([110, 130, 150]), 65
    return _shape(
        w,
        d,
        [
            (0, 71, 0, w, 75, d, main),
            (0, 0, 0, 4, 71, d, main),
            (w - 40, 8, 2, w, 71, d - 4, main),
            *((w - 26, y, d - 4, w - 14, y + 3, d - 2, METAL) for y in (20, 40, 58)),
            (4, 35, 2, w - 40, 71, 4, main),
        ],
    )


def _cupboard(w: int, d: int, h: int, main: Surface, doors: int, foot: int = 6) -> Shape:
    """A box with door panels that stand out by 2 cm, handles on them and a plinth."""
    step = w // doors
    boxes: list[Box] = [(2, 0, 2, w - 2, foot, d - 6, DARK), (0, foot, 0, w, h, d - 4, main)]
    for i in range(doors):
        x0, x1 = i * step + 1, (i + 1) * step - 1
        boxes.append((x0, foot + 2, d - 4, x1, h - 2, d - 2, main))
        handle = x1 - 8 if i % 2 == 0 else x0 + 5
        middle = (foot + h) // 2
        boxes.append((handle, middle - 8, d - 2, handle + 3, middle + 8, d, METAL))
    return _shape(w, d, boxes)


def _drawers(w: int, d: int, h: int, main: Surface, rows: int) -> Shape:
    step = (h - 10) // rows
    boxes: list[Box] = [*_legs(w, d - 4, 8, 5, DARK), (0, 8, 0, w, h, d - 4, main)]
    for i in range(rows):
        y0 = 9 + i * step
        boxes.append((2, y0, d - 4, w - 2, y0 + step - 2, d - 2, main))
        boxes.append((w // 2 - 7, y0 + step // 2 - 2, d - 2, w // 2 + 7, y0 + step // 2 + 1, d, METAL))
    return _shape(w, d, boxes)


def _wardrobe(dice: Dice, main: Surface) -> Shape:
    doors = dice.pick([2, 3])
    return _cupboard(55 * doors, 60, 205, main, doors)


def _cabinet(dice: Dice, main: Surface) -> Shape:
    return _cupboard(dice.pick([80, 100]), 42, dice.pick([90, 120]), main, 2)


def _dresser(dice: Dice, main: Surface) -> Shape:
    return _drawers(dice.pick([80, 100, 120]), 48, 84, main, 3)


def _nightstand(dice: Dice, main: Surface) -> Shape:
    return _drawers(44, 42, 52, main, 2)


def _tv_stand(dice: Dice, main: Surface) -> Shape:
    return _cupboard(dice.pick([140, 160]), 42, 48, main, 3)


def _bookshelf(dice: Dice, main: Surface) -> Shape:
    w, d, h = dice.pick([70, 90, 110]), 32, dice.pick([150, 190])
    boxes: list[Box] = [(0, 0, 0, 3, h, d, main), (w - 3, 0, 0, w, h, d, main), (3, 0, 0, w - 3, h, 2, main)]
    for y in range(4, h, 36):
        boxes.append((3, y, 2, w - 3, y + 3, d, main))
        x = 5
        while y + 33 <= h:
            thick = dice.between(8, 18)
            if x + thick > w - 6 - dice.below(20):
                break
            tall = dice.between(18, 28)
            boxes.append((x, y + 3, 6, x + thick, y + 3 + tall, d - 5, ("plain", dice.pick(BRIGHT))))
            x += thick
    boxes.append((0, h - 3, 0, w, h, d, main))
    return _shape(w, d, boxes)


def _fridge(dice: Dice, main: Surface) -> Shape:
    return _shape(
        70,
        70,
        [
            (0, 3, 0, 70, 182, 64, main),
            (3, 0, 3, 67, 3, 60, DARK),
            (0, 4, 64, 70, 118, 68, main),
            (0, 121, 64, 70, 181, 68, main),
            (60, 85, 68, 63, 114, 70, DARK),
            (60, 125, 68, 63, 150, 70, DARK),
        ],
    )


def _stove(dice: Dice, main: Surface) -> Shape:
    plates = [(x, 90, z, x + 18, 92, z + 18, DARK) for x in (8, 34) for z in (8, 34)]
    return _shape(
        60,
        64,
        [
            (0, 0, 0, 60, 90, 58, main),
            *plates,
            (5, 14, 58, 55, 68, 60, DARK),
            (8, 70, 60, 52, 73, 64, METAL),
            *((x, 78, 58, x + 5, 84, 61, DARK) for x in (8, 22, 34, 47)),
            (0, 90, 0, 60, 98, 4, main),
        ],
    )


def _counter(dice: Dice, main: Surface) -> Shape:
    doors = dice.pick([2, 3])
    w, base = 60 * doors, _cupboard(60 * doors, 62, 86, main, doors, 10)
    return _shape(
        w, 64, [*base.boxes, (0, 86, 0, w, 90, 64, ("stone", dice.pick(["grey", "black", "cream"])))]
    )


def _kitchen_sink(dice: Dice, main: Surface) -> Shape:
    base = _cupboard(80, 62, 84, main, 2, 10)
    rim: list[Box] = [
        (0, 84, 0, 80, 88, 14, METAL),
        (0, 84, 52, 80, 88, 62, METAL),
        (0, 84, 14, 14, 88, 52, METAL),
        (66, 84, 14, 80, 88, 52, METAL),
        (14, 84, 14, 66, 85, 52, DARK),
        (38, 88, 4, 42, 112, 8, METAL),
        (38, 109, 8, 42, 112, 26, METAL),
    ]
    return _shape(80, 62, [*base.boxes, *rim])


def _sink(dice: Dice, main: Surface) -> Shape:
    return _shape(
        60,
        48,
        [
            (22, 0, 8, 38, 68, 28, main),
            (0, 68, 0, 60, 82, 48, main),
            (8, 82, 12, 52, 83, 42, METAL),
            (0, 82, 0, 60, 86, 8, main),
            (28, 86, 3, 32, 98, 6, METAL),
            (28, 95, 6, 32, 98, 16, METAL),
        ],
    )


def _toilet(dice: Dice, main: Surface) -> Shape:
    return _shape(
        40,
        66,
        [
            (1, 38, 0, 39, 78, 18, main),
            (9, 0, 4, 31, 34, 52, main),
            (3, 34, 18, 37, 40, 64, main),
            (3, 40, 18, 37, 43, 64, LIGHT),
            (16, 78, 6, 24, 80, 12, METAL),
        ],
    )


def _bathtub(dice: Dice, main: Surface) -> Shape:
    w, d = dice.pick([150, 165]), 74
    return _shape(
        w,
        d,
        [
            (0, 0, 0, w, 14, d, main),
            (0, 14, 0, w, 56, 8, main),
            (0, 14, d - 8, w, 56, d, main),
            (0, 14, 8, 10, 56, d - 8, main),
            (w - 10, 14, 8, w, 56, d - 8, main),
            (2, 56, d // 2 - 3, 12, 68, d // 2 + 3, METAL),
        ],
    )


def _shower(dice: Dice, main: Surface) -> Shape:
    return _shape(
        85,
        85,
        [
            (0, 0, 0, 85, 12, 85, main),
            (0, 12, 0, 85, 205, 3, main),
            (0, 12, 3, 3, 205, 85, ("plain", "glass")),
            (40, 110, 3, 45, 200, 6, METAL),
            (34, 192, 6, 51, 196, 26, METAL),
            (0, 205, 0, 85, 208, 4, METAL),
        ],
    )


def _television(dice: Dice, main: Surface) -> Shape:
    w = dice.pick([100, 120])
    return _shape(
        w,
        24,
        [
            (w // 2 - 20, 0, 2, w // 2 + 20, 3, 22, DARK),
            (w // 2 - 4, 3, 9, w // 2 + 4, 8, 14, DARK),
            (0, 8, 8, w, 68, 14, DARK),
            (2, 11, 14, w - 2, 66, 15, ("plain", "screen")),
        ],
    )


def _lamp(dice: Dice, main: Surface) -> Shape:
    return _shape(
        40, 40, [(6, 0, 6, 34, 3, 34, DARK), (18, 3, 18, 22, 130, 22, METAL), (0, 128, 0, 40, 162, 40, main)]
    )


def _plant(dice: Dice, main: Surface) -> Shape:
    top = dice.between(90, 140, 10)
    leaf: Surface = ("leaf", "green")
    return _shape(
        50,
        50,
        [
            (10, 0, 10, 40, 34, 40, main),
            (23, 34, 23, 27, top - 30, 27, ("wood", "brown")),
            (8, 50, 14, 42, top - 26, 38, leaf),
            (0, 62, 8, 26, top - 12, 30, leaf),
            (20, 58, 20, 50, top - 6, 46, leaf),
            (14, top - 30, 4, 40, top, 32, leaf),
        ],
    )


def _rug(dice: Dice, main: Surface) -> Shape:
    w, d = dice.pick([160, 200, 220]), dice.pick([120, 140])
    return _shape(w, d, [(0, 0, 0, w, 1, d, CREAM), (10, 1, 10, w - 10, 2, d - 10, ("carpet", main[1]))])


def _mirror(dice: Dice, main: Surface) -> Shape:
    w, h = dice.pick([50, 60, 80]), dice.pick([70, 90])
    return _shape(w, 4, [(0, 0, 0, w, h, 3, main), (4, 4, 3, w - 4, h - 4, 4, ("plain", "glass"))])


def _picture(dice: Dice, main: Surface) -> Shape:
    w, h = dice.pick([50, 70, 90]), dice.pick([50, 60])
    second = dice.pick([c for c in BRIGHT if c != main[1]])
    return _shape(
        w,
        4,
        [
            (0, 0, 0, w, h, 2, ("wood", dice.pick(["black", "brown", "white"]))),
            (4, 4, 2, w - 4, h - 4, 3, main),
            (w // 3, h // 4, 3, 2 * w // 3, h // 2, 4, ("plain", second)),
        ],
    )


def _washing_machine(dice: Dice, main: Surface) -> Shape:
    return _shape(
        60,
        62,
        [
            (0, 2, 0, 60, 86, 58, main),
            (3, 0, 3, 57, 2, 55, DARK),
            (14, 24, 58, 46, 60, 60, METAL),
            (19, 29, 60, 41, 55, 62, DARK),
            (4, 74, 58, 24, 82, 60, LIGHT),
            (44, 75, 58, 52, 81, 61, DARK),
        ],
    )


def _bench(dice: Dice, main: Surface) -> Shape:
    w = dice.pick([90, 110])
    return _shape(
        w, 38, [(0, 40, 0, w, 45, 38, main), *_legs(w, 38, 40, 6, main, 4), (8, 12, 17, w - 8, 16, 21, main)]
    )


def _stool(dice: Dice, main: Surface) -> Shape:
    return _shape(36, 36, [*_legs(36, 36, 44, 4, METAL, 2), (0, 44, 0, 36, 49, 36, main)])


def _piano(dice: Dice, main: Surface) -> Shape:
    keys: list[Box] = [(10 + i * 10, 76, 44, 15 + i * 10, 77, 52, DARK) for i in range(13)]
    return _shape(
        145,
        60,
        [
            (0, 0, 0, 145, 120, 36, main),
            (0, 62, 36, 145, 74, 60, main),
            (4, 0, 50, 12, 62, 58, main),
            (133, 0, 50, 141, 62, 58, main),
            (6, 74, 40, 139, 76, 58, LIGHT),
            *keys,
        ],
    )


def _fireplace(dice: Dice, main: Surface) -> Shape:
    return _shape(
        140,
        45,
        [
            (0, 0, 0, 35, 100, 40, main),
            (105, 0, 0, 140, 100, 40, main),
            (35, 70, 0, 105, 100, 40, main),
            (35, 0, 0, 105, 70, 8, DARK),
            (40, 0, 10, 100, 10, 36, ("wood", "brown")),
            (50, 10, 14, 90, 30, 30, ("plain", "orange")),
            (0, 100, 0, 140, 106, 45, ("stone", "cream")),
            (30, 106, 0, 110, 259, 30, main),
        ],
    )


def _bin(dice: Dice, main: Surface) -> Shape:
    return _shape(34, 34, [(3, 0, 3, 31, 56, 31, main), (1, 56, 1, 33, 62, 33, DARK)])


@dataclass(frozen=True)
class FurnitureClass:
    """How a class is drawn."""

    name: str
    """Category as instructions say it: "coffee table"."""
    finish: str
    """Finish of the main surface."""
    colors: tuple[str, ...]
    """Colours of the main surface."""
    draw: Callable[[Dice, Surface], Shape]


CATALOGUE: dict[str, FurnitureClass] = {
    entry.name: entry
    for entry in (
        FurnitureClass("bed", "fabric", FABRICS, _bed),
        FurnitureClass("nightstand", "wood", WOODS, _nightstand),
        FurnitureClass("wardrobe", "wood", WOODS, _wardrobe),
        FurnitureClass("dresser", "wood", (*WOODS, "blue", "green"), _dresser),
        FurnitureClass("sofa", "fabric", FABRICS, _sofa),
        FurnitureClass("armchair", "fabric", FABRICS, _armchair),
        FurnitureClass("coffee table", "wood", WOODS, _coffee_table),
        FurnitureClass("tv stand", "wood", WOODS, _tv_stand),
        FurnitureClass("television", "plain", ("black",), _television),
        FurnitureClass("rug", "carpet", FABRICS[:7], _rug),
        FurnitureClass("floor lamp", "fabric", ("yellow", "white", "orange", "red", "blue"), _lamp),
        FurnitureClass("plant", "plain", ("orange", "white", "brown", "grey", "blue"), _plant),
        FurnitureClass("bookshelf", "wood", WOODS, _bookshelf),
        FurnitureClass("cabinet", "wood", (*WOODS, "red", "blue", "green"), _cabinet),
        FurnitureClass("dining table", "wood", WOODS, _dining_table),
        FurnitureClass("chair", "wood", (*WOODS, "red", "blue", "green", "yellow"), _chair),
        FurnitureClass("desk", "wood", WOODS, _desk),
        FurnitureClass("office chair", "fabric", ("black", "red", "blue", "grey", "green"), _office_chair),
        FurnitureClass("fridge", "plain", APPLIANCES, _fridge),
        FurnitureClass("stove", "plain", APPLIANCES, _stove),
        FurnitureClass("kitchen counter", "wood", (*WOODS, "red", "blue", "green"), _counter),
        FurnitureClass("kitchen sink", "wood", WOODS, _kitchen_sink),
        FurnitureClass("sink", "plain", CERAMIC, _sink),
        FurnitureClass("toilet", "plain", CERAMIC, _toilet),
        FurnitureClass("bathtub", "plain", CERAMIC, _bathtub),
        FurnitureClass("shower", "stone", CERAMIC, _shower),
        FurnitureClass("mirror", "wood", ("black", "white", "brown"), _mirror),
        FurnitureClass("picture", "plain", BRIGHT, _picture),
        FurnitureClass("washing machine", "plain", ("white", "grey", "black"), _washing_machine),
        FurnitureClass("bench", "wood", (*WOODS, "red", "green"), _bench),
        FurnitureClass("stool", "fabric", FABRICS, _stool),
        FurnitureClass("piano", "wood", ("black", "brown", "white"), _piano),
        FurnitureClass("fireplace", "stone", ("red", "grey", "white"), _fireplace),
        FurnitureClass("trash can", "plain", BRIGHT, _bin),
    )
}
"""Class name to how it is drawn."""
