import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.looks.pictures import PICTURES
from vlnenv.houses.looks.textures import COLORS, FINISHES, FURNITURE_COLORS, MATERIAL_WORD, texture
from vlnenv.memory.text_table import load_text_table

SEAMLESS = [finish for finish in FINISHES if finish not in PICTURES]
JOINTED = ("tiles", "planks", "brick", "parquet", "herringbone", "panels", "bamboo", "checke", "checked")
"""Parts of the names of patterns with hard lines, where a seam may fall on a line."""


@pytest.mark.parametrize("finish", FINISHES)
def test_every_finish_paints_every_color(finish):
    for color in COLORS:
        image = texture(finish, color)
        assert image.dtype == np.uint8
        assert image.shape == (128, 128, 3)
        assert not image.flags.writeable


def test_textures_are_cached_and_fixed():
    assert texture("oak", "brown") is texture("oak", "brown")
    again = texture.__wrapped__("oak", "brown")
    assert again is not texture("oak", "brown")
    assert np.array_equal(again, texture("oak", "brown"))


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="no finish 'tweed'; known: plain"):
        texture("tweed", "red")
    with pytest.raises(KeyError, match="no colour 'mauve'; known: red"):
        texture("plain", "mauve")


@pytest.mark.parametrize("finish", [f for f in SEAMLESS if not any(part in f for part in JOINTED)])
@pytest.mark.parametrize("axis", [0, 1])
def test_edges_continue_each_other(finish, axis):
    """The step over the seam is no larger than the largest between neighbours inside."""
    image = texture(finish, "grey").astype(int)
    steps = np.abs(image - np.roll(image, 1, axis=axis)).mean(axis=(1 - axis, 2))
    assert steps[0] <= 1.15 * steps[1:].max() + 0.5


@pytest.mark.parametrize("finish", [f for f in SEAMLESS if any(part in f for part in JOINTED)])
def test_jointed_patterns_repeat_every_line(finish):
    """Rolled by half its size a tiling has lines where it had lines: the seam is one of them, or none is."""
    image = texture(finish, "grey").astype(int)
    for axis in (0, 1):
        steps = np.abs(image - np.roll(image, 1, axis=axis)).mean(axis=(1 - axis, 2))
        assert steps[0] <= 1.25 * steps[1:].max() + 0.5


def test_furniture_colors_are_recognisable():
    """The mean colour of a main surface is nearest to its own name, whatever the finish."""
    names = list(FURNITURE_COLORS)
    table = np.array([COLORS[name] for name in names], dtype=float)
    pairs = {(f, c) for entry in CATALOGUE.values() for f in entry.finishes for c in entry.colors}
    wrong = []
    for finish, color in sorted(pairs):
        mean = texture(finish, color).reshape(-1, 3).mean(axis=0)
        nearest = names[int(np.argmin(((table - mean) ** 2).sum(axis=1)))]
        if nearest != color:
            wrong.append((finish, color, nearest))
    assert wrong == []


def test_finishes_look_different():
    images = {texture(finish, "brown").tobytes() for finish in FINISHES}
    assert len(images) == len(FINISHES)


def test_names_are_known_to_the_text_table():
    table = load_text_table()
    assert set(MATERIAL_WORD) == set(FINISHES)
    for word in {*MATERIAL_WORD.values(), *FURNITURE_COLORS} - {""}:
        assert word in table, word
