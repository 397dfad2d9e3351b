"""Expert demonstrations as a cache of observations: made once a data set and setting, then memory-mapped.

The expert labels every step; now and then the agent is pushed off its way for a few steps (as in DART, Laskey
et al. 2017), so that the labels also show how to come back.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from agents.config import LEVELS, DemonstrationConfig, Perception
from agents.environments import make_env
from agents.expert import expert_action
from vlnenv.cache import cached_folder, open_folder
from vlnenv.evaluation.manifest import file_hash
from vlnenv.vector import VLNVectorEnv

_VERSION = 3
_STOP, _FORWARD, _LEFT, _RIGHT = range(4)


@dataclass(frozen=True)
class Demonstrations:
    """n labelled observations; the arrays are memory-mapped and read-only."""

    arrays: dict[str, np.ndarray]
    """The token keys of all levels, tokens and positions as float16, and `action_history` int8 (n, 4)."""
    instruction: np.ndarray
    """int32 (n,), index into `instructions`."""
    instructions: tuple[str, ...]
    action: np.ndarray
    """int8 (n,), what the expert does."""
    goal: np.ndarray
    """float32 (n, 3): walking distance to the goal, and its place ahead and to the left, metres."""
    data_hash: str
    """Hash of the episodes."""
    perception: Perception
    """What the observations were made with, spelt out: `levels` is not "auto", `memory` has all fields."""
    weights: dict[str, str]
    """SHA-256 of the shipped weights that the observations were made with, by file name."""

    def __len__(self) -> int:
        return len(self.action)


def load_demonstrations(config: DemonstrationConfig, num_envs: int = 8) -> Demonstrations:
    """The demonstrations of a setting: out of the cache, or made now, with a progress bar.

    Args:
        config: What to demonstrate.
        num_envs: Episodes run side by side; the result does not depend on it, but for the order of rows.
    """
    levels = LEVELS if config.views else tuple(level for level in LEVELS if level != "view")
    env = make_env(
        num_envs,
        config.perception,
        levels,
        dataset=config.dataset,
        split=config.split,
        max_steps=config.max_steps,
        autoreset_mode="Disabled",
    )
    try:
        assert isinstance(env.unwrapped, VLNVectorEnv), "the wrapper changes what is observed, and no method"
        settings = _settings(config, env.unwrapped)
        inner = env.unwrapped
        folder = cached_folder(
            "demonstrations", settings, lambda building: _collect(config, inner, building, settings)
        )
    finally:
        env.close()
    return open_demonstrations(folder)


def _settings(config: DemonstrationConfig, env: VLNVectorEnv) -> dict[str, Any]:
    """All that demonstrations depend on, as JSON values: other weights make other ones."""
    memories = env.batch.memories
    assert memories is not None, "demonstrations are of tokens"
    limits = dataclasses.asdict(memories.memory.config)
    del limits["patches"]  # an argument of its own
    resolved = dataclasses.replace(config.perception, levels=memories.levels_name, memory=limits)
    return {
        **dataclasses.asdict(dataclasses.replace(config, perception=resolved)),
        "data_hash": env.batch.dataset.hash,
        "weights": {file.name: file_hash(file) for file in memories.weight_files},
        "version": _VERSION,
    }


def open_demonstrations(folder: Path) -> Demonstrations:
    """Memory-map the demonstrations in a folder."""
    index, arrays = open_folder(folder)
    return Demonstrations(
        instruction=arrays.pop("instruction"),
        action=arrays.pop("action"),
        goal=arrays.pop("goal"),
        arrays=arrays,
        instructions=tuple(index["instructions"]),
        data_hash=index["settings"]["data_hash"],
        perception=Perception(**index["settings"]["perception"]),
        weights=index["settings"]["weights"],
    )


class Disturbance:
    """Now and then a few equal actions that the expert did not ask for; never STOP."""

    def __init__(self, chance: float, rng: np.random.Generator) -> None:
        self._chance = chance
        self._rng = rng
        self._action = _FORWARD
        self._left = 0

    def apply(self, wanted: int) -> int:
        """The action to carry out instead of `wanted`."""
        if self._left == 0 and self._rng.random() < self._chance:
            self._action = int(self._rng.choice([_FORWARD, _LEFT, _RIGHT], p=[0.4, 0.3, 0.3]))
            self._left = int(self._rng.integers(1, 7))
        if self._left == 0:
            return wanted
        self._left -= 1
        return self._action


class _ArrayFile:
    """A .npy file that grows by rows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._row: tuple[tuple[int, ...], np.dtype] | None = None
        self._rows = 0

    def append(self, row: np.ndarray) -> None:
        if self._file is None:
            self._file = open(self._path, "wb")  # noqa: SIM115
            self._row = (row.shape, row.dtype)
            self._write_header()
        self._file.write(np.ascontiguousarray(row).tobytes())
        self._rows += 1

    def _write_header(self) -> None:
        assert self._file is not None
        assert self._row is not None
        # numpy pads the header so that its length stays while the first axis grows.
        header = {
            "shape": (self._rows, *self._row[0]),
            "fortran_order": False,
            "descr": np.lib.format.dtype_to_descr(self._row[1]),
        }
        np.lib.format.write_array_header_1_0(self._file, header)

    def close(self) -> None:
        if self._file is not None:
            self._file.seek(0)
            self._write_header()
            self._file.close()


