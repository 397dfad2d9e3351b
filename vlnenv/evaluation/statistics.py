"""Means with intervals: a bootstrap that resamples scenes and then episodes, for one agent and for a pair.

Episodes of one scene are alike, so resampling episodes alone makes intervals too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and its bootstrap interval."""

    mean: float
    low: float
    high: float


def bootstrap_means(
    values: np.ndarray, scenes: Sequence[str], samples: int = SAMPLES, seed: int = 0
) -> np.ndarray:
    """Means of resampled data sets: scenes drawn with replacement, then episodes of each drawn scene.

    Args:
        values: (n,) or (n, k), one row an episode; k values of one episode stay together.
        scenes: n scene ids.
        samples: How many data sets to draw, B.
        seed: Equal seeds give equal draws. The order of the episodes does not matter to the distribution, and
            that of the scenes is sorted by id.

    Returns:
        float64 (B,) or (B, k).

    Raises:
        ValueError: If there is no episode, a value is not finite, or the lengths differ.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) == 0 or len(values) != len(scenes):
        raise ValueError(
            f"expected at least one value and a scene id each, got {len(values)} and {len(scenes)} of them"
        )
    if not np.isfinite(values).all():
        raise ValueError("values must be finite")
    if samples < 1:
        raise ValueError(f"samples must be at least 1, got {samples}")
    rng = np.random.default_rng(seed)
    names, membership = np.unique(np.asarray(scenes, dtype=str), return_inverse=True)
    drawn = rng.integers(len(names), size=(samples, len(names)))
    sums = np.zeros((samples, *values.shape[1:]))
    counts = np.zeros(samples)
    for scene in range(len(names)):
        members = values[membership == scene]
        owner = np.nonzero(drawn == scene)[0]  # the data set of each time that this scene was drawn
        chosen = rng.integers(len(members), size=(len(owner), len(members)))
        np.add.at(sums, owner, members[chosen].sum(axis=1))
        np.add.at(counts, owner, len(members))
    return sums / counts.reshape(-1, *[1] * (values.ndim - 1))


def mean_interval(
    values: Sequence[float] | np.ndarray,
    scenes: Sequence[str],
    level: float = LEVEL,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Interval:
    """Mean over episodes, with the percentile interval of `bootstrap_means` (default 95 %)."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie between 0 and 1, got {level}")
    values = np.asarray(values, dtype=np.float64)
    means = bootstrap_means(values, scenes, samples, seed)
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return Interval(float(values.mean()), float(low), float(high))


def paired_difference(
    ours: Sequence[Mapping[str, Any]],
    theirs: Sequence[Mapping[str, Any]],
    metric: str,
    level: float = LEVEL,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Interval:
    """How much higher `metric` is in `ours` than in `theirs`, episode by episode, with its interval.

    Args:
        ours: Records of one agent, in any order.
        theirs: Records of the other, on the same episodes.
        metric: A numeric key of the records, such as "is_success".
        level: Coverage of the interval.
        samples: Data sets to draw.
        seed: Of the draws.

    Raises:
        ValueError: If the two don't hold the same episodes.
        KeyError: If a record has no such metric.
    """
    first, second = ({record["episode_id"]: record for record in each} for each in (ours, theirs))
    odd = sorted(set(first) ^ set(second))
    if odd or len(first) != len(ours) or len(second) != len(theirs):
        raise ValueError(
            f"a paired difference needs each episode once on both sides; {len(ours)} and {len(theirs)} "
            f"records, only on one side: {odd[:5]}"
        )
    ids = sorted(first)
    difference = [float(first[each][metric]) - float(second[each][metric]) for each in ids]
    return mean_interval(difference, [first[each]["scene_id"] for each in ids], level, samples, seed)


def summarise(records: Sequence[Mapping[str, Any]], samples: int = SAMPLES, seed: int = 0) -> dict[str, Any]:
    """Means with 95 % intervals of every number that all records have, in JSON values.

    Returns:
        `{"num_episodes", "num_scenes", "metrics": {name: {"mean", "low", "high"}}}`; the same for the same
        records in any order.
    """
    ordered = sorted(records, key=lambda record: record["episode_id"])
    scenes = [record["scene_id"] for record in ordered]
    names = [
        name
        for name in sorted({key for record in ordered for key in record})
        if all(isinstance(record.get(name), (int, float)) for record in ordered)
    ]
    metrics = {}
    for name in names:
        interval = mean_interval([record[name] for record in ordered], scenes, samples=samples, seed=seed)
        metrics[name] = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {"num_episodes": len(ordered), "num_scenes": len(set(scenes)), "metrics": metrics}
