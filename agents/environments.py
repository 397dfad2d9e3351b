"""The environments that agents need: with the senses that a policy was trained with, and no others."""

from __future__ import annotations

import dataclasses
from typing import Any

from gymnasium.vector import VectorEnv, VectorWrapper

from agents.config import Perception
from agents.trained import TrainedAgent
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.vector import VLNVectorEnv
from vlnenv.wrappers import VectorPathObservation, VectorViewHistoryObservation


def make_env(
    num_envs: int, perception: Perception, levels: tuple[str, ...], **settings: Any
) -> VectorEnv | VectorWrapper:
    """A `VLNVectorEnv` that gives tokens of the levels, in a wrapper for "view" and one for "path".

    "depth" is the current view's depth image, a pixel a patch of the encoder, as `depth` (n, 24, 24, 1).

    Args:
        num_envs: Episodes side by side.
        perception: What the tokens are made with.
        levels: Token levels that are to be read, see `agents.vlm.rows.LEVEL_CODES`; and "depth".
        **settings: Arguments of `VLNVectorEnv`.
    """
    if "depth" in levels:
        # A picture of its own at the patches' centres: next to nothing beside the encoder's.
        settings = {"observation": "all", "image_size": PATCH_GRID, **settings}
    env: VectorEnv | VectorWrapper = VLNVectorEnv(num_envs, **perception.settings(), **settings)
    if "view" in levels:
        env = VectorViewHistoryObservation(env)
    return VectorPathObservation(env) if "path" in levels else env


def make_env_for(
    agent: object, num_envs: int, encoder: str | None = None, **settings: Any
) -> VectorEnv | VectorWrapper:
    """The environment that an agent is to act in.

    A trained agent gets what it was trained with, all others the environment's defaults.

    Args:
        agent: The agent.
        num_envs: Episodes side by side.
        encoder: Another encoder than the agent's or the default; None for those.
        **settings: Arguments of `VLNVectorEnv`.

    Raises:
        ValueError: If an agent was trained on tokens of another length than that encoder's.
    """
    chosen: dict[str, Any] = {} if encoder is None else {"encoder": encoder}
    if not isinstance(agent, TrainedAgent):
        return VLNVectorEnv(num_envs, **chosen, **settings)
    perception = dataclasses.replace(agent.perception, **chosen)
    env = make_env(num_envs, perception, agent.levels, action=agent.action_mode, **settings)
    try:
        check_token_dim(agent.token_dim, env)
    except ValueError:
        env.close()
        raise
    return env


def check_token_dim(token_dim: int, env: VectorEnv | VectorWrapper) -> None:
    """Raise ValueError if an agent was trained on tokens of another length than the environment's."""
    batch = env.unwrapped.batch  # type: ignore[attr-defined]
    length = batch.memory.dim
    if length != token_dim:
        raise ValueError(
            f"this agent was trained on tokens of length {token_dim}, but the environment's (encoder "
            f"{batch.config.encoder!r}) have length {length}: use the encoder of its training"
        )
