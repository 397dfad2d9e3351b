"""What tests of benchmarks on a 3D-VLM share."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.vlm.checkpoint import save_agent
from benchmarks import record
from tests.agents.vlm.test_agent import make_agent


@pytest.fixture
def agent_folder(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A random agent's folder; results of benchmarks go to `tmp_path / "results"`."""
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    agent = make_agent()
    save_agent(tmp_path / "agent", agent.model, agent.processor, {})
    return str(tmp_path / "agent")