def _collect(
    config: DemonstrationConfig, env: VLNVectorEnv, building: Path, settings: dict[str, Any]
) -> None:
    """Run the expert and write what it saw and did."""
    files: dict[str, _ArrayFile] = {}
    instructions: dict[str, int] = {}
    for row in _rows(config, env, instructions):
        for name, value in row.items():
            if name not in files:
                files[name] = _ArrayFile(building / f"{name}.npy")
            files[name].append(value)
    for file in files.values():
        file.close()
    index = {"settings": settings, "instructions": list(instructions), "arrays": sorted(files)}
    (building / "index.json").write_text(json.dumps(index, indent=2))


def _rows(
    config: DemonstrationConfig, env: VLNVectorEnv, instructions: dict[str, int]
) -> Iterator[dict[str, np.ndarray]]:
    """The kept steps of all demonstrations, one row each; new instructions are added to `instructions`."""
    episodes = list(env.batch.dataset.episodes)
    if config.scenes is not None:
        scenes = list(dict.fromkeys(episode.scene_id for episode in episodes))[: config.scenes]
        episodes = [episode for episode in episodes if episode.scene_id in scenes]
    if config.episodes is not None and config.episodes < len(episodes):
        chosen = np.linspace(0, len(episodes) - 1, config.episodes).round().astype(int)
        episodes = [episodes[index] for index in np.unique(chosen)]
    # Neighbours in the queue share a scene, so few scenes are in use at a time.
    order = sorted(range(len(episodes)), key=lambda index: (episodes[index].scene_id, index))
    queue = [(index, lap) for index in order for lap in range(config.passes)]
    queue.reverse()
    rngs: list[np.random.Generator] = [np.random.default_rng(0)] * env.num_envs
    disturbances: list[Disturbance] = [Disturbance(0.0, rngs[0])] * env.num_envs
    running = np.zeros(env.num_envs, dtype=bool)
    observation: dict[str, Any] = {}
    with tqdm(total=len(queue), desc="demonstrations", unit="episode", smoothing=0.05) as progress:
        while queue or running.any():
            fresh = np.zeros(env.num_envs, dtype=bool)
            ids: list[str | None] = [None] * env.num_envs
            for slot in np.flatnonzero(~running):
                # The first reset needs an episode in every slot, wanted or not.
                index, lap = queue.pop() if queue else (-1, 0)
                if index < 0 and observation:
                    continue
                fresh[slot], ids[slot] = True, episodes[index].episode_id
                if index >= 0:
                    running[slot] = True
                    rngs[slot] = np.random.default_rng([config.seed, index, lap])
                    disturbances[slot] = Disturbance(config.disturbance, rngs[slot])
            if fresh.any():
                observation, _ = env.reset(seed=0, options={"reset_mask": fresh, "episode_id": ids})
            actions = np.full(env.num_envs, _STOP)
            for slot in np.flatnonzero(running):
                wanted = expert_action(env.batch, int(slot))
                actions[slot] = disturbances[slot].apply(wanted)
                goal = _goal(env, int(slot))
                label = _STOP if goal[0] < config.stop_m else wanted
                if rngs[slot].random() < config.keep or label == _STOP:
                    yield _row(observation, int(slot), label, goal, instructions)
            observation, _, terminated, truncated, _ = env.step(actions)
            over = running & (terminated | truncated)
            progress.update(int(over.sum()))
            running &= ~over


def _row(
    observation: dict[str, Any], slot: int, label: int, goal: np.ndarray, instructions: dict[str, int]
) -> dict[str, np.ndarray]:
    """One labelled observation, in the types of the cache."""
    row = {}
    for level in (each for each in LEVELS if f"{each}_tokens" in observation):
        for part, dtype in (("tokens", np.float16), ("xyz", np.float16), ("mask", np.int8)):
            row[f"{level}_{part}"] = observation[f"{level}_{part}"][slot].astype(dtype)
    row["action_history"] = observation["action_history"][slot].astype(np.int8)
    text = observation["instruction"][slot]
    row["instruction"] = np.asarray(instructions.setdefault(text, len(instructions)), dtype=np.int32)
    row["action"] = np.asarray(label, dtype=np.int8)
    row["goal"] = goal
    return row


def _goal(env: VLNVectorEnv, slot: int) -> np.ndarray:
    """Walking distance to a slot's goal, and its place ahead and to the left, float32 (3,), metres."""
    rollout = env.batch.rollout(slot)
    assert rollout.goal_m is not None, "the expert needs a goal"
    offset = rollout.goal_m - rollout.position_m
    sine, cosine = np.sin(rollout.heading_rad), np.cos(rollout.heading_rad)
    ahead = -offset[0] * sine - offset[2] * cosine
    left = -offset[0] * cosine + offset[2] * sine
    distance = env.batch.simulator.geodesic(rollout.scene, rollout.position_m[None], rollout.goal_m)[0]
    return np.array([distance, ahead, left], dtype=np.float32)
