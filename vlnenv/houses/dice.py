"""Random draws that are the same on every machine and for every version of numpy."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Dice:
    """A stream of integers named by a text.

    Only the raw 64-bit words of PCG64 are used: numpy promises those (NEP 19), while the streams of
    `Generator`'s own distributions may change between its versions.
    """

    def __init__(self, *name: object):
        digest = hashlib.sha256("/".join(str(part) for part in name).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest[:16], "little"))

    def below(self, count: int) -> int:
        """An integer in [0, count). The modulo's bias is below 2 ** -50 for the counts used here."""
        return int(self._bits.random_raw()) % count

    def between(self, low: int, high: int, step: int = 1) -> int:
        """One of low, low + step, ..., at most high."""
        return low + step * self.below((high - low) // step + 1)

    def chance(self, percent: int) -> bool:
        """True in `percent` of 100 draws."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`."""
        return choices[self.below(len(choices))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in random order (Fisher-Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order

    def words(self, shape: tuple[int, ...]) -> np.ndarray:
        """uint8 array of random bytes."""
        count = int(np.prod(shape))
        raw = self._bits.random_raw((count + 7) // 8).astype("<u8")
        return raw.view(np.uint8)[:count].reshape(shape)
