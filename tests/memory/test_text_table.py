from __future__ import annotations

import warnings
import zipfile

import numpy as np
import pytest

from vlnenv.memory import _text_vocabulary, text_table
from vlnenv.memory._build_text_table import cosine_order_kept, lightly_whitening
from vlnenv.memory.text_table import TABLE_PATH, load_text_table
from vlnenv.sim.naming import category

TABLE = load_text_table()


def cosine(one: str, two: str) -> float:
    return float(TABLE.embed(one) @ TABLE.embed(two))


def test_the_file_is_small_and_holds_no_pickle() -> None:
    assert TABLE_PATH.stat().st_size < 1_000_000
    with zipfile.ZipFile(TABLE_PATH) as archive:
        assert sorted(archive.namelist()) == ["components.npy", "embeddings.npy", "mean.npy", "phrases.npy"]
    with np.load(TABLE_PATH, allow_pickle=False) as archive:
        assert not any(archive[name].dtype.hasobject for name in archive.files)


def test_rows_are_of_unit_length() -> None:
    assert TABLE.dim == 64
    assert len(set(TABLE.phrases)) == len(TABLE.phrases) > 1000
    np.testing.assert_allclose(np.linalg.norm(TABLE.embeddings, axis=1), 1.0, atol=1e-6)


def test_related_words_are_nearer_than_others() -> None:
    assert cosine("sofa", "couch") > cosine("sofa", "armchair") > cosine("sofa", "toilet")
    assert cosine("fridge", "refrigerator") > 0.9
    assert cosine("red", "blue") < 0.8  # colours must not fall together
    assert cosine("left", "right") < 0.6


@pytest.mark.parametrize("name", ["ReadingDesk_01_001__ReadingDesk__0", "TVCabinet_01", "coffee_table_2"])
def test_class_names_of_scene_files_are_known(name: str) -> None:
    assert category(name) in TABLE


def test_case_separators_and_plural_make_no_difference() -> None:
    for spelling in ("Coffee_Table", "coffee-table", " coffee  table 2", "coffee tables"):
        assert np.array_equal(TABLE.embed(spelling), TABLE.embed("coffee table"))


def test_a_new_phrase_is_the_mean_of_its_known_words() -> None:
    assert "zorbly sofa" not in TABLE
    np.testing.assert_allclose(TABLE.embed("zorbly sofa"), TABLE.embed("sofa"), atol=1e-6)
    mean = TABLE.embed("violet") + TABLE.embed("toaster")
    np.testing.assert_allclose(TABLE.embed("violet toaster"), mean / np.linalg.norm(mean), atol=1e-6)


def test_an_unknown_word_gets_the_same_vector_everywhere_and_one_warning() -> None:
    table = text_table.TextTable(TABLE.phrases, TABLE.embeddings, TABLE.mean, TABLE.components)
    with pytest.warns(UserWarning, match="'zorblax'"):
        first = table.embed("zorblax")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(first, table.embed("zorblax"))
    assert np.linalg.norm(first) == pytest.approx(1.0)
    # Fixed numbers: no dependence on the process, the platform or NumPy's generators.
    np.testing.assert_allclose(first[:3], FIRST_OF_ZORBLAX, atol=1e-6)
    with pytest.warns(UserWarning, match="'quuxify'"):
        assert abs(float(first @ table.embed("quuxify"))) < 0.5


FIRST_OF_ZORBLAX = [0.0927813, -0.2038957, 0.0417309]


def test_an_empty_phrase_is_unknown_and_not_an_error() -> None:
    table = text_table.TextTable(TABLE.phrases, TABLE.embeddings, TABLE.mean, TABLE.components)
    with pytest.warns(UserWarning, match="''"):
        assert np.linalg.norm(table.embed("")) == pytest.approx(1.0)


def test_projected_model_embeddings_have_unit_length() -> None:
    source = np.random.default_rng(0).normal(size=(3, len(TABLE.mean)))
    assert TABLE.project(source).shape == (3, 64)
    np.testing.assert_allclose(np.linalg.norm(TABLE.project(source), axis=1), 1.0, atol=1e-6)


def test_a_damaged_table_is_named(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "text_table.npz"
    broken.write_bytes(TABLE_PATH.read_bytes()[:1000])
    monkeypatch.setattr(text_table, "TABLE_PATH", broken)
    with pytest.raises(ValueError, match=r"text_table\.npz"):
        text_table.load_text_table.__wrapped__()


def test_the_file_is_up_to_date_with_the_vocabulary() -> None:
    assert TABLE.phrases == _text_vocabulary.PHRASES
    assert all(phrase == phrase.lower().strip() for phrase in _text_vocabulary.PHRASES)


def test_reduction_keeps_the_order_of_rows_that_span_few_directions() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(40, 3)) @ np.linalg.qr(rng.normal(size=(20, 3)))[0].T
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    directions = lightly_whitening(rows, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    assert (directions[np.arange(3), np.abs(directions).argmax(axis=1)] > 0).all()
    kept = cosine_order_kept(rows, rows @ directions.T)
    assert kept == pytest.approx({"spearman": 1.0, "top1": 1.0, "top5": 1.0})
    shuffled = cosine_order_kept(rows, (rows @ directions.T)[rng.permutation(40)])
    assert shuffled["top5"] < 0.5
