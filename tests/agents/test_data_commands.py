from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.base import load
from agents.data_commands import check_report, houses_report, make_scene_episodes
from tests.shared_data import shared_data
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
