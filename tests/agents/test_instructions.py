from __future__ import annotations

import numpy as np
import pytest

from agents.instructions import PADDING, UNKNOWN, Vocabulary, split_words


def test_words_are_lower_case_and_punctuation_is_kept() -> None:
    assert split_words("Turn LEFT, at the sofa's end. Stop!") == [
        *("turn", "left", ",", "at", "the", "sofa's", "end", ".", "stop")
    ]


def test_encoding_pads_cuts_and_marks_unknown_words() -> None:
    vocabulary = Vocabulary.of(["go to the bed"], max_words=5)
    ids = vocabulary.encode(["go to a bed", "go go go go go bed", ""])
    assert ids.shape == (3, 5)
    assert ids[0].tolist() == [
        *(vocabulary.words.index(word) for word in ("go", "to")),
        UNKNOWN,
        ids[0, 3],
        PADDING,
    ]
    assert vocabulary.words[ids[0, 3]] == "bed"
    assert (ids[1] == ids[1, 0]).all()
    assert (ids[2] == PADDING).all()


def test_order_of_instructions_does_not_matter() -> None:
    assert Vocabulary.of(["b a", "c"]) == Vocabulary.of(["c", "a b"])


def test_mirror_swaps_left_and_right_and_is_its_own_inverse() -> None:
    vocabulary = Vocabulary.of(["turn left then right"])
    swap = vocabulary.swap_left_right()
    left, right = vocabulary.words.index("left"), vocabulary.words.index("right")
    assert swap[left] == right
    assert (swap[swap] == np.arange(len(vocabulary))).all()
    assert (swap != np.arange(len(vocabulary))).sum() == 2


def test_bad_vocabularies_are_refused() -> None:
    with pytest.raises(ValueError, match="start with"):
        Vocabulary(("a", "b"))
    with pytest.raises(ValueError, match="twice"):
        Vocabulary(("<pad>", "<unk>", "a", "a"))
