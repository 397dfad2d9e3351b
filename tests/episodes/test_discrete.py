from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.shared_data import shared_data
from vlnenv.episodes import EpisodeFileError, read_r2r_ce, write_r2r_ce
from vlnenv.episodes.discrete import convert
from vlnenv.episodes.viewpoints import find_graphs, read_graph

SCANS = {"5LpN3gDmAk7", "kEZ7cmS4wCh", "qoiz87JEwZ2"}


def viewpoint(
    name: str, x: float, y: float, z: float, joined: list[bool], included: bool = True
) -> dict[str, Any]:
    pose = np.eye(4)
    pose[:3, 3] = x, y, z
    return {"image_id": name, "pose": pose.ravel().tolist(), "included": included, "unobstructed": joined}


@pytest.fixture
def graphs(tmp_path: Path) -> Path:
    """A corridor of four viewpoints, 2 m apart along the scan's y, and one that is not in use."""
    ways = np.zeros((5, 5), dtype=bool)
    for first in (0, 1, 2):
        ways[first, first + 1] = ways[first + 1, first] = True
    ways[0, 4] = ways[4, 0] = ways[3, 4] = ways[4, 3] = True  # a short cut over what is not in use
    folder = tmp_path / "connectivity"
    folder.mkdir()
    records = [viewpoint("abcd"[row], 1.0, 2.0 * row, 1.5, ways[row].tolist()) for row in range(4)]
    records.append(viewpoint("e", 1.0, 3.0, 1.5, ways[4].tolist(), included=False))
    (folder / "S1_connectivity.json").write_text(json.dumps(records))
    return folder


def paths(**changes: Any) -> list[dict[str, Any]]:
    first = {
        "scan": "S1",
        "path_id": 7,
        "id": "7_3",
        "objId": 3,
        "path": ["a", "b", "c", "d"],
        "heading": 0.6,
        "instructions": ["Go. ", "Walk."],
    }
    other = {**first, "scan": "S2", "path_id": 8, "id": "8_3"}
    return [{**first, **changes}, other, other]


