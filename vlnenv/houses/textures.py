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
    "cream": (232, 222, 200),
    "beige": (214, 196, 164),
    "light blue": (176, 204, 222),
    "light green": (190, 212, 180),
    "light brown": (190, 140, 90),
    "light grey": (206, 208, 210),
    "light yellow": (240, 228, 178),
    "pink": (228, 190, 190),
    "glass": (188, 212, 224),
    "sky": (156, 200, 236),
    "screen": (16, 20, 34),
}
"""Colour name to sRGB. The first ten are what furniture is called by."""

FINISHES: dict[str, int] = {
    "plain": 50,
    "fabric": 60,
    "wood": 100,
    "stone": 80,
    "leaf": 40,
    "carpet": 60,
    "paint": 200,
    "planks": 160,
    "tiles": 120,
}
"""Finish to the size of its texture on the surface, centimetres a repeat."""

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
    dice = Dice("houses-v0/texture", finish, color)
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
