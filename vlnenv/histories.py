"""What a slot keeps beside its token memory, and shows in keys of its own: the last views, the path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from gymnasium import spaces

if TYPE_CHECKING:
    import torch


class History(Protocol):
    """Keeps something of each look, slot by slot."""

    def space(self) -> dict[str, spaces.Space]:
        """The entries that it adds to the observation space."""
        ...

    def add(self, slots: Sequence[int], features: torch.Tensor, position_m: np.ndarray) -> None:
        """Keep one more look of each slot.

        Args:
            slots: n slots.
            features: (n, 24, 24, dim) what the encoder made of their views.
            position_m: (n, 3) where they were told to be, world frame.
        """
        ...

    def read(
        self, slots: Sequence[int], position_m: np.ndarray, heading_rad: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The entries' values for n slots that are at these poses, world frame; headings (n,) in radians."""
        ...

    def reset(self, slot: int) -> None:
        """Forget what a slot has kept."""
        ...

    def snapshot(self, slot: int) -> Any:
        """What a slot has kept; later looks do not touch it."""
        ...

    def restore(self, slot: int, kept: Any) -> None:
        """Let a slot have what `snapshot` gave."""
        ...
