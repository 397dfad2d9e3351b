"""The last views of each slot as they were, without poses and without depth: what a 2D agent remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    import torch

VIEWS = 16
"""Views that are kept."""
CELLS = 6
"""Cells across and down a kept view; each is the mean of 4 x 4 patches."""
VIEW_TOKENS = VIEWS * CELLS * CELLS

View = np.ndarray
"""float32 (36, dim): a view's cells row by row from the top left. Never written to again."""


class ViewHistory:
    """The last 16 views of each slot, newest first, each as 6 x 6 means of its patch features.

    Unlike the token memory it knows neither where the agent was nor how far away anything is.
    """

    def __init__(self, num_slots: int, dim: int) -> None:
        self.dim = dim
        self._views: list[tuple[View, ...]] = [()] * num_slots

    def space(self) -> dict[str, spaces.Space]:
        """The entries of the observation space."""
        return {
            "view_tokens": spaces.Box(-1.0, 1.0, (VIEW_TOKENS, self.dim), np.float32),
            "view_xyz": spaces.Box(float(VIEW_PLACES.min()), float(VIEW_PLACES.max()), VIEW_PLACES.shape),
            "view_mask": spaces.MultiBinary(VIEW_TOKENS),
        }

    def add(self, slots: Sequence[int], features: torch.Tensor, position_m: np.ndarray) -> None:
        """Keep one more view of each slot; `features` (n, 24, 24, dim) of unit length, as an encoder's."""
        for slot, view in zip(slots, pooled(features), strict=True):
            self._views[slot] = (view, *self._views[slot][: VIEWS - 1])

    def read(
        self, slots: Sequence[int], position_m: np.ndarray, heading_rad: np.ndarray
    ) -> dict[str, np.ndarray]:
        """`view_tokens` float32 (n, 576, dim), `view_xyz` float32 (n, 576, 3), `view_mask` int8 (n, 576)."""
        tokens = np.zeros((len(slots), VIEWS, CELLS * CELLS, self.dim), dtype=np.float32)
        mask = np.zeros((len(slots), VIEWS, CELLS * CELLS), dtype=np.int8)
        for row, slot in enumerate(slots):
            for age, view in enumerate(self._views[slot]):
                tokens[row, age] = view
                mask[row, age] = 1
        kept = mask.reshape(len(slots), VIEW_TOKENS)
        return {
            "view_tokens": tokens.reshape(len(slots), VIEW_TOKENS, self.dim),
            "view_xyz": VIEW_PLACES * kept[..., None].astype(np.float32),
            "view_mask": kept,
        }

    def reset(self, slot: int) -> None:
        """Forget a slot's views."""
        self._views[slot] = ()

    def snapshot(self, slot: int) -> tuple[View, ...]:
        """A slot's views, newest first."""
        return self._views[slot]

    def restore(self, slot: int, views: tuple[View, ...]) -> None:
        """Let a slot have these views."""
        self._views[slot] = views


def pooled(features: torch.Tensor) -> np.ndarray:
    """Means of 4 x 4 patches: (n, 24, 24, dim) to float32 (n, 36, dim) on the CPU.

    Means of unit vectors are at most of unit length: how much shorter says how mixed a cell is.
    """
    n, grid, _, dim = features.shape
    side = grid // CELLS
    cells = features.reshape(n, CELLS, side, CELLS, side, dim).mean(dim=(2, 4))
    return cells.reshape(n, CELLS * CELLS, dim).float().cpu().numpy()


def _view_places() -> np.ndarray:
    """A fixed code float32 (576, 3) of where in its picture and how old a cell is.

    It has the form of a position, so that a network for token positions reads it, but says nothing of the
    world: pictures of a camera of 90 degrees hang in front of the agent at eye height, the newest at 1 m,
    each older one 0.25 m behind.
    """
    ahead = 1.0 + 0.25 * np.arange(VIEWS)
    offset = (np.arange(CELLS) + 0.5) * (2.0 / CELLS) - 1.0
    places = np.empty((VIEWS, CELLS, CELLS, 3), dtype=np.float32)
    places[..., 0] = ahead[:, None, None]
    places[..., 1] = -ahead[:, None, None] * offset
    places[..., 2] = 1.25 - ahead[:, None, None] * offset[:, None]
    return places.reshape(VIEW_TOKENS, 3)


VIEW_PLACES = _view_places()
