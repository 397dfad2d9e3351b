"""Parts that many pieces share: legs, doors, drawers, handles, carcasses, rows of books."""

from __future__ import annotations

from dataclasses import dataclass

from vlnenv.houses.construction.solids import (
    Solid,
    Surface,
    box,
    extruded,
    frustum,
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

Rectangle = tuple[float, float, float, float]
"""x0, z0, x1, z1 in centimetres."""

HARDWARE_CM = 5
"""How far doors and drawers with their handles stand out of a carcass."""

WOODS = ("brown", "brown", "white", "black", "grey", "beige")
PAINTED = (*WOODS, "blue", "green", "cream", "turquoise")
FABRICS = (
    "red",
    "blue",
    "green",
    "grey",
    "yellow",
    "orange",
    "purple",
    "brown",
    "black",
    "white",
    "pink",
    "beige",
    "cream",
    "turquoise",
)
TEXTILES = (
    "fabric",
    "linen",
    "velvet",
    "striped fabric",
    "checked fabric",
    "dotted fabric",
    "patterned fabric",
    "knit",
)
METALS: tuple[Surface, ...] = (("metal", "silver"), ("metal", "black"), ("metal", "gold"), ("metal", "grey"))
GLASS: Surface = ("glass", "glass")
LEG_STYLES = ("square", "tapered", "round", "splayed", "turned")
LEG_WOODS: tuple[Surface, ...] = (
    ("wood", "brown"),
    ("wood", "black"),
    ("oak", "light brown"),
    ("wood", "dark brown"),
)


_DARKER = {
    "white": "grey",
    "light grey": "grey",
    "grey": "dark grey",
    "black": "screen",
    "cream": "light brown",
    "beige": "light brown",
    "light brown": "brown",
    "brown": "dark brown",
    "red": "dark red",
    "orange": "brown",
    "yellow": "gold",
    "green": "dark green",
    "turquoise": "dark green",
    "blue": "dark blue",
    "purple": "dark blue",
}


def darker(surface: Surface, finish: str = "plain") -> Surface:
    """A surface for gaps, grooves and insides, where little light falls."""
    return finish, _DARKER.get(surface[1], "dark grey")


def legs(style: str, feet: Rectangle, height: float, thick: float, surface: Surface) -> list[Solid]:
    """Four legs whose outer corners on the floor are those of a rectangle.

    `style` is one of `LEG_STYLES`, or "hairpin" (bent wire) or "bun" (low balls).
    """
    x0, z0, x1, z1 = feet
    half = thick / 2
    parts: list[Solid] = []
    for x, inward_x in ((x0 + half, 1), (x1 - half, -1)):
        for z, inward_z in ((z0 + half, 1), (z1 - half, -1)):
            if style == "square":
                parts.append(box(x - half, 0, z - half, x + half, height, z + half, surface))
            elif style == "tapered":
                foot = (x - half * 0.55, z - half * 0.55, x + half * 0.55, z + half * 0.55)
                parts.append(frustum(foot, 0, (x - half, z - half, x + half, z + half), height, surface))
            elif style == "hairpin":
                spread = 0.14 * height
                tops = ((x + inward_x * spread, z), (x, z + inward_z * spread))
                parts += [rod((x, 0.8, z), (tx, height, tz), 0.8, surface, sides=5) for tx, tz in tops]
            else:
                leg = lathe(x, z, _leg_profile(style, height, half), surface, sides=8)
                if style == "splayed":
                    leg = sheared(sheared(leg, "x", "y", 0, 0.16 * inward_x), "z", "y", 0, 0.16 * inward_z)
                parts.append(leg)
    return parts


def _leg_profile(style: str, height: float, half: float) -> list[tuple[float, float]]:
    if style == "turned":
        shape = (
            (0.6, 0),
            (0.6, 0.03),
            (0.4, 0.06),
            (0.8, 0.45),
            (0.95, 0.62),
            (0.5, 0.7),
            (1.0, 0.75),
            (1.0, 1.0),
        )
        return [(half * girth, height * up) for girth, up in shape]
    if style == "bun":
        return [(half * 0.5, 0), (half, height * 0.35), (half, height * 0.65), (half * 0.5, height)]
    if style == "round":
        return [(half, 0), (half, height)]
    return [(half * 0.55, 0), (half, height)]


def tabletop(outline: str, area: Rectangle, y0: float, y1: float, surface: Surface) -> Solid:
    """A flat board: "sharp", "rounded" (corners), "bevelled" (edges) or "oval"."""
    x0, z0, x1, z1 = area
    if outline == "oval":
        ring = oval((x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2, (z1 - z0) / 2, 24)
        return prism(ring, y0, y1, surface)
    if outline == "rounded":
        return prism(rounded_rectangle(*area, radius=min(x1 - x0, z1 - z0) / 6, steps=3), y0, y1, surface)
    if outline == "bevelled":
        return rounded_box(x0, y0, z0, x1, y1, z1, surface, radius=min(1.5, (y1 - y0) / 2), steps=1)
    return box(x0, y0, z0, x1, y1, z1, surface)


@dataclass(frozen=True)
class Fronts:
    """How the doors and drawers of one piece look."""

    panel: str
    """"flat", "framed", "raised", "louvred", "reeded" or "glass"."""
    handle: str
    """"knob", "bar", "cup" or "none"."""
    metal: Surface
    """Surface of the handles."""


def draw_fronts(
    dice: Dice, panels: tuple[str, ...] = ("flat", "flat", "framed", "framed", "raised")
) -> Fronts:
    """Draws the looks of doors and drawers."""
    return Fronts(dice.pick(panels), dice.pick(["knob", "bar", "bar", "cup"]), dice.pick(METALS))


def handle(
    style: str, x: float, y: float, z: float, metal: Surface, length: float, upright: bool
) -> list[Solid]:
    """A handle around (x, y) on a front at z; it stands out by 3 cm."""
    if style == "none":
        return []
    if style == "knob":
        return [rod((x, y, z), (x, y, z + 2.8), 1.6, metal, sides=8)]
    half = length / 2
    dx, dy = (0.0, half) if upright else (half, 0.0)
    if style == "cup" and not upright:
        return [rounded_box(x - half, y - 1.5, z, x + half, y + 1.5, z + 2.8, metal, radius=1.4, steps=1)]
    ends = ((x - dx, y - dy), (x + dx, y + dy))
    (ax, ay), (bx, by) = ends
    return [tube([(ax, ay, z), (ax, ay, z + 2.2), (bx, by, z + 2.2), (bx, by, z)], 0.6, metal, sides=5)]


def panel(style: str, x0: float, y0: float, x1: float, y1: float, z: float, surface: Surface) -> list[Solid]:
    """The leaf of a door or the face of a drawer, 2 cm thick, its back at z; see `Fronts.panel`."""
    rim = min(6.0, (x1 - x0) / 5, (y1 - y0) / 4)
    if style == "flat":
        return [box(x0, y0, z, x1, y1, z + 2, surface)]
    if style == "raised":
        return [
            *frame(x0, y0, x1, y1, z, z + 2, rim, surface),
            box(x0 + rim, y0 + rim, z, x1 - rim, y1 - rim, z + 0.8, darker(surface)),
            _field(
                (x0 + rim + 0.6, y0 + rim + 0.6, x1 - rim - 0.6, y1 - rim - 0.6), z, z + 2, rim / 2, surface
            ),
        ]
    if style == "reeded":
        count = max(3, int((x1 - x0) / 4))
        step = (x1 - x0) / count
        ribs = [
            _rib(x0 + i * step + 0.2, x0 + (i + 1) * step - 0.2, y0, y1, z + 1, surface) for i in range(count)
        ]
        return [box(x0, y0, z, x1, y1, z + 1, darker(surface)), *ribs]
    parts = frame(x0, y0, x1, y1, z, z + 2, rim, surface)
    inside = (x0 + rim, y0 + rim, x1 - rim, y1 - rim)
    if style == "glass":
        return [*parts, box(*inside[:2], z + 0.5, *inside[2:], z + 1, GLASS)]
    if style == "louvred":
        count = max(3, int((inside[3] - inside[1]) / 9))
        step = (inside[3] - inside[1]) / count
        for i in range(count):
            low = inside[1] + i * step
            slat = [(low + 0.6, z), (low + step, z), (low + 0.4, z + 1.8), (low, z + 1.8)]
            parts.append(extruded([(y, at) for y, at in slat], "x", inside[0], inside[2], surface))
        return parts
    a0, b0, a1, b1 = inside
    groove = box(a0, b0, z, a1, b1, z + 0.7, darker(surface))
    return [*parts, groove, box(a0 + 0.5, b0 + 0.5, z, a1 - 0.5, b1 - 0.5, z + 1, surface)]


def frame(
    x0: float, y0: float, x1: float, y1: float, z0: float, z1: float, rim: float, surface: Surface
) -> list[Solid]:
    """Four bars around an upright rectangle."""
    return [
        box(x0, y0, z0, x0 + rim, y1, z1, surface),
        box(x1 - rim, y0, z0, x1, y1, z1, surface),
        box(x0 + rim, y0, z0, x1 - rim, y0 + rim, z1, surface),
        box(x0 + rim, y1 - rim, z0, x1 - rim, y1, z1, surface),
    ]


def _field(
    area: tuple[float, float, float, float], z0: float, z1: float, slope: float, surface: Surface
) -> Solid:
    """A raised field with slanting edges."""
    x0, y0, x1, y1 = area
    return loft(
        [
            [(x0 + s, y0 + s, z), (x1 - s, y0 + s, z), (x1 - s, y1 - s, z), (x0 + s, y1 - s, z)]
            for s, z in ((0.0, z0), (slope, z1))
        ],
        surface,
    )


def _rib(x0: float, x1: float, y0: float, y1: float, z: float, surface: Surface) -> Solid:
    outline = [(x0, z), (x1, z), (x0 + 0.75 * (x1 - x0), z + 1), (x0 + 0.25 * (x1 - x0), z + 1)]
    return prism(outline, y0, y1, surface)


def door(
    fronts: Fronts,
    x0: float,
    y0: float,
    x1: float,
    y1: float,
    z: float,
    surface: Surface,
    opens: str = "left",
) -> list[Solid]:
    """A door whose back lies at z; `opens` is the side of its handle. Stands out by `HARDWARE_CM`."""
    x = x0 + 3.5 if opens == "left" else x1 - 3.5
    y = (y0 + y1) / 2 if y1 > 70 else y1 - min(12.0, (y1 - y0) / 3)
    length = min(16.0, (y1 - y0) / 3)
    return [
        _gap(x0, y0, x1, y1, z, surface),
        *panel(fronts.panel, x0, y0, x1, y1, z, surface),
        *handle(fronts.handle, x, y, z + 2, fronts.metal, length, upright=True),
    ]


def drawer(
    fronts: Fronts, x0: float, y0: float, x1: float, y1: float, z: float, surface: Surface
) -> list[Solid]:
    """A drawer's face whose back lies at z, with one handle, or two where it is wide."""
    style = fronts.panel if fronts.panel in ("flat", "framed", "raised", "reeded") else "flat"
    parts = [_gap(x0, y0, x1, y1, z, surface), *panel(style, x0, y0, x1, y1, z, surface)]
    middles = [(x0 + x1) / 2] if x1 - x0 < 70 else [x0 + (x1 - x0) / 4, x1 - (x1 - x0) / 4]
    for x in middles:
        parts += handle(fronts.handle, x, (y0 + y1) / 2, z + 2, fronts.metal, 12.0, upright=False)
    return parts


def _gap(x0: float, y0: float, x1: float, y1: float, z: float, surface: Surface) -> Solid:
    """The dark line around a door or drawer."""
    return box(x0 - 0.7, y0 - 0.7, z, x1 + 0.7, y1 + 0.7, z + 0.3, darker(surface))


def carcass(
    x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, surface: Surface, board: float = 2.0
) -> list[Solid]:
    """A cupboard's box without front: sides, bottom, top and a thin back."""
    return [
        box(x0, y0, z0, x0 + board, y1, z1, surface),
        box(x1 - board, y0, z0, x1, y1, z1, surface),
        box(x0 + board, y0, z0, x1 - board, y0 + board, z1, surface),
        box(x0 + board, y1 - board, z0, x1 - board, y1, z1, surface),
        box(x0 + board, y0 + board, z0, x1 - board, y1 - board, z0 + 1, darker(surface, surface[0])),
    ]


BOOK_COLORS = (
    "red",
    "blue",
    "green",
    "brown",
    "black",
    "cream",
    "dark red",
    "dark blue",
    "orange",
    "white",
    "grey",
)


def books(dice: Dice, x0: float, x1: float, y: float, z1: float, room: float) -> list[Solid]:
    """A row of books standing on a board at height y, spines near z1, with a few lying or leaning ones.

    Args:
        dice: Draws them.
        x0: Where the row begins.
        x1: Where it must end; some of it may stay free.
        y: Height of the board.
        z1: How far out the spines may come.
        room: Free height above the board.
    """
    parts: list[Solid] = []
    palette = [dice.pick(BOOK_COLORS) for _ in range(5)]
    x = x0 + dice.between(0, 3)
    end = x1 - dice.pick([0, 0, 2, 8])
    deep = 16
    while x < end - 7:
        if dice.chance(8) and x < end - 24:
            level = y
            for _ in range(dice.between(2, 4)):
                thick, wide = dice.between(2, 5), dice.between(18, 23)
                parts.append(
                    box(
                        x,
                        level,
                        z1 - deep,
                        x + wide,
                        level + thick,
                        z1 - dice.between(0, 3),
                        ("paper", dice.pick(palette)),
                    )
                )
                level += thick
            x += 24
            continue
        thick = dice.between(3, 7)
        tall = min(dice.between(16, 30), room - 2)
        book = box(
            x, y, z1 - deep, x + thick, y + tall, z1 - dice.between(0, 4), ("paper", dice.pick(palette))
        )
        parts.append(book)
        x += thick
    if x < end - 9 and parts:
        tall = min(22, room - 4)
        parts.append(
            sheared(
                box(x + 6, y, z1 - deep, x + 9, y + tall, z1 - 2, ("paper", dice.pick(palette))),
                "x",
                "y",
                y,
                -5.5 / tall,
            )
        )
    return parts
