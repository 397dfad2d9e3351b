from __future__ import annotations

from typing import Any

import pytest

from vlnenv.evaluation import comparison_table, results_table


def records(rate: int, dataset: str = "houses@12") -> list[dict[str, Any]]:
    return [
        {
            "episode_id": str(each),
            "scene_id": f"s{each % 5}",
            "dataset": dataset,
            "distance_to_goal": 4.0,
            "oracle_success": True,
            "is_success": each % 10 < rate,
            "spl": 0.5 * (each % 10 < rate),
        }
        for each in range(50)
    ]


def test_plain_table() -> None:
    table = results_table({"expert": records(10), "random": records(2)}, privileged=["expert"])
    lines = table.splitlines()
    assert " ".join(lines[0].split()) == "agent episodes NE (m) OSR (%) SR (%) SPL (%) nDTW (%)"
    assert lines[2].startswith(
        "expert*  50        4.00 [4.00, 4.00]  100.0 [100.0, 100.0]  100.0 [100.0, 100.0]"
    )
    assert "20.0 [" in lines[3]
    assert lines[3].endswith("-")  # no nDTW in these records
    assert lines[-2].startswith("* privileged")
    assert lines[-1].startswith("Data: houses@12. Intervals: 95 %")


def test_markdown_table() -> None:
    lines = results_table({"a": records(5)}, format="markdown").splitlines()
    assert [line.count("|") for line in lines[:3]] == [8, 8, 8]
    assert set(lines[1]) <= set("| -")
    assert "privileged" not in "".join(lines)


def test_agents_that_see_what_no_robot_could_are_marked_with_what_it_is() -> None:
    told = [{**record, "privileged": "encoder semantic"} for record in records(5)]
    honest = [{**record, "privileged": ""} for record in records(5)]
    lines = results_table({"cloned": told, "honest": honest}).splitlines()
    assert lines[2].startswith("cloned* ")
    assert lines[3].startswith("honest ")
    assert lines[-2] == "* privileged: uses what no agent has at test time (cloned: encoder semantic)."


def test_comparison_marks_differences_that_exclude_zero() -> None:
    results = {"base": records(2), "better": records(6), "same": records(2)}
    lines = comparison_table(results, "base").splitlines()
    assert "+40.0 [" in lines[2]
    assert "!" in lines[2]
    assert "+0.0 [+0.0, +0.0]" in lines[3]
    assert "!" not in lines[3]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"different data sets .*: houses@12, r2r@34"):
        results_table({"a": records(1), "b": records(1, "r2r@34")})
    with pytest.raises(ValueError, match=r"no table format 'markdwn'.*Did you mean 'markdown'"):
        results_table({"a": records(1)}, format="markdwn")
    with pytest.raises(ValueError, match=r"no agent 'c'"):
        comparison_table({"a": records(1)}, "c")


def test_protocols_are_named_and_not_mixed() -> None:
    rxr = [{**record, "task": "RxRCE@1a"} for record in records(5)]
    assert results_table({"a": rxr}).splitlines()[-1].startswith("Data: houses@12, protocol RxRCE@1a. ")
    sliding = [{**record, "task": "RxRCE@2b"} for record in records(5)]
    with pytest.raises(ValueError, match=r"different protocols.*RxRCE@1a, RxRCE@2b"):
        results_table({"a": rxr, "b": sliding})


def test_lenient_success_has_a_column_where_there_is_one() -> None:
    strict = [{**record, "lenient_success": True} for record in records(5)]
    lines = results_table({"a": strict}).splitlines()
    assert lines[0].endswith("lenient SR (%)")
    assert lines[2].endswith("100.0 [100.0, 100.0]")
    assert "lenient" in comparison_table({"a": strict, "b": strict}, "a").splitlines()[0]
    assert "lenient" not in results_table({"a": records(5)})
