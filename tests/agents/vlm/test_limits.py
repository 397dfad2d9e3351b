"""benchmarks.limits on a random agent in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.vlm.grammar import Grammar
from benchmarks.limits import SWAPS, Args, WalkingGrammar, main, walk


def test_each_part_is_swapped_alone(episode_file: Path, agent_folder: str, tmp_path: Path) -> None:
    args = Args(agent=agent_folder, dataset=str(episode_file), split="train", episodes=2, max_steps=40)
    results = main(args)
    assert list(results) == list(SWAPS)
    assert all(each["is_success"] or each["steps"] == 40 for each in walk(args, "oracle stop"))
    assert len(results["semantic"]["is_success minus as it is"]) == 3
    assert json.loads((tmp_path / "results/limits.json").read_text())["split"] == "train"
    with pytest.raises(ValueError, match="no 3D-VLM"):
        main(Args(agent="forward"))


def test_who_is_told_when_to_stop_has_no_word_for_it() -> None:
    assert set(Grammar().answers()) - set(WalkingGrammar().answers()) == {"stop."}
