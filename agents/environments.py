"""The environments that agents need: with the senses that a policy was trained with, and no others."""

from __future__ import annotations

import dataclasses
from typing import Any

from gymnasium.vector import VectorEnv, VectorWrapper

from agents.config import Perception
from agents.policy import NavigationPolicy
from agents.trained import PolicyAgent
from vlnenv.vector import VLNVectorEnv
from vlnenv.wrappers import VectorViewHistoryObservation


def make_env(
    num_envs: int, perception: Perception, levels: tuple[str, ...], **settings: Any
) -> VectorEnv | VectorWrapper:
    """A `VLNVectorEnv` that gives tokens of the levels, in a wrapper where "view" is among them.

    Args:
        num_envs: Episodes side by side.
        perception: What the tokens are made with.
        levels: Token levels that are to be read, see `agents.config.LEVELS`.
        **settings: Arguments of `VLNVectorEnv`.
    """
    env = VLNVectorEnv(num_envs, **perception.settings(), **settings)
    return VectorViewHistoryObservation(env) if "view" in levels else env


def make_env_for(
    agent: object, num_envs: int, encoder: str | None = None, **settings: Any
) -> VectorEnv | VectorWrapper:
    """The environment that an agent is to act in.

    A policy gets what it was trained with, all others the environment's defaults.

    Args:
        agent: The agent.
        num_envs: Episodes side by side.
        encoder: Another encoder than the agent's or the default; None for those.
        **settings: Arguments of `VLNVectorEnv`.

    Raises:
        ValueError: If a policy was trained on tokens of another length than that encoder's.
    """
    chosen: dict[str, Any] = {} if encoder is None else {"encoder": encoder}
    if not isinstance(agent, PolicyAgent):
        return VLNVectorEnv(num_envs, **chosen, **settings)
    config = agent.policy.config
    env = make_env(num_envs, dataclasses.replace(config.perception, **chosen), config.levels, **settings)
    try:
        check_token_dim(agent.policy, env)
    except ValueError:
        env.close()
        raise
    return env


def check_token_dim(policy: NavigationPolicy, env: VectorEnv | VectorWrapper) -> None:
    """Raise ValueError if the policy was trained on tokens of another length than the environment's."""
    batch = env.unwrapped.batch  # type: ignore[attr-defined]
    length = batch.memory.dim
    if length != policy.config.token_dim:
        raise ValueError(
            f"this policy was trained on tokens of length {policy.config.token_dim}, but the environment's "
            f"(encoder {batch.config.encoder!r}) have length {length}: use the encoder of its training"
        )
