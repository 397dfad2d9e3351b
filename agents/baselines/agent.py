"""An agent that acts by a recurrent baseline: macro actions, long turns in pieces, a state a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.base import episode_rng
from agents.baselines.config import BASELINE_LEVELS
from agents.baselines.networks import BaselineNetwork, Decided, Instruction, word_ids
from agents.baselines.senses import looks
from agents.config import Perception
from agents.macros import MOVES_QUANTILE, STOP_CHANCE, STOP_MACRO, TurnQueue
from vlnenv.evaluation.agent import PublicEpisode


@dataclass(frozen=True)
class _Episode:
    """What a slot's episode has come to."""

    text: str
    instruction: Instruction
    state: Tensor
    """(1, states, width)."""


class BaselineAgent:
    """Greedy or drawn macro actions, batched over the slots.

    Its states go on with every look, also where the last decision is still being carried out. Draws follow
    from the seed and the episode's id, so results do not depend on how many run at once.

    Args:
        network: With its weights.
        temperature: 0 takes the likeliest action, but stops only where that is likelier than not
            (`STOP_CHANCE`), and walks by a lower quantile (`MOVES_QUANTILE`); above 0 actions are drawn.
        seed: Of the draws.

    Raises:
        ValueError: If the temperature is negative.
    """

    def __init__(self, network: BaselineNetwork, temperature: float = 0.0, seed: int = 0) -> None:
        if temperature < 0.0:
            raise ValueError(f"temperature must be at least 0 (the likeliest action), got {temperature}")
        self.network = network.eval()
        self.temperature = temperature
        self.seed = seed
        self.queue = TurnQueue()
        """What is still to be carried out of each slot's decision."""
        self._rngs: dict[int, np.random.Generator] = {}
        self._episodes: dict[int, _Episode] = {}

    @property
    def perception(self) -> Perception:
        """What it was trained to see with."""
        return self.network.config.perception

    @property
    def levels(self) -> tuple[str, ...]:
        """The current view and its depth."""
        return BASELINE_LEVELS

    @property
    def token_dim(self) -> int:
        """Length of a view's features."""
        return self.network.config.token_dim

    @property
    def action_mode(self) -> str:
        """The environment's action mode that it acts in."""
        return "macro"

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        self.queue.reset(index, self.network.config.look_around)
        self._rngs[index] = episode_rng(self.seed, episode)
        self._episodes.pop(index, None)

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Macro actions int64 (n, 3) of all slots; slots that are not active get a stop."""
        slots = [int(slot) for slot in np.flatnonzero(active)]
        actions = np.tile(np.array(STOP_MACRO), (len(active), 1))
        if not slots:
            return actions
        decided = self._look(observations, slots)
        deciding = [row for row, slot in enumerate(slots) if not self.queue.has(slot)]
        macros = dict(zip(deciding, self._choose(decided, slots, deciding), strict=True))
        for row, slot in enumerate(slots):
            actions[slot] = self.queue.begin(slot, macros[row]) if row in macros else self.queue.next(slot)
        return actions

    def see(self, observations: Mapping[str, Any], rows: Sequence[int]) -> None:
        """Take in what s rows of a batched observation show while their last decision is carried out."""
        self._look(observations, rows)

    def decide(self, observations: Mapping[str, Any], rows: Sequence[int]) -> np.ndarray:
        """Macro actions int64 (s, 3) for s rows of a batched observation; call it once a decision."""
        return self._choose(self._look(observations, rows), rows, range(len(rows)))

    @torch.inference_mode()
    def _look(self, observations: Mapping[str, Any], slots: Sequence[int]) -> Decided:
        """Carry the slots' states on by one look."""
        seen = looks(observations, slots)
        device = self.network.turn_head.weight.device
        episodes = [self._episode(slot, observations["instruction"][slot]) for slot in slots]
        decided = self.network(
            _together([episode.instruction for episode in episodes]),
            torch.from_numpy(seen.view)[:, None].to(device),
            torch.from_numpy(seen.depth)[:, None].to(device),
            torch.from_numpy(seen.previous)[:, None].to(device),
            torch.cat([episode.state for episode in episodes]),
        )
        for row, (slot, episode) in enumerate(zip(slots, episodes, strict=True)):
            self._episodes[slot] = _Episode(episode.text, episode.instruction, decided.state[row : row + 1])
        return decided

    def _episode(self, slot: int, text: str) -> _Episode:
        """What the slot's episode has come to; it begins here where there is none, or its text is another."""
        episode = self._episodes.get(slot)
        if episode is not None and episode.text == text:
            return episode
        ids = word_ids(self.network.vocabulary, [text]).to(self.network.turn_head.weight.device)
        state = self.network.start(1) if episode is None else episode.state
        return _Episode(text, self.network.read(ids), state)

    @torch.inference_mode()
    def _choose(self, decided: Decided, slots: Sequence[int], rows: Sequence[int]) -> np.ndarray:
        """Macro actions (len(rows), 3) of some rows of what was decided; `slots` are those of all rows."""
        if not rows:
            return np.zeros((0, 3), dtype=np.int64)
        index = torch.as_tensor(list(rows), device=decided.features.device)
        turn_logits, features = decided.turn_logits[index, 0], decided.features[index, 0]
        if self.temperature:
            rngs = [self._rngs[slots[row]] for row in rows]
            turns = torch.from_numpy(self._draw(turn_logits, rngs)).to(index)
            moves = torch.from_numpy(self._draw(self.network.moves_logits(features, turns), rngs)).to(index)
        else:
            chances = turn_logits.softmax(dim=-1)
            turns = torch.where(chances[:, 0] >= STOP_CHANCE, 0, 1 + chances[:, 1:].argmax(dim=-1))
            up_to = self.network.moves_logits(features, turns).softmax(dim=-1).cumsum(dim=-1)
            moves = (up_to[:, :-1] < MOVES_QUANTILE).sum(dim=-1)
        goes = turns > 0
        return torch.stack([~goes, (turns - 1) * goes, moves * goes], dim=1).cpu().numpy().astype(np.int64)

    def _draw(self, logits: Tensor, rngs: Sequence[np.random.Generator]) -> np.ndarray:
        """Choices int64 (s,) drawn from logits (s, n)."""
        chances = (logits.double() / self.temperature).softmax(dim=-1).cumsum(dim=-1).cpu().numpy()
        drawn = [
            int(np.searchsorted(row, rng.random() * row[-1])) for row, rng in zip(chances, rngs, strict=True)
        ]
        return np.minimum(np.array(drawn, dtype=np.int64), logits.shape[-1] - 1)


def _together(parts: Sequence[Instruction]) -> Instruction:
    """Instructions that were read one by one as a batch."""
    longest = max(part.words.shape[1] for part in parts)
    missing = [longest - part.words.shape[1] for part in parts]
    pad = torch.nn.functional.pad
    return Instruction(
        torch.cat([pad(part.words, (0, 0, 0, n)) for part, n in zip(parts, missing, strict=True)]),
        torch.cat([pad(part.mask, (0, n)) for part, n in zip(parts, missing, strict=True)]),
        torch.cat([part.last for part in parts]),
    )
