"""Runs an agent through each episode exactly once, in as many slots as the vector environment has."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from tqdm import tqdm

from vlnenv.evaluation.agent import Agent, PrivilegedAgent, is_privileged, public
from vlnenv.evaluation.results import Record, ResultsFolder

_TERMS_OF_THE_REWARD = "reward/"


def evaluate(
    agent: Agent | PrivilegedAgent,
    vector_env: VectorEnv | VectorWrapper,
    episode_ids: Sequence[str] | None = None,
    progress: bool = True,
    on_result: Callable[[Record], None] | None = None,
    seed: int = 0,
) -> list[Record]:
    """Run each episode exactly once.

    A slot takes the next waiting episode as soon as its own is over. Where memories outlast episodes
    (`memory_scope="lifelong"`, or `keep_edits`) it takes the next waiting scene, and runs that scene's
    episodes in a row, in the order given: each begins with what the slot has learnt of the scene so far.
    Records do not depend on the number of slots, as long as the agent keeps its slots apart.

    Args:
        agent: Acts in all slots. A privileged one is bound to the environment first.
        vector_env: A `VLNVectorEnv`, wrapped or not, with `autoreset_mode="Disabled"`.
        episode_ids: Which episodes; None runs all that the environment draws from.
        progress: Whether to show a progress bar with the success rate so far.
        on_result: Called with each record as soon as its episode is over, in that order.
        seed: For the environment's first reset. Episodes are chosen by id, so it moves no result.

    Returns:
        One record an episode, in the order of `episode_ids`: the environment's `info` at the episode's end
        without the terms of the reward, and `return`, the undiscounted sum of rewards.

    Raises:
        ValueError: If the autoreset mode is another, an id is given twice, or the agent returns another
            number of actions than there are slots.
        KeyError: If there is no such episode.
    """
    mode = vector_env.metadata.get("autoreset_mode")
    if mode != AutoresetMode.DISABLED:
        raise ValueError(
            f"evaluation chooses each episode itself: make the vector environment with "
            f"autoreset_mode='Disabled', got {mode}"
        )
    env: Any = vector_env.unwrapped
    ids = [each.episode_id for each in env.batch.episodes] if episode_ids is None else list(episode_ids)
    repeated = sorted(each for each, count in Counter(ids).items() if count > 1)
    if repeated:
        raise ValueError(f"each episode runs once, but these ids are given more than once: {repeated[:5]}")
    if not ids:
        return []
    if is_privileged(agent):
        agent.bind(env)

    slots = _Slots(agent, vector_env, ids, seed)
    records: dict[str, Record] = {}
    successes = 0
    with tqdm(total=len(ids), disable=not progress, unit="episode") as bar:
        while slots.active.any():
            for record in slots.step():
                records[record["episode_id"]] = record
                if on_result is not None:
                    on_result(record)
                bar.update()
                if "is_success" in record:
                    successes += record["is_success"]
                    bar.set_postfix(SR=f"{successes / len(records):.3f}")
    return [records[each] for each in ids]


def run(
    agent: Agent | PrivilegedAgent,
    vector_env: VectorEnv | VectorWrapper,
    folder: str | Path,
    manifest: Mapping[str, Any],
    episode_ids: Sequence[str] | None = None,
    progress: bool = True,
) -> list[Record]:
    """Evaluate into a run folder; a run that was cut short goes on with the episodes it has no result of.

    Where memories outlast episodes it repeats the scenes that it had not finished: results are as if uncut.

    Args:
        agent: As for `evaluate`.
        vector_env: As for `evaluate`.
        folder: Gets `manifest.json`, `episodes.jsonl` (a line an episode, as soon as it is over), and at the
            end `summary.json`.
        manifest: What the results depend on; see `make_manifest`. The set of episodes is added to it.
        episode_ids: As for `evaluate`.
        progress: As for `evaluate`.

    Returns:
        Records of all episodes, old and new, in the order of `episode_ids`.

    Raises:
        ManifestMismatch: If the folder holds a run of another manifest.
    """
    env: Any = vector_env.unwrapped
    ids = [each.episode_id for each in env.batch.episodes] if episode_ids is None else list(episode_ids)
    digest = hashlib.sha256(json.dumps(sorted(ids)).encode()).hexdigest()[:16]
    manifest = {**manifest, "episodes": {"count": len(ids), "hash": digest}}
    with ResultsFolder(folder, manifest) as results:
        missing = [
            each
            for row in _rows(env, ids)
            if any(each not in results.records for each in row)
            for each in row
        ]

        def keep(record: Record) -> None:
            if record["episode_id"] not in results.records:
                results.append(record)

        evaluate(agent, vector_env, missing, progress, keep)
        results.write_summary()
        return [results.records[each] for each in ids]


def _rows(env: Any, ids: Sequence[str]) -> list[list[str]]:
    """Episodes that one slot must run in a row: a scene's where something outlasts episodes, else one."""
    if env.config.memory_scope != "lifelong" and not env.config.keep_edits:
        return [[each] for each in ids]
    scenes = {episode.episode_id: episode.scene_id for episode in env.batch.episodes}
    rows: dict[str, list[str]] = {}
    for each in ids:
        rows.setdefault(scenes[each], []).append(each)
    return list(rows.values())


