"""An agent that acts by a trained policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from agents.base import episode_rng
from agents.config import Perception
from agents.policy import NavigationPolicy
from vlnenv.evaluation.agent import PublicEpisode


@runtime_checkable
class TrainedAgent(Protocol):
    """An agent that was trained in certain environments, and acts in the same."""

    @property
    def perception(self) -> Perception:
        """What it was trained to see with."""
        ...

    @property
    def levels(self) -> tuple[str, ...]:
        """Token levels that it reads."""
        ...

    @property
    def token_dim(self) -> int:
        """Length of a token that it reads."""
        ...

    @property
    def action_mode(self) -> str:
        """The environment's action mode that it acts in."""
        ...


def to_tensors(
    policy: NavigationPolicy, observations: Mapping[str, Any], rows: np.ndarray
) -> dict[str, torch.Tensor]:
    """The policy's inputs for some rows of a batched token observation, on the policy's device.

    Raises:
        KeyError: If the observation lacks a level of tokens that the policy reads.
    """
    batch = {}
    for level in policy.config.levels:
        if f"{level}_tokens" not in observations:
            raise KeyError(
                f"this policy reads {level} tokens, the observation has {sorted(observations)}: use "
                "observation='tokens' or 'all', and VectorViewHistoryObservation for views"
            )
        for part in ("tokens", "xyz", "mask"):
            batch[f"{level}_{part}"] = torch.as_tensor(np.asarray(observations[f"{level}_{part}"])[rows])
    device = policy.action_head.weight.device
    batch["action_history"] = torch.as_tensor(np.asarray(observations["action_history"])[rows])
    texts = [observations["instruction"][row] for row in rows]
    ids = [policy.vocabulary.encode(text, policy.config.max_words)[0] for text in texts]
    batch["instruction_ids"] = torch.from_numpy(np.stack(ids))
    return {key: value.to(device) for key, value in batch.items()}


class PolicyAgent:
    """Acts by a policy's action logits: the best action, or one drawn from them at a temperature.

    The draws follow from the seed and the episode's id, so results do not depend on how many run at once.
    """

    def __init__(self, policy: NavigationPolicy, temperature: float = 0.0, seed: int = 0) -> None:
        if temperature < 0.0:
            raise ValueError(f"temperature must be at least 0 (the best action), got {temperature}")
        self.policy = policy.eval()
        self.temperature = temperature
        self.seed = seed
        self._rngs: dict[int, np.random.Generator] = {}

    @property
    def perception(self) -> Perception:
        """What it was trained to see with."""
        return self.policy.config.perception

    @property
    def levels(self) -> tuple[str, ...]:
        """Token levels that it reads."""
        return self.policy.config.levels

    @property
    def token_dim(self) -> int:
        """Length of a token that it reads."""
        return self.policy.config.token_dim

    @property
    def action_mode(self) -> str:
        """The environment's action mode that it acts in."""
        return "discrete"

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        self._rngs[index] = episode_rng(self.seed, episode)

    @torch.inference_mode()
    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Actions int64 (n,) of all slots; slots that are not active get 0."""
        active = np.asarray(active, dtype=bool)
        actions = np.zeros(len(active), dtype=np.int64)
        rows = np.flatnonzero(active)
        if not len(rows):
            return actions
        logits = self.policy(to_tensors(self.policy, observations, rows))
        if self.temperature == 0.0:
            actions[rows] = logits.argmax(dim=-1).cpu().numpy()
            return actions
        chances = (logits.double() / self.temperature).softmax(dim=-1).cpu().numpy()
        for row, chance in zip(rows, chances, strict=True):
            actions[row] = int(
                np.searchsorted(np.cumsum(chance), self._rngs[int(row)].random() * chance.sum())
            )
        return np.minimum(actions, logits.shape[-1] - 1)
