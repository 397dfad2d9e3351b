"""Making the observations of recorded episodes again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from vlnenv.batch import EpisodeBatch
from vlnenv.config import make_config
from vlnenv.recordings.recording import Recording, Recordings

_SAME_POSE = 1e-6


class ReplayError(RuntimeError):
    """A recorded episode went another way when it was replayed."""


def replay(
    recordings: Recordings, num_envs: int = 8, **settings: Any
) -> Iterator[tuple[Recording, dict[str, Any]]]:
    """Each recorded episode with the observations that the agent made, or would have made.

    Under the recording's own settings observations are those of the recording, bit by bit on the same
    machine; their rewards and metrics too. Other settings of what is observed (`observation`, `encoder`,
    `segmenter`, `patches`, `memory`, `image_size`, ...) show the same episodes to other eyes.

    Args:
        recordings: What was recorded.
        num_envs: Episodes played side by side; observations do not depend on it.
        **settings: Arguments of the environment that differ from the recording's.

    Yields:
        In order, each recording of k actions, and its observations: arrays (k + 1, ...) by key, as in the
        environment's observation space, the first before the first action; `instruction` is one string.

    Raises:
        ValueError: If the data set or the protocol is another than when it was recorded.
        ReplayError: If an episode's poses come out otherwise, as when a scene file has changed.
    """
    batch = EpisodeBatch(make_config({**recordings.settings, **settings}), num_envs)
    try:
        dataset = f"{batch.dataset.name}@{batch.dataset.hash}"
        for what, recorded, here in (
            ("episodes", recordings.dataset, dataset),
            ("protocol", recordings.task_hash, batch.task.hash),
        ):
            if recorded != here:
                raise ValueError(f"the recordings are of {what} {recorded}, here it is {here}")
        for first in range(0, len(recordings), num_envs):
            group = recordings.episodes[first : first + num_envs]
            yield from zip(group, _play(batch, group), strict=True)
    finally:
        batch.close()


def _play(batch: EpisodeBatch, group: Sequence[Recording]) -> list[dict[str, Any]]:
    """The observations of some episodes, played side by side."""
    slots = list(range(len(group)))
    episodes = [batch.dataset.by_id(each.episode_id) for each in group]
    batch.begin(slots, episodes, [each.noise_key for each in group], seeded=slots)
    seen: list[dict[str, list[np.ndarray]]] = [{} for _ in group]
    step = 0
    while slots:
        observation = batch.observe(slots)
        for row, slot in enumerate(slots):
            _check_pose(batch, slot, group[slot], step)
            for key, values in observation.items():
                if key != "instruction":
                    seen[slot].setdefault(key, []).append(np.array(values[row]))
        slots = [slot for slot in slots if step < len(group[slot])]
        if slots:
            batch.step(slots, [group[slot].actions[step] for slot in slots])
        step += 1
    return [
        {
            **{key: np.stack(values) for key, values in rows.items()},
            "instruction": episode.instruction,
        }
        for rows, episode in zip(seen, episodes, strict=True)
    ]


def _check_pose(batch: EpisodeBatch, slot: int, recording: Recording, step: int) -> None:
    rollout = batch.rollout(slot)
    position_m, heading_rad = recording.position_m[step], recording.heading_rad[step]
    # Headings are remainders of a full turn: compare them on the circle.
    turned = np.remainder(rollout.heading_rad - heading_rad + np.pi, 2.0 * np.pi) - np.pi
    if np.abs(rollout.position_m - position_m).max() > _SAME_POSE or abs(turned) > _SAME_POSE:
        raise ReplayError(
            f"episode {recording.episode_id!r} after {step} actions: recorded at "
            f"{position_m.round(4).tolist()} heading {heading_rad:.4f}, here at "
            f"{rollout.position_m.round(4).tolist()} heading {rollout.heading_rad:.4f}. Has the scene, "
            "`sliding` or the version of vlnenv changed?"
        )
