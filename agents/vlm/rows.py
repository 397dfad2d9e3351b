"""Memory rows: what a model reads of an observation, as one array a sample.

A row is [level, x, y, z, feature]: the level's code, metres in the agent frame (x ahead, y left, z up), the
feature. Code 0 is padding. A sample's rows are sorted by code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.vlm.config import LEVEL_CODES
from agents.vlm.config import ROW_HEADER as COORDINATES
from vlnenv.errors import unknown_name
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS

AGE_SCALE = 16.0
"""A path row's first feature is its number, newest 1, over this; the others are 0."""

_Level = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Tokens (b, n, dim), places (b, n, 3) and validity (b, n)."""


def grid_of(patches: str) -> tuple[int, int]:
    """Rows and columns of the patches that an environment with this setting of `patches` shows."""
    return (PATCH_GRID, PATCH_GRID) if patches == "egocentric" else (PANORAMA_ROWS, PANORAMA_COLUMNS)


def memory_rows(
    observation: Mapping[str, Any],
    rows: Sequence[int] | np.ndarray,
    levels: Sequence[str] = ("patch", "instance", "zone"),
    *,
    patch_pool: tuple[int, int] = (1, 1),
    patch_grid: tuple[int, int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
) -> tuple[list[np.ndarray], list[dict[str, int]]]:
    """The valid tokens of some rows of a batched observation.

    Args:
        observation: `<level>_tokens` (b, n, dim), `<level>_xyz` (b, n, 3) and `<level>_mask` (b, n) of each
            level; "path" has no tokens, its places lie newest first. Where the mask is 0 the
            arrays may hold anything.
        rows: (s,) which of the b to take.
        levels: Levels to read, in any order.
        patch_pool: Rows and columns of a block of patches that becomes one token: the mean place and feature
            of its valid cells. A block without one is not there.
        patch_grid: Rows and columns of the patches, (24, 24) for an egocentric view.

    Returns:
        s arrays float32 (n_i, 4 + dim), and s dictionaries of how many rows each of the levels has.

    Raises:
        KeyError: If the observation lacks a level.
        ValueError: If a level is unknown, none has features, their lengths differ, or the blocks don't divide
            the grid of patches.
    """
    for level in levels:
        if level not in LEVEL_CODES:
            raise ValueError(unknown_name("token level", level, LEVEL_CODES))
    chosen = np.asarray(rows, dtype=np.int64)
    read = {level: _read(observation, level, chosen) for level in LEVEL_CODES if level in levels}
    if "patch" in read and tuple(patch_pool) != (1, 1):
        read["patch"] = pooled_patches(*read["patch"], pool=patch_pool, grid=patch_grid)
    dims = {level: tokens.shape[2] for level, (tokens, _, _) in read.items() if level != "path"}
    if len(set(dims.values())) != 1:
        raise ValueError(f"the levels must have features of one length, and one beside the path: got {dims}")
    parts, masks = [], []
    for level, (tokens, xyz, mask) in read.items():
        part = np.zeros((*mask.shape, COORDINATES + next(iter(dims.values()))), dtype=np.float32)
        part[..., 0] = LEVEL_CODES[level]
        part[..., 1:COORDINATES] = xyz
        part[..., COORDINATES : COORDINATES + tokens.shape[2]] = tokens
        parts.append(part)
        masks.append(mask)
    everything, valid = np.concatenate(parts, axis=1), np.concatenate(masks, axis=1)
    counts = np.stack([mask.sum(axis=1) for mask in masks], axis=1)
    samples = np.split(everything[valid], np.cumsum(counts.sum(axis=1))[:-1]) if len(chosen) else []
    return samples, [dict(zip(read, map(int, count), strict=True)) for count in counts]


def _read(observation: Mapping[str, Any], level: str, rows: np.ndarray) -> _Level:
    """A level of the chosen rows; the path's ages become features of length 1."""
    keys = [f"{level}_{part}" for part in ("tokens", "xyz", "mask")]
    for key in keys[1:] if level == "path" else keys:
        if key not in observation:
            raise KeyError(
                f"this model reads {level} tokens, but {key!r} is not in the observation, which has "
                f"{sorted(observation)}: use observation='tokens' or 'all', VectorViewHistoryObservation for "
                "views and VectorPathObservation for the path"
            )
    xyz, mask = (np.asarray(observation[key])[rows] for key in keys[1:])
    if level == "path":
        age = np.arange(1, mask.shape[1] + 1, dtype=np.float32)[:, None] / AGE_SCALE
        return np.broadcast_to(age, (*mask.shape, 1)), xyz, mask.astype(bool)
    return np.asarray(observation[keys[0]])[rows], xyz, mask.astype(bool)


