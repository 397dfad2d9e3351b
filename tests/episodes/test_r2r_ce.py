from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.shared_data import shared_data
from vlnenv.episodes import EpisodeDataset, EpisodeFileError, read_r2r_ce, write_r2r_ce

REAL_FILES = [
    "r2r_ce/R2R_VLNCE_v1-3/val_seen/val_seen.json.gz",
    "r2r_ce/R2R_VLNCE_v1-3_preprocessed/val_seen/val_seen.json.gz",
    "r2r_ce/R2R_VLNCE_v1-3_preprocessed/test/test.json.gz",
]


def record(episode_id: int | str = 1) -> dict[str, Any]:
    return {
        "episode_id": episode_id,
        "trajectory_id": 37,
        "scene_id": "mp3d/AB/AB.glb",
        "start_position": [5.582849979400635, -1.5, 2],
        "start_rotation": [-0.0, 0.6, -0.0, -0.8],
        "info": {"geodesic_distance": 10.25, "difficulty": "hard"},
        "goals": [{"position": [1.0, 2.0, 3.0], "radius": 3.0, "name": "sofa"}],
        "instruction": {"instruction_text": "Go.", "instruction_tokens": [2, 1, 0], "language": "en-US"},
        "reference_path": [[5.5, -1.5, 2.0], [1.0, 2.0, 3.0]],
        "start_room": None,
    }


def rollouts() -> dict[str, Any]:
    return {"1": {"locations": [[0.0, 0.0, 0.0], [0.25, 0.0, 0.0]], "actions": [1, 0], "forward_steps": 1}}


def contents(*episodes: dict[str, Any]) -> dict[str, Any]:
    return {
        "episodes": list(episodes),
        "instruction_vocab": {"word_list": ["<pad>", "go", "."], "num_vocab": 3},
    }


def save(path: Path, value: Any) -> Path:
    raw = json.dumps(value).encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def load(path: Path) -> Any:
    raw = path.read_bytes()
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


@pytest.mark.parametrize("relative", REAL_FILES)
def test_real_files_round_trip(relative: str, tmp_path: Path) -> None:
    source = shared_data(relative)
    dataset = read_r2r_ce(source)
    target = tmp_path / source.name
    write_r2r_ce(dataset, target)
    assert load(target) == load(source)
    gt_name = source.name.replace(".json", "_gt.json")
    assert (source.parent / gt_name).exists() == (tmp_path / gt_name).exists()
    if (source.parent / gt_name).exists():
        assert load(tmp_path / gt_name) == load(source.parent / gt_name)
    assert read_r2r_ce(target, name=dataset.name) == dataset


def test_real_val_seen_is_understood() -> None:
    dataset = read_r2r_ce(shared_data(REAL_FILES[1]))
    assert (dataset.name, dataset.split, len(dataset)) == ("R2R_VLNCE_v1-3_preprocessed", "val_seen", 778)
    assert dataset.vocabulary is not None
    assert len(dataset.vocabulary) == 2504
    first = dataset.by_id("1")
    assert first.trajectory_id == "37"
    assert first.start_position_m == (5.582849979400635, -1.6265579462051392, 2.817889928817749)
    assert first.instruction_tokens is not None
    words = [dataset.vocabulary[token] for token in first.instruction_tokens[:4]]
    assert words == ["walk", "down", "the", "stairs"]
    assert all(each.gt_locations_m and each.gt_actions[-1] == 0 for each in dataset)
    assert not any(each.extra for each in dataset)


def test_real_test_split_has_no_goals() -> None:
    dataset = read_r2r_ce(shared_data(REAL_FILES[2]))
    assert len(dataset) == 3408
    for each in dataset:
        assert each.goal_position_m is None
        assert each.geodesic_distance_m is None
        assert each.reference_path_m == each.gt_locations_m == ()


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_unknown_fields_and_id_types_round_trip(tmp_path: Path, suffix: str) -> None:
    value, gt = contents(record(1), record(2)), rollouts()
    value["comment"] = {"a": [1]}
    del value["episodes"][1]["info"]
    del value["episodes"][1]["instruction"]["instruction_tokens"]
    value["episodes"][0]["trajectory_id"] = value["episodes"][1]["trajectory_id"] = "x7"
    gt["1"]["forward_steps"] = 9  # another count than ours has to survive
    source = save(tmp_path / f"train{suffix}", value)
    save(tmp_path / f"train_gt{suffix}", gt)
    target = tmp_path / "out" / f"train{suffix}"
    write_r2r_ce(read_r2r_ce(source), target)
    assert load(target) == value
    assert load(tmp_path / "out" / f"train_gt{suffix}") == gt
    assert sorted(each.name for each in target.parent.iterdir()) == [f"train{suffix}", f"train_gt{suffix}"]


def test_equal_data_sets_give_equal_bytes(tmp_path: Path) -> None:
    dataset = read_r2r_ce(save(tmp_path / "a.json", contents(record())))
    write_r2r_ce(dataset, tmp_path / "x" / "a.json.gz")
    write_r2r_ce(dataset, tmp_path / "y" / "b.json.gz")
    assert (tmp_path / "x" / "a.json.gz").read_bytes() == (tmp_path / "y" / "b.json.gz").read_bytes()


def test_names_come_from_the_path_or_the_caller(tmp_path: Path) -> None:
    folder = tmp_path / "MyData" / "val"
    folder.mkdir(parents=True)
    path = save(folder / "val.json", contents(record()))
    assert (read_r2r_ce(path).name, read_r2r_ce(path).split) == ("MyData", "val")
    named = read_r2r_ce(path, name="n", split="s")
    assert (named.name, named.split) == ("n", "s")


