"""benchmarks.latency on random agents in a real environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.baselines.checkpoint import save_baseline
from benchmarks.latency import PARTS, Args, main
from tests.agents.baselines.fakes import small_network


def test_parts_add_up(episode_file: Path, agent_folder: str, tmp_path: Path) -> None:
    baseline = tmp_path / "cma.safetensors"
    save_baseline(baseline, small_network(token_dim=64))
    agents = (agent_folder, str(baseline))
    results = main(Args(agents, dataset=str(episode_file), split="train", episodes=2, max_steps=60))
    for found in results.values():
        parts = found["ms_per_decision"]
        assert parts.keys() == PARTS.keys()
        assert min(parts.values()) > 0.0
        assert sum(parts.values()) == pytest.approx(found["ms_per_decision_in_all"], rel=0.01)
        assert 2 <= found["decisions"] <= 120
    saved = json.loads((tmp_path / "results" / "latency.json").read_text())
    assert tuple(saved["results"]) == agents


def test_agents_that_decide_step_by_step_are_refused() -> None:
    with pytest.raises(ValueError, match="forward is neither"):
        main(Args(("forward",)))
