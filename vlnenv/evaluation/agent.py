"""What an agent is to the evaluation: two methods, batched over the slots of a vector environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeGuard

import numpy as np

from vlnenv.episodes import Episode


@dataclass(frozen=True)
class PublicEpisode:
    """What an agent may know of its episode at test time: neither the goal nor the reference path."""

    episode_id: str
    """Agents that draw random numbers seed them with this, so that no other episode changes them."""
    scene_id: str
    """Lets an agent keep what it learnt of a scene. It names no place in it."""
    instruction: str


def public(episode: Episode) -> PublicEpisode:
    """The part of an episode that an agent may know at test time."""
    return PublicEpisode(episode.episode_id, episode.scene_id, episode.instruction)


class Agent(Protocol):
    """An agent that acts in all slots of a vector environment at once.

    What it does in one slot must depend on that slot's episode alone: only then are results the same whatever
    the number of slots.
    """

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`, in [0, num_envs), forgetting the one before it there."""
        ...

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Choose an action in each slot.

        Args:
            observations: Batched over the slots, (num_envs, ...) each; `instruction` is a tuple of strings.
                Read-only: copy what is kept.
            active: bool (num_envs,). Slots whose episode is over, or that have none, are False.

        Returns:
            (num_envs, ...) actions of the environment's action space; rows of inactive slots are ignored.
        """
        ...


class PrivilegedAgent(Protocol):
    """An agent that is shown what no agent has at test time, such as an expert; tables mark it as such.

    Setting `privileged = True` on an agent asks for `bind` and for whole episodes.
    """

    privileged: bool
    """True."""

    def bind(self, env: Any) -> None:
        """Take the vector environment (unwrapped), with its simulator; called once, at first."""
        ...

    def reset(self, index: int, episode: Episode) -> None:
        """As `Agent.reset`, with the whole episode."""
        ...

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """As `Agent.act`."""
        ...


def is_privileged(agent: Agent | PrivilegedAgent) -> TypeGuard[PrivilegedAgent]:
    """Whether the agent asks for what no agent has at test time."""
    return bool(getattr(agent, "privileged", False))
