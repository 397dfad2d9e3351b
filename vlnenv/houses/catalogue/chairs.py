"""Chairs, stools and benches."""

from __future__ import annotations

from vlnenv.houses.catalogue.parts import (
    FABRICS,
    LEG_WOODS,
    METALS,
    PAINTED,
    TEXTILES,
    WOODS,
    darker,
    legs,
    panel,
    tabletop,
)
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
    cylinder,
    extruded,
    lathe,
    loft,
    oval,
    prism,
    rod,
    rounded_box,
    rounded_rectangle,
    sheared,
    tube,
)
from vlnenv.houses.dice import Dice

_SOFT = ("fabric", "linen", "velvet", "leather", "striped fabric", "checked fabric", "knit")
_BLACK: Surface = ("plastic", "black")


def _chair(dice: Dice, main: Surface) -> Shape:
    """A padded chair where the main surface is soft, a shell of plastic, else one of wood or metal."""
    width, depth = dice.between(43, 48), dice.between(48, 54)
    if main[0] in _SOFT:
        return _padded_chair(dice, main, width, depth)
    if main[0] == "plastic":
        return _shell_chair(dice, main, width + 4, depth)
    seat, back = dice.between(44, 46), dice.between(82, 100, 2)
    family = dice.pick(["ladder", "spindle", "board", "cross"])
    thick = dice.pick([3.0, 3.6, 4.2])
    seat_surface = main
    if family in ("ladder", "cross") and dice.chance(50):
        seat_surface = dice.pick([("wicker", "beige"), ("fabric", dice.pick(FABRICS)), ("leather", "black")])
    parts: list[Solid] = []
    if family == "spindle":
        parts += legs("splayed", (1, 8, width - 1, depth), seat - 2, thick, main)
        parts.append(rod((5, 16, 13), (5, 16, depth - 5), 1.0, main))
        parts.append(rod((width - 5, 16, 13), (width - 5, 16, depth - 5), 1.0, main))
        parts.append(rod((5, 16, depth / 2), (width - 5, 16, depth / 2), 1.0, main))
    else:
        style = dice.pick(["square", "tapered"])
        parts += legs(style, (1, 8, width - 1, depth - 2), seat - 2, thick, main)
        rail = 1.8
        for x in (2.5, width - 2.5):
            parts.append(box(x - rail / 2, seat - 8, 10, x + rail / 2, seat - 3, depth - 4, main))
        parts.append(box(3, seat - 8, depth - 5, width - 3, seat - 3, depth - 3, main))
    parts.append(rounded_box(0, seat - 3, 7, width, seat, depth, seat_surface, radius=1.4, steps=1))
    parts += _chair_back(family, width, seat - 3, back, thick, main)
    return compose(width, depth, back, parts)


def _chair_back(family: str, width: int, seat: float, back: int, thick: float, main: Surface) -> list[Solid]:
    """Posts with what is between them, leaning back over the last 8 cm."""
    lean, foot = -7.0 / (back - seat), 7.5
    x0, x1 = thick / 2 + 0.5, width - thick / 2 - 0.5
    parts: list[Solid] = []
    if family == "spindle":
        for i in range(7):
            x = x0 + 2 + i * (x1 - x0 - 4) / 6
            parts.append(rod((x, seat, foot + 3), (x, back - 4, foot + 3), 0.8, main, 5))
        parts.append(rounded_box(0, back - 7, foot + 1, width, back, foot + 4, main, radius=1.5, steps=1))
    else:
        parts += [box(x - thick / 2, seat, foot, x + thick / 2, back, foot + thick, main) for x in (x0, x1)]
        inner = (x0 + thick / 2, x1 - thick / 2)
        if family == "ladder":
            count = 3 if back < 92 else 4
            for i in range(count):
                y = back - 8 - i * (back - seat - 10) / count
                parts.append(box(inner[0], y, foot + 0.8, inner[1], y + 6, foot + 2.4, main))
        elif family == "board":
            parts.append(box(inner[0], back - 24, foot + 0.8, inner[1], back - 2, foot + 2.6, main))
        else:
            low, high = seat + 8, back - 6
            parts.append(box(inner[0], high, foot + 0.4, inner[1], back, foot + 2.8, main))
            for a, b in ((inner[0], inner[1]), (inner[1], inner[0])):
                parts.append(rod((a, low, foot + 1.6), (b, high + 1, foot + 1.6), 1.1, main))
    return [sheared(part, "z", "y", seat, lean) for part in parts]


