"""The folder of one evaluation run: manifest, one line an episode, summary; a run cut short can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from vlnenv.cache import write_atomic
from vlnenv.evaluation.statistics import summarise

Record = dict[str, Any]
"""Result of one episode: flat JSON values by name, with `episode_id` and `scene_id`. No clock time."""

_ABSENT = "nothing"


class ManifestMismatch(ValueError):
    """The folder holds the results of another setting than the one that wants to write into it."""


class ResultsFolder:
    """Results on disk. Each is written and flushed as it comes, so a crash loses at most the line it tore.

    `manifest.json` says what the results depend on, `episodes.jsonl` has one line an episode in the order in
    which they ended, `summary.json` has means with intervals, computed from the lines.
    """

    def __init__(self, path: str | Path, manifest: Mapping[str, Any]) -> None:
        """Open a new folder, or one that a run of the same manifest was cut short in.

        Args:
            path: The folder; made if it is not there.
            manifest: JSON values; everything that the results depend on.

        Raises:
            ManifestMismatch: If the folder's manifest differs; the message names the fields.
            ValueError: If a line before the last can't be read, or an episode occurs twice.
            TypeError: If the manifest has values that JSON has not.
        """
        self.path = Path(path)
        self.manifest: dict[str, Any] = json.loads(json.dumps(manifest, allow_nan=False))
        self.records: dict[str, Record] = {}
        manifest_path = self.path / "manifest.json"
        if manifest_path.exists():
            _check_manifest(manifest_path, self.manifest)
            self.records = _read_lines(self.path / "episodes.jsonl", repair=True)
        elif (self.path / "episodes.jsonl").exists():
            raise ManifestMismatch(f"{self.path} has episodes.jsonl but no manifest.json; choose another")
        else:
            write_atomic(manifest_path, _pretty(self.manifest))
        self._file: TextIO | None = (self.path / "episodes.jsonl").open("a", encoding="utf-8", newline="\n")

    def append(self, record: Record) -> None:
        """Write one episode's result.

        Raises:
            ValueError: If the episode has a result already, a value is NaN or infinite, or the folder is
                closed.
        """
        if self._file is None:
            raise ValueError(f"{self.path} is closed")
        if record["episode_id"] in self.records:
            raise ValueError(f"episode {record['episode_id']!r} has a result in {self.path} already")
        line = json.dumps(record, sort_keys=True, allow_nan=False)
        self._file.write(line + "\n")
        self._file.flush()
        self.records[record["episode_id"]] = json.loads(line)

    def write_summary(self) -> dict[str, Any]:
        """Compute `summary.json` from the results so far; returns what it holds."""
        summary = summarise(list(self.records.values()))
        write_atomic(self.path / "summary.json", _pretty(summary))
        return summary

    def close(self) -> None:
        """Close the file; calling it twice is harmless."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> ResultsFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_results(path: str | Path) -> tuple[dict[str, Any], list[Record]]:
    """Manifest and records of a run folder, records sorted by episode id; changes nothing on disk.

    Raises:
        FileNotFoundError: If there is no run in that folder.
        ValueError: If a line before the last can't be read.
    """
    path = Path(path)
    if not (path / "manifest.json").exists():
        raise FileNotFoundError(f"no evaluation run in {path}: it has no manifest.json")
    manifest = _read_manifest(path / "manifest.json")
    records = _read_lines(path / "episodes.jsonl", repair=False)
    return manifest, [records[each] for each in sorted(records)]


def manifest_differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """One line for each field that differs, nested fields by dotted names, in sorted order."""
    lines = []
    for key in sorted(set(old) | set(new)):
        before, after = old.get(key, _ABSENT), new.get(key, _ABSENT)
        if isinstance(before, dict) and isinstance(after, dict):
            lines += manifest_differences(before, after, f"{prefix}{key}.")
        elif key not in old or key not in new or before != after:
            lines.append(f"{prefix}{key}: {_short(before)} there, {_short(after)} now")
    return lines


def _check_manifest(path: Path, manifest: Mapping[str, Any]) -> None:
    differences = manifest_differences(_read_manifest(path), manifest)
    if differences:
        listed = "\n  ".join(differences)
        raise ManifestMismatch(
            f"{path.parent} holds a run of other settings; choose another folder. Differs in:\n  {listed}"
        )


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(manifest).__name__}")
    return manifest


def _read_lines(path: Path, repair: bool) -> dict[str, Record]:
    """Records by episode id. A torn last line is left out, and with `repair` cut off the file."""
    if not path.exists():
        return {}
    content = path.read_bytes()
    records: dict[str, Record] = {}
    whole = 0
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        record = _parse(line)
        if record is None:
            if number == len(lines):
                break
            raise ValueError(f"{path}, line {number}: expected an episode's result, got {_short(line)}")
        if record["episode_id"] in records:
            raise ValueError(f"{path}, line {number}: episode {record['episode_id']!r} has two results")
        records[record["episode_id"]] = record
        whole += len(line)
    if repair and whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
    return records


def _parse(line: bytes) -> Record | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "episode_id" in record else None


def _pretty(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def _short(value: Any) -> str:
    text = value if value is _ABSENT else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
