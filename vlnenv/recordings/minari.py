"""Recordings as a Minari data set, for offline RL libraries."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from vlnenv.recordings.recording import Recordings
from vlnenv.recordings.replay import replay


def export_minari(
    recordings: Recordings,
    dataset_id: str,
    num_envs: int = 8,
    facts: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Any:
    """Replay recordings into a local Minari data set, observations included.

    Args:
        recordings: What was recorded.
        dataset_id: Minari's name for it, such as "vlnenv/houses/expert-v0"; it must not exist yet.
        num_envs: Episodes played side by side.
        facts: What Minari also asks for, such as `author`, `author_email` and `code_permalink`; see
            `minari.create_dataset_from_buffers`.
        **settings: As for `replay`.

    Returns:
        The `minari.MinariDataset`. `minari.load_dataset(dataset_id)` gives it again.

    Raises:
        ImportError: If Minari is not installed.
        ValueError: If a data set of that name exists, or see `replay`.
    """
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ImportError as error:
        raise ImportError(
            "exporting to Minari needs the package minari with HDF5 (Python 3.11 or newer): "
            "pip install 'vlnenv[minari]'"
        ) from error
    if dataset_id in minari.list_local_datasets():
        raise ValueError(
            f"there is a local Minari data set {dataset_id!r} already: choose another name, or delete it by "
            f"`minari delete {dataset_id}`"
        )
    spec = _spec({**recordings.settings, **settings})
    buffers = []
    for number, (recording, seen) in enumerate(replay(recordings, num_envs, **settings)):
        k = len(recording)
        last = np.arange(1, k + 1) == k
        buffers.append(
            EpisodeBuffer(
                id=number,
                options={"episode_id": recording.episode_id},
                observations={**seen, "instruction": [seen["instruction"]] * (k + 1)},
                actions=recording.actions,
                rewards=recording.rewards,
                terminations=last & recording.terminated,
                truncations=last & (not recording.terminated),
            )
        )
    return minari.create_dataset_from_buffers(
        dataset_id,
        buffers,
        env=spec,
        eval_env=spec,
        algorithm_name=recordings.agent,
        description=f"{len(recordings)} episodes of {recordings.dataset}",
        jpeg_encoding=False,
        requirements=["vlnenv"],
        **(facts or {}),
    )


def _spec(settings: Mapping[str, Any]) -> EnvSpec:
    """The environment that has these settings, for `MinariDataset.recover_environment()`."""
    spec = copy.deepcopy(gym.spec(f"{settings['task']}-v0"))
    spec.kwargs.update(settings)
    return spec
