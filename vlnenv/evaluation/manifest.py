"""What the results of a run depend on, so that a run is only ever continued under the same conditions."""

from __future__ import annotations

import dataclasses
import hashlib
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from gymnasium.vector import VectorEnv, VectorWrapper

import rewards
from vlnenv.simulators import simulator_name, simulator_versions

_PACKAGES = ("vlnenv", "gymnasium", "numpy", "numba", "embreex", "trimesh", "torch")


def make_manifest(
    agent: str,
    vector_env: VectorEnv | VectorWrapper,
    *,
    agent_config: Mapping[str, Any] | None = None,
    weights: Sequence[str | Path] = (),
    privileged: bool = False,
    seed: int = 0,
) -> dict[str, Any]:
    """The manifest of an agent's run in a `VLNVectorEnv`. The number of slots is not in it: it moves nothing.

    Args:
        agent: The agent's name.
        vector_env: The environment, wrapped or not; its settings, task and data set are written down.
        agent_config: The agent's own settings, as JSON values.
        weights: The agent's weight files, written down by name and SHA-256.
        privileged: Whether the agent sees what no agent has at test time.
        seed: The seed of whatever the agent draws.

    Raises:
        FileNotFoundError: If a weight file is not there.
    """
    env: Any = vector_env.unwrapped
    settings = dataclasses.asdict(env.config)
    settings["reward"] = rewards.make_reward(env.config.reward).name
    settings["simulator"] = simulator_name(env.config.simulator)
    return {
        "agent": {
            "name": agent,
            "config": dict(agent_config or {}),
            "weights": {Path(path).name: file_hash(path) for path in weights},
            "privileged": privileged,
            "seed": seed,
        },
        "environment": settings,
        "perception": _perception(env.batch),
        "task": {"name": env.batch.task.name, "hash": env.batch.task.hash},
        "dataset": {
            "name": env.batch.dataset.name,
            "split": env.batch.dataset.split,
            "hash": env.batch.dataset.hash,
        },
        "versions": {
            "python": platform.python_version(),
            **_versions(),
            **simulator_versions(env.batch.simulator),
        },
    }


def _perception(batch: Any) -> dict[str, Any]:
    """What observations depend on beyond the settings, and which of it no robot could see."""
    if batch.memories is None:
        return {"levels": None, "weights": {}, "privileged": []}
    return {
        "levels": batch.memories.levels_name,
        "weights": {path.name: file_hash(path) for path in batch.memories.weight_files},
        "privileged": list(batch.privileged),
    }


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions
