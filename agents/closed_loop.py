"""Agents in the environment: evaluation runs, and the quick validations of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.vector import VectorEnv

from agents.base import load, weights_path
from agents.config import EvaluationConfig, Perception
from agents.environments import make_env, make_env_for
from agents.trained import TrainedAgent
from vlnenv.episodes import Episode
from vlnenv.evaluation import Record, evaluate, is_privileged, make_manifest, run
from vlnenv.evaluation.agent import Agent, PrivilegedAgent
from vlnenv.recordings import Recordings, record

VALIDATION_STEPS = 250
"""Validations in training cut episodes here: an agent that is lost is not waited for."""


def spread(episodes: Sequence[Episode], count: int | None) -> list[str]:
    """Ids of `count` episodes evenly spread over all, in their order; None gives all."""
    if count is None or count >= len(episodes):
        return [episode.episode_id for episode in episodes]
    chosen = np.linspace(0, len(episodes) - 1, count).round().astype(int)
    return [episodes[index].episode_id for index in chosen]


def evaluate_agent(config: EvaluationConfig) -> list[Record]:
    """Run an agent through a split and write `manifest.json`, `episodes.jsonl` and `summary.json`.

    Returns:
        One record an episode.

    Raises:
        ValueError: If agent, data set or split is unknown, or the folder holds a run of other settings.
    """
    agent, env = _agent_and_env(config)
    try:
        is_trained = isinstance(agent, TrainedAgent)
        manifest = make_manifest(
            config.agent,
            env,
            agent_config={"temperature": config.temperature} if is_trained else {},
            weights=[weights_path(config.agent)] if is_trained else [],
            privileged=is_privileged(agent),
            seed=config.seed,
        )
        ids = spread(env.unwrapped.batch.episodes, config.episodes)  # type: ignore[attr-defined]
        return run(agent, env, config.folder, manifest, ids)
    finally:
        env.close()


def record_agent(config: EvaluationConfig) -> Recordings:
    """Run an agent through a split and record what it does; `config.out` is not used.

    Raises:
        ValueError: If agent, data set or split is unknown, or there are fewer episodes than `num_envs`.
    """
    agent, env = _agent_and_env(config)
    try:
        ids = spread(env.unwrapped.batch.episodes, config.episodes)  # type: ignore[attr-defined]
        return record(agent, env, ids, seed=config.seed)
    finally:
        env.close()


def _agent_and_env(config: EvaluationConfig) -> tuple[Agent | PrivilegedAgent, VectorEnv]:
    """The agent, and the environment that it is to run in."""
    import torch

    torch.set_num_threads(config.threads)
    # Before the environment: a wrong name is found out at once.
    agent = load(config.agent, config.seed, config.temperature)
    env = make_env_for(
        agent,
        config.num_envs,
        config.encoder,
        task=config.task,
        dataset=config.dataset,
        split=config.split,
        languages=config.languages,
        memory_scope=config.memory_scope,
        max_steps=config.max_steps,
        autoreset_mode="Disabled",
        # No memory works for agents that look at nothing.
        **({"observation": "rgbd", "image_size": 8} if getattr(agent, "is_blind", False) else {}),
    )
    return agent, env


class Validation:
    """Closed-loop metrics of an agent in training, on a fixed part of a split."""

    def __init__(
        self,
        dataset: str,
        split: str,
        perception: Perception,
        levels: tuple[str, ...],
        episodes: int,
        num_envs: int,
        action_mode: str = "discrete",
    ) -> None:
        self._env = make_env(
            min(num_envs, episodes),
            perception,
            levels,
            dataset=dataset,
            split=split,
            action=action_mode,
            max_steps=VALIDATION_STEPS,
            autoreset_mode="Disabled",
        )
        self._ids = spread(self._env.unwrapped.batch.episodes, episodes)  # type: ignore[attr-defined]

    def __call__(self, agent: Agent) -> dict[str, float]:
        """Means of success, spl, oracle_success, distance_to_goal, steps and route_completion."""
        records = evaluate(agent, self._env, self._ids, progress=False)
        names = {
            "success": "is_success",
            **{
                name: name
                for name in ("spl", "oracle_success", "distance_to_goal", "steps", "route_completion")
            },
        }
        return {
            name: float(np.mean([float(record[key]) for record in records])) for name, key in names.items()
        }

    def __enter__(self) -> Validation:
        return self

    def __exit__(self, *exception: object) -> None:
        self._env.close()
