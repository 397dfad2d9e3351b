from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from tests.episodes.test_r2r_ce import contents, record, rollouts, save
from tests.shared_data import shared_data
from vlnenv.data_check import Finding, check_data, scene_problem
from vlnenv.datasets import DISCRETE, EPISODES, SCENES


def check(folder: Path) -> dict[str, Finding]:
    return {finding.name: finding for finding in check_data(folder)}


def put(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return save(path, value)


def glb(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    trimesh.creation.box().export(path)
    return path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize("exists", [True, False])
def test_an_empty_folder_lacks_everything_and_breaks_nothing(tmp_path: Path, exists: bool) -> None:
    findings = check_data(tmp_path if exists else tmp_path / "none")
    names = [finding.name for finding in findings]
    assert names == [*EPISODES, *SCENES, *DISCRETE]
    for finding in findings:
        assert finding.missing
        assert not finding.found
        assert not finding.broken
        assert finding.ask.startswith(("https://", "sign the terms"))
        assert finding.licence
    assert "val_unseen" in findings[0].missing[0]


def test_every_data_set_is_found_where_its_authors_put_it(tmp_path: Path) -> None:
    datasets = tmp_path / "datasets"
    put(datasets / "R2R_VLNCE_v1-3_preprocessed/envdrop/envdrop.json.gz", contents(record()))
    put(datasets / "R2R_VLNCE_v1-3_preprocessed/envdrop/envdrop_gt.json.gz", rollouts())
    put(datasets / "RxR_VLNCE_v0/val_seen/val_seen_guide.json.gz", contents(record()))
    put(datasets / "RxR_VLNCE_v0/val_seen/val_seen_guide_gt.json.gz", rollouts())
    put(datasets / "RxR_VLNCE_v0/val_seen/val_seen_follower.json.gz", contents(record()))
    put(datasets / "reverie_training_data/AB.glb.json", [record(50001)])
    put(datasets / "reverie_train_gt.json", {"50001": rollouts()["1"]})
    put(datasets / "reverie_val_unseen_data.json", contents(record()))
    put(tmp_path / "NavRAG_CE/val_unseen/val_unseen.json.gz", contents(record()))
    put(datasets / "r2r_scalevln_training_data/AB.glb.json", [record()])
    glb(tmp_path / "scene_datasets/mp3d/AB/AB.glb")
    for name in ("XY.basis.glb", "XY.glb", "XY.semantic.glb"):
        glb(tmp_path / "scene_datasets/hm3d/val/00800-XY" / name)
    glb(tmp_path / "scene_datasets/gibson/Adrian.glb")
    found = check(tmp_path)
    splits = {name: [line.split(":")[0] for line in found[name].found] for name in EPISODES}
    assert splits == {
        "r2r_ce": ["envdrop"],
        "rxr_ce": ["val_seen_follower", "val_seen"],
        "reverie_ce": ["val_unseen", "train"],
        "navrag_ce": ["val_unseen"],
        "scalevln_ce": ["train"],
    }
    assert "1 episodes (1 with ground truth) in 1 scenes, 1 of which are here" in found["r2r_ce"].found[0]
    assert "(1 with ground truth)" in found["reverie_ce"].found[1], "its ground truth has a name of its own"
    assert "envdrop," not in found["r2r_ce"].missing[0]
    assert [found[name].found[0][:4] for name in ("mp3d", "hm3d", "gibson")] == ["1 of"] * 3
    assert not any(finding.broken for finding in found.values())
    assert not found["mp3d"].missing


def test_scenes_that_episodes_name_are_missed(tmp_path: Path) -> None:
    put(tmp_path / "R2R_VLNCE_v1-3/train/train.json.gz", contents(record()))
    found = check(tmp_path)
    assert "0 of which are here" in found["r2r_ce"].found[0]
    assert found["mp3d"].missing == ("1 scenes that episodes here name: mp3d/AB/AB.glb",)
    assert found["hm3d"].missing == ("all 900 scenes",)


def test_truncated_files_are_named(tmp_path: Path) -> None:
    split = put(tmp_path / "R2R_VLNCE_v1-3/train/train.json.gz", contents(record()))
    gt = put(tmp_path / "RxR_VLNCE_v0/train/train_guide_gt.json.gz", rollouts())
    put(tmp_path / "RxR_VLNCE_v0/train/train_guide.json.gz", contents(record()))
    scene = glb(tmp_path / "mp3d/AB/AB.glb")
    graph = put(tmp_path / "connectivity/AB_connectivity.json", [{"included": True}])
    assert [name for name, finding in check(tmp_path).items() if finding.broken] == ["connectivity"]
    discrete = put(tmp_path / "r2r/R2R_train.json", {})
    for path in (split, gt, scene):
        cut(path)
    found = check(tmp_path)
    for name, path, word in (
        ("r2r_ce", split, "truncated or corrupt"),
        ("rxr_ce", gt, "truncated or corrupt"),
        ("mp3d", scene, "truncated: "),
        ("connectivity", graph, "field 'pose'"),
        ("r2r", discrete, "expected a list of paths, got dict"),
    ):
        assert len(found[name].broken) == 1
        assert str(path) in found[name].broken[0]
        assert word in found[name].broken[0]
        assert not found[name].found
    assert "train" not in found["r2r_ce"].missing[0].split(", "), "it is there, though broken"


def test_scene_files_are_judged_by_their_headers(tmp_path: Path) -> None:
    mesh = trimesh.creation.icosphere()
    mesh.visual = trimesh.visual.ColorVisuals(
        mesh, vertex_colors=np.full((len(mesh.vertices), 4), 200, np.uint8)
    )
    for name in ("a.ply", "a.glb", "a.obj"):
        mesh.export(tmp_path / name)
        assert scene_problem(tmp_path / name) is None, name
    for name in ("a.ply", "a.glb"):
        cut(tmp_path / name)
        assert "truncated" in str(scene_problem(tmp_path / name)), name
    (tmp_path / "b.glb").write_bytes(b"<html>")
    assert "begins with glTF, got b'<htm'" in str(scene_problem(tmp_path / "b.glb"))
    (tmp_path / "b.ply").write_bytes(b"ply\nformat")
    assert "no end" in str(scene_problem(tmp_path / "b.ply"))
    (tmp_path / "c.obj").write_bytes(b"")
    assert scene_problem(tmp_path / "c.obj") == "the file is empty"
    (tmp_path / "long.glb").write_bytes(b"glTF" + struct.pack("<II", 2, 12) + b"padding")
    assert scene_problem(tmp_path / "long.glb") is None


def test_the_shared_folder_is_read() -> None:
    shared = shared_data("README.md").parent
    found = check(shared)
    lines = "\n".join(found["r2r_ce"].found)
    assert "val_seen: 778 episodes (778 with ground truth) in 53 scenes, 0 of which are here" in lines
    assert "test: 3408 episodes (0 with ground truth)" in lines
    assert found["r2r_ce"].missing == ("splits train, val_unseen, envdrop, joint_train_envdrop",)
    assert found["mp3d"].missing[0].startswith("71 scenes that episodes here name")
    assert found["r2r"].found == ("340 paths: r2r/R2R_val_seen.json",)
    assert found["reverie"].found == ("501 paths: reverie/data_v2_REVERIE_val_seen.json",)
    assert found["connectivity"].found == ("3 of 90 graphs",)
    assert not any(finding.broken for finding in found.values())
    for path in sorted(shared.glob("scenes/*.glb")):
        assert scene_problem(path) is None


def test_the_table_is_plain_text() -> None:
    for source in (*EPISODES.values(), *SCENES.values(), *DISCRETE.values()):
        assert json.dumps([source.title, source.licence, source.ask]).isascii()
