"""benchmarks.limits on a random agent in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.vlm.checkpoint import save_agent
from agents.vlm.grammar import Grammar
from benchmarks import record
from benchmarks.limits import SWAPS, Args, WalkingGrammar, main
from tests.agents.vlm.test_agent import make_agent


def test_each_part_is_swapped_alone(
    episode_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    agent = make_agent()
    save_agent(tmp_path / "agent", agent.model, agent.processor, {})
    args = Args(
        agent=str(tmp_path / "agent"), dataset=str(episode_file), split="train", episodes=2, max_steps=40
    )
    results = main(args)
    assert list(results) == list(SWAPS)
    stopped = results["oracle stop"]["metrics"]
    assert (
        stopped["is_success"]["mean"] == stopped["oracle_success"]["mean"] or stopped["steps"]["mean"] == 40
    )
    assert len(results["semantic"]["is_success minus as it is"]) == 3
    assert json.loads((tmp_path / "results/limits.json").read_text())["split"] == "train"
    with pytest.raises(ValueError, match="no 3D-VLM"):
        main(Args(agent="forward"))


def test_who_is_told_when_to_stop_has_no_word_for_it() -> None:
    assert set(Grammar().answers()) - set(WalkingGrammar().answers()) == {"stop."}
