"""The commands of the examples are commands of this version, and those that made what is shipped."""

from __future__ import annotations

import importlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tyro

from agents import cli
from agents.base import WEIGHTS
from agents.vlm_config import DecisionConfig, VLMConfig
from benchmarks import imitation

EXAMPLES = Path(__file__).parents[1] / "examples"


def said_by(script: Path, folder: Path) -> list[list[str]]:
    """The commands of a script, which is run with stand-ins that only note them."""
    noted = folder / "noted.jsonl"
    for name in ("vlnenv", "python"):
        stand_in = folder / name
        stand_in.write_text(
            f"#!{sys.executable}\nimport json, sys\n"
            f"open({str(noted)!r}, 'a').write(json.dumps([{name!r}, *sys.argv[1:]]) + '\\n')\n"
        )
        stand_in.chmod(0o755)
    subprocess.run(["bash", script, "runs"], check=True, env={"PATH": f"{folder}:/usr/bin:/bin"}, cwd=folder)
    return [json.loads(line) for line in noted.read_text().splitlines()]


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """The settings that a command is read as."""
    program, *arguments = words
    if program == "python":
        option, module, *arguments = arguments
        assert option == "-m"
        return tyro.cli(importlib.import_module(module).Args, args=arguments)
    found: list[object] = []
    monkeypatch.setattr(cli, "_run", found.append)
    cli.main(arguments)
    (command,) = found
    return command.method if isinstance(command, cli.Train) else command


def test_the_shipped_agent_was_made_by_its_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = [parsed(each, monkeypatch) for each in said_by(EXAMPLES / "dynam3d_tiny.sh", tmp_path)]
    trainings = [each for each in commands if isinstance(each, VLMConfig)]
    noted = {each.out for each in commands if isinstance(each, DecisionConfig)}
    assert all(set(each.decisions) <= noted for each in trainings)
    learned = {f"{each.out}/best" for each in trainings}
    assert all(each.start is None or each.start in learned for each in trainings)
    card = json.loads((WEIGHTS / "dynam3d-tiny" / "card.json").read_text())
    made_by = [
        parsed(["vlnenv", *shlex.split(each["command"])[3:]], monkeypatch) for each in card["trainings"]
    ]
    for here, there in zip(trainings, made_by, strict=True):
        assert isinstance(there, VLMConfig)
        for name in ("updates", "learning_rate", "batch_size", "eval_every", "eval_episodes", "seed"):
            assert getattr(here, name) == getattr(there, name)
        walks = [[Path(folder).name for folder in each.decisions] for each in (here, there)]
        assert walks[0] == walks[1]


def test_the_tables_of_the_3d_vlm_have_a_command_for_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [parsed(each, monkeypatch) for each in said_by(EXAMPLES / "vlm_tables.sh", tmp_path)]
    tables: dict[str, Any] = {type(each).__module__: each for each in commands}
    rows = tables["benchmarks.imitation"]
    assert isinstance(rows, imitation.Args)
    assert set(rows.rows) == {*imitation.VLM_ROWS, *imitation.RECURRENT_ROWS}
    (blind,) = [each for each in commands if isinstance(each, VLMConfig)]
    assert blind.start == str((WEIGHTS / "dynam3d-tiny").relative_to(WEIGHTS.parents[1]))
    trained = {blind.out, *(f"{rows.out}/{row}-{seed}" for row in rows.rows for seed in rows.seeds)}
    named = [*tables["benchmarks.agents"].agents, *tables["benchmarks.latency"].agents]
    assert {str(Path(name).parent) for name in named if "/" in name} <= trained
