"""Results as a table in plain text or Markdown: agents in rows, metrics with intervals in columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from vlnenv.errors import unknown_name
from vlnenv.evaluation.statistics import Interval, mean_interval, paired_difference

COLUMNS: dict[str, tuple[str, float, int]] = {
    "distance_to_goal": ("NE (m)", 1.0, 2),
    "oracle_success": ("OSR (%)", 100.0, 1),
    "is_success": ("SR (%)", 100.0, 1),
    "spl": ("SPL (%)", 100.0, 1),
    "ndtw": ("nDTW (%)", 100.0, 1),
}
"""Heading, factor and decimals of each metric shown."""
LENIENT = {"lenient_success": ("lenient SR (%)", 100.0, 1)}
"""Shown beside them where results have it: REVERIE-CE's success by the distance alone."""

FORMATS = ("plain", "markdown")


def results_table(
    results: Mapping[str, Sequence[Mapping[str, Any]]],
    format: str = "plain",
    privileged: Collection[str] = (),
    seed: int = 0,
) -> str:
    """A table of agents with NE, OSR, SR, SPL and nDTW, each with its 95 % interval.

    Args:
        results: Records by agent, in the order of the rows. A metric that an agent's records lack shows "-".
        format: "plain" or "markdown".
        privileged: Names of the agents that saw what no agent has at test time; they get an asterisk, as do
            those whose observations were told what no robot sees (`info["privileged"]`).
        seed: Of the bootstrap.

    Returns:
        Lines without a newline at the end; the last line names data and protocol, so that numbers on one data
        set are not taken for another's.

    Raises:
        ValueError: If the format is not known, or the records are of different data sets or protocols.
    """
    told = {name: _told(records) for name, records in results.items()}
    marked = [name for name in results if name in privileged or told[name]]
    columns = _columns(results)
    rows = [["agent", "episodes", *(heading for heading, _, _ in columns.values())]]
    for name, records in results.items():
        scenes = [record["scene_id"] for record in records]
        row = [f"{name}*" if name in marked else name, str(len(records))]
        for metric, (_, factor, decimals) in columns.items():
            if not records or any(metric not in record for record in records):
                row.append("-")
                continue
            values = [float(record[metric]) for record in records]
            row.append(_cell(mean_interval(values, scenes, seed=seed), factor, decimals))
        rows.append(row)
    notes = [_note(results)]
    if marked:
        details = "; ".join(f"{name}: {told[name]}" for name in marked if told[name])
        notes.insert(0, f"* privileged: uses what no agent has at test time{details and f' ({details})'}.")
    return "\n".join([*_render(rows, format), "", *notes])


def comparison_table(
    results: Mapping[str, Sequence[Mapping[str, Any]]],
    baseline: str,
    format: str = "plain",
    seed: int = 0,
) -> str:
    """Paired differences of each agent from the `baseline` on the same episodes, with 95 % intervals.

    An interval that excludes 0 is marked with "!". Arguments and errors are those of `results_table`;
    besides, ValueError if `baseline` is not among the agents or episodes differ.
    """
    if baseline not in results:
        raise ValueError(unknown_name("agent", baseline, results))
    columns = _columns(results)
    rows = [[f"minus {baseline}", *(heading for heading, _, _ in columns.values())]]
    for name, records in results.items():
        if name == baseline:
            continue
        row = [name]
        for metric, (_, factor, decimals) in columns.items():
            if any(metric not in record for record in (*records, *results[baseline])):
                row.append("-")
                continue
            interval = paired_difference(records, results[baseline], metric, seed=seed)
            mark = "" if interval.low <= 0.0 <= interval.high else " !"
            row.append(_cell(interval, factor, decimals, signed=True) + mark)
        rows.append(row)
    return "\n".join([*_render(rows, format), "", _note(results)])


def _told(records: Sequence[Mapping[str, Any]]) -> str:
    """What the observations of some records were told that no robot sees; empty for nothing."""
    return ", ".join(sorted({str(record["privileged"]) for record in records if record.get("privileged")}))


def _cell(interval: Interval, factor: float, decimals: int, signed: bool = False) -> str:
    sign = "+" if signed else ""
    mean, low, high = (
        f"{factor * value + 0.0:{sign}.{decimals}f}" for value in (interval.mean, interval.low, interval.high)
    )
    return f"{mean} [{low}, {high}]"


def _columns(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[str, float, int]]:
    shown = dict(COLUMNS)
    if any(metric in record for metric in LENIENT for records in results.values() for record in records):
        shown.update(LENIENT)
    return shown


def _note(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    data = _only("dataset", "data sets", results)
    task = _only("task", "protocols", results)
    protocol = f", protocol {task}" if task else ""
    return f"Data: {data or 'none'}{protocol}. Intervals: 95 %, scenes and then episodes resampled."


def _only(key: str, what: str, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """What all records have under a key; "" where none has it."""
    found = sorted({str(record[key]) for records in results.values() for record in records if key in record})
    if len(found) > 1:
        raise ValueError(f"results of different {what} don't belong in one table: {', '.join(found)}")
    return found[0] if found else ""


def _render(rows: Sequence[Sequence[str]], format: str) -> list[str]:
    if format not in FORMATS:
        raise ValueError(unknown_name("table format", format, FORMATS))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if format == "markdown":
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
        rule = ["-" * width for width in widths]
        return ["| " + " | ".join(row) + " |" for row in (padded[0], rule, *padded[1:])]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]
