"""What the README shows runs as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
QUICK = ("vlnenv data", "vlnenv eval", "vlnenv doctor")
"""Commands that take seconds. CI itself runs `make`; training and benchmarks take longer than a test may."""


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands():
    lines = [line.split("#")[0].strip() for block in blocks("bash") for line in block.splitlines()]
    return [line for line in lines if line.startswith(QUICK) and "my_module" not in line]


@pytest.mark.parametrize("code", blocks("python"))
def test_the_examples_run(code, tmp_path):
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd=tmp_path, timeout=300)


def test_the_quick_commands_run(tmp_path):
    from vlnenv import houses

    houses.write_glb(houses.load_scene("houses/val_unseen/0000"), tmp_path / "flat.glb")
    assert len(commands()) >= 2
    for command in commands():
        arguments = shlex.split(command)[1:]
        code = f"from agents.cli import main; main({arguments!r})"
        subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, timeout=300)
