"""The commands of the examples are commands of this version, and those that made what is shipped."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from agents import cli
from agents.base import WEIGHTS
from agents.vlm_config import DecisionConfig, VLMConfig

EXAMPLES = Path(__file__).parents[1] / "examples"


def said_by(script: Path, folder: Path) -> list[list[str]]:
    """Arguments of each call of vlnenv in a script, which is run with a stand-in that only notes them."""
    noted = folder / "noted.jsonl"
    stand_in = folder / "vlnenv"
    stand_in.write_text(
        "#!/usr/bin/env python3\nimport json, sys\n"
        f"open({str(noted)!r}, 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"
    )
    stand_in.chmod(0o755)
    path = f"{folder}:/usr/local/bin:/usr/bin:/bin"
    subprocess.run(["bash", script, "runs"], check=True, env={"PATH": path}, cwd=folder)
    return [json.loads(line) for line in noted.read_text().splitlines()]


def parsed(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> object:
    """The settings that a command is read as."""
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
    made_by = [parsed(shlex.split(each["command"])[3:], monkeypatch) for each in card["trainings"]]
    for here, there in zip(trainings, made_by, strict=True):
        assert isinstance(there, VLMConfig)
        for name in ("updates", "learning_rate", "batch_size", "eval_every", "eval_episodes", "seed"):
            assert getattr(here, name) == getattr(there, name)
        walks = [[Path(folder).name for folder in each.decisions] for each in (here, there)]
        assert walks[0] == walks[1]