def pooled_patches(
    tokens: np.ndarray,
    xyz: np.ndarray,
    mask: np.ndarray,
    *,
    pool: tuple[int, int],
    grid: tuple[int, int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
) -> _Level:
    """Means of the valid patches in each block of a grid.

    Args:
        tokens: (b, rows * columns, dim), row by row.
        xyz: (b, rows * columns, 3) metres.
        mask: bool (b, rows * columns).
        pool: Rows and columns of a block.
        grid: Rows and columns of the patches.

    Returns:
        Tokens float32 (b, blocks, dim), places (b, blocks, 3) and bool (b, blocks), blocks row by row. A
        block is valid if one of its cells is.

    Raises:
        ValueError: If the blocks don't divide the grid, or the patches don't fill it.
    """
    if min(pool) < 1 or grid[0] % pool[0] or grid[1] % pool[1]:
        raise ValueError(f"blocks of {tuple(pool)} patches must divide the grid of {tuple(grid)}")
    if mask.shape[1] != grid[0] * grid[1]:
        raise ValueError(
            f"a grid of {tuple(grid)} has {grid[0] * grid[1]} patches, the observation {mask.shape[1]}: "
            "set patch_grid"
        )
    size, blocks = len(mask), (grid[0] // pool[0], grid[1] // pool[1])
    cells = (size, blocks[0], pool[0], blocks[1], pool[1])
    valid = mask.reshape(*cells, 1)
    count = valid.sum(axis=(2, 4))
    means = []
    for values in (tokens, xyz):
        # What is masked out may be NaN, so it is not enough to weigh it with 0.
        kept = np.where(valid, values.reshape(*cells, -1), 0.0).astype(np.float32)
        mean = kept.sum(axis=(2, 4)) / np.maximum(count, 1)
        means.append(mean.reshape(size, blocks[0] * blocks[1], -1).astype(np.float32))
    return means[0], means[1], count.reshape(size, -1) > 0


def count_levels(rows: np.ndarray) -> dict[str, int]:
    """How many of a sample's rows (n, 4 + dim) are of each level that occurs; padding counts for none."""
    codes = rows[:, 0].astype(np.int64)
    counts = {level: int((codes == code).sum()) for level, code in LEVEL_CODES.items()}
    return {level: count for level, count in counts.items() if count}


def stack_rows(samples: Sequence[np.ndarray], token_dim: int) -> np.ndarray:
    """Samples of different lengths in one array, padded with zeros at the end.

    Args:
        samples: (n_i, 4 + token_dim) each; one without rows may be of any shape.
        token_dim: Length of a feature.

    Returns:
        float32 (b, n, 4 + token_dim), where n is the longest sample's length and at least 1.

    Raises:
        ValueError: If a sample is of another width.
    """
    width = COORDINATES + token_dim
    arrays = [np.asarray(sample, dtype=np.float32) for sample in samples]
    arrays = [array if array.size else array.reshape(0, width) for array in arrays]
    for array in arrays:
        if array.ndim != 2 or array.shape[1] != width:
            raise ValueError(
                f"this model reads rows of {width} numbers (4 and a feature of {token_dim}), got an array of "
                f"shape {array.shape}: use the encoder that it was trained with"
            )
    stacked = np.zeros((len(arrays), max([1, *map(len, arrays)]), width), dtype=np.float32)
    for target, array in zip(stacked, arrays, strict=True):
        target[: len(array)] = array
    return stacked
