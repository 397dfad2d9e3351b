"""Training samples of the 3D-VLM: decisions as prompts, memory, and answers with their weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.decisions import Decisions
from agents.macros import mirror_macros
from agents.vlm.automaton import Automaton
from agents.vlm.config import LEVEL_CODES
from agents.vlm.explanations import explanation_automaton, format_explanation
from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.rows import count_levels

_SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Augmentation:
    """What training changes about a sample, by chance."""

    mirror: float = 0.5
    """Chance that left and right change places, in the memory, the words, the history and the answer."""
    row_dropout: float = 0.15
    """Mean part of the memory rows that is dropped; each sample's own part is drawn from 0 to twice that."""
    word_dropout: float = 0.05
    """Part of the instruction's words that is left out."""
    history_dropout: float = 0.5
    """Chance that the last actions are left out. What an expert did last says too much about what it does
    next, and a learner that relies on it goes on as it has begun (de Haan et al. 2019)."""


NO_AUGMENTATION = Augmentation(0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class AnswerWeights:
    """How much the parts of an answer count in the loss."""

    stop: float = 2.0
    """Answers that stop, which are rare, for 1 of the others."""
    first: float = 2.0
    """The first choice of an answer: which way to turn, or to stop."""
    explanation: float = 0.3
    """Each token of the explanation."""


class Samples:
    """Makes batches of decisions. What a batch holds follows from its indices and the random numbers alone.

    Args:
        decisions: The data.
        processor: Makes prompts.
        augmentation: What is changed by chance.
        weights: What counts how much.
    """

    def __init__(
        self,
        decisions: Decisions,
        processor: Dynam3DProcessor,
        augmentation: Augmentation,
        weights: AnswerWeights,
    ) -> None:
        if decisions.token_dim != processor.token_dim:
            raise ValueError(
                f"the decisions hold tokens of length {decisions.token_dim}, the model reads "
                f"{processor.token_dim}: use the encoder that it was trained with"
            )
        self.decisions = decisions
        self.processor = processor
        self.augmentation = augmentation
        self.weights = weights
        self._codes = [LEVEL_CODES[level] for level in processor.levels]
        self.answers = processor.automaton()
        self.explanations: Automaton | None = (
            explanation_automaton(processor.tokenizer) if processor.explained else None
        )
        self._lengths = [
            [len(ids) for ids in processor.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]
            for texts in decisions.instructions
        ]

    def length(self, index: int, paraphrase: int) -> int:
        """About how long a sample is, for batches of equal lengths."""
        lengths = self._lengths[int(self.decisions.route[index])]
        return lengths[paraphrase % len(lengths)]

    def batch(
        self,
        indices: Sequence[int] | np.ndarray,
        paraphrases: Sequence[int] | np.ndarray,
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:
        """Inputs of `Dynam3DForCausalLM` with `labels` and `label_weights`.

        Args:
            indices: Decisions.
            paraphrases: Which of its route's texts each takes (modulo their number).
            rng: Random numbers of the augmentation.
        """
        mirrored = self.mirrored(len(indices), rng)
        rows, texts, histories, tails, weights = [], [], [], [], []
        for index, paraphrase, swap in zip(indices, paraphrases, mirrored, strict=True):
            rows.append(self._rows(index, bool(swap), rng))
            said = self.decisions.instructions[int(self.decisions.route[index])]
            texts.append(self._instruction(said[paraphrase % len(said)], bool(swap), rng))
            histories.append(self._history(index, bool(swap), rng))
            tail, weight = self._tail(index, bool(swap))
            tails.append(tail)
            weights.append(weight)
        prompts = self.processor.prompts(texts, histories, [count_levels(each) for each in rows])
        inputs = dict(self.processor(images=rows, text=prompts, padding=True, return_tensors="pt"))
        return with_answers(inputs, tails, weights, self.processor.tokenizer.pad_token_id)

    def mirrored(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Which of a batch's samples have left and right swapped, bool (count,): what it draws first."""
        return rng.random(count) < self.augmentation.mirror

    def _rows(self, index: int, mirrored: bool, rng: np.random.Generator) -> np.ndarray:
        rows = self.decisions.rows_of(index).astype(np.float32)
        kept = rng.random(len(rows)) >= rng.random() * 2.0 * self.augmentation.row_dropout
        # Walks may be noted with more levels than are read.
        rows = rows[kept & np.isin(rows[:, 0], self._codes)]
        if mirrored:
            rows[:, 2] = -rows[:, 2]
        return self.processor.visible(rows)

    def _history(self, index: int, mirrored: bool, rng: np.random.Generator) -> np.ndarray:
        history = self.decisions.history[index].astype(np.int64)
        if rng.random() < self.augmentation.history_dropout:
            return np.full_like(history, -1)
        return mirror_macros(history) if mirrored else history

    def _instruction(self, text: str, mirrored: bool, rng: np.random.Generator) -> str:
        if mirrored:
            text = swap_sides(text)
        if self.augmentation.word_dropout:
            words = text.split()
            kept = rng.random(len(words)) >= self.augmentation.word_dropout
            text = " ".join(word for word, keep in zip(words, kept, strict=True) if keep)
        return text

    def _tail(self, index: int, mirrored: bool) -> tuple[list[int], list[float]]:
        """What follows the prompt: ids and their weights."""
        label = self.decisions.label[index].astype(np.int64)
        answer = self.answers.action_ids(mirror_macros(label) if mirrored else label)
        weights = [1.0] * len(answer)
        weights[0] = self.weights.first
        if label[0]:
            weights = [self.weights.stop * weight for weight in weights]
        ids = list(answer)
        if self.explanations is not None:
            _, ahead, left, progress = self.decisions.goal[index]
            text = format_explanation((ahead, -left if mirrored else left), float(progress))
            explained = self.explanations.ids(text)
            ids += explained
            weights += [self.weights.explanation] * len(explained)
        return ids, weights


def swap_sides(text: str) -> str:
    """A text in which every "left" is "right", and the other way round."""
    return _SIDES.sub(lambda side: "right" if side.group().lower() == "left" else "left", text)


def with_answers(
    inputs: dict[str, Tensor],
    tails: Sequence[Sequence[int]],
    weights: Sequence[Sequence[float]],
    pad_id: int,
) -> dict[str, Tensor]:
    """Prompts, padded in front, with what is to be learned after them, padded behind.

    Args:
        inputs: `input_ids`, `attention_mask` (b, t) and whatever else, which is passed on.
        tails: Ids of each answer.
        weights: Their weights in the loss.
        pad_id: Padding.

    Returns:
        The inputs, longer by the longest tail, `labels` (-100 where nothing is learned) and `label_weights`.
    """
    size, longest = len(tails), max(map(len, tails))
    ids = torch.full((size, longest), pad_id)
    mask = torch.zeros((size, longest), dtype=torch.long)
    label_weights = torch.zeros((size, longest))
    for row, (tail, weight) in enumerate(zip(tails, weights, strict=True)):
        ids[row, : len(tail)] = torch.tensor(tail)
        mask[row, : len(tail)] = 1
        label_weights[row, : len(tail)] = torch.tensor(weight)
    before = torch.full_like(inputs["input_ids"], -100)
    return {
        **inputs,
        "input_ids": torch.cat([inputs["input_ids"], ids], dim=1),
        "attention_mask": torch.cat([inputs["attention_mask"], mask], dim=1),
        "labels": torch.cat([before, ids.masked_fill(mask == 0, -100)], dim=1),
        "label_weights": torch.cat([torch.zeros(before.shape), label_weights], dim=1),
    }
