from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from vlnenv.evaluation import ManifestMismatch, ResultsFolder, read_results


def record(episode_id: str, success: bool = True) -> dict[str, Any]:
    return {"episode_id": episode_id, "scene_id": "a", "is_success": success, "spl": 0.1 + 0.2}


def test_lines_are_on_disk_at_once_and_exact(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path / "run", {"a": 1}) as results:
        results.append(record("2"))
        manifest, records = read_results(tmp_path / "run")
        assert manifest == {"a": 1}
        assert records == [record("2")]
        results.append(record("1", False))
    assert [each["episode_id"] for each in read_results(tmp_path / "run")[1]] == ["1", "2"]
    with pytest.raises(ValueError, match="is closed"):
        results.append(record("3"))


def test_summary_has_means(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, {}) as results:
        results.append(record("1"))
        results.append(record("2", False))
        summary = results.write_summary()
    assert summary == json.loads((tmp_path / "summary.json").read_text())
    assert summary["num_episodes"] == 2
    assert summary["metrics"]["is_success"]["mean"] == 0.5
    assert "episode_id" not in summary["metrics"]


@pytest.mark.parametrize("torn", [b'{"episode_id": "9"', b'{"episode_id": "9"}', b"\x00\x00\n", b"[]\n"])
def test_torn_last_line_is_dropped(tmp_path: Path, torn: bytes) -> None:
    with ResultsFolder(tmp_path, {}) as results:
        results.append(record("1"))
    path = tmp_path / "episodes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert len(read_results(tmp_path)[1]) == 1
    assert path.read_bytes() == whole + torn  # reading repairs nothing
    with ResultsFolder(tmp_path, {}) as results:
        assert list(results.records) == ["1"]
        results.append(record("9"))
    assert [each["episode_id"] for each in read_results(tmp_path)[1]] == ["1", "9"]


def test_damage_before_the_last_line_is_an_error(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, {}) as results:
        results.append(record("1"))
    path = tmp_path / "episodes.jsonl"
    whole = path.read_bytes()
    path.write_bytes(b"rubbish\n" + whole)
    with pytest.raises(ValueError, match=r"episodes\.jsonl, line 1: expected an episode's result"):
        ResultsFolder(tmp_path, {})
    path.write_bytes(whole + whole)
    with pytest.raises(ValueError, match="line 2: episode '1' has two results"):
        ResultsFolder(tmp_path, {})


def test_bad_records_are_refused(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, {}) as results:
        results.append(record("1"))
        with pytest.raises(ValueError, match=r"has a result in .* already"):
            results.append(record("1"))
        with pytest.raises(ValueError, match="not JSON compliant"):
            results.append({**record("2"), "spl": math.nan})
    assert len(read_results(tmp_path)[1]) == 1


def test_changed_manifest_names_what_differs(tmp_path: Path) -> None:
    ResultsFolder(tmp_path, {"agent": {"name": "a", "seed": 0}, "split": "val", "list": (1, 2)}).close()
    ResultsFolder(tmp_path, {"agent": {"name": "a", "seed": 0}, "split": "val", "list": [1, 2]}).close()
    with pytest.raises(ManifestMismatch) as caught:
        ResultsFolder(tmp_path, {"agent": {"name": "b", "seed": 0}, "list": [1, 2], "new": None})
    lines = str(caught.value).splitlines()[1:]
    assert [line.strip() for line in lines] == [
        "agent.name: 'a' there, 'b' now",
        "new: nothing there, None now",
        "split: 'val' there, nothing now",
    ]


def test_missing_or_broken_manifest(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no evaluation run in"):
        read_results(tmp_path)
    (tmp_path / "episodes.jsonl").write_text("")
    with pytest.raises(ManifestMismatch, match=r"no manifest\.json"):
        ResultsFolder(tmp_path, {})
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ValueError, match=r"manifest\.json is not JSON"):
        ResultsFolder(tmp_path, {})
