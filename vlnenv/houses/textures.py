"""Colours and small procedural textures, computed in integers so that every machine gets the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from vlnenv.houses.dice import Dice

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (178, 34, 34),
    "blue": (44, 82, 168),
    "green": (46, 128, 62),
    "white": (236, 236, 232),
    "black": (38, 38, 40),
    "brown": (128, 84, 48),
    "grey": (138, 140, 144),
    "yellow": (226, 190, 48),
    "orange": (222, 118, 32),
    "purple": (118, 62, 148),
    "pink": (226, 148, 168),
    "beige": (208, 186, 148),
    "cream": (234, 224, 196),
    "turquoise": (60, 176, 176),
    "light blue": (176, 204, 222),
    "light green": (190, 212, 180),
    "light brown": (190, 140, 90),
    "light grey": (206, 208, 210),
    "light yellow": (240, 228, 178),
    "light pink": (234, 206, 204),
    "light purple": (204, 192, 222),
    "dark brown": (78, 50, 32),
    "dark blue": (30, 44, 84),
    "dark green": (30, 72, 46),
    "dark grey": (78, 80, 84),
    "dark red": (110, 26, 30),
    "silver": (188, 192, 196),
    "gold": (198, 158, 74),
    "glass": (188, 212, 224),
    "water": (96, 164, 190),
    "sky": (156, 200, 236),
    "screen": (16, 20, 34),
    "glow": (255, 244, 214),
}
"""Colour name to sRGB. The first fourteen are what furniture is called by: `FURNITURE_COLORS`."""

FURNITURE_COLORS: tuple[str, ...] = tuple(COLORS)[:14]
"""The colours that instructions name, in the order of `COLORS`."""

FINISHES: dict[str, int] = {
    # Furniture and small things.
    "plain": 50,
    "enamel": 60,
    "plastic": 50,
    "ceramic": 60,
    "wood": 100,
    "oak": 120,
    "bamboo": 60,
    "fabric": 40,
    "linen": 40,
    "velvet": 60,
    "striped fabric": 48,
    "checked fabric": 48,
    "dotted fabric": 48,
    "patterned fabric": 64,
    "knit": 40,
    "towel": 40,
    "leather": 60,
    "metal": 60,
    "wicker": 32,
    "glass": 80,
    "marble": 160,
    "granite": 80,
    "stone": 80,
    "cardboard": 50,
    "paper": 50,
    "leaf": 40,
    "bark": 40,
    "soil": 30,
    # Floors.
    "planks": 160,
    "parquet": 120,
    "herringbone": 160,
    "tiles": 120,
    "small tiles": 80,
    "large tiles": 120,
    "hexagon tiles": 84,
    "checkered tiles": 120,
    "marble tiles": 120,
    "terrazzo": 120,
    "concrete": 200,
    "carpet": 60,
    "shag": 50,
    # Walls.
    "paint": 200,
    "plaster": 200,
    "wall tiles": 60,
    "brick": 104,
    "striped wallpaper": 80,
    "damask wallpaper": 80,
    "dotted wallpaper": 60,
    "wall panels": 80,
    # Rugs: whole fields, or repeating patterns.
    "striped rug": 80,
    "checked rug": 80,
    "diamond rug": 80,
    "persian rug": 120,
    # Whole pictures: one repeat is the picture, whatever its size on the wall (see pictures.py).
    "landscape 1": 100,
    "landscape 2": 100,
    "landscape 3": 100,
    "landscape 4": 100,
    "abstract 1": 100,
    "abstract 2": 100,
    "abstract 3": 100,
    "abstract 4": 100,
    "flowers 1": 100,
    "flowers 2": 100,
    "portrait 1": 100,
    "portrait 2": 100,
    "poster 1": 100,
    "poster 2": 100,
    "poster 3": 100,
    "clock face": 100,
    "world map": 100,
    "lit screen": 100,
    "key caps": 100,
    "book spines": 60,
}
"""Finish to the size of its texture on the surface, centimetres a repeat."""

MATERIAL_WORD: dict[str, str] = {
    "plastic": "plastic",
    "ceramic": "ceramic",
    "wood": "wooden",
    "oak": "wooden",
    "bamboo": "bamboo",
    "fabric": "fabric",
    "linen": "linen",
    "velvet": "velvet",
    "striped fabric": "striped",
    "checked fabric": "patterned",
    "dotted fabric": "patterned",
    "patterned fabric": "patterned",
    "leather": "leather",
    "metal": "metal",
    "wicker": "wicker",
    "glass": "glass",
    "marble": "marble",
    "granite": "granite",
    "stone": "stone",
    "cardboard": "cardboard",
    "striped rug": "striped",
    "checked rug": "patterned",
    "diamond rug": "patterned",
    "persian rug": "patterned",
}
"""Finish to the adjective that instructions use for it; "" where there is none."""

MATERIAL_WORD |= {finish: "" for finish in FINISHES if finish not in MATERIAL_WORD}

_SIZE = 64


@cache
def texture(finish: str, color: str) -> np.ndarray:
    """The square texture of a surface, read-only.

    Args:
        finish: A key of `FINISHES`.
        color: A key of `COLORS`.

    Returns:
        uint8 (n, n, 3) sRGB that repeats seamlessly.

    Raises:
        KeyError: If the finish or the colour is unknown.
    """
    if finish not in FINISHES:
        raise KeyError(f"no finish {finish!r}; known: {', '.join(FINISHES)}")
    if color not in COLORS:
        raise KeyError(f"no colour {color!r}; known: {', '.join(COLORS)}")
    dice = Dice("houses-v1/texture", finish, color)
    shade = _SHADERS.get(finish, _grain(3, 1))(dice)
    image = np.asarray(COLORS[color], dtype=np.int32) + shade[..., None]
    image = np.clip(image, 0, 255).astype(np.uint8)
    image.setflags(write=False)
    return image


def _grain(amount: int, block: int) -> Callable[[Dice], np.ndarray]:
    """Uniform noise of +-amount on blocks of `block` pixels."""

    def shade(dice: Dice) -> np.ndarray:
        side = _SIZE // block
        noise = dice.words((side, side)).astype(np.int32) % (2 * amount + 1) - amount
        return np.repeat(np.repeat(noise, block, axis=0), block, axis=1)

    return shade


def _wood(dice: Dice) -> np.ndarray:
    lines = dice.words((_SIZE, 1)).astype(np.int32) % 21 - 10
    return lines + _grain(3, 1)(dice)


def _planks(dice: Dice) -> np.ndarray:
    """Eight rows of planks, each with its own shade and one joint."""
    shade = _wood(dice) // 2
    for row in range(8):
        rows = slice(row * 8, row * 8 + 8)
        shade[rows] += dice.between(-14, 14)
        joint = dice.below(_SIZE)
        half = np.arange(_SIZE) < joint
        shade[rows] += np.where(half, dice.between(-8, 8), 0)[None, :]
        shade[row * 8] -= 30
        shade[rows, joint] -= 30
    return shade


def _tiles(dice: Dice) -> np.ndarray:
    """Four by four tiles with grout between."""
    per_tile = dice.words((4, 4)).astype(np.int32) % 13 - 6
    shade = np.repeat(np.repeat(per_tile, 16, axis=0), 16, axis=1) + _grain(2, 1)(dice)
    shade[::16, :] = -48
    shade[:, ::16] = -48
    return shade


def _fabric(dice: Dice) -> np.ndarray:
    weave = np.indices((_SIZE, _SIZE)).sum(axis=0) % 2 * 8 - 4
    return weave.astype(np.int32) + _grain(5, 2)(dice)


def _stone(dice: Dice) -> np.ndarray:
    return _grain(10, 8)(dice) + _grain(6, 2)(dice)


_SHADERS = {
    "plain": _grain(2, 1),
    "fabric": _fabric,
    "wood": _wood,
    "stone": _stone,
    "leaf": _grain(28, 4),
    "carpet": _grain(14, 2),
    "paint": _grain(3, 2),
    "planks": _planks,
    "tiles": _tiles,
}