def save(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def test_a_path_becomes_an_episode_an_instruction(graphs: Path, tmp_path: Path) -> None:
    made = convert(save(tmp_path / "r2r.json", paths()), graphs, "r2r", split="val", first_id=5)
    assert made.skipped == {"S2": 2}
    assert made.paths == 1
    first, second = made.dataset
    assert (first.episode_id, second.episode_id, first.trajectory_id) == ("5", "6", "7")
    assert (first.instruction, second.instruction) == ("Go. ", "Walk."), "as written"
    assert first.scene_id == "mp3d/S1/S1.glb"
    assert first.start_position_m == (1.0, 0.25, -0.0)
    assert first.goal_position_m == (1.0, 0.25, -6.0)
    assert len(first.reference_path_m) == 4
    assert first.geodesic_distance_m == pytest.approx(6.0), "the viewpoint that is not in use is no way"
    x, y, z, w = first.start_rotation_xyzw
    assert (x, z) == (0.0, 0.0)
    assert math.remainder(2 * math.atan2(y, w) + 0.6, math.tau) == pytest.approx(0.0), "clockwise to the left"
    assert first.target is None


def test_headings_are_rounded_on_request(graphs: Path, tmp_path: Path) -> None:
    made = convert(save(tmp_path / "r2r.json", paths()), graphs, "r2r", heading_step_deg=30.0)
    _, y, _, w = made.dataset[0].start_rotation_xyzw
    assert math.degrees(math.remainder(-2 * math.atan2(y, w), math.tau)) == pytest.approx(30.0)


def test_reveries_target_is_kept_with_where_it_is_visible_from(graphs: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "reverie.json", paths())
    plain = convert(file, graphs, "reverie").dataset[0]
    assert plain.trajectory_id == "7_3"
    assert plain.target is not None
    assert (plain.target.object_id, plain.target.category, plain.target.viewpoints_m) == ("3", "", ())
    boxes = tmp_path / "bbox"
    boxes.mkdir()
    for name, seen in (("c", {"9": {"name": "bin"}}), ("d", {"3": {"name": "toilet", "visible_pos": [6]}})):
        save(boxes / f"S1_{name}.json", {name: seen})
    made = convert(file, graphs, "reverie", boxes=boxes)
    target = made.dataset[0].target
    assert target is not None
    assert (target.category, target.viewpoints_m) == ("toilet", ((1.0, 0.25, -6.0),))
    write_r2r_ce(made.dataset, tmp_path / "val.json.gz")
    assert read_r2r_ce(tmp_path / "val.json.gz").episodes == made.dataset.episodes


def test_a_test_split_has_starts_alone(graphs: Path, tmp_path: Path) -> None:
    value = paths(path=["b"])
    del value[0]["objId"]
    episode = convert(save(tmp_path / "test.json", value), graphs, "reverie").dataset[0]
    assert episode.goal_position_m is episode.geodesic_distance_m is episode.target is None
    assert episode.reference_path_m == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"path": ["a", "x"]}, r"path at index 0, field 'path'.*viewpoint 'x' is not among the 4 of S1"),
        ({"path": []}, "field 'path': expected a list of strings with at least one"),
        ({"path": ["a", "e"]}, "viewpoint 'e' is not among"),
        ({"heading": "north"}, "field 'heading'"),
        ({"instructions": "Go."}, "field 'instructions'"),
        ({"objId": True}, "field 'objId'"),
    ],
)
def test_broken_paths_are_named(graphs: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    file = save(tmp_path / "broken.json", paths(**changes))
    with pytest.raises(EpisodeFileError, match=message) as caught:
        convert(file, graphs, "reverie")
    assert str(file) in str(caught.value)


def test_what_is_missing_is_named(graphs: Path, tmp_path: Path) -> None:
    file = save(tmp_path / "r2r.json", paths())
    with pytest.raises(FileNotFoundError, match="expected files named SCAN_conn"):
        convert(file, tmp_path, "r2r")
    with pytest.raises(FileNotFoundError, match="bounding boxes"):
        convert(file, graphs, "reverie", boxes=tmp_path / "none")
    with pytest.raises(ValueError, match="Did you mean 'reverie'"):
        convert(file, graphs, "reveri")
    with pytest.raises(EpisodeFileError, match="expected a list of paths, got dict"):
        convert(save(tmp_path / "other.json", {}), graphs, "r2r")
    save(graphs / "S1_connectivity.json", [{"image_id": "a", "included": True, "pose": [1]}])
    with pytest.raises(EpisodeFileError, match="viewpoint at index 0, field 'pose'"):
        convert(file, graphs, "r2r")


@pytest.mark.parametrize(
    ("kind", "file", "paths", "episodes", "skipped"),
    [
        ("r2r", "r2r/R2R_val_seen.json", 23, 69, 317),
        ("reverie", "reverie/data_v2_REVERIE_val_seen.json", 33, 93, 468),
    ],
)
def test_the_real_files_convert(
    kind: str, file: str, paths: int, episodes: int, skipped: int, tmp_path: Path
) -> None:
    made = convert(shared_data(file), shared_data("mp3d_connectivity"), kind, split="val_seen")
    assert (made.paths, len(made.dataset), sum(made.skipped.values())) == (paths, episodes, skipped)
    assert not SCANS & made.skipped.keys()
    assert {each.scene_id.split("/")[1] for each in made.dataset} == SCANS
    assert all((each.target is not None) == (kind == "reverie") for each in made.dataset)
    write_r2r_ce(made.dataset, tmp_path / "val_seen.json.gz")
    assert read_r2r_ce(tmp_path / "val_seen.json.gz").hash == made.dataset.hash


def test_graph_distances_are_r2rs_own() -> None:
    stated = {
        item["path_id"]: item["distance"]
        for item in json.loads(shared_data("r2r/R2R_val_seen.json").read_text())
    }
    made = convert(shared_data("r2r/R2R_val_seen.json"), shared_data("mp3d_connectivity"), "r2r")
    for episode in made.dataset:
        assert episode.geodesic_distance_m == pytest.approx(stated[int(episode.trajectory_id)], abs=0.011)


def test_converted_r2r_is_r2r_ce_but_for_the_height() -> None:
    """R2R-CE's authors put viewpoints on the navigable floor; x and z are the graph's, headings rounded."""
    made = convert(
        shared_data("r2r/R2R_val_seen.json"),
        shared_data("mp3d_connectivity"),
        "r2r",
        split="val_seen",
        heading_step_deg=30.0,
    )
    real = read_r2r_ce(shared_data("r2r_ce/R2R_VLNCE_v1-3_preprocessed/val_seen/val_seen.json.gz"))
    ours = {each.trajectory_id: each for each in made.dataset}
    texts = {(each.trajectory_id, each.instruction) for each in made.dataset}
    same = [each for each in real if each.trajectory_id in ours]
    assert len({each.trajectory_id for each in same}) == 19
    below_m, farther = [], []
    for theirs in same:
        mine = ours[theirs.trajectory_id]
        # R2R has since corrected three typing errors, one of them here: a double space.
        assert (theirs.trajectory_id, theirs.instruction.replace("Walk  outside", "Walk outside")) in texts
        assert theirs.scene_id == mine.scene_id
        dot = np.dot(theirs.start_rotation_xyzw, mine.start_rotation_xyzw)
        assert abs(dot) == pytest.approx(1.0, abs=1e-6)
        points, reals = np.array(mine.reference_path_m), np.array(theirs.reference_path_m)
        np.testing.assert_allclose(points[:, [0, 2]], reals[:, [0, 2]], atol=1e-4)
        below_m += (reals - points)[:, 1].tolist()
        assert mine.geodesic_distance_m is not None
        assert theirs.geodesic_distance_m is not None
        farther.append(mine.geodesic_distance_m / theirs.geodesic_distance_m)
    assert np.abs(below_m).max() < 0.5, "or the environment could not put them on the floor"
    assert np.median(np.abs(below_m)) == pytest.approx(0.137, abs=0.01)
    assert 0.9 < min(farther) < np.median(farther) < 1.1 < max(farther) < 1.4


def test_the_real_graphs_are_read() -> None:
    files = find_graphs(shared_data("mp3d_connectivity"))
    assert files.keys() == SCANS
    graph = read_graph(files["kEZ7cmS4wCh"])
    assert len(graph.position_m) == 220 - 21
