from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from agents.baselines.agent import BaselineAgent
from agents.baselines.config import SequenceConfig
from agents.baselines.sequences import Round, Sequences, collect_sequences
from tests.agents.baselines.fakes import SEMANTIC, small_network


@pytest.fixture
def config(episode_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> SequenceConfig:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    return SequenceConfig(dataset=str(episode_file), perception=SEMANTIC, wrong_turn=0.2)


def test_the_experts_walks_are_noted_look_by_look(config: SequenceConfig) -> None:
    found = Sequences(collect_sequences(dataclasses.replace(config, wrong_turn=0.0, jitter=0.0), 2))
    assert len(found) == 2
    assert found.token_dim == 64
    assert found.perception.encoder == "semantic"
    assert found.perception.memory is not None, "spelt out"
    assert found.look_around
    for index in range(2):
        episode = found[index]
        assert (episode.label[:6] == -1).all(), "the whole turn at the beginning"
        assert episode.previous[:7].tolist() == [[-1] * 3, *[[0, 4, 0]] * 6]
        decided = np.flatnonzero(episode.label[:, 0] >= 0)
        assert decided[0] == 6
        assert episode.label[-1].tolist() == [1, 0, 0]
        assert (episode.label[decided[:-1], 0] == 0).all()
        progress = episode.goal[decided, 3]
        assert (np.diff(progress) >= 0).all()
        assert progress[-1] > progress[0]
        # What was carried out is what was decided, as long as the turn needs no pieces.
        for before, after in itertools.pairwise(decided):
            if after == before + 1:
                assert episode.previous[after].tolist() == episode.label[before].tolist()
    assert found.decisions == sum(int((found[index].label[:, 0] >= 0).sum()) for index in range(2))


def test_the_number_of_slots_does_not_matter_and_the_cache_is_used(
    config: SequenceConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    folders = collect_sequences(config, 2)
    assert folders[0].is_relative_to(cache / "sequences")
    written = (folders[0] / "index.json").stat().st_mtime_ns
    assert collect_sequences(config, 1) == folders
    assert (folders[0] / "index.json").stat().st_mtime_ns == written
    (tmp_path / "other").mkdir()
    for name in ("houses-v1", "navigation"):
        if (cache / name).exists():
            (tmp_path / "other" / name).symlink_to(cache / name)
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path / "other"))
    again = collect_sequences(config, 1)
    assert again != folders
    one, other = Sequences(folders), Sequences(again)
    for index in range(2):
        for name, value in vars(one[index]).items():
            assert np.array_equal(value, getattr(other[index], name)), name


def test_in_dagger_the_learner_walks_and_the_expert_labels(config: SequenceConfig) -> None:
    class Counting(BaselineAgent):
        looks = 0

        def _look(self, observations, slots):  # type: ignore[no-untyped-def]
            self.looks += len(slots)
            return super()._look(observations, slots)

    config = dataclasses.replace(config, wrong_turn=0.0, jitter=0.0, max_decisions=12)
    learner = Counting(small_network(token_dim=64))
    found = Sequences(collect_sequences(config, 2, Round(1, 0.0, "a"), learner))
    assert learner.looks == found.lengths.sum(), "each look once"
    differs = [
        found[index].previous[row + 1].tolist() != found[index].label[row].tolist()
        for index in range(2)
        for row in np.flatnonzero(found[index].label[:-1, 0] >= 0)
    ]
    assert any(differs)
    assert max((found[index].label[:, 0] >= 0).sum() for index in range(2)) <= 12
    with pytest.raises(ValueError, match="needs a learner"):
        collect_sequences(config, 2, Round(1, 0.5, "b"))
