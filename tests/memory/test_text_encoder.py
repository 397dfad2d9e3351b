from __future__ import annotations

import numpy as np
import pytest

from vlnenv.memory import text_encoder
from vlnenv.memory.text_encoder import embed_query, embed_with_minilm, is_minilm_installed
from vlnenv.memory.text_table import load_text_table

TABLE = load_text_table()
needs_minilm = pytest.mark.skipif(not is_minilm_installed(), reason="needs MiniLM (extra text)")


def test_the_table_answers_where_it_can() -> None:
    for phrase in ("sofa", "Coffee_Table"):
        assert np.array_equal(embed_query(phrase), TABLE.embed(phrase))


def test_without_minilm_the_table_answers_as_well_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_encoder, "find_spec", lambda _: None)
    assert "violet toaster" not in TABLE
    assert np.array_equal(embed_query("violet toaster"), TABLE.embed("violet toaster"))
    with pytest.raises(ImportError, match=r"vlnenv\[text\]"):
        embed_with_minilm(["sofa"])


def test_an_empty_query_is_the_tables_matter() -> None:
    with pytest.warns(UserWarning, match="' '"):
        assert np.linalg.norm(embed_query(" ")) == pytest.approx(1.0)


@needs_minilm
def test_minilm_agrees_with_the_rows_of_the_table() -> None:
    rows = range(0, len(TABLE.phrases), 9)
    projected = TABLE.project(embed_with_minilm([TABLE.phrases[row] for row in rows]))
    assert float((projected * TABLE.embeddings[list(rows)]).sum(axis=1).min()) > 0.99


@needs_minilm
def test_padding_and_batches_do_not_matter() -> None:
    phrases = ["lamp", "the small white lamp beside the bed in the other room"] * 40
    together = embed_with_minilm(phrases)
    assert together.shape == (80, 384)
    np.testing.assert_allclose(together[0], embed_with_minilm(["lamp"])[0], atol=1e-5)
    np.testing.assert_allclose(together[-1], together[1], atol=1e-5)
    assert embed_with_minilm([]).shape == (0, 384)
    assert np.isfinite(embed_with_minilm(["lamp " * 2000])).all()


@needs_minilm
def test_phrases_beyond_the_table_lie_near_what_they_mean() -> None:
    phrase = "something to sit on in front of the television"
    assert phrase not in TABLE
    query = embed_query(phrase)
    assert query.dtype == np.float32
    assert query.shape == (TABLE.dim,)
    assert np.linalg.norm(query) == pytest.approx(1.0, abs=1e-5)
    assert float(query @ TABLE.embed("sofa")) > float(query @ TABLE.embed("toilet")) + 0.1
    query[:] = 0.0  # the caller's own copy
    assert np.linalg.norm(embed_query(phrase)) == pytest.approx(1.0, abs=1e-5)
