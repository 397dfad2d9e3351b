from __future__ import annotations

import dataclasses
import pickle

import pytest

from vlnenv.episodes import Episode, EpisodeDataset, episodes_hash


def make_episode(episode_id: str, **changes: object) -> Episode:
    episode = Episode(
        episode_id=episode_id,
        trajectory_id="7",
        scene_id="houses/train/0003",
        start_position_m=(1.0, 0.0, 2.0),
        start_rotation_xyzw=(0.0, 0.0, 0.0, 1.0),
        instruction="Go to the sofa.",
    )
    return dataclasses.replace(episode, **changes)  # type: ignore[arg-type]


def make_dataset() -> EpisodeDataset:
    return EpisodeDataset("toy", "train", tuple(make_episode(str(each)) for each in (10, 11, 25)))


def test_look_up_by_id_and_index() -> None:
    dataset = make_dataset()
    assert len(dataset) == 3
    assert [each.episode_id for each in dataset] == ["10", "11", "25"]
    assert dataset.by_id("25") is dataset[2]
    assert dataset.index_of("11") == 1
    assert "10" in dataset
    assert "12" not in dataset


def test_unknown_id_names_count_and_nearest() -> None:
    with pytest.raises(KeyError, match=r"no episode '26' in toy train, which has 3 episodes.*'25'"):
        make_dataset().by_id("26")
    with pytest.raises(KeyError, match="ids are strings"):
        make_dataset().by_id(10)  # type: ignore[arg-type]


def test_duplicate_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="'1' occurs twice in toy val, at positions 0 and 1"):
        EpisodeDataset("toy", "val", (make_episode("1"), make_episode("1")))


def test_hash_names_the_episodes_and_nothing_else() -> None:
    dataset = make_dataset()
    assert len(dataset.hash) == 16
    assert dataset.hash == episodes_hash(dataset.episodes)
    assert EpisodeDataset("other", "val", dataset.episodes).hash == dataset.hash
    for changes in (
        {"instruction": "Stop."},
        {"start_position_m": (1.0, 0.0, 2.0000000001)},
        {"extra": {"a": 1}},
    ):
        changed = (dataset[0], make_episode("11", **changes), dataset[2])
        assert EpisodeDataset("toy", "train", changed).hash != dataset.hash
    assert EpisodeDataset("toy", "train", dataset.episodes[::-1]).hash != dataset.hash
    assert dataset.hash == "fa42b0c02726f965"  # of these three episodes, on every machine


def test_select_keeps_order_and_rehashes() -> None:
    chosen = make_dataset().select(["25", "10"])
    assert [each.episode_id for each in chosen] == ["25", "10"]
    assert chosen.hash == episodes_hash(chosen.episodes)
    assert chosen.hash != make_dataset().hash
    with pytest.raises(KeyError, match="'99'"):
        make_dataset().select(["99"])


def test_survives_pickle() -> None:
    dataset = make_dataset()
    copy = pickle.loads(pickle.dumps(dataset))
    assert copy == dataset
    assert copy.by_id("25") == dataset.by_id("25")
