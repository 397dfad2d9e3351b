"""Whole pictures in whole numbers: paintings, posters, a clock's face, a map, screens and keys.

Each is int32 (SIZE, SIZE, 3) sRGB with row 0 at the top and is shown once, whatever its size on the wall.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from vlnenv.houses.dice import Dice
from vlnenv.houses.looks.patterns import COLUMNS, ROWS, SIZE, cloud, grain, noise, wave

Picture = Callable[[Dice, np.ndarray], np.ndarray]
"""Paints with dice and a main colour, int32 (3,) sRGB."""

_INK = np.array((34, 32, 36), dtype=np.int32)
_PAPER = np.array((240, 236, 224), dtype=np.int32)
_PALETTE = np.array(
    [
        (196, 60, 46),
        (40, 86, 150),
        (232, 184, 60),
        (60, 130, 90),
        (236, 226, 204),
        (40, 40, 48),
        (214, 126, 66),
        (128, 84, 150),
        (120, 178, 196),
    ],
    dtype=np.int32,
)

_HOUR = ((0, -64), (32, -55), (55, -32), (64, 0), (55, 32), (32, 55))
"""Directions of six hours in 1/64; the other six are opposite."""


def _paint(dice: Dice, count: int = len(_PALETTE)) -> np.ndarray:
    """One of the palette's first colours."""
    return np.asarray(_PALETTE[dice.below(count)])


def _flat(color: np.ndarray) -> np.ndarray:
    return np.broadcast_to(color, (SIZE, SIZE, 3)).astype(np.int32)


def _put(image: np.ndarray, mask: np.ndarray, color: np.ndarray) -> None:
    image[mask] = color


def _disc(row: int, column: int, high: int, wide: int) -> np.ndarray:
    """Inside an ellipse, bool (SIZE, SIZE)."""
    down, along = (ROWS - row) * wide, (COLUMNS - column) * high
    return down * down + along * along < (high * wide) ** 2


