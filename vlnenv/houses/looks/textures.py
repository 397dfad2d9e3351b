"""Colours and small procedural textures, computed in integers so that every machine gets the same bytes."""

from __future__ import annotations

from functools import cache

import numpy as np

from vlnenv.houses.dice import Dice
from vlnenv.houses.looks import patterns, tilings
from vlnenv.houses.looks.patterns import Pattern
from vlnenv.houses.looks.pictures import PICTURES

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

_PATTERNS: dict[str, Pattern] = {
    "plain": patterns.grain(2, 1),
    "enamel": patterns.grain(1, 2),
    "plastic": patterns.grain(2, 2),
    "ceramic": patterns.grain(1, 2),
    "wood": patterns.wood,
    "oak": patterns.oak,
    "bamboo": patterns.bamboo,
    "fabric": patterns.fabric,
    "linen": patterns.linen,
    "velvet": patterns.velvet,
    "striped fabric": patterns.striped,
    "checked fabric": patterns.checked,
    "dotted fabric": patterns.dotted,
    "patterned fabric": patterns.patterned,
    "knit": patterns.knit,
    "towel": patterns.towel,
    "leather": patterns.leather,
    "metal": patterns.metal,
    "wicker": patterns.wicker,
    "glass": patterns.glass,
    "marble": patterns.marble,
    "granite": patterns.granite,
    "stone": patterns.stone,
    "cardboard": patterns.grain(3, 2),
    "paper": patterns.grain(2, 1),
    "leaf": patterns.leaf,
    "bark": patterns.bark,
    "soil": patterns.granite,
    "planks": tilings.planks,
    "parquet": tilings.parquet,
    "herringbone": tilings.herringbone,
    "tiles": tilings.square_tiles(4),
    "small tiles": tilings.square_tiles(8, spread=12),
    "large tiles": tilings.square_tiles(2, spread=5),
    "hexagon tiles": tilings.hexagon_tiles,
    "checkered tiles": tilings.checkered_tiles,
    "marble tiles": tilings.marble_tiles,
    "terrazzo": patterns.terrazzo,
    "concrete": patterns.concrete,
    "carpet": patterns.carpet,
    "shag": patterns.shag,
    "paint": tilings.paint,
    "plaster": tilings.plaster,
    "wall tiles": tilings.wall_tiles,
    "brick": tilings.brick,
    "striped wallpaper": tilings.striped_wallpaper,
    "damask wallpaper": tilings.damask_wallpaper,
    "dotted wallpaper": tilings.dotted_wallpaper,
    "wall panels": tilings.wall_panels,
    "striped rug": tilings.striped_rug,
    "checked rug": tilings.checked_rug,
    "diamond rug": tilings.diamond_rug,
    "persian rug": tilings.persian_rug,
}


@cache
def texture(finish: str, color: str) -> np.ndarray:
    """The square texture of a surface, read-only.

    Args:
        finish: A key of `FINISHES`.
        color: A key of `COLORS`.

    Returns:
        uint8 (n, n, 3) sRGB that repeats seamlessly, unless it is a whole picture; row 0 is the top.

    Raises:
        KeyError: If the finish or the colour is unknown.
    """
    if finish not in FINISHES:
        raise KeyError(f"no finish {finish!r}; known: {', '.join(FINISHES)}")
    if color not in COLORS:
        raise KeyError(f"no colour {color!r}; known: {', '.join(COLORS)}")
    dice = Dice("houses-v1/texture", finish, color)
    main = np.array(COLORS[color], dtype=np.int32)
    if finish in PICTURES:
        image = PICTURES[finish](dice, main)
    else:
        image = main + _toned(_PATTERNS[finish](dice), int(main.sum()) // 3)[..., None]
    image = np.clip(image, 0, 255).astype(np.uint8)
    image.setflags(write=False)
    return image


def _toned(steps: np.ndarray, brightness: int) -> np.ndarray:
    """Steps around mean 0, weaker on dark colours; reversed on the darkest, where darker would not show."""
    steps = steps - int(steps.sum()) // steps.size
    if brightness < 60:
        return -steps * 2 // 3
    return steps * (brightness + 60) // 220
