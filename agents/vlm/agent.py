"""An agent that acts by a 3D-VLM: macro actions in words, long turns in pieces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agents.base import episode_rng
from agents.config import Perception
from agents.macros import MOVES_QUANTILE, STOP_CHANCE, STOP_MACRO, TurnQueue
from agents.vlm.checkpoint import agent_folder
from agents.vlm.decoding import Decoded, decode
from agents.vlm.loading import load_model, plain_model
from agents.vlm.model import Dynam3DForCausalLM
from agents.vlm.processor import Dynam3DProcessor
from vlnenv.evaluation.agent import PublicEpisode


class VLMAgent:
    """Greedy or sampled answers, batched over the slots that have a decision to make.

    Draws follow from the seed and the episode's id, so results do not depend on how many run at once.

    Args:
        model: The model, with its weights; a `peft.PeftModel` around one works as well.
        processor: The processor that it was trained with.
        temperature: 0 takes the likeliest answer, but stops only where that is likelier than not
            (`STOP_CHANCE`), and walks by a lower quantile (`MOVES_QUANTILE`); above 0 answers are drawn.
        seed: Of the draws.

    Raises:
        ValueError: If the temperature is negative, or model and processor do not fit each other.
    """

    def __init__(
        self,
        model: Any,
        processor: Dynam3DProcessor,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        if temperature < 0.0:
            raise ValueError(f"temperature must be at least 0 (the likeliest answer), got {temperature}")
        self.config = plain_model(model).config
        if self.config.token_dim != processor.token_dim or self.config.queries != processor.queries:
            raise ValueError(
                f"the model reads tokens of length {self.config.token_dim} with {self.config.queries} "
                f"queries, the processor makes {processor.token_dim} and {processor.queries}: load both from "
                "one folder"
            )
        self.model = model.eval()
        self.processor = processor
        self.temperature = temperature
        self.seed = seed
        self.automaton = processor.automaton()
        self.queue = TurnQueue()
        """What is still to be carried out of each slot's decision."""
        self._rngs: dict[int, np.random.Generator] = {}

    @classmethod
    def from_pretrained(cls, folder: str | Path, temperature: float = 0.0, seed: int = 0) -> VLMAgent:
        """The agent of a folder that `save_agent` wrote or of a hub repository.

        An adapter is merged into its language model: answers take no longer than those of a whole model.

        Raises:
            FileNotFoundError: If there is no such folder or repository, or it holds no model.
            CheckpointError: If model and processor are not of one kind; the message names both sides.
        """
        path = agent_folder(folder)
        processor = Dynam3DProcessor.from_pretrained(path)
        model = load_model(
            path, token_dim=processor.token_dim, levels=processor.levels, tokenizer=processor.tokenizer
        )
        if not isinstance(model, Dynam3DForCausalLM):
            model = model.merge_and_unload()
        return cls(model, processor, temperature, seed)

    @property
    def perception(self) -> Perception:
        """What it was trained to see with."""
        return Perception(**self.config.perception)

    @property
    def levels(self) -> tuple[str, ...]:
        """Token levels that it reads."""
        return tuple(self.processor.levels)

    @property
    def token_dim(self) -> int:
        """Length of a token that it reads."""
        return self.processor.token_dim

    @property
    def action_mode(self) -> str:
        """The environment's action mode that it acts in."""
        return "macro"

    def reset(self, index: int, episode: PublicEpisode) -> None:
        """Begin an episode in slot `index`."""
        self.queue.reset(index, self.config.look_around)
        self._rngs[index] = episode_rng(self.seed, episode)

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Macro actions int64 (n, 3) of all slots; slots that are not active get a stop."""
        actions = np.tile(np.array(STOP_MACRO), (len(active), 1))
        turning, deciding = self.queue.split(active)
        for slot in turning:
            actions[slot] = self.queue.next(slot)
        if deciding:
            for slot, macro in zip(deciding, self.decide(observations, deciding), strict=True):
                actions[slot] = self.queue.begin(slot, macro)
        return actions

    def see(self, observations: Mapping[str, Any], rows: Sequence[int]) -> None:
        """Take in what s rows show while their last decision is carried out: the memory has done it."""

    def decide(self, observations: Mapping[str, Any], rows: Sequence[int]) -> np.ndarray:
        """Macro actions int64 (s, 3) for s rows of a batched observation, whatever goes on in their slots."""
        return self.answer(observations, rows).actions

    def answer(self, observations: Mapping[str, Any], rows: Sequence[int]) -> Decoded:
        """What the model says for s rows of a batched observation, with log-probabilities."""
        inputs = self.processor.from_observation(observations, rows)
        device = self.model.device
        generators = [self._rngs[row] for row in rows] if self.temperature else None
        return decode(
            self.model,
            {name: value.to(device) for name, value in inputs.items()},
            self.automaton,
            self.temperature,
            generators,
            stop_chance=STOP_CHANCE,
            moves_quantile=MOVES_QUANTILE,
        )


def best_dtype(device: torch.device) -> torch.dtype | None:
    """bfloat16 where the device multiplies it faster than float32: CUDA, and CPUs with AMX; else None."""
    if device.type == "cuda":
        return torch.bfloat16
    return torch.bfloat16 if torch.cpu._is_amx_tile_supported() else None
