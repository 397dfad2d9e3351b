from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from agents.base import load
from agents.data_commands import (
    check_folder,
    check_report,
    convert_report,
    houses_report,
    make_scene_episodes,
)
from tests.shared_data import shared_data
from vlnenv.data import load_dataset
from vlnenv.evaluation import evaluate
from vlnenv.vector import VLNVectorEnv


def test_episodes_of_a_real_scene_can_be_walked(tmp_path: Path) -> None:
    scene = shared_data("scenes/aws_small_house.glb")
    out = tmp_path / "flat.json.gz"
    report = make_scene_episodes(scene, out, count=4, seed=0)
    assert "4 on 4 routes" in report
    env = VLNVectorEnv(4, dataset=str(out), observation="rgbd", image_size=24, autoreset_mode="Disabled")
    try:
        records = evaluate(load("expert"), env, progress=False)
    finally:
        env.close()
    assert all(record["is_success"] for record in records)
    assert np.mean([record["spl"] for record in records]) > 0.97


def test_the_built_in_houses_are_described() -> None:
    report = houses_report()
    for split in ("train", "val_seen", "val_unseen"):
        assert split in report


def test_damaged_files_are_refused_with_their_path(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json.gz"
    broken.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="broken"):
        check_report(broken)
    with pytest.raises(ValueError, match=r"\.json\.gz"):
        make_scene_episodes(broken, tmp_path / "out.txt", 1, 0)


def test_a_folder_is_reported_with_what_is_missing_broken_and_where_to_ask(tmp_path: Path) -> None:
    report, is_whole = check_folder(tmp_path)
    assert is_whole
    assert report.count("  missing") == report.count("  from") == report.count("  licence") >= 12
    assert "not there" in check_folder(tmp_path / "none")[0]
    split = tmp_path / "R2R_VLNCE_v1-3" / "val_seen" / "val_seen.json.gz"
    split.parent.mkdir(parents=True)
    split.write_bytes(gzip.compress(b'{"episodes": []}')[:-4])
    report, is_whole = check_folder(tmp_path)
    assert not is_whole
    assert f"  broken    {split}: expected a whole gzip file" in report
    assert "  found" not in report


def test_the_shared_folder_is_reported() -> None:
    report, is_whole = check_folder(shared_data("README.md").parent)
    assert is_whole
    assert "  found     val_seen: 778 episodes" in report
    assert "71 scenes that episodes here name" in report
    assert "https://storage.googleapis.com/rxr-habitat/RxR_VLNCE_v0.zip" in report


def test_a_real_file_is_converted_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    reverie, graphs = shared_data("reverie/data_v2_REVERIE_val_seen.json"), shared_data("mp3d_connectivity")
    out = tmp_path / "REVERIE_CE" / "val_seen" / "val_seen.json.gz"
    report = convert_report("reverie", reverie, graphs, out, first_id=50_001)
    assert "93 on 33 routes" in report
    assert "target objects    93" in report
    assert "left out          468 paths in 43 buildings without a graph: 17DRP5sb8fy" in report
    assert str(out) in report
    assert "93 on 33 routes" in check_report(out)
    dataset = load_dataset("reverie_ce", "val_seen", tmp_path)
    assert dataset[0].episode_id == "50001"
    with pytest.raises(ValueError, match=r"\.json\.gz"):
        convert_report("reverie", reverie, graphs, tmp_path / "out.txt")
    other = tmp_path / "S_connectivity.json"
    other.write_text("[]")
    with pytest.raises(ValueError, match=r"nothing of .* can be converted"):
        convert_report("reverie", reverie, tmp_path, out)
