"""Runs of several training seeds as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from vlnenv.evaluation import Record


def over_seeds(runs: Sequence[Sequence[Record]], metrics: Sequence[str]) -> list[dict[str, Any]]:
    """One record an episode, with the means over the runs: intervals still resample scenes and episodes.

    Args:
        runs: Records of the same episodes.
        metrics: What is averaged; of the rest each episode keeps what its first record says.
    """
    found: dict[str, list[Record]] = defaultdict(list)
    for records in runs:
        for record in records:
            found[record["episode_id"]].append(record)
    return [
        {**records[0], **{name: float(np.mean([float(each[name]) for each in records])) for name in metrics}}
        for records in found.values()
    ]
