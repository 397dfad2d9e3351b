"""Checked access to parsed JSON: every complaint names the file, the episode, the field, and what came."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np

_UNIT_TOLERANCE = 1e-3


class EpisodeFileError(ValueError):
    """An episode file that can't be read, with the file, the episode and the field at fault."""


def read_json(path: Path) -> Any:
    """Parse a JSON file, gzipped or not (told by its first bytes, not by its name).

    Raises:
        FileNotFoundError: If there is no such file.
        EpisodeFileError: If it is truncated, corrupt, or holds NaN or infinite numbers.
    """
    raw = path.read_bytes()
    try:
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (EOFError, OSError, zlib.error) as error:
        raise EpisodeFileError(
            f"{path}: expected a whole gzip file, but it is truncated or corrupt: {error}"
        ) from error
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EpisodeFileError(f"{path}: expected JSON, but it does not parse: {error}") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"the number {name} is not allowed")


class Record:
    """One JSON object that hands out its fields checked, and remembers which it has handed out."""

    def __init__(self, path: Path, label: str, value: Any, field: str = "") -> None:
        """Wrap `value`, found in `path` at `field` of the episode or part called `label`."""
        self.path = path
        self.label = label
        self.field = field
        if not isinstance(value, dict):
            raise self.error("", "a JSON object", value)
        self.value: dict[str, Any] = value
        self._taken: set[str] = set()

    def error(self, field: str, expected: str, came: Any) -> EpisodeFileError:
        """The error to raise for a field of this object."""
        dotted = ".".join(part for part in (self.field, field) if part)
        where = f"{self.label}, field {dotted!r}" if dotted else self.label
        return EpisodeFileError(f"{self.path}: {where}: expected {expected}, got {_short(came)}")

    def has(self, field: str) -> bool:
        """Whether the field is there and not null."""
        return self.value.get(field) is not None

    def take(self, field: str, expected: str) -> Any:
        """The raw value of a field that has to be there."""
        if field not in self.value:
            known = ", ".join(sorted(map(str, self.value))) or "none"
            dotted = ".".join(part for part in (self.field, field) if part)
            raise EpisodeFileError(
                f"{self.path}: {self.label}, field {dotted!r}: expected {expected}, but it is missing; "
                f"fields there: {known}"
            )
        self._taken.add(field)
        return self.value[field]

    def object(self, field: str) -> Record:
        """A nested object."""
        value = self.take(field, "a JSON object")
        return Record(self.path, self.label, value, ".".join(part for part in (self.field, field) if part))

    def text(self, field: str) -> str:
        """A string."""
        value = self.take(field, "a string")
        if not isinstance(value, str):
            raise self.error(field, "a string", value)
        return value

    def identifier(self, field: str) -> tuple[str, bool]:
        """An id as a string, and whether the file has it as an integer."""
        value = self.take(field, "an integer or a string")
        if isinstance(value, str) and value:
            return value, False
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value), True
        raise self.error(field, "an integer or a string that is not empty", value)

    def number(self, field: str, *, minimum: float = -math.inf) -> float:
        """A finite number of at least `minimum`."""
        value = self.take(field, "a number")
        bound = "" if minimum == -math.inf else f" of at least {minimum:g}"
        if not _is_number(value) or value < minimum:
            raise self.error(field, f"a finite number{bound}", value)
        return float(value)

    def vector(self, field: str) -> tuple[float, float, float]:
        """Three finite numbers, [x, y, z] in metres."""
        return self._triple(field, self.take(field, "[x, y, z] in metres"))

    def vectors(self, field: str) -> tuple[tuple[float, float, float], ...]:
        """A list of [x, y, z] that is not empty."""
        value = self.take(field, "a list of [x, y, z]")
        if not isinstance(value, list) or not value:
            raise self.error(field, "a list of [x, y, z] in metres with at least one point", value)
        points = _points(value)
        if points is not None:
            return points
        return tuple(self._triple(f"{field}[{index}]", each) for index, each in enumerate(value))

    def _triple(self, field: str, value: Any) -> tuple[float, float, float]:
        if not isinstance(value, list) or len(value) != 3 or not all(map(_is_number, value)):
            raise self.error(field, "[x, y, z]: three finite numbers in metres", value)
        return float(value[0]), float(value[1]), float(value[2])

    def quaternion(self, field: str) -> tuple[float, float, float, float]:
        """A unit quaternion [x, y, z, w], kept as written."""
        expected = "a unit quaternion [x, y, z, w]"
        value = self.take(field, expected)
        if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
            raise self.error(field, expected, value)
        if abs(math.hypot(*value) - 1.0) > _UNIT_TOLERANCE:
            raise self.error(field, expected, f"{value} of length {math.hypot(*value):.6g}")
        return float(value[0]), float(value[1]), float(value[2]), float(value[3])

    def integers(self, field: str, *, below: int | None = None) -> tuple[int, ...]:
        """A list of integers in [0, below)."""
        expected = "a list of integers >= 0" + ("" if below is None else f" and < {below}")
        value = self.take(field, expected)
        if not isinstance(value, list):
            raise self.error(field, expected, value)
        for index, each in enumerate(value):
            if type(each) is not int or each < 0 or (below is not None and each >= below):
                raise self.error(f"{field}[{index}]", expected, each)
        return tuple(value)

    def rest(self) -> dict[str, Any]:
        """The fields that nothing has taken."""
        return {name: value for name, value in self.value.items() if name not in self._taken}


def _points(value: list[Any]) -> tuple[tuple[float, float, float], ...] | None:
    """The points of a sound list; None where one is not [x, y, z], without saying which."""
    if not all(type(each) is list and len(each) == 3 for each in value):
        return None
    numbers = [number for point in value for number in point]
    if not set(map(type, numbers)) <= {int, float} or not np.isfinite(numbers).all():
        return None
    return tuple((float(x), float(y), float(z)) for x, y, z in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
