"""RxR-CE's reader on files written to its published schema (VLN-CE, habitat_extensions/task.py)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.episodes.test_r2r_ce import load, record, rollouts, save
from vlnenv.episodes import (
    EpisodeFileError,
    read_rxr_ce,
    speaks,
    text_features_path,
    write_rxr_ce,
)

LANGUAGES = ("en-US", "en-IN", "hi-IN", "te-IN")


def rxr_record(episode_id: str, language: str) -> dict[str, Any]:
    value = record(episode_id)
    del value["start_room"]
    value["instruction"] = {
        "instruction_id": f"{int(episode_id) + 40}",
        "instruction_text": {"hi-IN": "सोफे के पास रुकें।", "te-IN": "సోఫా దగ్గర ఆగండి."}.get(
            language, "Stop by the sofa."
        ),
        "language": language,
        "annotator_id": "17",
        "edit_distance": 0.25,
        "timed_instruction": [{"word": "Stop", "start_time": 0.5, "end_time": 1.25}],
        "instruction_tokens": None,
    }
    value["trajectory_id"] = "9"
    return value


@pytest.fixture
def guide(tmp_path: Path) -> Path:
    folder = tmp_path / "RxR_VLNCE_v0" / "val_unseen"
    folder.mkdir(parents=True)
    episodes = [rxr_record(str(index + 1), language) for index, language in enumerate(LANGUAGES)]
    save(folder / "val_unseen_guide_gt.json.gz", rollouts())
    return save(folder / "val_unseen_guide.json.gz", {"episodes": episodes})


def test_guides_round_trip_with_their_languages_and_timings(guide: Path, tmp_path: Path) -> None:
    dataset = read_rxr_ce(guide)
    assert (dataset.name, dataset.split) == ("RxR_VLNCE_v0", "val_unseen")
    assert [each.language for each in dataset] == list(LANGUAGES)
    assert dataset.vocabulary is None
    assert dataset.integer_ids == ()
    assert dataset[0].gt_actions == (1, 0)
    assert dataset[2].instruction == "सोफे के पास रुकें।"
    target = tmp_path / "out" / guide.name
    write_rxr_ce(dataset, target)
    assert load(target) == load(guide)
    assert load(target.with_name("val_unseen_guide_gt.json.gz")) == rollouts()
    assert read_rxr_ce(target, name=dataset.name) == dataset


def test_timings_can_be_left_out(guide: Path) -> None:
    lean, full = read_rxr_ce(guide, timings=False), read_rxr_ce(guide)
    assert "timed_instruction" in full[0].extra["instruction"]
    assert "timed_instruction" not in lean[0].extra["instruction"]
    assert lean.hash != full.hash
    assert lean[0].extra["instruction"]["instruction_id"] == "41"


def test_followers_are_a_split_of_their_own(guide: Path) -> None:
    follower = save(guide.with_name("val_unseen_follower.json.gz"), {"episodes": [rxr_record("1", "en-US")]})
    dataset = read_rxr_ce(follower)
    assert (dataset.name, dataset.split, len(dataset)) == ("RxR_VLNCE_v0", "val_unseen_follower", 1)
    assert dataset[0].gt_actions == (), "the guides' ground truth is not the followers'"


def test_a_challenge_split_has_no_goals(tmp_path: Path) -> None:
    value = rxr_record("1", "te-IN")
    del value["goals"], value["reference_path"], value["info"]
    file = save(tmp_path / "test_challenge_guide.json.gz", {"episodes": [value]})
    episode = read_rxr_ce(file)[0]
    assert episode.goal_position_m is episode.geodesic_distance_m is None


def test_text_features_are_named_by_instruction(guide: Path) -> None:
    episode = read_rxr_ce(guide)[2]
    path = text_features_path("RxR_VLNCE_v0", "val_unseen", episode)
    assert path == Path("RxR_VLNCE_v0/text_features/rxr_val_unseen/000043_hi_text_features.npz")
    nameless = dataclasses.replace(episode, extra={})
    with pytest.raises(ValueError, match="no instruction_id"):
        text_features_path("x", "train", nameless)


def test_languages_are_matched_by_prefix() -> None:
    assert speaks("en-IN", ["en"])
    assert speaks("en-IN", ["hi-IN", "en-IN"])
    assert speaks("en", ["en"])
    assert not speaks("en-IN", ["en-US"])
    assert not speaks("hi-IN", ["en"])
    assert not speaks("end", ["en"])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "language",
            3,
            r"episode '1' \(index 0\), field 'instruction.language': expected a string, got int 3",
        ),
        ("instruction_text", None, "field 'instruction.instruction_text'"),
    ],
)
def test_broken_instructions_are_named(tmp_path: Path, field: str, value: Any, message: str) -> None:
    broken = rxr_record("1", "en-US")
    broken["instruction"][field] = value
    file = save(tmp_path / "train_guide.json.gz", {"episodes": [broken]})
    with pytest.raises(EpisodeFileError, match=message):
        read_rxr_ce(file)
