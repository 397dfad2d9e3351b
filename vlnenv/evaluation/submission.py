"""Trajectories in the files that the field's leaderboards take: VLN-CE's for R2R, RxR-Habitat's for RxR.

The servers are closed or may be any day; local scorers read the same files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vlnenv.cache import write_atomic
from vlnenv.episodes import EpisodeDataset

if TYPE_CHECKING:
    from vlnenv.recordings import Recording

MAX_POSES = 500
"""Poses of one trajectory that VLN-CE's server takes: its start and the steps after it."""


def write_r2r_submission(recordings: Iterable[Recording], dataset: EpisodeDataset, path: str | Path) -> None:
    """Write VLN-CE's JSON: `{episode_id: [{"position": [x, y, z], "heading": h, "stop": bool}, ...]}`.

    The first pose is the start, poses that repeat the one before are dropped, and the last says stop: also
    where the steps ran out, as the agent ends there whatever it called.

    Args:
        recordings: One for each episode of the split, in any order; recorded with discrete actions, so that
            no pose between is left out.
        dataset: The split.
        path: The .json file.

    Raises:
        ValueError: If an episode is missing, twice there, or not of the split, or a trajectory is too long.
    """
    by_id = _complete(recordings, dataset)
    predictions = {episode.episode_id: _poses(by_id[episode.episode_id]) for episode in dataset}
    write_atomic(path, json.dumps(predictions, allow_nan=False).encode())


def write_rxr_submission(recordings: Iterable[Recording], dataset: EpisodeDataset, path: str | Path) -> None:
    """Write RxR-Habitat's JSON lines, `{"instruction_id": int, "path": [[x, y, z], ...]}`, sorted by the id.

    The path is the start and every position that differs from the one before.

    Args:
        recordings: As for `write_r2r_submission`.
        dataset: The split: of RxR-CE.
        path: The .jsonl file.

    Raises:
        ValueError: As for `write_r2r_submission`; also if an episode has no instruction id.
    """
    by_id = _complete(recordings, dataset)
    lines: list[tuple[int, list[list[float]]]] = []
    for episode in dataset:
        number = episode.extra.get("instruction", {}).get("instruction_id")
        if number is None:
            raise ValueError(f"episode {episode.episode_id!r} has no instruction_id: it is none of RxR-CE's")
        lines.append((int(number), _changed(by_id[episode.episode_id].position_m)))
    text = "".join(
        json.dumps({"instruction_id": number, "path": walked}, allow_nan=False) + "\n"
        for number, walked in sorted(lines)
    )
    write_atomic(path, text.encode())


def _complete(recordings: Iterable[Recording], dataset: EpisodeDataset) -> dict[str, Recording]:
    """The recordings by episode; every episode of the split has to have one."""
    by_id: dict[str, Recording] = {}
    for recording in recordings:
        if recording.episode_id not in dataset:
            raise ValueError(f"episode {recording.episode_id!r} is not in {dataset.name} {dataset.split}")
        if recording.episode_id in by_id:
            raise ValueError(f"episode {recording.episode_id!r} was recorded twice")
        by_id[recording.episode_id] = recording
    missing = [each.episode_id for each in dataset if each.episode_id not in by_id]
    if missing:
        raise ValueError(
            f"a submission has every episode of {dataset.name} {dataset.split}: {len(missing)} of "
            f"{len(dataset)} are missing, the first {missing[0]!r}"
        )
    return by_id


def _poses(recording: Recording) -> list[dict[str, Any]]:
    poses: list[dict[str, Any]] = []
    for position_m, heading_rad in zip(recording.position_m, recording.heading_rad, strict=True):
        # VLN-CE's heading: counter-clockwise about +y from -z, in (-pi, pi], as here.
        pose = {"position": position_m.tolist(), "heading": math.remainder(float(heading_rad), 2.0 * math.pi)}
        if not poses or pose != poses[-1]:
            poses.append(pose)
    if len(poses) > MAX_POSES + 1:
        raise ValueError(
            f"episode {recording.episode_id!r} has {len(poses)} poses, of which VLN-CE takes {MAX_POSES}"
        )
    del poses[MAX_POSES:]  # the last step of an agent that used up all 500 without STOP
    return [{**pose, "stop": index == len(poses) - 1} for index, pose in enumerate(poses)]


def _changed(position_m: np.ndarray) -> list[list[float]]:
    path: list[list[float]] = []
    for point in position_m.tolist():
        if not path or point != path[-1]:
            path.append(point)
    return path
