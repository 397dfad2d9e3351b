"""Notes a roll-in's decisions as memory rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.decisions import DecisionWriter
from agents.roll_in import Moment
from agents.vlm.rows import memory_rows
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS


class RowRecorder:
    """Gives decisions, with the memory that they were made on, to a writer.

    Args:
        writer: Takes the decisions.
        levels: Levels of memory rows that are noted.
        patch_pool: Rows and columns of patches that are noted as one.
        patch_grid: Rows and columns of the patches.
    """

    def __init__(
        self,
        writer: DecisionWriter,
        levels: Sequence[str],
        patch_pool: tuple[int, int],
        patch_grid: tuple[int, int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
    ) -> None:
        self.writer = writer
        self.levels = tuple(levels)
        self.patch_pool = patch_pool
        self.patch_grid = patch_grid

    def begin(self, slot: int, route: int) -> None:
        """An episode begins: decisions say themselves which they are of."""

    def see(self, observations: Mapping[str, Any], slots: Sequence[int]) -> None:
        """What comes by is in the memory at the next decision."""

    def note(self, observations: Mapping[str, Any], moments: Sequence[Moment]) -> None:
        """See `agents.roll_in.Recorder.note`."""
        slots = [moment.slot for moment in moments]
        rows, _ = memory_rows(
            observations, slots, self.levels, patch_pool=self.patch_pool, patch_grid=self.patch_grid
        )
        history = np.asarray(observations["action_history"])
        for moment, noted in zip(moments, rows, strict=True):
            self.writer.add(
                noted, history[moment.slot], moment.label, moment.goal, moment.route, moment.number
            )
