"""Where each slot's agent has been, seen from where it is: what odometry tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    import torch

PLACES = 16
"""Places that are shown."""
SPACING_M = 0.5
"""A look nearer than this to the last kept place adds none, metres."""
_FAR_M = 1000.0

Places = tuple[np.ndarray, ...]
"""Positions float64 (3,), world frame, newest first. Never written to again."""


class PathHistory:
    """The last 16 places where each slot has looked around, newest first, half a metre or more apart.

    They are the poses that the agent is told, with the sensors' noise, as the token memory's are.
    """

    def __init__(self, num_slots: int) -> None:
        self._places: list[Places] = [()] * num_slots

    def space(self) -> dict[str, spaces.Space]:
        """The entries of the observation space."""
        return {
            "path_xyz": spaces.Box(-_FAR_M, _FAR_M, (PLACES, 3), np.float32),
            "path_mask": spaces.MultiBinary(PLACES),
        }

    def add(self, slots: Sequence[int], features: torch.Tensor, position_m: np.ndarray) -> None:
        """Keep where each slot looked; `position_m` (n, 3), world frame."""
        for slot, place in zip(slots, np.asarray(position_m, dtype=np.float64), strict=True):
            kept = self._places[slot]
            if not kept or np.linalg.norm(kept[0] - place) >= SPACING_M:
                self._places[slot] = (place.copy(), *kept[: PLACES - 1])

    def read(
        self, slots: Sequence[int], position_m: np.ndarray, heading_rad: np.ndarray
    ) -> dict[str, np.ndarray]:
        """`path_xyz` float32 (n, 16, 3) in the agent frame and `path_mask` int8 (n, 16).

        Args:
            slots: n slots.
            position_m: (n, 3) where they are, world frame.
            heading_rad: (n,) where they look, counter-clockwise; 0 looks along -z.
        """
        xyz = np.zeros((len(slots), PLACES, 3), dtype=np.float32)
        mask = np.zeros((len(slots), PLACES), dtype=np.int8)
        for row, slot in enumerate(slots):
            kept = self._places[slot]
            if kept:
                offset = np.stack(kept) - position_m[row]
                xyz[row, : len(kept)] = to_agent_frame(offset, float(heading_rad[row]))
                mask[row, : len(kept)] = 1
        return {"path_xyz": xyz, "path_mask": mask}

    def reset(self, slot: int) -> None:
        """Forget a slot's path."""
        self._places[slot] = ()

    def snapshot(self, slot: int) -> Places:
        """A slot's places, newest first."""
        return self._places[slot]

    def restore(self, slot: int, places: Places) -> None:
        """Let a slot have these places."""
        self._places[slot] = places


def to_agent_frame(offset_m: np.ndarray, heading_rad: float) -> np.ndarray:
    """World offsets (..., 3) from the feet to the agent frame: x ahead, y left, z up."""
    offset_m = np.asarray(offset_m, dtype=np.float64)
    sine, cosine = np.sin(heading_rad), np.cos(heading_rad)
    ahead = -offset_m[..., 0] * sine - offset_m[..., 2] * cosine
    left = -offset_m[..., 0] * cosine + offset_m[..., 2] * sine
    return np.stack([ahead, left, offset_m[..., 1]], axis=-1)
