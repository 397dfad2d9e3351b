from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from agents.cli import main
from agents.view_command import run_view, seen_from
from vlnenv.memory.query import Match


def test_an_episode_leaves_pictures_a_cloud_and_answers(
    episode_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "view"
    command = ["view", "--query", "chair", "--dataset", str(episode_file), "--split", "train"]
    main([*command, "--episode", "1", "--encoder", "semantic", "--out", str(out)])
    text = capsys.readouterr().out
    assert "Turn right and walk to the table." in text
    assert 'best instances for "chair"' in text
    assert "degrees to the" in text
    for name in ("frame.png", "levels.png"):
        assert str(out / name) in text
        with Image.open(out / name) as picture:
            assert picture.width > picture.height
    cloud = trimesh.load(out / "memory.ply")
    assert f"{len(cloud.vertices)} patches" in text
    assert len(np.unique(cloud.colors, axis=0)) > 1


def test_without_a_query_nothing_is_ranked(episode_file: Path, tmp_path: Path) -> None:
    result = run_view(tmp_path, dataset=str(episode_file), split="train", agent="forward", max_steps=3)
    assert result.matches == result.directions == []
    assert result.counts["instances"] > 3
    assert result.counts["zones"] > 1


def test_directions_are_told_from_where_the_agent_looks() -> None:
    def told(xyz_m: tuple[float, float, float], heading_rad: float) -> str:
        return seen_from(Match(0, 1.0, xyz_m, 9), np.array([1.0, 0.0, 1.0]), heading_rad)

    assert told((1.0, 0.5, -1.0), 0.0) == "2.0 m, straight ahead"
    assert told((-1.0, 0.0, 1.0), 0.0) == "2.0 m, 90 degrees to the left"
    assert told((1.0, 0.0, -1.0), math.pi / 2) == "2.0 m, 90 degrees to the right"


def test_a_wrong_episode_is_a_line_and_exit_code_2(
    episode_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["view", "--dataset", str(episode_file), "--split", "train", "--episode", "77"])
    assert end.value.code == 2
    assert "77" in capsys.readouterr().err