def _mixed(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`share` / 128 of the second colour in the first, (SIZE, SIZE, 3)."""
    return first + (second - first) * share[..., None] // 128


def _tinted(image: np.ndarray, color: np.ndarray, fifths: int = 4) -> np.ndarray:
    """The image drawn towards a colour by that many fifths of the way that its mean colour is off."""
    return image + (color - image.mean(axis=(0, 1)).astype(np.int32)) * fifths // 5


def landscape(hills: int, sunny: bool, trees: int, water: bool) -> Picture:
    """Hills in layers under a sky, perhaps with a sun, trees and a lake in front."""

    def paint(dice: Dice, color: np.ndarray) -> np.ndarray:
        image = _mixed(color // 2 + 90, color // 4 + 190, np.clip(ROWS * 2, 0, 128))
        image = image + cloud(dice, 4, 14)[..., None]
        if sunny:
            disc = _disc(dice.between(20, 40), dice.between(24, 104), 11, 11)
            _put(image, disc, np.array((255, 232, 150)))
        for layer in range(hills):
            line = 52 + layer * 44 // hills + noise(dice, 1, 4 << min(layer, 2), 18)[0] // (1 + layer // 2)
            tone = color * (hills + layer) // (3 * hills) + np.array((20, 40, 24)) * layer // hills
            _put(image, line[None, :] < ROWS, tone)
        if water:
            lake = _mixed(color // 3 + 140, color // 2 + 40, (ROWS - 92) * 4)
            image = np.where((ROWS > 96)[..., None], lake + noise(dice, 128, 8, 14)[..., None], image)
        for _ in range(trees):
            column, foot, size = dice.below(SIZE), dice.between(88, 116), dice.between(9, 15)
            _put(image, (np.abs(COLUMNS - column) < 2) & (foot > ROWS) & (foot - size * 2 < ROWS), _INK)
            _put(
                image,
                _disc(foot - size * 2, column, size, size * 3 // 4),
                color // 4 + np.array((10, 46, 20)),
            )
        return _tinted(image + grain(5, 1)(dice)[..., None], color)

    return paint


def rectangles(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Coloured fields between black bars."""
    image = _flat(_PAPER).copy()
    columns, rows = ([0, *sorted(dice.shuffled(range(16, 112, 12))[:3]), SIZE] for _ in range(2))
    for low, high in pairwise(columns):
        for top, bottom in pairwise(rows):
            tone = color if dice.chance(45) else _paint(dice)
            image[top:bottom, low:high] = tone
            image[top : top + 3, low:high] = _INK
            image[top:bottom, low : low + 3] = _INK
    return _tinted(image, color)


def circles(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Rings and discs over each other."""
    image = _flat(color * 2 // 3 + 60).copy()
    for _ in range(9):
        row, column, size = dice.below(SIZE), dice.below(SIZE), dice.between(10, 34)
        _put(image, _disc(row, column, size, size), _paint(dice))
        _put(image, _disc(row, column, size * 2 // 3, size * 2 // 3), color)
    return _tinted(image, color)


def flow(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Bands of paint that flow round each other."""
    bands = wave(ROWS * 8 + noise(dice, 2, 2, 500) + noise(dice, 4, 4, 260), 512)
    tones = np.stack([color // 2, color, color // 3 + 160, _paint(dice), color * 3 // 4 + 40])
    return _tinted(tones[np.clip((bands + 64) // 26, 0, 4)] + cloud(dice, 32, 10)[..., None], color)


def brushwork(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Broad strokes that cross."""
    image = _flat(_PAPER).copy()
    for _ in range(22):
        slope, at, thick = dice.between(-3, 3), dice.below(SIZE * 2), dice.between(4, 9)
        stroke = np.abs(ROWS * 2 + COLUMNS * slope // 2 - at) < thick * 2
        start, long = dice.below(SIZE), dice.between(40, 110)
        reach = (COLUMNS - start) % SIZE < long
        tone = color + dice.between(-50, 50, 10) if dice.chance(60) else _paint(dice)
        _put(image, stroke & reach, np.asarray(tone))
    return _tinted(image + noise(dice, 64, 8, 14)[..., None], color)


def flowers(stems: int) -> Picture:
    """Blossoms in a vase on a table."""

    def paint(dice: Dice, color: np.ndarray) -> np.ndarray:
        image = _flat(color // 2 + 100) + cloud(dice, 4, 12)[..., None]
        _put(image, ROWS > 104, color // 3 + 30)
        vase = np.abs(COLUMNS - 64) < 9 + (ROWS - 72) // 4 - np.maximum(ROWS - 100, 0)
        for number in range(stems):
            column, row = 64 + (2 * number + 1 - stems) * 84 // (2 * stems), dice.between(22, 54)
            bend = 64 + (column - 64) * (76 - ROWS) // np.maximum(76 - row, 1)
            _put(image, (np.abs(COLUMNS - bend) < 2) & (row < ROWS) & (ROWS < 78), np.array((40, 92, 48)))
            size, tone = dice.between(9, 13), _paint(dice, 4)
            for down, along in _HOUR:
                for sign in (1, -1):
                    petal = _disc(row + sign * down * size // 90, column + sign * along * size // 90, 5, 5)
                    _put(image, petal, tone)
            _put(image, _disc(row, column, 4, 4), np.array((240, 200, 80)))
        _put(image, vase & (ROWS > 72) & (ROWS < 112), color * 3 // 4)
        return _tinted(image + grain(5, 1)(dice)[..., None], color)

    return paint


def portrait(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Head and shoulders before a dark ground."""
    image = _mixed(color, color * 2 // 3, ROWS) + cloud(dice, 4, 10)[..., None]
    skin = dice.pick([np.array((226, 186, 156)), np.array((184, 134, 100)), np.array((120, 80, 58))])
    hair = dice.pick([np.array((52, 36, 26)), np.array((150, 104, 52)), np.array((160, 156, 150))])
    long = dice.between(0, 22)
    _put(image, _disc(56 + long // 2, 64, 36 + long, 29), hair)
    _put(image, _disc(140, 64, 50, 54), color)
    _put(image, (np.abs(COLUMNS - 64) < 10) & (ROWS > 70) & (ROWS < 100), skin * 7 // 8)
    _put(image, _disc(56, 64, 28, 21), skin)
    _put(image, _disc(34, 64, 12, 22), hair)
    for column in (55, 73):
        _put(image, _disc(54, column, 2, 4), _INK)
    _put(image, _disc(72, 64, 2, 7), np.array((160, 74, 70)))
    return _tinted(image + grain(4, 1)(dice)[..., None], color, fifths=2)


def poster(kind: int) -> Picture:
    """A bold sign over lines of print."""

    def paint(dice: Dice, color: np.ndarray) -> np.ndarray:
        image = _flat(color).copy()
        if kind == 0:
            _put(image, _disc(52, 64, 34, 34), _PAPER)
            _put(image, _disc(52, 64, 24, 24), _paint(dice))
        elif kind == 1:
            _put(image, (ROWS > 20) & (np.abs(COLUMNS - 64) * 5 < (ROWS - 20) * 4) & (ROWS < 82), _PAPER)
            _put(image, (ROWS > 50) & (np.abs(COLUMNS - 84) < ROWS - 50) & (ROWS < 82), _paint(dice))
        else:
            _put(image, (COLUMNS + ROWS) // 16 % 2 == 0, color * 3 // 4)
            _put(image, (np.abs(ROWS - 48) < 26) & (np.abs(COLUMNS - 64) < 40), _paint(dice))
        _put(image, (ROWS > 92) & (ROWS < 102) & (np.abs(COLUMNS - 64) < 48), _PAPER)
        words = dice.words((4, 16))[ROWS // 4 % 4, COLUMNS // 8] > 50
        _put(image, (ROWS > 106) & (ROWS < 118) & (ROWS % 4 < 2) & words, _PAPER)
        return _tinted(image, color)

    return paint


def clock_face(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Twelve strokes and two hands at a drawn time on a dial of the main colour."""
    image = _flat(color).copy()
    ink = _PAPER if int(color.sum()) < 330 else _INK
    for sign in (1, -1):
        for along, down in _HOUR:
            row, column = 64 + sign * down * 52 // 64, 64 + sign * along * 52 // 64
            _put(image, _disc(row, column, 4, 4), ink)
    for long, thick in ((30, 4), (46, 3)):
        along, down = dice.pick(_HOUR)
        sign = dice.pick([1, -1])
        rows, columns = (ROWS - 64) * sign, (COLUMNS - 64) * sign
        forward, aside = rows * down + columns * along, rows * along - columns * down
        _put(image, (forward > -6 * 64) & (forward < long * 64) & (np.abs(aside) < thick * 64), ink)
    return image


def world_map(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Continents in a sea of the main colour."""
    land = noise(dice, 4, 4, 60) + noise(dice, 8, 8, 40) + noise(dice, 16, 16, 20)
    image = _flat(color) + cloud(dice, 4, 6)[..., None]
    shores = (land > 10) & (np.abs(ROWS - 64) < 56)
    height = np.clip(land * 2, 0, 128)
    return np.where(
        shores[..., None], _mixed(np.array((96, 142, 78)), np.array((206, 178, 120)), height), image
    )


def lit_screen(dice: Dice, color: np.ndarray) -> np.ndarray:
    """A desktop with a few windows."""
    image = _mixed(color + 60, color // 2 + np.array((20, 60, 120)), ROWS) + cloud(dice, 4, 12)[..., None]
    for _ in range(2):
        top, left = dice.between(10, 46), dice.between(8, 60)
        inside = (top <= ROWS) & (top + 50 > ROWS) & (left <= COLUMNS) & (left + 56 > COLUMNS)
        _put(image, inside, np.array((244, 244, 246)))
        _put(image, inside & (top + 7 > ROWS), np.array((90, 120, 170)))
        words = dice.words((32, 32))[ROWS // 4, COLUMNS // 4] > 90
        text = inside & (top + 12 < ROWS) & (left + 4 < COLUMNS) & (left + 50 > COLUMNS) & (ROWS % 4 < 2)
        _put(image, text & words, np.array((120, 124, 132)))
    _put(image, ROWS > 120, np.array((28, 32, 44)))
    return image


def key_caps(dice: Dice, color: np.ndarray) -> np.ndarray:
    """Five rows of keys and a space bar; the gaps are darker."""
    row = ROWS * 5 // SIZE
    place = (COLUMNS + row * 3) % 9
    caps = (place < 7) & (ROWS * 5 % SIZE < 100)
    caps |= (row == 4) & (np.abs(COLUMNS - 60) < 28) & (ROWS * 5 % SIZE < 100)
    shade = np.where(caps, 16, -34) + grain(2, 1)(dice)
    return _flat(color) + shade[..., None]


def book_spines(dice: Dice, color: np.ndarray) -> np.ndarray:
    """A row of upright books, tops uneven, spines lettered; the main colour is the commonest."""
    image = _flat(_INK).copy()
    left = 0
    while left < SIZE:
        wide, top = dice.between(6, 13), dice.between(0, 26)
        tone = color if dice.chance(30) else _paint(dice)
        inside = (left <= COLUMNS) & (left + wide - 1 > COLUMNS) & (top <= ROWS)
        _put(image, inside, np.asarray(tone))
        label = inside & (np.abs(ROWS - top - 30) < 9) & (left + 1 < COLUMNS) & (left + wide - 3 > COLUMNS)
        _put(image, label, _PAPER if int(tone.sum()) < 420 else _INK)
        left += wide
    return image


PICTURES: dict[str, Picture] = {
    "landscape 1": landscape(hills=4, sunny=True, trees=0, water=True),
    "landscape 2": landscape(hills=3, sunny=False, trees=5, water=False),
    "landscape 3": landscape(hills=5, sunny=False, trees=0, water=False),
    "landscape 4": landscape(hills=2, sunny=True, trees=3, water=True),
    "abstract 1": rectangles,
    "abstract 2": circles,
    "abstract 3": flow,
    "abstract 4": brushwork,
    "flowers 1": flowers(3),
    "flowers 2": flowers(5),
    "portrait 1": portrait,
    "portrait 2": portrait,
    "poster 1": poster(0),
    "poster 2": poster(1),
    "poster 3": poster(2),
    "clock face": clock_face,
    "world map": world_map,
    "lit screen": lit_screen,
    "key caps": key_caps,
    "book spines": book_spines,
}
"""Finish to how it is painted."""
