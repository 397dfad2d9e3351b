"""benchmarks.imitation: its table out of runs that are made up, and what its rows read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import imitation, record
from benchmarks.imitation import SENSES, VLM_ROWS, Args, main
from benchmarks.seeds import over_seeds

VALUES = {("full", 0): 1.0, ("full", 1): 0.0, ("patch", 0): 0.0}


def episodes(success: float) -> list[dict[str, Any]]:
    same = {"dataset": "houses", "scene_id": "a", "distance_to_goal": 1.0, "oracle_success": 1.0, "ndtw": 0.5}
    return [
        {**same, "episode_id": name, "is_success": success, "spl": 0.5 * success, "steps": 10}
        for name in ("1", "2")
    ]


def test_rows_of_several_seeds_are_compared_as_their_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(imitation, "learn", lambda args, row, seed: Path(row) / str(seed))
    args = Args(rows=("full", "patch"), seeds=(0, 1))
    main(args, lambda args, weights: episodes(VALUES[weights.parts[0], int(weights.parts[1])]))
    results = json.loads((tmp_path / "imitation.json").read_text())["results"]
    assert len(results["full"]["seeds"]) == 2
    assert len(results["patch"]["seeds"]) == 1, "one seed but for the main rows"
    assert results["full"]["mean"]["metrics"]["is_success"]["mean"] == 0.5
    assert results["patch"]["full minus this, is_success"][0] == 0.5


def test_seeds_are_averaged_episode_by_episode() -> None:
    first, second = episodes(1.0), episodes(0.0)[::-1]
    averaged = over_seeds([first, second], ("is_success",))
    assert [each["episode_id"] for each in averaged] == ["1", "2"]
    assert [each["is_success"] for each in averaged] == [0.5, 0.5]
    assert averaged[0]["spl"] == 0.5, "the first run's, where nothing is averaged"


def test_every_row_reads_what_its_walks_note() -> None:
    for row in VLM_ROWS.values():
        assert set(row.levels) <= set(SENSES[row.senses][1])


def test_rows_that_go_on_read_as_the_row_before() -> None:
    for row in VLM_ROWS.values():
        assert not row.dagger or row.after, "somebody has to walk"
        if row.after:
            before = VLM_ROWS[row.after]
            assert (row.senses, row.levels, row.blind) == (before.senses, before.levels, before.blind)
            assert not before.after, "as many updates more as it had, no more"
