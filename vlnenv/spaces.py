"""Observation spaces: one flat dictionary of fixed arrays with masks."""

from __future__ import annotations

import string

import numpy as np
from gymnasium import spaces

from vlnenv.batch import EpisodeBatch

TOKEN_RANGE_M = 1000.0
"""Bound of token positions in each direction, metres; no scene comes near it."""


def observation_space(batch: EpisodeBatch) -> spaces.Dict:
    """The observation space of one slot of `batch`; `VLNEnv`'s docstring describes each key."""
    entries: dict[str, spaces.Space] = {}
    if batch.memory is not None:
        dim = batch.memory.dim
        for level, count in batch.memory.token_counts.items():
            entries[f"{level}_tokens"] = spaces.Box(-1.0, 1.0, (count, dim), np.float32)
            entries[f"{level}_xyz"] = spaces.Box(-TOKEN_RANGE_M, TOKEN_RANGE_M, (count, 3), np.float32)
            entries[f"{level}_mask"] = spaces.MultiBinary(count)
    if batch.config.uses_images:
        camera = batch.camera
        entries["rgb"] = spaces.Box(0, 255, (camera.height, camera.width, 3), np.uint8)
        entries["depth"] = spaces.Box(0.0, camera.max_depth_m, (camera.height, camera.width, 1), np.float32)
    entries["action_history"] = batch.actions.history_space
    entries["instruction"] = instruction_space([episode.instruction for episode in batch.dataset.episodes])
    return spaces.Dict(entries)


def instruction_space(instructions: list[str]) -> spaces.Text:
    """A Text space that holds printable ASCII and every character of the given instructions."""
    charset = frozenset(string.printable).union(*instructions)
    longest = max((len(text) for text in instructions), default=0)
    return spaces.Text(max_length=max(1024, longest), min_length=0, charset=charset)
