"""Seamless floors, wall coverings and rugs in whole numbers: brightness steps for `textures.texture`."""

from __future__ import annotations

import numpy as np

from vlnenv.houses.dice import Dice
from vlnenv.houses.looks.patterns import (
    COLUMNS,
    ROWS,
    SIZE,
    Pattern,
    carpet,
    cloud,
    grain,
    marble,
    motif,
    noise,
    squared_distance,
)

_JOINT = 34
"""How much darker a joint between boards is."""
_GROUT = 40
"""How much darker grout is than its tiles."""


def planks(dice: Dice) -> np.ndarray:
    """Sixteen rows of boards, two to a row, each with its own tone."""
    row = ROWS // 8
    shift = dice.words((16,)).astype(np.int32)[row] % SIZE
    along = (COLUMNS + shift) % SIZE
    tone = dice.words((16, 2)).astype(np.int32)[row, along // 64] % 31 - 15
    joints = (ROWS % 8 == 0) | (along % 64 == 0)
    return tone + _lengthwise(dice) - joints * _JOINT


def herringbone(dice: Dice) -> np.ndarray:
    """Boards of 1 x 4 cells that meet at right angles."""
    row, column = ROWS // 8, COLUMNS // 8
    place = (column - row) % 8
    lying = place < 4
    start_row = np.where(lying, row, row - (8 - place) % 8 + 1) % 16
    start_column = np.where(lying, column - place, column) % 16
    tone = dice.words((16, 16)).astype(np.int32)[start_row, start_column] % 37 - 18
    first = np.where(lying, place == 0, place == 7)
    across = np.where(lying, ROWS % 8, COLUMNS % 8) == 0
    end = first & (np.where(lying, COLUMNS % 8, ROWS % 8) == 0)
    return tone + _crossing(dice, lying) - (across | end) * _JOINT


def parquet(dice: Dice) -> np.ndarray:
    """Squares of four strips, every other one turned."""
    lying = (ROWS // 32 + COLUMNS // 32) % 2 == 0
    strip = np.where(lying, ROWS, COLUMNS) // 8
    block = np.where(lying, COLUMNS, ROWS) // 32
    tone = dice.words((16, 4, 2)).astype(np.int32)[strip, block, lying.astype(np.int32)] % 31 - 15
    joints = np.where(lying, ROWS % 8, COLUMNS % 8) == 0
    joints |= (ROWS % 32 == 0) | (COLUMNS % 32 == 0)
    return tone + _crossing(dice, lying) - joints * _JOINT


def _lengthwise(dice: Dice) -> np.ndarray:
    """Grain of boards that lie along the rows."""
    return noise(dice, 128, 4, 9) + noise(dice, 64, 8, 6)


def _crossing(dice: Dice, lying: np.ndarray) -> np.ndarray:
    """Grain along each board, lying or standing."""
    return np.where(lying, _lengthwise(dice), _lengthwise(dice).T)


def square_tiles(count: int, spread: int = 7) -> Pattern:
    """A square of count x count tiles (a power of two), tones up to +-spread apart, with grout between."""

    def pattern(dice: Dice) -> np.ndarray:
        step = SIZE // count
        tone = dice.words((count, count)).astype(np.int32) % (2 * spread + 1) - spread
        shade = tone.repeat(step, axis=0).repeat(step, axis=1) + cloud(dice, 16, 4)
        return np.where(_on_edges(step, 2 if step > 16 else 1), -_GROUT, shade)

    return pattern


def checkered_tiles(dice: Dice) -> np.ndarray:
    """Four by four tiles, light and dark in turn."""
    light = (ROWS // 32 + COLUMNS // 32) % 2 == 0
    shade = np.where(light, 30, -50) + cloud(dice, 8, 6)
    return np.where(_on_edges(32, 1), -20, shade)


def marble_tiles(dice: Dice) -> np.ndarray:
    """Two by two slabs of marble, each from another place of the quarry."""
    veins = marble(dice)
    slabs = [np.roll(veins, (dice.below(SIZE), dice.below(SIZE)), axis=(0, 1))[:64, :64] for _ in range(4)]
    return np.where(_on_edges(64, 1), -30, np.vstack([np.hstack(slabs[:2]), np.hstack(slabs[2:])]))


def _on_edges(step: int, width: int) -> np.ndarray:
    """The first `width` rows and columns of every square of `step` pixels, bool (SIZE, SIZE)."""
    return (ROWS % step < width) | (COLUMNS % step < width)


def hexagon_tiles(dice: Dice) -> np.ndarray:
    """Seven by eight hexagons: a pixel belongs to the nearest centre; grout where two are about as near."""
    # Seven times finer than pixels, centres 128 apart in rows 112 apart, every other row set off by half.
    period, wide, high = SIZE * 7, 128, 112
    down, along = ROWS[:, :1] * 7, COLUMNS[:1] * 7
    distances = np.full((2, SIZE, SIZE), period * period, dtype=np.int32)
    tone = np.zeros((SIZE, SIZE), dtype=np.int32)
    for row in range(8):
        off_row = (down - row * high + period // 2) % period - period // 2
        off_column = (along + row % 2 * wide // 2 + wide // 2) % wide - wide // 2
        column = (along + row % 2 * wide // 2 + wide // 2) // wide % 7
        tones = dice.words((7,)).astype(np.int32)[column] % 25 - 12
        distance = off_row * off_row + off_column * off_column
        nearer = distance < distances[0]
        distances[1] = np.where(nearer, distances[0], np.minimum(distances[1], distance))
        distances[0] = np.where(nearer, distance, distances[0])
        tone = np.where(nearer, tones, tone)
        # The neighbour in the same row is one tile further on the other side.
        beside = off_row * off_row + (wide - np.abs(off_column)) ** 2
        distances[1] = np.minimum(distances[1], beside)
    return np.where(distances[1] - distances[0] < 2200, -_GROUT, tone + cloud(dice, 16, 3))


def _running_bond(dice: Dice, rows: int, per_row: int, spread: int, joint: int) -> np.ndarray:
    """Rows of bricks, every other row set off by half a brick; joints `joint` lighter than the mean brick."""
    high, long = SIZE // rows, SIZE // per_row
    row = ROWS // high
    along = (COLUMNS + row % 2 * (long // 2)) % SIZE
    tone = dice.words((rows, per_row)).astype(np.int32)[row, along // long] % (2 * spread + 1) - spread
    shade = tone + cloud(dice, 32, max(spread // 2, 3))
    return np.where((ROWS % high == 0) | (along % long == 0), joint, shade)


def brick(dice: Dice) -> np.ndarray:
    """Sixteen rows of four bricks with light mortar."""
    return _running_bond(dice, 16, 4, 18, 48)


def wall_tiles(dice: Dice) -> np.ndarray:
    """Eight rows of four glazed tiles."""
    return _running_bond(dice, 8, 4, 5, -28)


def paint(dice: Dice) -> np.ndarray:
    """Rolled paint, almost even."""
    return cloud(dice, 4, 3) + grain(2, 2)(dice)


def plaster(dice: Dice) -> np.ndarray:
    """Trowelled plaster."""
    return cloud(dice, 8, 9)


def striped_wallpaper(dice: Dice) -> np.ndarray:
    """Eight upright stripes with a fine line beside each."""
    place = COLUMNS % 16
    return np.where(place < 8, 9, -7) - (place == 9) * 12 + grain(2, 1)(dice)


def damask_wallpaper(dice: Dice) -> np.ndarray:
    """Ornaments a little darker than the ground."""
    return np.where(motif(dice), -18, 6) + grain(2, 1)(dice)


def dotted_wallpaper(dice: Dice) -> np.ndarray:
    """Small dots far apart."""
    along = (COLUMNS + ROWS // 16 % 2 * 8) % 16 - 8
    down = ROWS % 16 - 8
    return np.where(down * down + along * along < 8, -34, 3) + grain(2, 1)(dice)


def wall_panels(dice: Dice) -> np.ndarray:
    """Four upright boards with a groove between."""
    place = COLUMNS % 32
    return np.where(place < 2, -26, np.where(place < 4, 12, 0)) + grain(2, 2)(dice)


def striped_rug(dice: Dice) -> np.ndarray:
    """Stripes of three tones across."""
    tones = np.array([30, -30, 8, -30, 30, -8, 24, -8], dtype=np.int32)
    return tones[ROWS // 8 % 8] + carpet(dice) // 2


def checked_rug(dice: Dice) -> np.ndarray:
    """Large squares, light and dark in turn."""
    return np.where((ROWS // 32 + COLUMNS // 32) % 2 == 0, 26, -26) + carpet(dice) // 2


def diamond_rug(dice: Dice) -> np.ndarray:
    """A net of light diamonds."""
    slanted = ((ROWS + COLUMNS) % 32 < 5) | ((ROWS - COLUMNS) % 32 < 5)
    return np.where(slanted, 56, -20) + carpet(dice) // 2


def persian_rug(dice: Dice) -> np.ndarray:
    """A medallion on a field of ornaments, in lighter and darker threads."""
    ornament = np.where(motif(dice, 16), 32, -12)
    reach = np.abs(ROWS - 63) + np.abs(COLUMNS - 63)
    ornament = np.where(reach < 40, np.where(motif(dice, 16), -40, 20), ornament)
    ornament = np.where((reach // 4 == 10) | (reach // 3 == 7), 44, ornament)
    return ornament + np.where(squared_distance(63, 63) < 90, 30, 0) + carpet(dice) // 2
