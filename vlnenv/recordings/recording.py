"""Recorded episodes and their file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vlnenv.cache import write_atomic

_FORMAT = "vlnenv-recordings-1"


@dataclass(frozen=True, eq=False)
class Recording:
    """One episode of k actions. World frame, metres and radians."""

    episode_id: str
    noise_key: tuple[int, ...]
    """Seeds the episode's sensor noise."""
    actions: np.ndarray
    """(k, ...) of the environment's action space."""
    rewards: np.ndarray
    """float64 (k,)."""
    position_m: np.ndarray
    """float64 (k + 1, 3) the agent's feet, at the start and after each action."""
    heading_rad: np.ndarray
    """float64 (k + 1,)."""
    terminated: bool
    """STOP was called; else the steps ran out."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """The environment's `info` at the end, but for the terms of the reward."""

    def __len__(self) -> int:
        """Number of actions."""
        return len(self.actions)


@dataclass(frozen=True, eq=False)
class Recordings:
    """Episodes recorded under the same settings."""

    settings: Mapping[str, Any]
    """The environment's arguments, JSON values."""
    dataset: str
    """Name and hash of the episodes: "houses-v1@..."."""
    task_hash: str
    """Hash of the protocol card."""
    agent: str
    """Who acted."""
    episodes: tuple[Recording, ...]

    def __len__(self) -> int:
        """Number of episodes."""
        return len(self.episodes)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.episodes)

    def __getitem__(self, index: int) -> Recording:
        return self.episodes[index]

    def save(self, path: str | Path) -> None:
        """Write all of it atomically as an `.npz` file without pickles.

        Raises:
            ValueError: If the path does not end in `.npz`, or there is nothing to write.
        """
        path = Path(path)
        if path.suffix != ".npz":
            raise ValueError(f"recordings are written to .npz files, got {path}")
        if not self.episodes:
            raise ValueError(f"no episodes to write to {path}")
        header = {
            "format": _FORMAT,
            "settings": dict(self.settings),
            "dataset": self.dataset,
            "task_hash": self.task_hash,
            "agent": self.agent,
            "episodes": [
                {
                    "episode_id": each.episode_id,
                    "noise_key": list(each.noise_key),
                    "terminated": each.terminated,
                    "metrics": dict(each.metrics),
                }
                for each in self.episodes
            ],
        }
        stream = io.BytesIO()
        np.savez_compressed(
            stream,
            header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8),
            length=np.array([len(each) for each in self.episodes], dtype=np.int64),
            actions=np.concatenate([each.actions for each in self.episodes]),
            rewards=np.concatenate([each.rewards for each in self.episodes]),
            position_m=np.concatenate([each.position_m for each in self.episodes]),
            heading_rad=np.concatenate([each.heading_rad for each in self.episodes]),
        )
        write_atomic(path, stream.getvalue())

    @classmethod
    def load(cls, path: str | Path) -> Recordings:
        """Recordings that `save` wrote.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it is damaged, or holds no recordings of this version.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"no recordings at {path}; `vlnenv data record` makes some")
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            header = json.loads(arrays["header"].tobytes())
            if header.get("format") != _FORMAT:
                raise ValueError(f"expected format {_FORMAT!r}, found {header.get('format')!r}")
            ends = np.cumsum(arrays["length"])
            rows = [slice(int(end - k), int(end)) for k, end in zip(arrays["length"], ends, strict=True)]
            episodes = tuple(
                Recording(
                    episode_id=facts["episode_id"],
                    noise_key=tuple(facts["noise_key"]),
                    actions=arrays["actions"][row],
                    rewards=arrays["rewards"][row],
                    # Each earlier episode has one pose more than actions.
                    position_m=arrays["position_m"][row.start + number : row.stop + number + 1],
                    heading_rad=arrays["heading_rad"][row.start + number : row.stop + number + 1],
                    terminated=facts["terminated"],
                    metrics=facts["metrics"],
                )
                for number, (row, facts) in enumerate(zip(rows, header["episodes"], strict=True))
            )
            return cls(header["settings"], header["dataset"], header["task_hash"], header["agent"], episodes)
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path} holds no recordings that this version can read: {error}") from error
