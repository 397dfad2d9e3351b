"""Upholstered seats: sofas, armchairs, rocking chairs, ottomans, bean bags."""

from __future__ import annotations

from vlnenv.houses.catalogue.parts import FABRICS, LEG_WOODS, METALS, TEXTILES, WOODS, darker, frame, legs
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top, compose, flipped
from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    cosines,
    extruded,
    lathe,
    loft,
    oval,
    pillow,
    rod,
    rounded_box,
    sheared,
    tube,
)
from vlnenv.houses.dice import Dice

_UPHOLSTERY = (
    "fabric",
    "fabric",
    "linen",
    "velvet",
    "leather",
    "leather",
    "patterned fabric",
    "checked fabric",
)


def _sofa(dice: Dice, main: Surface) -> Shape:
    seats = dice.pick([2, 2, 3, 3])
    family = dice.pick(["soft", "soft", "slim", "rolled", "framed", "corner"])
    return _upholstered(
        dice, main, family, seats, dice.between(66, 78, 2) if seats == 2 else dice.between(56, 62, 2)
    )


def _armchair(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["soft", "slim", "rolled", "framed", "wing", "tub"])
    if family == "tub":
        return _tub_chair(dice, main)
    return _upholstered(dice, main, family, 1, dice.between(56, 66, 2))


def _upholstered(dice: Dice, main: Surface, family: str, seats: int, seat_width: int) -> Shape:
    """Base, arms, seat and back cushions; `family` says how the arms and legs look."""
    arm = {"soft": dice.between(14, 22), "slim": 9, "rolled": 18, "framed": 6, "wing": 12, "corner": 16}[
        family
    ]
    feet = dice.between(6, 10) if family in ("soft", "rolled", "corner") else dice.between(12, 17)
    depth = dice.between(82, 96, 2)
    width = seats * seat_width + 2 * arm
    seat, base = dice.between(42, 46), 16
    back = {"rolled": 72, "wing": 108}.get(family, dice.between(76, 90, 2))
    arm_top = back - 2 if family == "rolled" else dice.between(56, 64, 2)
    long = dice.between(145, 165, 5) if family == "corner" else depth
    wood = dice.pick(LEG_WOODS)
    x0, x1, back_z = arm, width - arm, 24
    parts: list[Solid] = []
    cushion_base = feet + base
    if family == "framed":
        cushion_base = 30
        parts += [
            *_wooden_frame(width, depth, arm, cushion_base, arm_top, back, wood),
            box(x0, cushion_base - 5, 2, x1, cushion_base, depth - 3, wood),
        ]
    else:
        parts.append(rounded_box(1, feet, 1, width - 1, cushion_base + 2, depth - 3, main, radius=2, steps=1))
        if family == "corner":
            left = width - arm - seat_width
            parts.append(
                rounded_box(left, feet, depth - 12, width - 1, cushion_base + 2, long - 1, main, 2, 1)
            )
        style = "bun" if family in ("rolled", "soft") else dice.pick(["tapered", "splayed", "square"])
        parts += legs(style, (3, 3, width - 3, depth - 6), feet + 0.5, 6, wood)
        if family == "corner":
            parts += legs(style, (width - seat_width, depth, width - 3, long - 4), feet + 0.5, 6, wood)
        parts += _arms(family, width, arm, feet, arm_top, depth, main)
        parts.append(
            sheared(rounded_box(1, feet, 5, width - 1, back - 4, 18, main, radius=5), "z", "y", feet, -0.055)
        )
    step = (x1 - x0) / seats
    tufted = family == "rolled" or (family in ("slim", "wing") and dice.chance(50))
    for i in range(seats):
        low, high = x0 + i * step + 0.4, x0 + (i + 1) * step - 0.4
        end = long - 2 if family == "corner" and i == seats - 1 else depth - 1
        parts.append(rounded_box(low, cushion_base, back_z - 4, high, seat, end, main, radius=4))
        cushion = rounded_box(low, seat - 2, 14, high, back, 14 + dice.between(13, 17), main, radius=5)
        parts.append(sheared(cushion, "z", "y", seat, -0.14))
        if tufted:
            parts += _buttons(low, high, seat + 10, back - 8, 28, main)
    if family == "wing":
        parts += _wings(width, arm, arm_top, back, main)
    parts += _throw_pillows(dice, main, x0, x1, seat, back, seats)
    shape = compose(width, max(depth, long), back, parts)
    return flipped(shape) if family == "corner" and dice.chance(50) else shape


