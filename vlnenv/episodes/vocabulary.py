"""Instructions as word ids."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

PAD, UNKNOWN = 0, 1
"""Ids kept for padding and for words outside the vocabulary."""

_WORD = re.compile(r"\w+|[^\w\s]")


def split_words(text: str) -> list[str]:
    """Lower-case words and single punctuation marks of a text, in order."""
    return _WORD.findall(text.lower())


class Vocabulary:
    """A fixed list of words; word i has the id i + 2, after padding and unknown."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(dict.fromkeys(words))
        self._ids = {word: index + 2 for index, word in enumerate(self.words)}

    @classmethod
    def of(cls, texts: Iterable[str]) -> Vocabulary:
        """Every word of the texts, sorted."""
        return cls(sorted({word for text in texts for word in split_words(text)}))

    def __len__(self) -> int:
        """Number of ids, padding and unknown included."""
        return len(self.words) + 2

    def encode(self, text: str, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Word ids of a text.

        Args:
            text: The text.
            length: Ids to return.

        Returns:
            int64 (length,) ids, padded with 0, and int8 (length,) mask, 1 where there is a word.

        Raises:
            ValueError: If the text has more words than `length`: an instruction cut short is another task.
        """
        words = split_words(text)
        if len(words) > length:
            raise ValueError(
                f"the instruction has {len(words)} words and at most {length} fit; raise max_words: {text!r}"
            )
        ids = np.full(length, PAD, dtype=np.int64)
        ids[: len(words)] = [self._ids.get(word, UNKNOWN) for word in words]
        return ids, (ids != PAD).astype(np.int8)