def _padded_chair(dice: Dice, main: Surface, width: int, depth: int) -> Shape:
    seat, back = 47, dice.between(84, 102, 2)
    frame = dice.pick([*LEG_WOODS, *METALS[:3]])
    style = (
        dice.pick(["tapered", "splayed", "square"])
        if frame[0] != "metal"
        else dice.pick(["round", "hairpin"])
    )
    pad = rounded_box(1, seat + (4 if dice.chance(50) else 0), 8, width - 1, back, 15, main, radius=3)
    parts = [
        *legs(style, (1, 6, width - 1, depth - 1), seat - 7, 4, frame),
        box(3, seat - 8, 8, width - 3, seat - 5, depth - 4, frame),
        rounded_box(0, seat - 6, 6, width, seat + 1, depth, main, radius=3),
        sheared(pad, "z", "y", seat, -7.5 / (back - seat)),
    ]
    if dice.chance(40):  # buttons
        for x in (width * 0.3, width * 0.5, width * 0.7):
            y = back - 14
            out = 15 - 7.5 * (y - seat) / (back - seat)
            parts.append(rod((x, y, out - 1), (x, y, out + 0.6), 1.2, darker(main), 5))
    for x in (5, width - 5):
        post = box(x - 1.5, seat - 6, 8, x + 1.5, seat + 10, 11, frame)
        parts.append(sheared(post, "z", "y", seat, -7.5 / (back - seat)))
    return compose(width, depth, back, parts)


def _shell_chair(dice: Dice, main: Surface, width: int, depth: int) -> Shape:
    """A moulded shell on splayed legs of wood or wire."""
    seat, back = 45, dice.between(78, 84)
    profile = [
        (depth, -1.6),
        (depth - 4, 0.4),
        (depth * 0.6, -1.4),
        (depth * 0.36, -0.6),
        (9.0, 5.0),
        (5.0, 14.0),
        (1.0, back - seat),
    ]
    half = width / 2
    rings = []
    for i, (z, up) in enumerate(profile):
        wide = half * (0.90, 0.97, 1.0, 1.0, 0.98, 0.92, 0.62)[i]
        curl = (0.5, 1.5, 4.0, 5.0, 5.0, 3.5, 1.5)[i]
        top, under = [], []
        for step in (-1.0, -0.6, 0.0, 0.6, 1.0):
            rise = curl * step * step
            dz, dy = (rise, 0.0) if i >= 5 else (0.0, rise)
            point = (half + wide * step, min(seat + up + dy, back), z + dz)
            top.append(point)
            under.append(
                (point[0], point[1] - (0.6 if i >= 5 else 1.4), max(0.0, point[2] - (1.2 if i >= 4 else 0.0)))
            )
        rings.append([*top, *under[::-1]])
    base = dice.pick([*LEG_WOODS, *METALS[:2]])
    parts = [
        loft(rings, main),
        *legs(
            "splayed" if base[0] != "metal" else "round", (4, 8, width - 4, depth - 2), seat - 1, 3.2, base
        ),
        rod((8, 26, 14), (width - 8, 26, depth - 8), 0.6, METALS[1]),
        rod((width - 8, 26, 14), (8, 26, depth - 8), 0.6, METALS[1]),
    ]
    return compose(width, depth, back, parts)


def _stool(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["round", "square", "padded", "drum"])
    width, height = dice.between(32, 40), dice.between(43, 50)
    middle = width / 2
    if family == "drum":
        profile = [
            (middle * 0.95, 0),
            (middle, 3),
            (middle * 0.72, height / 2),
            (middle, height - 3),
            (middle * 0.95, height),
        ]
        parts = [lathe(middle, middle, profile, main, 16)]
    elif family == "square":
        parts = [
            *legs("square", (1, 1, width - 1, width - 1), height - 3, 3.5, main),
            *_stretchers(width, width, 14, 2.7, main),
            rounded_box(0, height - 4, 0, width, height, width, main, radius=1.5, steps=1),
        ]
    else:
        frame = main if family == "round" and main[0] not in _SOFT else dice.pick([*LEG_WOODS, *METALS[:3]])
        thick = 3 if family == "round" and main[0] not in _SOFT else 7
        edge = 1.2 if thick == 3 else 2.5
        seat = [
            (middle - edge, height - thick),
            (middle, height - thick + edge),
            (middle, height - edge),
            (middle - edge, height),
        ]
        parts = [
            *legs("splayed", (2, 2, width - 2, width - 2), height - thick + 0.5, 3, frame),
            lathe(middle, middle, seat, main, 16),
        ]
    return compose(width, width, height, parts, [_round_top(width, height)])


def _round_top(width: int, y: int) -> Top:
    margin = int(width * 0.2) + 1
    return Top(margin, margin, width - margin, width - margin, y)


