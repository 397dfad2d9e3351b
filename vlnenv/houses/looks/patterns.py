"""Seamless patterns of materials in whole numbers: steps of brightness for `textures.texture`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vlnenv.houses.dice import Dice

Pattern = Callable[[Dice], np.ndarray]
"""int32 (SIZE, SIZE) brightness steps around 0, or (SIZE, SIZE, 3) steps per channel; row 0 is the top."""

SIZE = 128
"""Pixels along a side of every texture; a power of two, so that its mip levels are whole."""

ROWS, COLUMNS = (np.ascontiguousarray(axis, dtype=np.int32) for axis in np.indices((SIZE, SIZE)))
"""int32 (SIZE, SIZE): each pixel's row and column."""


def noise(dice: Dice, rows: int, columns: int, amount: int) -> np.ndarray:
    """Smooth noise of +-amount (SIZE, SIZE), on a wrapping lattice of rows x columns (powers of 2)."""
    draws = dice.words((rows, columns)).astype(np.int32)
    lattice = (draws * (2 * amount) * 64 // 255) - amount * 64
    return _stretched(_stretched(lattice).T).T // 64


def _stretched(lattice: np.ndarray) -> np.ndarray:
    """Rows of a lattice spread over SIZE rows, smooth between neighbours; the last one's is the first."""
    step = SIZE // len(lattice)
    offset = np.arange(SIZE, dtype=np.int32) % step
    weight = (offset * offset * (3 * step - 2 * offset) * 64 // step**3)[:, None]
    low = np.arange(SIZE) // step
    return (lattice[low] * (64 - weight) + lattice[(low + 1) % len(lattice)] * weight) // 64


def cloud(dice: Dice, cells: int, amount: int) -> np.ndarray:
    """Noise in octaves: `cells` lumps along a side, then finer ones of half the amount, down to pixels."""
    total = np.zeros((SIZE, SIZE), dtype=np.int32)
    while cells <= SIZE and amount > 0:
        total += noise(dice, cells, cells, amount)
        cells, amount = cells * 2, amount // 2
    return total


def grain(amount: int, block: int) -> Pattern:
    """Uniform noise of +-amount on blocks of `block` pixels."""

    def pattern(dice: Dice) -> np.ndarray:
        side = SIZE // block
        lattice = dice.words((side, side)).astype(np.int32) % (2 * amount + 1) - amount
        return lattice.repeat(block, axis=0).repeat(block, axis=1)

    return pattern


def wave(phase: np.ndarray, period: int) -> np.ndarray:
    """Triangle wave of `phase`, from -64 to 64 and back within `period`."""
    place = phase % period * 256 // period
    return np.abs(place - 128) - 64


def squared_distance(row: int, column: int) -> np.ndarray:
    """Squared pixels, int32 (SIZE, SIZE), to a point, the shorter way round the edges."""
    down = (ROWS - row + SIZE // 2) % SIZE - SIZE // 2
    along = (COLUMNS - column + SIZE // 2) % SIZE - SIZE // 2
    return down * down + along * along


def wood(dice: Dice) -> np.ndarray:
    """Calm straight grain along the rows."""
    rings = wave(ROWS * 16 + noise(dice, 4, 2, 160), 128) // 9
    return rings + noise(dice, 64, 4, 8) + noise(dice, 128, 8, 5)


def oak(dice: Dice) -> np.ndarray:
    """Lively grain that flows round a few knots."""
    phase = ROWS * 16 + noise(dice, 4, 2, 320) + noise(dice, 8, 4, 60)
    dark = np.zeros_like(phase)
    for _ in range(dice.between(2, 3)):
        row, column, radius = dice.below(SIZE), dice.below(SIZE), dice.between(10, 16)
        down = (ROWS - row + SIZE // 2) % SIZE - SIZE // 2
        along = (COLUMNS - column + SIZE // 2) % SIZE - SIZE // 2
        near = np.maximum(radius * radius - down * down - along * along // 5, 0)
        phase += near * 700 // (radius * radius)
        dark -= np.maximum(near * 100 // (radius * radius) - 55, 0)
    rings = wave(phase, 256)
    return rings * 3 // 13 + dark + noise(dice, 64, 4, 10) + noise(dice, 128, 8, 6)


def bamboo(dice: Dice) -> np.ndarray:
    """Slats along the rows with nodes across them."""
    slat = ROWS // 16
    shade = dice.words((8,)).astype(np.int32)[slat] % 17 - 8 - (ROWS % 16 < 2) * 34
    node = dice.words((8,)).astype(np.int32)[slat] % SIZE
    return shade - ((COLUMNS - node) % 64 < 2) * 22 + noise(dice, 128, 4, 5)


def fabric(dice: Dice) -> np.ndarray:
    """Coarse plain weave with thicker threads here and there."""
    weave = np.where((ROWS // 2 + COLUMNS // 2) % 2 == 0, 7, -7)
    return weave + noise(dice, 64, 2, 6) + noise(dice, 2, 64, 6) + cloud(dice, 8, 5)


def linen(dice: Dice) -> np.ndarray:
    """Fine threads both ways."""
    return noise(dice, 128, 4, 9) + noise(dice, 4, 128, 9) + grain(3, 1)(dice)


def velvet(dice: Dice) -> np.ndarray:
    """A soft nap, brushed in patches."""
    return cloud(dice, 4, 14) + grain(3, 1)(dice)


def striped(dice: Dice) -> np.ndarray:
    """Wide and narrow stripes along the columns on linen."""
    place = COLUMNS % 64
    stripes = np.where(place < 24, 26, np.where((place > 40) & (place < 48), 26, -14))
    return stripes + linen(dice) // 2


def checked(dice: Dice) -> np.ndarray:
    """Gingham: two threads crossing, three tones."""
    return ((ROWS // 16) % 2 + (COLUMNS // 16) % 2 - 1) * 30 + linen(dice) // 2


def dotted(dice: Dice) -> np.ndarray:
    """Light dots in a staggered grid."""
    down = ROWS % 32 - 16
    along = (COLUMNS + ROWS // 32 % 2 * 16) % 32 - 16
    return np.where(down * down + along * along < 40, 60, -8) + linen(dice) // 2


def motif(dice: Dice, cells: int = 8) -> np.ndarray:
    """Ornament, bool (SIZE, SIZE): blotches mirrored both ways, the second column of them set off."""
    half = SIZE // 2
    place = np.minimum(np.arange(half), half - 1 - np.arange(half))
    blotch = (noise(dice, cells, cells, 60) + noise(dice, cells * 2, cells * 2, 40)) > 6
    tile = blotch[place][:, place]
    return np.hstack([np.vstack([tile, tile]), np.roll(np.vstack([tile, tile]), half // 2, axis=0)])


def patterned(dice: Dice) -> np.ndarray:
    """A woven ornament, lighter than its ground."""
    return np.where(motif(dice), 24, -16) + linen(dice) // 2


def knit(dice: Dice) -> np.ndarray:
    """Columns of stitches like rows of the letter v."""
    stitch = (ROWS + np.abs(COLUMNS % 16 - 8)) % 8
    return wave(stitch * 8, 64) // 5 - (COLUMNS % 16 == 0) * 12 + cloud(dice, 16, 4)


def towel(dice: Dice) -> np.ndarray:
    """Loops, and two woven bands across."""
    band = (ROWS % 64 > 50) & (ROWS % 64 < 58)
    return np.where(band, -18, grain(12, 2)(dice)) + cloud(dice, 8, 4)


def leather(dice: Dice) -> np.ndarray:
    """Fine creases over soft patches."""
    creases = np.abs(noise(dice, 32, 32, 20)) + np.abs(noise(dice, 64, 64, 12))
    return cloud(dice, 4, 8) - np.maximum(12 - creases, 0)


def metal(dice: Dice) -> np.ndarray:
    """Brushed along the rows, with broad reflections."""
    return noise(dice, 128, 4, 6) + noise(dice, 64, 2, 5) + noise(dice, 4, 2, 10)


def wicker(dice: Dice) -> np.ndarray:
    """Strands over and under posts."""
    over = (ROWS // 8 + COLUMNS // 16) % 2 == 0
    across = 18 - np.abs(COLUMNS % 16 - 8) * 4
    strand = 6 - np.abs(ROWS % 8 - 4) * 6
    return np.where(over, across, -14) + strand + cloud(dice, 16, 6)


def glass(dice: Dice) -> np.ndarray:
    """Two faint slanting reflections."""
    return np.maximum(wave(ROWS + COLUMNS, SIZE) - 30, 0) // 2 + noise(dice, 4, 4, 3)


def marble(dice: Dice) -> np.ndarray:
    """Clouds with two families of veins."""
    warp = cloud(dice, 4, 40) * 12
    wide = np.abs(wave((ROWS + COLUMNS) * 16 + warp, 2048))
    thin = np.abs(wave((ROWS * 2 - COLUMNS) * 16 + warp + noise(dice, 8, 8, 300), 1024))
    return cloud(dice, 4, 8) - np.maximum(40 - wide * 4, 0) - np.maximum(22 - thin * 5, 0)


def granite(dice: Dice) -> np.ndarray:
    """Speckles of many sizes."""
    return cloud(dice, 32, 34) + grain(16, 1)(dice)


def stone(dice: Dice) -> np.ndarray:
    """Rough blotches."""
    return cloud(dice, 8, 18) + grain(5, 1)(dice)


def concrete(dice: Dice) -> np.ndarray:
    """Large pale clouds and a few pores."""
    pores = (dice.words((SIZE, SIZE)) == 0) * 30
    return cloud(dice, 4, 9) - pores


def terrazzo(dice: Dice) -> np.ndarray:
    """Chips of lighter and darker stone in a calm ground."""
    chips = noise(dice, 64, 64, 100) + noise(dice, 128, 128, 30)
    tone = np.where(noise(dice, 32, 32, 100) > 0, 22, -26)
    return np.where(chips > 62, tone, 2) + grain(3, 1)(dice)


def carpet(dice: Dice) -> np.ndarray:
    """Short tufts."""
    return grain(12, 2)(dice) + cloud(dice, 8, 6)


def shag(dice: Dice) -> np.ndarray:
    """Long tufts that lie in all directions."""
    return cloud(dice, 16, 26) + grain(6, 1)(dice)


def leaf(dice: Dice) -> np.ndarray:
    """Light and dark leaves."""
    return grain(22, 8)(dice) + cloud(dice, 16, 14)


def bark(dice: Dice) -> np.ndarray:
    """Cracks along the columns."""
    return noise(dice, 4, 32, 22) + noise(dice, 16, 64, 16)
