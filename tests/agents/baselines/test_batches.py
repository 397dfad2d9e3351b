from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.baselines.batches import NO_AUGMENTATION, Augmentation, Batches, mirrored_looks
from agents.baselines.sequences import Sequences
from tests.agents.baselines.fakes import DIM, TEXTS, write_sequences
from vlnenv.episodes.vocabulary import Vocabulary

VOCABULARY = Vocabulary.of(TEXTS)


@pytest.fixture
def sequences(tmp_path: Path) -> Sequences:
    return Sequences([write_sequences(tmp_path / "a")])


def test_batches_are_padded_and_masked(sequences: Sequences) -> None:
    batch = Batches(sequences, VOCABULARY, NO_AUGMENTATION).batch([0, 2], [1, 0], np.random.default_rng(0))
    assert batch.view.shape == (2, 9, 36, DIM)
    assert batch.decides.sum(dim=1).tolist() == [3, 7]
    assert not batch.decides[0, 5:].any()
    assert batch.decides[0].tolist()[:5] == [False, True, False, True, True]
    assert np.array_equal(batch.label[1, -1], [1, 0, 0])
    assert np.allclose(batch.view[0, :5], sequences[0].view)
    assert (batch.view[0, 5:] == 0).all()
    assert batch.ids[0].tolist() == VOCABULARY.encode(TEXTS[1], batch.ids.shape[1])[0].tolist()
    assert batch.progress[0, :5].tolist() == pytest.approx([0.0, 0.2, 0.0, 0.6, 0.8])


def test_mirroring_twice_changes_nothing(sequences: Sequences) -> None:
    once = mirrored_looks(sequences[0])
    assert np.array_equal(once.depth[0].reshape(6, 6), sequences[0].depth[0].reshape(6, 6)[:, ::-1])
    assert np.array_equal(once.view[0].reshape(6, 6, -1)[2, 1], sequences[0].view[0].reshape(6, 6, -1)[2, 4])
    decided = sequences[0].label[:, 0] == 0
    assert np.array_equal(once.label[decided, 1], (24 - sequences[0].label[decided, 1]) % 24)
    for name, value in vars(mirrored_looks(once)).items():
        assert np.array_equal(value, getattr(sequences[0], name)), name


def test_chance_follows_from_the_random_numbers_alone(sequences: Sequences) -> None:
    batches = Batches(sequences, VOCABULARY, Augmentation(0.5, 0.3, 0.3))
    first, again, other = (
        batches.batch([0, 1, 2], [0, 0, 0], np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name)), name
    assert not torch.equal(first.view, other.view)
    blank = (first.view == 0).all(dim=-1) & first.decides[..., None]
    assert 0.05 < float(blank.float().mean()) < 0.6


def test_a_mirrored_text_swaps_its_sides(sequences: Sequences) -> None:
    batches = Batches(sequences, VOCABULARY, Augmentation(1.0, 0.0, 0.0))
    ids = batches.batch([1], [0], np.random.default_rng(0)).ids[0]
    assert ids.tolist() == VOCABULARY.encode(TEXTS[1].replace("right", "left"), len(ids))[0].tolist()


def test_shards_of_other_senses_are_refused(tmp_path: Path) -> None:
    folders = [write_sequences(tmp_path / name) for name in "ab"]
    both = Sequences(folders)
    assert len(both) == 6
    assert both.route.tolist() == [0, 1, 2, 3, 4, 5]
    assert both.instructions[3] == TEXTS
    assert both.decisions == 2 * (3 + 2 + 7)
    index = folders[1] / "index.json"
    index.write_text(index.read_text().replace("semantic", "mini"))
    with pytest.raises(ValueError, match="perception"):
        Sequences(folders)