def test_gt_is_found_given_or_left_out(tmp_path: Path) -> None:
    path = save(tmp_path / "val.json", contents(record(1), record(2)))
    assert read_r2r_ce(path).by_id("1").gt_actions == ()
    gt = save(tmp_path / "elsewhere.json.gz", rollouts())
    given = read_r2r_ce(path, gt_path=gt)
    assert given.by_id("1").gt_actions == (1, 0)
    assert given.by_id("2").gt_actions == ()
    save(tmp_path / "val_gt.json.gz", rollouts())
    assert read_r2r_ce(path).episodes == given.episodes
    with pytest.raises(FileNotFoundError):
        read_r2r_ce(path, gt_path=tmp_path / "missing.json")


def test_writer_refuses_a_stale_gt_file(tmp_path: Path) -> None:
    save(tmp_path / "val_gt.json", rollouts())
    dataset = EpisodeDataset("n", "val", ())
    with pytest.raises(ValueError, match=r"val_gt\.json belongs to other episodes"):
        write_r2r_ce(dataset, tmp_path / "val.json")
    with pytest.raises(ValueError, match=r"ending in \.json\.gz or \.json"):
        write_r2r_ce(dataset, tmp_path / "val.txt")


BROKEN = [
    (("episode_id",), None, "episode at index 1, field 'episode_id': expected an integer or a string"),
    (("episode_id",), True, "episode at index 1, field 'episode_id'"),
    (
        ("episode_id",),
        1,
        r"episode '1' \(index 1\), field 'episode_id': expected an id of its own, got that of index 0",
    ),
    (("episode_id",), "2", r"field 'episode_id': expected an integer as in the first episode, got a string"),
    (("scene_id",), 3, r"episode '2' \(index 1\), field 'scene_id': expected a string, got int 3"),
    (("start_position",), [1, 2], r"field 'start_position': expected \[x, y, z\]"),
    (("start_position",), [1, 2, "3"], "field 'start_position'"),
    (("start_rotation",), [0, 0, 0, 2], "unit quaternion .* of length 2"),
    (("instruction",), "Go.", "field 'instruction': expected a JSON object, got str 'Go.'"),
    (("instruction", "instruction_text"), None, "field 'instruction.instruction_text': expected a string"),
    (
        ("instruction", "instruction_tokens"),
        [1, -2],
        r"field 'instruction.instruction_tokens\[1\]': .* got int -2",
    ),
    (("goals",), [], "field 'goals': expected a list of one goal"),
    (("goals", 0, "position"), [1], r"field 'goals\[0\].position'"),
    (
        ("goals", 0, "radius"),
        -1,
        r"field 'goals\[0\].radius': expected a finite number of at least 0, got int -1",
    ),
    (("info", "geodesic_distance"), "far", "field 'info.geodesic_distance'"),
    (("reference_path",), [], "field 'reference_path': expected .* at least one point"),
    (("reference_path", 1), [1, 2, None], r"field 'reference_path\[1\]'"),
]


@pytest.mark.parametrize(("where", "value", "message"), BROKEN)
def test_broken_fields_are_named(tmp_path: Path, where: tuple[Any, ...], value: Any, message: str) -> None:
    second = copy.deepcopy(record(2))
    owner: Any = second
    for key in where[:-1]:
        owner = owner[key]
    owner[where[-1]] = value
    path = save(tmp_path / "val.json.gz", contents(record(1), second))
    with pytest.raises(EpisodeFileError, match=message) as caught:
        read_r2r_ce(path)
    assert str(caught.value).startswith(f"{path}: episode ")


def test_missing_field_lists_the_fields_there(tmp_path: Path) -> None:
    broken = record()
    broken["startposition"] = broken.pop("start_position")
    path = save(tmp_path / "val.json", contents(broken))
    with pytest.raises(
        EpisodeFileError, match=r"'start_position': .* missing; fields there: .*startposition"
    ):
        read_r2r_ce(path)


@pytest.mark.parametrize(
    ("field", "value"), [("locations", []), ("locations", [[0, 0]]), ("actions", [9]), ("actions", "1")]
)
def test_broken_gt_is_named(tmp_path: Path, field: str, value: Any) -> None:
    path = save(tmp_path / "val.json", contents(record(1)))
    gt = rollouts()
    gt["1"][field] = value
    save(tmp_path / "val_gt.json", gt)
    with pytest.raises(EpisodeFileError, match=rf"val_gt.json: episode '1', field '{field}"):
        read_r2r_ce(path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.json.gz", contents(record())).read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    text = gzip.decompress(whole)
    damaged = {
        "cut.json.gz": (whole[:-20], "truncated or corrupt"),
        "flipped.json.gz": (bytes(flipped), "truncated or corrupt|does not parse"),
        "cut.json": (text[:-20], "does not parse"),
        "empty.json": (b"", "does not parse"),
        "nan.json": (text.replace(b"10.25", b"NaN"), "NaN is not allowed"),
        "binary.json": (b"\xff\xfe\x00\x01", "does not parse"),
        "number.json": (b"3", "top level: expected a JSON object"),
        "other.json": (b"{}", "'episodes': expected a list of episodes, but it is missing"),
    }
    for name, (raw, message) in damaged.items():
        path = tmp_path / name
        path.write_bytes(raw)
        with pytest.raises(EpisodeFileError, match=message) as caught:
            read_r2r_ce(path)
        assert str(path) in str(caught.value)
    with pytest.raises(FileNotFoundError):
        read_r2r_ce(tmp_path / "absent.json")
