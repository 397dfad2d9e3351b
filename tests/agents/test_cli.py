from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from agents.cli import main


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ([], ["demo", "eval", "train", "data", "doctor"]),
        (["eval"], ["--agent", "--split", "--episodes", "--num-envs", "--out"]),
        (["train", "bc"], ["--learning-rate", "--data.passes"]),
        (["train", "ppo"], ["--target-kl", "--start"]),
        (["data", "scene"], ["--episodes", "--out"]),
        (["data", "convert"], ["--from", "--file", "--connectivity", "--heading-step"]),
        (["demo"], ["--episodes"]),
    ],
)
def test_help_names_the_options(
    command: list[str], expected: list[str], capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    for option in expected:
        assert option in text


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, agents.cli\n"
        "try:\n    agents.cli.main(['train', 'bc', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numba', 'trimesh', 'stable_baselines3'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["eval", "--agent", "rondom"], "Did you mean 'random'"),
        (["eval", "--split", "val_unsean", "--agent", "random"], "Did you mean 'val_unseen'"),
        (["eval", "--episodes", "0"], "at least 1"),
        (["data", "check", "nowhere.json.gz"], "nowhere.json.gz"),
        (["data", "check", "nowhere"], "no data folder nowhere"),
        (
            [
                "data",
                "convert",
                "--from",
                "r2r",
                "--file",
                "x.json",
                "--connectivity",
                ".",
                "--out",
                "y.json",
            ],
            "x.json",
        ),
        (["data", "scene", "nowhere.glb", "--out", "x.json.gz"], "nowhere.glb"),
        (["train", "ppo", "--start", "nobody"], "no trained agent 'nobody'"),
    ],
)
def test_mistakes_end_in_one_line_and_exit_code_2(
    command: list[str],
    expected: str,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VLNENV_DEBUG", raising=False)
    with pytest.raises(SystemExit) as end:
        main(command)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert expected in error
    assert "Traceback" not in error


def test_evaluation_prints_a_table_and_where_results_lie(
    episode_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "run"
    main(["eval", "--agent", "expert", "--dataset", str(episode_file), "--num-envs", "2", "--out", str(out)])
    text = capsys.readouterr().out
    assert "expert*" in text
    assert "100.0" in text
    assert str(out) in text
    assert (out / "summary.json").is_file()


def test_a_task_is_evaluated_under_its_own_protocol(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for task, heading in (("REVERIECE", "lenient SR (%)"), ("RxRCE", "nDTW (%)")):
        out = tmp_path / task
        main(
            [
                "eval",
                "--agent",
                "expert",
                "--task",
                task,
                "--languages",
                "en",
                "--episodes",
                "3",
                "--out",
                str(out),
            ]
        )
        text = capsys.readouterr().out
        assert heading in text
        assert f"protocol {task}@" in text
        assert json.loads((out / "manifest.json").read_text())["task"]["name"] == task


def test_doctor_and_check_report(episode_file: Path, capsys: pytest.CaptureFixture) -> None:
    main(["doctor"])
    assert "torch" in capsys.readouterr().out
    main(["data", "check", str(episode_file)])
    assert "2 on 2 routes" in capsys.readouterr().out


def test_a_data_folder_is_checked_and_damage_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VLNENV_DATA", raising=False)
    main(["data", "check"])
    assert "data folder data (not there" in capsys.readouterr().out
    main(["data", "check", str(tmp_path)])
    assert "R2R-CE" in capsys.readouterr().out
    (tmp_path / "mp3d" / "A").mkdir(parents=True)
    (tmp_path / "mp3d" / "A" / "A.glb").write_bytes(b"glTF\x02\x00\x00\x00\xff\x00\x00\x00")
    monkeypatch.setenv("VLNENV_DATA", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["data", "check"])
    assert end.value.code == 1
    assert "A.glb: truncated: 12 of 255 bytes" in capsys.readouterr().out


def test_recordings_of_an_agent_are_written(
    episode_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    from vlnenv.recordings import Recordings

    out = tmp_path / "demos.npz"
    arguments = ["data", "record", "--dataset", str(episode_file), "--num-envs", "2", "--out"]
    main([*arguments, str(out)])
    recordings = Recordings.load(out)
    assert [each.metrics["is_success"] for each in recordings] == [True, True]
    assert "2 episodes" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*arguments, "demos.json"])
    assert "npz" in capsys.readouterr().err


def test_a_house_is_written_with_its_card(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    main(["data", "house", "houses/test/0001", "--out", str(tmp_path)])
    stem = tmp_path / "houses_test_0001"
    assert json.loads(stem.with_suffix(".card.json").read_text())["scene_id"] == "houses/test/0001"
    assert stem.with_suffix(".glb").is_file()
    assert str(stem.with_suffix(".glb")) in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["data", "house", "houses/tests/1", "--out", str(tmp_path)])
    assert "houses/train/0003" in capsys.readouterr().err
