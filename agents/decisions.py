"""Decisions as a data set on disk: what was read at each, what the expert would do, and where the goal lay.

Memory rows have different numbers at each decision, so they lie end to end in one float16 array, with the
offset of each decision's first one. A folder is one shard; training reads several of them, memory-mapped.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agents.config import Perception
from vlnenv.cache import open_folder

FORMAT = "vlnenv-decisions-1"


@dataclass(frozen=True)
class Decisions:
    """n labelled decisions; arrays of shards are memory-mapped and read-only."""

    rows: tuple[np.ndarray, ...]
    """float16 (m_s, 4 + D) of each shard, see `agents.vlm.rows`."""
    shard: np.ndarray
    """int32 (n,), which of `rows` a decision's lie in."""
    start: np.ndarray
    """int64 (n,), its first row there."""
    count: np.ndarray
    """int64 (n,), how many rows it has."""
    history: np.ndarray
    """int8 (n, 4, 3), the last macro actions, oldest first, -1 for none."""
    label: np.ndarray
    """int8 (n, 3), what the expert does."""
    goal: np.ndarray
    """float32 (n, 4): walking distance to the goal, its place ahead and to the left (metres), and the part of
    the route that is done. Privileged; for losses alone."""
    route: np.ndarray
    """int32 (n,), index into `instructions`."""
    number: np.ndarray
    """int32 (n,), the how-manieth decision of its episode, which a route has one of. Episodes may lie
    interleaved, see `agents.transitions`."""
    instructions: tuple[tuple[str, ...], ...]
    """Texts of each route: paraphrases say the same."""
    settings: tuple[dict[str, Any], ...]
    """How each shard was made."""

    def __len__(self) -> int:
        return len(self.label)

    @property
    def token_dim(self) -> int:
        """Length D of a row's feature."""
        return int(self.rows[0].shape[1]) - 4

    def rows_of(self, index: int) -> np.ndarray:
        """float16 (m, 4 + D) of one decision."""
        start = int(self.start[index])
        return self.rows[int(self.shard[index])][start : start + int(self.count[index])]


def open_decisions(folders: Sequence[str | Path]) -> Decisions:
    """The decisions of some folders, in their order.

    Raises:
        FileNotFoundError: If one is not there.
        ValueError: If one is of another format, or they were made with other senses.
    """
    if not folders:
        raise ValueError("expected at least one folder of decisions, got none")
    parts: list[dict[str, np.ndarray]] = []
    rows: list[np.ndarray] = []
    settings: list[dict[str, Any]] = []
    instructions: list[tuple[str, ...]] = []
    for shard, folder in enumerate(map(Path, folders)):
        if not (folder / "index.json").is_file():
            raise FileNotFoundError(f"no decisions in {folder}: make them with `vlnenv train decisions`")
        index, arrays = open_folder(folder)
        if index.get("format") != FORMAT:
            raise ValueError(f"{folder} is of format {index.get('format')!r}, expected {FORMAT!r}")
        rows.append(arrays.pop("rows"))
        offsets = np.asarray(arrays.pop("offsets"))
        part = {name: np.asarray(array) for name, array in arrays.items()}
        part["start"], part["count"] = offsets[:-1], np.diff(offsets)
        part["shard"] = np.full(len(offsets) - 1, shard, dtype=np.int32)
        part["route"] = part["route"] + len(instructions)
        parts.append(part)
        # Perception of before a setting was there has that setting's default.
        perception = dataclasses.asdict(Perception(**index["settings"]["perception"]))
        settings.append({**index["settings"], "perception": perception})
        instructions += [tuple(texts) for texts in index["instructions"]]
        for name in ("perception", "levels", "patch_pool", "look_around"):
            if settings[-1][name] != settings[0][name]:
                raise ValueError(
                    f"{folder} was made with {name} {settings[-1][name]!r}, {folders[0]} with "
                    f"{settings[0][name]!r}: decisions that are learned together have to see alike"
                )
    return Decisions(
        rows=tuple(rows),
        instructions=tuple(instructions),
        settings=tuple(settings),
        **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
    )


class DecisionWriter:
    """Collects decisions and writes them to a folder."""

    def __init__(self) -> None:
        self._columns: dict[str, list[np.ndarray]] = {
            name: [] for name in ("rows", "history", "label", "goal", "route", "number")
        }

    def __len__(self) -> int:
        return len(self._columns["label"])

    def add(
        self,
        rows: np.ndarray,
        history: np.ndarray,
        label: np.ndarray,
        goal: np.ndarray,
        route: int,
        number: int,
    ) -> None:
        """One decision, see `Decisions`."""
        for name, value, dtype in (
            ("rows", rows, np.float16),
            ("history", history, np.int8),
            ("label", label, np.int8),
            ("goal", goal, np.float32),
            ("route", route, np.int32),
            ("number", number, np.int32),
        ):
            self._columns[name].append(np.asarray(value, dtype=dtype))

    def write(self, folder: Path, instructions: Sequence[Sequence[str]], settings: dict[str, Any]) -> None:
        """Write `index.json` and the arrays into an empty folder."""
        counts = [len(rows) for rows in self._columns["rows"]]
        arrays = {name: np.stack(column) for name, column in self._columns.items() if name != "rows"}
        arrays["rows"] = np.concatenate(self._columns["rows"])
        arrays["offsets"] = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        index = {
            "format": FORMAT,
            "settings": settings,
            "instructions": [list(texts) for texts in instructions],
            "arrays": sorted(arrays),
        }
        (folder / "index.json").write_text(json.dumps(index))
