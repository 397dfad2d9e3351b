"""benchmarks.ship on an agent that was trained twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents import base
from agents.vlm.agent import VLMAgent
from agents.vlm.checkpoint import save_agent
from benchmarks import record, ship
from tests.agents.vlm.test_agent import make_agent


def save_run(run: Path, update: int, start: Path | None) -> None:
    agent = make_agent()
    card = {
        "command": f"train to {run.name}",
        "update": update,
        "hours": 0.5,
        "decisions": 10,
        "machine": "a machine",
        "settings": {"start": None if start is None else str(start), "seed": 3},
        "figures": {"success": 0.5},
    }
    save_agent(run / "best", agent.model, agent.processor, card)
    (run / "curve.jsonl").write_text(json.dumps({"update": update}) + "\n")


def test_a_shipped_agent_tells_of_all_its_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    for module in (base, ship):
        monkeypatch.setattr(module, "WEIGHTS", tmp_path / "weights")
    save_run(tmp_path / "first", 100, None)
    save_run(tmp_path / "second", 50, tmp_path / "first/best")
    ship.main(ship.Args("tiny", tmp_path / "second", "recipe.sh", episodes=1))
    card = json.loads((tmp_path / "weights/tiny/card.json").read_text())
    assert [each["update"] for each in card["trainings"]] == [100, 50]
    assert (card["update"], card["hours"], card["command"]) == (150, 1.0, "recipe.sh")
    assert card["val_unseen"]["episodes"] == 1
    assert len(card["val_unseen"]["is_success"]) == 3
    assert "train to first" in (tmp_path / "weights/tiny/README.md").read_text()
    assert base.trained_names() == ["tiny"]
    assert isinstance(base.load("tiny"), VLMAgent)
    assert (tmp_path / "results/tiny_curve.json").is_file()