def _stretchers(width: float, depth: float, y: float, inset: float, surface: Surface) -> list[Solid]:
    """Bars that join four legs at height y."""
    a, b, c = inset, width - inset, depth - inset
    ends = (((a, a), (b, a)), ((b, a), (b, c)), ((b, c), (a, c)), ((a, c), (a, a)))
    return [rod((x0, y, z0), (x1, y, z1), 0.9, surface) for (x0, z0), (x1, z1) in ends]


def _bar_stool(dice: Dice, main: Surface) -> Shape:
    """A high seat on four legs with a foot rest, or on a column; some with a low back."""
    width, seat = dice.between(38, 44), dice.between(66, 76)
    middle, back = width / 2, dice.chance(45)
    height = seat + dice.between(16, 26, 2) if back else seat
    metal = dice.pick(METALS)
    round_seat = dice.chance(60)
    thick = 3.0 if main[0] in ("wood", "oak") else 7.0
    if round_seat:
        r, edge = middle - 1, min(2.5, thick / 2)
        profile = [(r - edge, seat - thick), (r, seat - thick + edge), (r, seat - edge), (r - edge, seat)]
        parts = [lathe(middle, middle, profile, main, 16)]
    else:
        parts = [rounded_box(1, seat - thick, 1, width - 1, seat, width - 1, main, radius=min(3, thick / 2))]
    if dice.chance(45):  # on a column
        base = [(middle - 2, 0), (middle - 2, 1.5), (4, 4), (2.6, 6), (2.6, seat - thick)]
        ring = [(middle + 15 * c, 28, middle + 15 * s) for c, s in oval(0, 0, 1, 1, 12)]
        parts += [
            lathe(middle, middle, base, metal, 16),
            tube([*ring, ring[0]], 1.0, metal, 5),
            rod((middle - 15, 28, middle), (middle + 15, 28, middle), 0.8, metal, 5),
        ]
    else:
        frame = main if main[0] in ("wood", "oak", "metal") else dice.pick([*LEG_WOODS, metal])
        inset = 6 if round_seat else 2
        parts += legs("square", (inset, inset, width - inset, width - inset), seat - thick + 0.5, 3, frame)
        parts += _stretchers(width, width, 24, inset + 1.5, frame)
        parts += _stretchers(width, width, seat - thick - 8, inset + 1.5, frame)
    if back:
        frame = main if main[0] in ("wood", "oak", "metal") else metal
        parts += [rod((x, seat - 4, 3), (x, height - 6, 2), 1.2, frame) for x in (7, width - 7)]
        parts.append(rounded_box(3, height - 11, 0.5, width - 3, height, 4, main, radius=1.7, steps=1))
    return compose(width, width, height, parts)


def _bench(dice: Dice, main: Surface) -> Shape:
    width = dice.between(95, 140, 5)
    if main[0] not in ("wood", "oak", "bamboo"):
        return _padded_bench(dice, main, width)
    family = dice.pick(["plank", "backed", "chest"])
    depth, seat = dice.between(36, 42), 45
    if family == "plank":
        parts = [tabletop(dice.pick(["sharp", "bevelled"]), (0, 0, width, depth), seat - 4, seat, main)]
        if dice.chance(50):
            parts += legs(
                dice.pick(["square", "tapered", "turned"]), (3, 2, width - 3, depth - 2), seat - 4, 6, main
            )
            parts.append(box(7, 12, depth / 2 - 2, width - 7, 16, depth / 2 + 2, main))
        else:
            for x in (10, width - 14):
                parts.append(box(x, 0, 3, x + 4, seat - 4, depth - 3, main))
            parts.append(box(14, 16, depth / 2 - 1.5, width - 14, 24, depth / 2 + 1.5, main))
        return compose(width, depth, seat, parts, [Top(4, 4, width - 4, depth - 4, seat)])
    depth += 8
    back = dice.between(84, 94, 2)
    parts = []
    if family == "chest":
        parts += [
            box(0, 0, 2, width, seat - 7, depth - 2, main),
            box(1, seat - 7, 1, width - 1, seat - 4, depth, main),
            rounded_box(
                1, seat - 5, 8, width - 1, seat, depth - 1, ("fabric", dice.pick(FABRICS)), radius=2.4
            ),
            box(0, seat - 7, 0, width, back, 4, main),
        ]
        for i in range(3):
            low = 5 + i * (width - 10) / 3
            parts += panel("framed", low, 3, low + (width - 10) / 3 - 1, seat - 9, depth - 2, main)
    else:
        parts += legs("square", (1, 4, width - 1, depth - 2), seat - 3, 5, main)
        for i in range(4):
            z = 5 + i * (depth - 6) / 4
            parts.append(box(0, seat - 3, z, width, seat, z + (depth - 6) / 4 - 1.2, main))
        for y in (seat + 8, seat + 20, back - 8):
            parts.append(sheared(box(2, y, 9, width - 2, y + 8, 11, main), "z", "y", seat, -0.1))
        for x in (2, width - 6):
            parts.append(sheared(box(x, seat - 4, 6, x + 4, back, 9.2, main), "z", "y", seat, -0.1))
            parts.append(box(x, seat, depth - 8, x + 4, seat + 18, depth - 4, main))
            parts.append(
                rounded_box(x - 1, seat + 17, 4, x + 5, seat + 20, depth - 2, main, radius=1.4, steps=1)
            )
    return compose(width, depth, back, parts)


