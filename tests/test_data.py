"""Where episodes and scenes come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.episodes.test_r2r_ce import contents, record, rollouts, save
from tests.episodes.test_rxr_ce import rxr_record
from tests.shared_data import shared_data
from vlnenv import houses
from vlnenv.data import find_split, installed_splits, load_dataset
from vlnenv.datasets import EPISODES
from vlnenv.env import VLNEnv


def put(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return save(path, value)


def test_splits_are_found_by_name(tmp_path: Path) -> None:
    rxr = tmp_path / "datasets" / "RxR_VLNCE_v0"
    put(rxr / "train/train_guide.json.gz", {"episodes": [rxr_record("1", "hi-IN")]})
    put(rxr / "train/train_follower.json.gz", {"episodes": [rxr_record("2", "en-US")]})
    put(tmp_path / "datasets/reverie_training_data/AB.glb.json", [record(50_001)])
    put(tmp_path / "datasets/reverie_train_gt.json", {"50001": rollouts()["1"]})
    put(tmp_path / "datasets/navrag_val_unseen_data.json", contents(record()))
    put(tmp_path / "datasets/navrag_val_unseen_gt.json", rollouts())
    put(tmp_path / "R2R_VLNCE_v1-3/joint_train_envdrop/joint_train_envdrop.json.gz", contents(record()))
    assert installed_splits("rxr_ce", tmp_path) == ["train", "train_follower"]
    guide = load_dataset("rxr_ce", "train", tmp_path)
    assert (guide.name, guide.split, guide[0].language) == ("rxr_ce", "train", "hi-IN")
    assert "timed_instruction" not in guide[0].extra["instruction"]
    assert load_dataset("rxr_ce", "train_follower", tmp_path)[0].episode_id == "2"
    assert load_dataset("reverie_ce", "train", tmp_path)[0].gt_actions == (1, 0)
    navrag = load_dataset("navrag_ce", "val_unseen", tmp_path)
    assert navrag[0].gt_actions == (1, 0)
    assert find_split("navrag_ce", "train", tmp_path) is None
    assert installed_splits("r2r_ce", tmp_path) == ["joint_train_envdrop"]
    with pytest.raises(ValueError, match="Did you mean 'train'"):
        load_dataset("rxr_ce", "trein", tmp_path)


@pytest.mark.parametrize("name", EPISODES)
def test_what_is_not_installed_says_where_it_was_searched_and_where_to_get_it(
    name: str, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="is not installed") as caught:
        load_dataset(name, "train", tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert EPISODES[name].ask in str(caught.value)


def test_files_and_folders_are_data_sets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = put(tmp_path / "x" / "train_guide.json.gz", {"episodes": [rxr_record("1", "te-IN")]})
    assert load_dataset(str(file), "mine").split == "mine"
    put(tmp_path / "lists" / "AB.glb.json", [record(3)])
    assert load_dataset(str(tmp_path / "lists"), "mine")[0].episode_id == "3"
    with pytest.raises(FileNotFoundError, match=r"no episode file nowhere\.json"):
        load_dataset("nowhere.json", "train")
    # A folder that happens to have a data set's name does not hide the data set.
    (tmp_path / "r2r_ce").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="r2r_ce is not installed"):
        load_dataset("r2r_ce", "train", tmp_path)


def test_a_task_runs_on_its_own_data_set_where_that_is_installed(tmp_path: Path) -> None:
    put(
        tmp_path / "RxR_VLNCE_v0/train/train_guide.json.gz",
        {"episodes": [rxr_record("1", "hi-IN"), rxr_record("2", "en-US"), rxr_record("3", "en-IN")]},
    )
    env = VLNEnv(task="RxRCE", data_dir=str(tmp_path), languages=["en"], observation="rgbd")
    assert env.batch.dataset.name == "rxr_ce"
    assert [each.episode_id for each in env.batch.episodes] == ["2", "3"]
    assert env.observation_space["instruction"].contains("सोफे के पास रुकें।")
    with pytest.raises(ValueError, match="its languages are en-IN, en-US, hi-IN"):
        VLNEnv(task="RxRCE", data_dir=str(tmp_path), languages=["te"], observation="rgbd")


def test_the_real_split_is_loaded_from_the_shared_folder() -> None:
    root = shared_data("r2r_ce").parent
    assert installed_splits("r2r_ce", root) == ["test", "val_seen"]
    dataset = load_dataset("r2r_ce", "val_seen", root)
    assert (dataset.name, len(dataset), bool(dataset[0].gt_actions)) == ("r2r_ce", 778, True)


def test_the_houses_are_asked_for_the_tasks_style(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = houses.load_episodes

    def load(split: str, style: str) -> object:
        asked.append(style)
        return real(split, style)

    monkeypatch.setattr(houses, "load_episodes", load)
    for task in ("R2RCE", "REVERIECE", "NavRAGCE", "RxRCE"):
        VLNEnv(task=task, dataset="houses", split="val_unseen", observation="rgbd", image_size=8)
    assert asked == ["r2r", "reverie", "navrag", "r2r"]
