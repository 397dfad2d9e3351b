"""What a baseline sees: the current view's cells, and how far away they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlnenv.view_history import CELLS

VIEW_CELLS = CELLS * CELLS
"""Cells of a view, row by row from the top left."""


@dataclass(frozen=True)
class Looks:
    """What s agents see where they decide."""

    view: np.ndarray
    """float32 (s, 36, D): features of the current view, each cell the mean of 4 x 4 patches."""
    depth: np.ndarray
    """float32 (s, 36) metres along the optical axis: means over the same cells."""
    previous: np.ndarray
    """int64 (s, 3): the action before, [stop, turn, moves]; -1 for none. After a turn in pieces, its last."""


def looks(observations: Mapping[str, Any], rows: Sequence[int] | np.ndarray) -> Looks:
    """What some rows of a batched observation show.

    Args:
        observations: With `view_tokens` (the first 36 are the newest view), `depth` (b, S, S, 1) where 6
            divides S, and `action_history` of macro actions.
        rows: (s,) which of the b.

    Raises:
        KeyError: If an entry is missing.
        ValueError: If the depth's size doesn't divide into 6 x 6 cells.
    """
    for key in ("view_tokens", "depth", "action_history"):
        if key not in observations:
            raise KeyError(
                f"a baseline reads {key!r}, the observation has {sorted(observations)}: make the environment "
                "with agents.environments.make_env and the levels 'view' and 'depth'"
            )
    chosen = np.asarray(rows, dtype=np.int64)
    return Looks(
        view=np.asarray(observations["view_tokens"])[chosen, :VIEW_CELLS].astype(np.float32),
        depth=pooled_depth(np.asarray(observations["depth"])[chosen]),
        previous=np.asarray(observations["action_history"])[chosen, -1].astype(np.int64),
    )


def pooled_depth(depth_m: np.ndarray) -> np.ndarray:
    """Mean depth of 6 x 6 cells: (n, S, S, 1) to float32 (n, 36), row by row.

    Pixels without depth (0) are left out; a cell of such pixels alone is 0.
    """
    n, height, width = depth_m.shape[:3]
    if height % CELLS or width % CELLS:
        raise ValueError(
            f"depth must divide into {CELLS} x {CELLS} cells, got {height} x {width} pixels: image_size=24 "
            "does"
        )
    cells = depth_m.reshape(n, CELLS, height // CELLS, CELLS, width // CELLS)
    count = np.maximum((cells > 0.0).sum(axis=(2, 4)), 1)
    return (cells.sum(axis=(2, 4)) / count).reshape(n, VIEW_CELLS).astype(np.float32)
