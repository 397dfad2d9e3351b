from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from agents.expert import ExpertAgent
from tests.small_houses import FIRST, HOUSES
from vlnenv.episodes import EpisodeDataset
from vlnenv.evaluation.submission import write_r2r_submission, write_rxr_submission
from vlnenv.metrics import path_length
from vlnenv.recordings import Recordings, record
from vlnenv.vector import VLNVectorEnv


@pytest.fixture(scope="module")
def recorded() -> tuple[Recordings, EpisodeDataset]:
    env = VLNVectorEnv(2, **HOUSES, observation="rgbd", image_size=8, autoreset_mode="Disabled")
    ids = FIRST[:3]
    recordings = record(ExpertAgent(), env, ids, progress=False)
    numbered = [
        dataclasses.replace(each, extra={"instruction": {"instruction_id": str(90 - index)}})
        for index, each in enumerate(env.batch.dataset.select(ids))
    ]
    return recordings, EpisodeDataset("rxr_ce", "val_unseen", tuple(numbered))


def test_r2rs_file_has_each_pose_once_and_ends_with_stop(
    recorded: tuple[Recordings, EpisodeDataset], tmp_path: Path
) -> None:
    recordings, dataset = recorded
    write_r2r_submission(recordings, dataset, tmp_path / "r2r.json")
    written = json.loads((tmp_path / "r2r.json").read_text())
    assert list(written) == [each.episode_id for each in dataset]
    for recording in recordings:
        poses = written[recording.episode_id]
        assert poses[0]["position"] == recording.position_m[0].tolist()
        assert poses[-1]["position"] == recording.position_m[-1].tolist()
        assert [pose["stop"] for pose in poses] == [False] * (len(poses) - 1) + [True]
        assert len(poses) == len(recording), "each action but STOP made a new pose, after the start"
        assert all(-np.pi <= pose["heading"] <= np.pi for pose in poses)
        walked_m = path_length(np.array([pose["position"] for pose in poses]))
        assert walked_m == pytest.approx(recording.metrics["path_length"])


def test_rxrs_file_is_sorted_and_has_changed_positions_alone(
    recorded: tuple[Recordings, EpisodeDataset], tmp_path: Path
) -> None:
    recordings, dataset = recorded
    write_rxr_submission(recordings, dataset, tmp_path / "rxr.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "rxr.jsonl").read_text().splitlines()]
    assert [line["instruction_id"] for line in lines] == [88, 89, 90]
    by_id = {each.episode_id: each for each in recordings}
    for line, episode in zip(lines, reversed(dataset.episodes), strict=True):
        path_m = np.array(line["path"])
        assert (np.linalg.norm(np.diff(path_m, axis=0), axis=1) > 0).all()
        turns = (np.diff(by_id[episode.episode_id].position_m, axis=0) == 0).all(axis=1).sum()
        assert len(path_m) == len(by_id[episode.episode_id].position_m) - turns


def test_an_incomplete_or_foreign_submission_is_refused(
    recorded: tuple[Recordings, EpisodeDataset], tmp_path: Path
) -> None:
    recordings, dataset = recorded
    first = recordings[0]
    with pytest.raises(ValueError, match="2 of 3 are missing"):
        write_r2r_submission([first], dataset, tmp_path / "x.json")
    with pytest.raises(ValueError, match="recorded twice"):
        write_rxr_submission([first, first], dataset, tmp_path / "x.jsonl")
    with pytest.raises(ValueError, match="'z' is not in rxr_ce val_unseen"):
        write_r2r_submission([dataclasses.replace(first, episode_id="z")], dataset, tmp_path / "x.json")
    one = EpisodeDataset("r2r_ce", "test", (dataclasses.replace(dataset.by_id(first.episode_id), extra={}),))
    with pytest.raises(ValueError, match="no instruction_id"):
        write_rxr_submission([first], one, tmp_path / "x.jsonl")
    far = np.arange(1506.0).reshape(502, 3)
    long = dataclasses.replace(first, position_m=far, heading_rad=np.zeros(502))
    with pytest.raises(ValueError, match="502 poses, of which VLN-CE takes 500"):
        write_r2r_submission([long], one, tmp_path / "x.json")
    assert not list(tmp_path.iterdir())
    used_up = dataclasses.replace(first, position_m=far[:501], heading_rad=np.zeros(501))
    write_r2r_submission([used_up], one, tmp_path / "x.json")
    poses = json.loads((tmp_path / "x.json").read_text())[first.episode_id]
    assert (len(poses), poses[-1]["stop"]) == (500, True)
