from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.demo import run_demo, write_video


def test_the_demo_runs_the_agents_and_films_the_last(episode_file: Path, tmp_path: Path) -> None:
    said: list[str] = []
    result = run_demo(
        tmp_path, ["random", "expert"], 2, 2, dataset=str(episode_file), split="train", say=said.append
    )
    assert "random" in result.tables
    assert "expert*" in result.tables
    assert result.is_success
    assert "walk to the table" in result.instruction
    assert result.video.stat().st_size > 10_000
    with Image.open(result.picture) as picture:
        assert picture.width > picture.height
    assert (tmp_path / "results" / "random" / "summary.json").is_file()
    assert said[0] == "random: 2 episodes of train"


def test_without_ffmpeg_the_video_is_a_gif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    frames = [np.full((21, 31, 3), 40 * index, dtype=np.uint8) for index in range(4)]
    path = write_video(tmp_path / "a.mp4", frames)
    assert path.suffix == ".gif"
    with Image.open(path) as video:
        assert video.n_frames == 4
