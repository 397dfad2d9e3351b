from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.episodes.test_r2r_ce import load, record, rollouts, save
from vlnenv.episodes import EpisodeFileError, read_scene_lists, write_scene_lists


def list_of(scene: str, *ids: int) -> list[dict[str, Any]]:
    return [{**record(episode_id), "scene_id": scene} for episode_id in ids]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As Dynam3D writes its REVERIE-CE: MP3D's and HM3D's scenes by the names of their files."""
    lists = tmp_path / "reverie_training_data"
    lists.mkdir()
    save(lists / "B.basis.glb.json", list_of("hm3d/train/00001-B/B.basis.glb", 50_003))
    save(lists / "A.glb.json", list_of("mp3d/A/A.glb", 50_001, 50_002))
    save(tmp_path / "reverie_train_gt.json", {"50001": rollouts()["1"]})
    return lists


def test_lists_round_trip(folder: Path, tmp_path: Path) -> None:
    gt = folder.with_name("reverie_train_gt.json")
    dataset = read_scene_lists(folder, gt_path=gt, name="reverie_ce")
    assert (dataset.name, dataset.split) == ("reverie_ce", "train")
    assert [each.episode_id for each in dataset] == ["50001", "50002", "50003"]
    assert [bool(each.gt_locations_m) for each in dataset] == [True, False, False]
    out = tmp_path / "out" / "lists"
    write_scene_lists(dataset, out)
    for path in folder.iterdir():
        assert load(out / path.name) == load(path)
    assert load(tmp_path / "out" / "lists_gt.json") == load(gt)
    assert read_scene_lists(out, name="reverie_ce") == dataset
    with pytest.raises(ValueError, match="holds lists of episodes already"):
        write_scene_lists(dataset, out)


def test_what_is_wrong_is_named_with_its_file(folder: Path, tmp_path: Path) -> None:
    save(folder / "C.glb.json", list_of("mp3d/C/C.glb", 50_001))
    with pytest.raises(EpisodeFileError, match=r"C\.glb\.json: episode '50001'.*index 0 in .*A\.glb\.json"):
        read_scene_lists(folder)
    save(folder / "C.glb.json", {"episodes": []})
    with pytest.raises(
        EpisodeFileError, match=r"C\.glb\.json: top level: expected a list of episodes, got dict"
    ):
        read_scene_lists(folder)
    with pytest.raises(FileNotFoundError, match="no folder"):
        read_scene_lists(tmp_path / "none")
    (tmp_path / "bare").mkdir()
    with pytest.raises(FileNotFoundError, match=r"one \.json or \.json\.gz a scene"):
        read_scene_lists(tmp_path / "bare")


def test_scenes_with_the_same_file_name_are_refused(folder: Path, tmp_path: Path) -> None:
    save(folder / "C.glb.json", list_of("gibson/A.glb", 7))
    with pytest.raises(ValueError, match=r"would both be written to A\.glb\.json"):
        write_scene_lists(read_scene_lists(folder), tmp_path / "out")
