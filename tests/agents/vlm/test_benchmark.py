"""benchmarks.vlm on a random agent in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.vlm import PARTS, Args, main


def test_it_measures_any_folder(episode_file: Path, agent_folder: str, tmp_path: Path) -> None:
    args = Args(
        agent=agent_folder,
        dataset=str(episode_file),
        split="train",
        episodes=2,
        max_steps=60,
        replayed=3,
        rounds=1,
    )
    results = main(args)
    parts = results["latency"]["ms_per_decision"]
    assert parts.keys() == PARTS.keys()
    assert min(parts.values()) > 0.0
    assert sum(parts.values()) == pytest.approx(results["latency"]["ms_per_decision_in_all"], rel=0.01)
    shortened = results["truncation"]
    assert shortened["decisions"] == 3
    assert shortened["passes"]["stops at <trunc>"] < shortened["passes"]["explanation decoded"]
    saved = json.loads((tmp_path / "results" / "vlm.json").read_text())
    assert saved["results"]["truncation"] == shortened
    assert saved["split"] == "train"


def test_other_agents_are_refused() -> None:
    with pytest.raises(ValueError, match="no 3D-VLM"):
        main(Args(agent="forward"))
