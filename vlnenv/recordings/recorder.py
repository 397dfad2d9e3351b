"""Recording what agents do in a vector environment."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from vlnenv.batch import Rollout
from vlnenv.evaluation import evaluate
from vlnenv.evaluation.agent import Agent, PrivilegedAgent
from vlnenv.evaluation.runner import plain_info
from vlnenv.recordings.recording import Recording, Recordings
from vlnenv.vector import VLNVectorEnv


@dataclass
class _Running:
    """The episode that a slot is in."""

    episode_id: str
    noise_key: tuple[int, ...]
    position_m: list[np.ndarray]
    heading_rad: list[float]
    actions: list[np.ndarray] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    def add(self, rollout: Rollout) -> None:
        self.position_m.append(rollout.position_m)
        self.heading_rad.append(rollout.heading_rad)

    def over(self, rollout: Rollout, info: dict[str, Any]) -> Recording:
        return Recording(
            episode_id=self.episode_id,
            noise_key=self.noise_key,
            actions=np.stack(self.actions),
            rewards=np.array(self.rewards),
            position_m=np.stack(self.position_m),
            heading_rad=np.array(self.heading_rad),
            terminated=rollout.terminated,
            metrics=info,
        )


class RecordEpisodes(gym.vector.VectorWrapper):
    """Keeps a recording of every episode that ends.

    Args:
        env: A `VLNVectorEnv` with `autoreset_mode="Disabled"`, wrapped or not.

    Raises:
        ValueError: If episodes could not be made again from their recordings: memories or edits outlast
            episodes, or the world changes by itself, or the reward is a callable of one's own.
    """

    def __init__(self, env: gym.vector.VectorEnv) -> None:
        super().__init__(env)
        inner = env.unwrapped
        if not isinstance(inner, VLNVectorEnv):
            raise ValueError(f"episodes of a VLNVectorEnv can be recorded, got {type(inner).__name__}")
        self._env = inner
        if inner.autoreset_mode != AutoresetMode.DISABLED:
            raise ValueError(
                f"recording wants autoreset_mode='Disabled', as evaluation does, got {inner.autoreset_mode}"
            )
        config = inner.config
        for what, is_so in (
            (f"memory_scope={config.memory_scope!r}", config.memory_scope == "lifelong"),
            ("keep_edits=True", config.keep_edits),
            ("a world that changes", bool(inner.batch.world_changes)),
            ("a reward that is no preset's name", not isinstance(config.reward, str)),
        ):
            if is_so:
                raise ValueError(f"an episode could not be made again from its recording with {what}")
        self.episodes: list[Recording] = []
        """Those that have ended, in that order."""
        self._running: dict[int, _Running] = {}

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As the environment's; an episode that is cut short is not kept."""
        if (options or {}).get("memory") is not None:
            raise ValueError("an episode that begins with a memory's file could not be made again")
        mask = (options or {}).get("reset_mask")
        observation, infos = self.env.reset(seed=seed, options=options)
        for slot in range(self.num_envs) if mask is None else np.flatnonzero(mask):
            rollout = self._env.batch.rollout(int(slot))
            running = _Running(rollout.episode.episode_id, rollout.noise_key, [], [])
            running.add(rollout)
            self._running[int(slot)] = running
        return observation, infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As the environment's."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        for slot, running in list(self._running.items()):
            rollout = self._env.batch.rollout(slot)
            running.actions.append(np.array(actions[slot]))
            running.rewards.append(float(rewards[slot]))
            running.add(rollout)
            if rollout.is_over:
                self.episodes.append(running.over(rollout, plain_info(infos, slot)))
                del self._running[slot]
        return observation, rewards, terminated, truncated, infos

    def recordings(self, agent: str) -> Recordings:
        """All episodes that have ended."""
        batch = self._env.batch
        return Recordings(
            settings=dataclasses.asdict(self._env.config),
            dataset=f"{batch.dataset.name}@{batch.dataset.hash}",
            task_hash=batch.task.hash,
            agent=agent,
            episodes=tuple(self.episodes),
        )


def record(
    agent: Agent | PrivilegedAgent,
    vector_env: gym.vector.VectorEnv,
    episode_ids: Sequence[str] | None = None,
    progress: bool = True,
    seed: int = 0,
) -> Recordings:
    """Let an agent run each episode once, and record it.

    Args:
        agent: As for `vlnenv.evaluation.evaluate`.
        vector_env: A `VLNVectorEnv` with `autoreset_mode="Disabled"`; `observation` should be what the agent
            needs, as any other can be made by `replay`.
        episode_ids: Which episodes; None for all that the environment draws from.
        progress: Whether to show a progress bar.
        seed: Seeds the sensor noise, where there is some.

    Returns:
        The recordings, in the order of `episode_ids`.

    Raises:
        ValueError: If there are fewer episodes than environments, or see `RecordEpisodes`.
        KeyError: If there is no such episode.
    """
    recorder = RecordEpisodes(vector_env)
    count = len(recorder.unwrapped.batch.episodes) if episode_ids is None else len(episode_ids)  # type: ignore[attr-defined]
    if count < vector_env.num_envs:
        raise ValueError(
            f"{vector_env.num_envs} environments for {count} episodes: make at most as many environments as "
            "there are episodes"
        )
    results = evaluate(agent, recorder, episode_ids, progress, seed=seed)
    order = {record["episode_id"]: number for number, record in enumerate(results)}
    recorder.episodes.sort(key=lambda each: order[each.episode_id])
    return recorder.recordings(type(agent).__name__)
