from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from agents.provenance import command, machine


@pytest.mark.parametrize(
    ("module", "program", "expected"),
    [
        (None, "/home/me/.venv/bin/vlnenv", "vlnenv train vlm --out 'runs/a b'"),
        (None, "/home/me/train.py", "python train.py train vlm --out 'runs/a b'"),
        ("agents.cli", "/home/me/agents/cli.py", "python -m agents.cli train vlm --out 'runs/a b'"),
    ],
)
def test_a_command_is_told_without_the_path_of_its_program(
    monkeypatch: pytest.MonkeyPatch, module: str | None, program: str, expected: str
) -> None:
    spec = None if module is None else SimpleNamespace(name=module)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", spec, raising=False)
    monkeypatch.setattr(sys, "argv", [program, "train", "vlm", "--out", "runs/a b"])
    assert command() == expected


def test_a_machine_says_whether_it_used_a_gpu() -> None:
    assert machine().endswith("no GPU used")
    assert machine("NVIDIA H100").endswith("NVIDIA H100")
    assert "Python 3." in machine()