class _Slots:
    """The slots of the vector environment, and the episodes that wait for one."""

    def __init__(
        self, agent: Agent | PrivilegedAgent, env: VectorEnv | VectorWrapper, ids: list[str], seed: int
    ) -> None:
        self.agent = agent
        self.env = env
        self.unwrapped: Any = env.unwrapped
        self.waiting = deque(deque(row) for row in _rows(self.unwrapped, ids))
        self.rows: list[deque[str]] = [deque()] * env.num_envs
        """What each slot has taken and not begun yet."""
        self.active = np.zeros(env.num_envs, dtype=bool)
        self.returns = np.zeros(env.num_envs)
        # The first reset begins every slot: those without an episode of their own repeat the first one, idly.
        first = [self._next(slot) for slot in range(env.num_envs)]
        options = {"episode_id": [ids[0] if each is None else each for each in first]}
        self.observations, _ = env.reset(seed=seed, options=options)
        self._begin(np.array([each is not None for each in first]))

    def _next(self, slot: int) -> str | None:
        """The episode that a slot is to begin; None when there is none left for it."""
        if not self.rows[slot] and self.waiting:
            self.rows[slot] = self.waiting.popleft()
        return self.rows[slot].popleft() if self.rows[slot] else None

    def step(self) -> list[Record]:
        """Act once in every slot; returns the records of the episodes that this ended, by slot."""
        actions = np.array(self.agent.act(self.observations, self.active.copy()))
        if actions.ndim == 0 or len(actions) != self.env.num_envs:
            raise ValueError(
                f"expected one action a slot, {self.env.num_envs} in all, "
                f"from {type(self.agent).__name__}.act, got shape {actions.shape}"
            )
        # An idle slot may still be in an episode and needs some valid action.
        actions[~self.active] = actions[self.active][0]
        self.observations, rewards, terminated, truncated, infos = self.env.step(actions)
        self.returns[self.active] += rewards[self.active]
        over = self.active & (np.asarray(terminated) | np.asarray(truncated))
        records = [
            {**plain_info(infos, int(slot)), "return": float(self.returns[slot])}
            for slot in np.flatnonzero(over)
        ]
        self.active &= ~over
        self._refill(over)
        return records

    def _refill(self, over: np.ndarray) -> None:
        episode_ids = [self._next(slot) if over[slot] else None for slot in range(len(over))]
        mask = np.array([each is not None for each in episode_ids])
        if mask.any():
            options = {"reset_mask": mask.copy(), "episode_id": episode_ids}
            self.observations, _ = self.env.reset(options=options)
            self._begin(mask)

    def _begin(self, mask: np.ndarray) -> None:
        self.active |= mask
        self.returns[mask] = 0.0
        episodes = self.unwrapped.episodes
        for slot in np.flatnonzero(mask):
            if is_privileged(self.agent):
                self.agent.reset(int(slot), episodes[slot])
            else:
                cast(Agent, self.agent).reset(int(slot), public(episodes[slot]))


def plain_info(infos: Mapping[str, Any], slot: int) -> Record:
    """One slot's `info` as plain Python values, without the terms of the reward."""
    record: Record = {}
    for key, values in infos.items():
        if key.startswith(("_", _TERMS_OF_THE_REWARD)) or not infos[f"_{key}"][slot]:
            continue
        value = values[slot]
        record[key] = value.item() if isinstance(value, np.generic) else value
    return record
