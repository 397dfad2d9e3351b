"""Words to ids: the vocabulary that a policy was trained with and carries in its checkpoint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PADDING = 0
UNKNOWN = 1
_SPECIAL = ("<pad>", "<unk>")
_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)?|[.,;]")


def split_words(text: str) -> list[str]:
    """Lower-case words of an instruction; a comma, semicolon or full stop is a word of its own."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Vocabulary:
    """An ordered list of known words; id 0 pads and id 1 stands for every word that is not in it."""

    words: tuple[str, ...]
    """All words by id, the two special ones first."""
    max_words: int = 96
    """Ids per instruction; longer instructions lose their end."""

    def __post_init__(self) -> None:
        if self.words[:2] != _SPECIAL:
            raise ValueError(f"a vocabulary must start with {_SPECIAL}, got {self.words[:2]}")
        if len(set(self.words)) != len(self.words):
            raise ValueError("a vocabulary must not hold a word twice")
        if self.max_words < 1:
            raise ValueError(f"max_words must be at least 1, got {self.max_words}")

    @classmethod
    def of(cls, instructions: Iterable[str], min_count: int = 1, max_words: int = 96) -> Vocabulary:
        """The words that occur at least `min_count` times, in alphabetical order."""
        counts = Counter(word for text in instructions for word in split_words(text))
        kept = sorted(word for word, count in counts.items() if count >= min_count)
        return cls(words=(*_SPECIAL, *kept), max_words=max_words)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: index for index, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, instructions: Sequence[str]) -> np.ndarray:
        """Ids of n instructions: int64 (n, max_words), zero where an instruction has ended."""
        ids = np.zeros((len(instructions), self.max_words), dtype=np.int64)
        for row, text in enumerate(instructions):
            words = split_words(text)[: self.max_words]
            ids[row, : len(words)] = [self._ids.get(word, UNKNOWN) for word in words]
        return ids

    def swap_left_right(self) -> np.ndarray:
        """Ids after a mirror, int64 (len,): "left" becomes "right" and back, all others stay."""
        mirrored = np.arange(len(self.words))
        for one, other in (("left", "right"), ("leftmost", "rightmost"), ("lefthand", "righthand")):
            if one in self._ids and other in self._ids:
                mirrored[[self._ids[one], self._ids[other]]] = self._ids[other], self._ids[one]
        return mirrored
