"""benchmarks.truncation on a random agent in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.truncation import Args, main


def test_what_is_decoded_less_is_counted(episode_file: Path, agent_folder: str, tmp_path: Path) -> None:
    results = main(
        Args(
            agent=agent_folder,
            dataset=str(episode_file),
            split="train",
            episodes=2,
            max_steps=60,
            replayed=3,
            rounds=1,
        )
    )
    assert results["decisions"] == 3
    assert results["prompt_tokens"] > 10
    assert results["passes"]["stops at <trunc>"] < results["passes"]["explanation decoded"]
    saved = json.loads((tmp_path / "results" / "truncation.json").read_text())
    assert saved["results"] == results
    assert saved["split"] == "train"


def test_other_agents_are_refused() -> None:
    with pytest.raises(ValueError, match="no 3D-VLM"):
        main(Args(agent="forward"))