def _arms(family: str, width: int, arm: int, feet: int, top: int, depth: int, main: Surface) -> list[Solid]:
    end = depth - 2
    parts: list[Solid] = []
    for low in (0, width - arm):
        if family == "rolled":
            middle, radius = low + arm / 2, arm / 2
            scroll = [(middle + radius * c, top - radius + radius * s) for c, s in oval(0, 0, 1, 1, 12)]
            parts += [
                box(low + 2, feet, 3, low + arm - 2, top - radius, end - 1, main),
                extruded(scroll, "z", 0, end, main),
                rod((middle, top - radius, end - 1), (middle, top - radius, end + 1), radius * 0.35, main, 8),
            ]
        else:
            radius = 2 if family == "slim" else min(6, arm / 2)
            parts.append(rounded_box(low, feet, 1, low + arm, top, end, main, radius=radius))
    return parts


def _wooden_frame(
    width: int, depth: int, arm: int, seat: int, arm_top: int, back: int, wood: Surface
) -> list[Solid]:
    """Open arms of bars on tapered legs, and a slatted back."""
    parts: list[Solid] = []
    for low in (0, width - arm):
        middle = low + arm / 2
        parts += [
            rod((middle, 0.8, depth - 12), (middle, arm_top - 2, depth - 16), 2.2, wood, 8),
            rod((middle, 0.8, 6), (middle, arm_top - 2, 12), 2.2, wood, 8),
            rounded_box(low, arm_top - 3, 2, low + arm, arm_top, depth - 4, wood, radius=1.4, steps=1),
            box(middle - 1.5, seat - 5, 8, middle + 1.5, seat, depth - 14, wood),
        ]
    count = max(3, (width - 2 * arm) // 14)
    for i in range(count + 1):
        x = arm + 2 + i * (width - 2 * arm - 4) / count
        parts.append(rod((x, seat - 4, 12), (x, back - 6, 3), 1.2, wood, 5))
    parts.append(rod((arm - 2, back - 6, 3), (width - arm + 2, back - 6, 3), 1.8, wood, 6))
    return parts


def _wings(width: int, arm: int, arm_top: int, back: int, main: Surface) -> list[Solid]:
    profile = [
        (arm_top - 4, 2),
        (arm_top - 4, 46),
        (arm_top + 14, 36),
        (back - 10, 30),
        (back - 2, 18),
        (back - 2, 2),
    ]
    return [extruded(profile, "x", low, low + 9, main) for low in (1, width - 10)]


def _buttons(x0: float, x1: float, y0: float, y1: float, z: float, main: Surface) -> list[Solid]:
    """Two rows of upholstery buttons on a leaning back cushion."""
    parts = []
    for row, y in enumerate((y0, y1)):
        count = 3 - row
        for i in range(count):
            x = x0 + (i + 1) * (x1 - x0) / (count + 1)
            out = z - 0.14 * (y - y0) - 1
            parts.append(rod((x, y, out), (x, y, out + 2.5), 1.4, darker(main), 5))
    return parts


def _throw_pillows(
    dice: Dice, main: Surface, x0: float, x1: float, seat: float, back: float, most: int
) -> list[Solid]:
    """Cushions that lean in the corners of a sofa, of another colour than it."""
    count = dice.between(0, most)
    surface = (dice.pick(TEXTILES), dice.pick([color for color in FABRICS if color != main[1]]))
    parts = []
    for i in range(count):
        size = min(dice.between(32, 40, 2), back - seat)
        corners = (x0 + 1, x1 - size - 1, x0 + size * 0.8)
        low = (x0 + x1 - size) / 2 if x1 - x0 < 2 * size else corners[i]
        cushion = pillow(low, seat - 1, 30, low + size, seat - 1 + size, 44, surface, thin=2, steps=5)
        parts.append(sheared(cushion, "z", "y", seat, -0.22))
    return parts


def _tub_chair(dice: Dice, main: Surface) -> Shape:
    """A round seat inside a curved back that falls off to the arms."""
    width = dice.between(70, 80, 2)
    depth, radius = width - 2, width / 2
    feet, seat, back = dice.between(12, 16), 44, dice.between(72, 82)
    wood = dice.pick([*LEG_WOODS, *METALS[:3]])
    turn = cosines(48)
    rings = []
    for k in range(-4, 29):  # from the left front around the back to the right front
        cos, sin = turn[k % 48], -turn[(k - 12) % 48]
        middle = depth - radius - 1 - 0.5
        high = seat + 14 + (back - seat - 14) * max(0.0, -sin) ** 0.5
        outer = [
            (radius + r * cos, middle + r * sin * ((middle / radius) if sin < 0 else 1))
            for r in (radius, radius - 10)
        ]
        (ox, oz), (ix, iz) = outer
        rings.append(
            [
                (ox, feet, oz),
                (ox, high - 3, oz),
                ((ox + ix) / 2, high, (oz + iz) / 2),
                (ix, high - 3, iz),
                (ix, feet, iz),
            ]
        )
    parts: list[Solid] = [
        loft(rings[::2], main),
        lathe(radius, depth - radius - 1, [(radius - 9, feet), (radius - 9, seat - 12)], main, 16),
        lathe(
            radius,
            depth - radius,
            [
                (radius - 12, seat - 13),
                (radius - 9.5, seat - 10),
                (radius - 9.5, seat - 3),
                (radius - 13, seat),
            ],
            main,
            16,
        ),
        *legs(
            dice.pick(["tapered", "splayed", "round"]), (18, 16, width - 18, depth - 15), feet + 1, 4, wood
        ),
    ]
    parts += _throw_pillows(dice, main, 20, width - 20, seat, back, 1)
    return compose(width, depth, back, parts)


def _rocking_chair(dice: Dice, main: Surface) -> Shape:
    """Two rockers under a chair with spindles, or a padded one."""
    width, depth, back = dice.between(58, 64, 2), dice.between(84, 94, 2), dice.between(100, 110, 2)
    seat, x0, x1 = 42, 5.0, width - 5.0
    parts: list[Solid] = []
    for x in (x0, x1):
        curve = [(x, 1.6 + 9 * (2 * t / 8 - 1) ** 2, 2 + t * (depth - 4) / 8) for t in range(9)]
        parts += [
            tube(curve, 1.6, main),
            rod((x, 3, depth * 0.72), (x, 64, depth * 0.78), 1.9, main, 8),
            rod((x, 3, depth * 0.32), (x, seat, depth * 0.30), 1.9, main, 8),
            rounded_box(x - 4, 62, depth * 0.22, x + 4, 65, depth * 0.86, main, radius=1.4, steps=1),
        ]
    for z in (0.34, 0.72):
        parts.append(rod((x0, 22, depth * z), (x1, 22, depth * z), 1.2, main))
    parts.append(
        rounded_box(x0 - 2, seat - 4, depth * 0.26, x1 + 2, seat, depth * 0.80, main, radius=1.8, steps=1)
    )
    foot, head = depth * 0.29, depth * 0.29 - (back - seat) * 0.24
    count = 2 if dice.chance(35) else 7
    for i in range(count):
        x = x0 + i * (x1 - x0) / (count - 1)
        thick = 1.8 if i in (0, count - 1) else 1.0
        parts.append(rod((x, seat - 2, foot), (x, back - 6, head), thick, main))
    rail = rounded_box(x0 - 3, back - 14, head - 1, x1 + 3, back, head + 3, main, radius=1.6, steps=1)
    parts.append(rail)
    surface = (dice.pick(TEXTILES), dice.pick([color for color in FABRICS if color != main[1]]))
    if count == 2 or dice.chance(60):
        parts.append(rounded_box(x0, seat - 1, depth * 0.30, x1, seat + 6, depth * 0.78, surface, radius=3))
    if count == 2:
        pad = rounded_box(x0, seat + 2, foot, x1, back - 8, foot + 9, surface, radius=3.5)
        parts.append(sheared(pad, "z", "y", seat, -0.24))
    return compose(width, depth, back, parts)


def _ottoman(dice: Dice, main: Surface) -> Shape:
    family = dice.pick(["box", "round", "tufted", "bench"])
    if family == "round":
        width, height = dice.between(46, 64, 2), dice.between(36, 44, 2)
        r = width / 2
        profile = [
            (r * 0.72, 0),
            (r * 0.94, 4),
            (r, height * 0.45),
            (r * 0.95, height - 6),
            (r * 0.75, height - 1),
            (r * 0.3, height),
        ]
        button = darker(main)
        return compose(
            width,
            width,
            height,
            [
                lathe(r, r, profile, main, 16),
                lathe(r, r, [(2.4, height - 2), (2.4, height - 0.2)], button, 8),
            ],
            [_middle_top(width, width, height, 0.5)],
        )
    width, depth = dice.between(55, 90, 5), dice.between(48, 60, 2)
    height, feet = dice.between(40, 46), dice.between(8, 16)
    if family == "box":
        feet, width = 3, dice.between(42, 52, 2)
        depth = width
    wood = dice.pick([*LEG_WOODS, *METALS[:3]])
    style = "bun" if feet < 10 else dice.pick(["tapered", "splayed", "turned"])
    parts = [
        *legs(style, (4, 4, width - 4, depth - 4), feet + 1, 5, wood),
        rounded_box(1, feet, 1, width - 1, height - 9, depth - 1, main, radius=2, steps=1),
        rounded_box(0, height - 10, 0, width, height, depth, main, radius=4),
    ]
    if family == "tufted":
        for i in range(3):
            for j in range(2):
                x, z = width * (i + 1) / 4, depth * (j + 1) / 3
                parts.append(lathe(x, z, [(1.6, height - 1), (0.9, height)], darker(main), 6))
    if family == "bench":
        parts += frame(3, feet + 3, width - 3, height - 11, depth - 1.2, depth - 0.3, 1.2, main)
    return compose(width, depth, height, parts, [_middle_top(width, depth, height, 0.7)])


def _middle_top(width: int, depth: int, y: int, share: float) -> Top:
    """The middle of a padded top, for a tray or a book."""
    half_x, half_z = int(width * share / 2), int(depth * share / 2)
    return Top(width // 2 - half_x, depth // 2 - half_z, width // 2 + half_x, depth // 2 + half_z, y)


def _bean_bag(dice: Dice, main: Surface) -> Shape:
    """A sack that slumps: rings that lean back as they rise, high, or low with a dent."""
    width, high = dice.between(78, 96, 2), dice.chance(50)
    height = dice.between(72, 86, 2) if high else dice.between(50, 60, 2)
    r = width / 2
    girth = (
        (0.80, 0.96, 1.0, 0.94, 0.80, 0.60, 0.38, 0.12)
        if high
        else (0.84, 0.98, 1.0, 0.98, 0.90, 0.74, 0.5, 0.2)
    )
    up = (0.0, 0.07, 0.22, 0.40, 0.58, 0.76, 0.91, 1.0)
    bumps = [dice.between(-3, 3) / 100 for _ in range(16)]
    rings = []
    for share, level in zip(girth, up, strict=True):
        back = (1.0 - share) * r * (0.55 if high else 0.45)
        ring = []
        for (cos, sin), bump in zip(oval(0, 0, 1, 1, 16), bumps, strict=True):
            reach = share * r * (1.0 + bump * (1 - level)) * 0.97
            sag = (0.16 if high else 0.28) * height * max(0.0, sin) * level
            ring.append((r + reach * cos, level * height - sag, r - back + reach * sin))
        rings.append(ring)
    return compose(width, width, height, [loft(rings, main)])


SEATS = (
    FurnitureClass("sofa", _UPHOLSTERY, FABRICS, _sofa, front_cm=40),
    FurnitureClass("armchair", _UPHOLSTERY, FABRICS, _armchair, front_cm=35),
    FurnitureClass("rocking chair", ("wood", "wood", "oak"), WOODS, _rocking_chair, front_cm=35),
    FurnitureClass("ottoman", _UPHOLSTERY, FABRICS, _ottoman),
    FurnitureClass("bean bag", ("fabric", "linen", "leather", "knit", "velvet"), FABRICS, _bean_bag),
)
"""Classes of upholstered seats."""
