"""Several different texts for one route, of about the lengths that people write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions.lexicon import Voice

LEAST_WORDS, MOST_WORDS = 6, 60
_TRIES = 16
_WORDINGS = 4
_DRAFTS = 3


@dataclass(frozen=True)
class Draft:
    """What a text is to say, checked, and how it is put into words."""

    text: Callable[[Any, Voice], str]
    said: Any


def paraphrases(
    draft: Callable[[int], Draft | str],
    lengths: Sequence[int],
    count: int,
    dice: Dice,
    rejections: Counter[str],
) -> list[str]:
    """Distinct texts; none where there were too few.

    Args:
        draft: Draws what is said at a detail of 0 to 100, or gives the reason why that cannot be said.
        lengths: Numbers of words, ascending; every text aims at one of them, and its detail is its rank.
        count: How many texts.
        dice: Chooses.
        rejections: Counts the most frequent reason where there were too few, and as "redrawn: ..." every
            draft that was drawn again.
    """
    texts: list[str] = []
    wordings: list[str] = []
    reasons: Counter[str] = Counter()
    rank, refused = dice.below(len(lengths)), 0
    for _ in range(_TRIES * count):
        # What was refused is told in more detail.
        drawn = draft(min(99, 100 * rank // len(lengths) + 15 * refused))
        if isinstance(drawn, str):
            refused += 1
            reasons[drawn] += 1
            rejections[f"redrawn: {drawn}"] += 1
            continue
        wordings += [drawn.text(drawn.said, Voice(dice)) for _ in range(_WORDINGS)]
        text = min(wordings, key=lambda each: abs(len(each.split()) - lengths[rank]))
        is_near = abs(len(text.split()) - lengths[rank]) <= lengths[rank] // 5
        if not is_near and len(wordings) < _DRAFTS * _WORDINGS:
            continue
        if text not in texts and LEAST_WORDS <= len(text.split()) <= MOST_WORDS:
            texts.append(text)
        if len(texts) == count:
            return texts
        wordings, refused = [], 0
        rank = dice.below(len(lengths))
    rejections[reasons.most_common(1)[0][0] if reasons else "too few different words"] += 1
    return []