def _padded_bench(dice: Dice, main: Surface, width: int) -> Shape:
    depth, height = dice.between(40, 48), dice.between(44, 49)
    frame = dice.pick([*LEG_WOODS, *METALS[:3]])
    style = "hairpin" if frame[0] == "metal" else dice.pick(["tapered", "splayed", "turned"])
    parts = [
        *legs(style, (5, 3, width - 5, depth - 3), height - 10, 4.5, frame),
        box(3, height - 13, 3, width - 3, height - 10, depth - 3, frame),
        rounded_box(0, height - 11, 0, width, height, depth, main, radius=4),
    ]
    count = width // 22
    for i in range(1, count):
        for z in (depth / 3, 2 * depth / 3):
            parts.append(lathe(width * i / count, z, [(1.6, height - 1), (0.8, height)], darker(main), 5))
    return compose(width, depth, height, parts, [Top(12, 10, width - 12, depth - 10, height)])


def _office_chair(dice: Dice, main: Surface) -> Shape:
    """Five castors under a gas lift; a task chair, an executive's, or one with a mesh back."""
    width = dice.between(64, 68, 2)
    depth, middle, seat = width, width / 2, dice.between(46, 50)
    family = dice.pick(["task", "executive", "mesh"])
    back = {"task": 92, "mesh": 104, "executive": 114}[family] + dice.between(-4, 4, 2)
    metal = dice.pick([("metal", "silver"), _BLACK])
    turn = cosines(40)
    parts: list[Solid] = [
        cylinder(middle, middle, 7, 12, 4, metal, 8),
        cylinder(middle, middle, 11, seat - 8, 2.4, ("metal", "silver"), 8),
        box(middle - 9, seat - 9, middle - 11, middle + 9, seat - 6, middle + 9, _BLACK),
    ]
    reach = width / 2 - 4.6
    for k in range(5):
        cos, sin = turn[8 * k + 2], turn[(8 * k + 2 - 10) % 40]
        x, z = middle + reach * cos, middle + reach * sin
        parts.append(rod((middle, 10, middle), (x, 7.5, z), 2.0, metal, 5))
        parts.append(
            rod((x - 1.8 * sin, 3, z + 1.8 * cos), (x + 1.8 * sin, 3, z - 1.8 * cos), 3.0, _BLACK, 8)
        )
    wide = 24 if family != "executive" else 26
    front = middle + 25
    parts.append(
        rounded_box(middle - wide, seat - 7, middle - 22, middle + wide, seat, front, main, radius=3.4)
    )
    bottom = seat + (12 if family == "task" else 3)
    back_z = middle - 24
    lean = -(back_z - 3) / (back - seat) * 0.5
    if family == "mesh":
        rim = rounded_rectangle(middle - 23, bottom, middle + 23, back, 8)
        loop = [(x, min(y, back - 1.5), back_z + 2) for x, y in rim]
        rest = [tube([*loop, loop[0]], 1.5, _BLACK, 5), extruded(rim, "z", back_z + 1.4, back_z + 2.4, main)]
        rest.append(
            rounded_box(
                middle - 18, bottom + 8, back_z - 2, middle + 18, bottom + 14, back_z + 1, _BLACK, 1.4, 1
            )
        )
    elif family == "executive":
        rest = [
            rounded_box(
                middle - 25, bottom, back_z - 3, middle + 25, back - 20, back_z + 7, main, radius=4.5
            ),
            rounded_box(middle - 19, back - 22, back_z - 2, middle + 19, back, back_z + 8, main, radius=4.5),
        ]
    else:
        rest = [rounded_box(middle - 21, bottom, back_z - 1, middle + 21, back, back_z + 6, main, radius=3.4)]
    parts += [sheared(part, "z", "y", seat, lean) for part in rest]
    parts.append(
        tube(
            [
                (middle, seat - 8, middle - 8),
                (middle, seat - 8, back_z - 2),
                (middle, bottom + 12, back_z - 3),
            ],
            2.2,
            _BLACK,
        )
    )
    if family != "task" or dice.chance(50):
        for side in (-1, 1):
            x = middle + side * (wide + 2.5)
            parts.append(rod((middle + side * 14, seat - 7, middle), (x, seat - 7, middle), 1.6, _BLACK))
            parts.append(rod((x, seat - 7, middle), (x, seat + 19, middle - 4), 1.6, _BLACK))
            parts.append(
                rounded_box(x - 3, seat + 18, middle - 16, x + 3, seat + 21.5, middle + 12, _BLACK, 1.5, 1)
            )
    return compose(width, depth, back, parts)


