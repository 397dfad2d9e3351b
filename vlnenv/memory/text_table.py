"""A small table of text embeddings, so that class names mean something without a language model.

`text_table.npz` holds MiniLM (all-MiniLM-L6-v2) sentence embeddings of about 1,200 words and phrases, brought
from 384 to 64 dimensions; `vlnenv/memory/_build_text_table.py` makes it and says how.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

TABLE_PATH = Path(__file__).with_name("text_table.npz")
_ARRAYS = ("phrases", "embeddings", "mean", "components")


class TextTable:
    """Embeddings of words and phrases, with an answer for the ones that it does not hold."""

    def __init__(
        self, phrases: Sequence[str], embeddings: np.ndarray, mean: np.ndarray, components: np.ndarray
    ) -> None:
        """A table from its arrays.

        Args:
            phrases: v phrases in lower case.
            embeddings: (v, dim) one for each phrase, unit length.
            mean: (source_dim,) subtracted from a unit embedding of the language model before projecting.
            components: (dim, source_dim) the projection.
        """
        self.phrases = tuple(phrases)
        rows = np.asarray(embeddings, dtype=np.float32)
        self.embeddings = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self.mean = np.asarray(mean, dtype=np.float32)
        self.components = np.asarray(components, dtype=np.float32)
        self._row = {phrase: row for row, phrase in enumerate(self.phrases)}
        self._warned: set[str] = set()

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.embeddings.shape[1]

    def __contains__(self, phrase: str) -> bool:
        """Whether the phrase has a row of its own."""
        return _tidy(phrase) in self._row

    def embed(self, phrase: str) -> np.ndarray:
        """Unit embedding of a phrase.

        The phrase's own row if it has one, also in the singular; else the normalised mean of the words of it
        that have one; else a unit vector drawn from the phrase's SHA-256, the same on every machine but near
        to nothing, with one warning that names the phrase.

        Args:
            phrase: Any text; case, underscores, hyphens and digits make no difference.

        Returns:
            float32 (dim,).
        """
        tidy = _tidy(phrase)
        row = self._find(tidy)
        if row is not None:
            return self.embeddings[row].copy()
        rows = [row for word in tidy.split() if (row := self._find(word)) is not None]
        if rows:
            return _unit(self.embeddings[rows].sum(axis=0))
        if tidy not in self._warned:
            self._warned.add(tidy)
            warnings.warn(
                f"{phrase!r} is not among the {len(self.phrases)} phrases of the text table and none of its "
                "words is; it gets an arbitrary embedding. Rename the category to a common English noun.",
                stacklevel=2,
            )
        return _hashed(tidy, self.dim)

    def project(self, source_embeddings: np.ndarray) -> np.ndarray:
        """Embeddings of the full language model, brought into the table's space.

        Args:
            source_embeddings: (n, source_dim) of unit length, of the model that the table was made with.

        Returns:
            float32 (n, dim) of unit length.
        """
        centred = np.asarray(source_embeddings, dtype=np.float32) - self.mean
        projected = centred @ self.components.T
        return projected / np.linalg.norm(projected, axis=1, keepdims=True)

    def _find(self, phrase: str) -> int | None:
        for candidate in (phrase, phrase.removesuffix("s"), phrase.removesuffix("es"), f"{phrase}s"):
            row = self._row.get(candidate)
            if row is not None:
                return row
        return None


@lru_cache(maxsize=1)
def load_text_table() -> TextTable:
    """The table shipped with the package, read once a process.

    Raises:
        ValueError: If the file is missing or damaged.
    """
    try:
        # Through memory: of a damaged file, numpy would leave the handle open.
        with np.load(io.BytesIO(TABLE_PATH.read_bytes()), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in _ARRAYS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"cannot read the text table {TABLE_PATH}: {error}. Reinstall vlnenv, or rebuild the file as "
            "vlnenv/memory/_build_text_table.py says."
        ) from error
    return TextTable(arrays["phrases"].tolist(), arrays["embeddings"], arrays["mean"], arrays["components"])


def _tidy(phrase: str) -> str:
    letters = "".join(letter if letter.isalpha() or letter == "'" else " " for letter in phrase.lower())
    return " ".join(letters.split())


def _unit(vector: np.ndarray) -> np.ndarray:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _hashed(phrase: str, dim: int) -> np.ndarray:
    """A unit vector drawn from the phrase's SHA-256 alone: 16 bits a component, uniform in [-1, 1)."""
    blocks = range(-(-dim // 16))
    digest = b"".join(hashlib.sha256(f"{phrase}/{block}".encode()).digest() for block in blocks)
    integers = np.frombuffer(digest, dtype="<u2")[:dim].astype(np.float64)
    return _unit(integers / 32768.0 - 1.0 + 1.0 / 65536.0)