def _high_chair(dice: Dice, main: Surface) -> Shape:
    """A child's seat on high splayed legs behind a tray."""
    width, depth, seat, back = dice.between(54, 60, 2), dice.between(58, 66, 2), 56, dice.between(92, 102, 2)
    tray: Surface = (
        ("plastic", dice.pick(["white", "cream", "light blue", "grey"])) if dice.chance(50) else main
    )
    pad: Surface = (dice.pick(TEXTILES), dice.pick(FABRICS))
    x0, x1 = 13, width - 13
    lean = sheared(box(x0, seat - 2, 13, x1, back, 16, main), "z", "y", seat, -0.12)
    bucket = dice.chance(45)  # a moulded seat on round legs
    if bucket:
        lean = rounded_box(x0 - 4, seat - 3, 12, x1 + 4, back, 17, main, radius=2.4)
        lean = sheared(lean, "z", "y", seat, -0.12)
    cushion = rounded_box(x0 + 2, seat + 2, 15, x1 - 2, back - 5, 19, pad, radius=1.9)
    parts = [
        *legs(
            "splayed", (1, 1, width - 1, depth - 3), seat - 2, 4.5, dice.pick(LEG_WOODS) if bucket else main
        ),
        rounded_box(x0 - 2, seat - 4, 12, x1 + 2, seat, depth - 16, main, radius=1.5, steps=1),
        rounded_box(x0, seat - 0.5, 16, x1, seat + 3, depth - 18, pad, radius=1.7),
        lean,
        sheared(cushion, "z", "y", seat, -0.12),
        box(7, 26, depth - 14, width - 7, 29, depth - 2, main),
        rod((6, 18, 8), (6, 18, depth - 8), 1.2, main),
        rod((width - 6, 18, 8), (width - 6, 18, depth - 8), 1.2, main),
        prism(rounded_rectangle(3, depth - 36, width - 3, depth, 7), seat + 17, seat + 18.5, tray),
        *(
            rounded_box(x, seat - 4, 14, x + 3, seat + 17.5, depth - 18, main, radius=1.4, steps=1)
            if bucket
            else box(x, seat - 4, 18, x + 3, seat + 17.5, depth - 20, main)
            for x in (x0 - 4, x1 + 1)
        ),
    ]
    rim = rounded_rectangle(4, depth - 35, width - 4, depth - 1, 7)
    loop = [(x, seat + 19, z) for x, z in rim]
    parts.append(tube([*loop, loop[0]], 0.8, tray, 4))
    return compose(width, depth, back, parts, [Top(8, depth - 30, width - 8, depth - 6, int(seat + 18))])


CHAIRS = (
    FurnitureClass(
        "chair",
        ("wood", "wood", "wood", "oak", "oak", "fabric", "linen", "velvet", "leather", "plastic", "metal"),
        (*PAINTED, "red", "yellow", "orange", "pink"),
        _chair,
    ),
    FurnitureClass(
        "stool", ("wood", "oak", "fabric", "leather", "velvet", "metal", "wicker"), PAINTED, _stool
    ),
    FurnitureClass(
        "bar stool",
        ("wood", "oak", "leather", "leather", "fabric", "metal"),
        (*PAINTED, "red", "yellow"),
        _bar_stool,
    ),
    FurnitureClass("bench", ("wood", "wood", "oak", "oak", "fabric", "velvet", "leather"), PAINTED, _bench),
    FurnitureClass(
        "office chair",
        ("fabric", "fabric", "leather"),
        ("black", "black", "red", "blue", "grey", "green", "white", "brown", "orange"),
        _office_chair,
        front_cm=30,
    ),
    FurnitureClass(
        "high chair",
        ("wood", "oak", "plastic"),
        (*WOODS, "red", "blue", "green", "yellow"),
        _high_chair,
        front_cm=30,
    ),
)
"""Classes of chairs, stools and benches."""
