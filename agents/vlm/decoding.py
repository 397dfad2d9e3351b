"""Decoding under the grammar: every output is an answer, with its log-probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agents.vlm.automaton import AnswerAutomaton, Automaton


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a model said for each of b samples."""

    actions: np.ndarray
    """Macro actions [stop, turn, moves], int64 (b, 3)."""
    texts: list[str]
    """The answers."""
    log_probs: np.ndarray
    """float64 (b,): log-probability of the answer, as sum over its tokens, under the distribution that it was
    drawn from: the model's over the tokens that the grammar allowed, at the temperature (greedy: at 1)."""
    explanations: list[str] | None
    """Explanations, if they were decoded."""
    passes: int
    """Forward passes, the prompt's included."""


class _Writer:
    """One sample's text as it grows: through the answers, then through the explanations, if asked."""

    def __init__(self, automata: Sequence[Automaton]) -> None:
        self.automata = automata
        self.phase = 0
        self.state = Automaton.START
        self.texts: list[str] = []
        self.pending: list[int] = []
        """Ids that are settled, but that the model has not read yet."""
        self.log_prob = 0.0
        self._settle()

    @property
    def is_done(self) -> bool:
        return self.phase == len(self.automata)

    @property
    def choices(self) -> tuple[int, ...]:
        """Ids to choose from next."""
        return self.automata[self.phase].choices(self.state)

    @property
    def by_moves(self) -> tuple[int, ...]:
        """Ids to choose from next, from few moves to many; none if more is to be chosen."""
        automaton = self.automata[self.phase]
        return automaton.by_moves(self.state) if isinstance(automaton, AnswerAutomaton) else ()

    @property
    def stop(self) -> int | None:
        """The id to choose from next that decides to stop; None if none does."""
        automaton = self.automata[self.phase]
        return automaton.stop(self.state) if isinstance(automaton, AnswerAutomaton) else None

    def write(self, token: int) -> None:
        """Take a chosen id, and all that must follow it."""
        self.state = self.automata[self.phase].step(self.state, token)
        self.pending.append(token)
        self._settle()

    def _settle(self) -> None:
        while not self.is_done:
            automaton = self.automata[self.phase]
            run = automaton.run(self.state)
            self.state = automaton.walk(run, self.state)
            self.pending.extend(run)
            text = automaton.text(self.state)
            if text is None:
                return
            self.texts.append(text)
            self.phase, self.state = self.phase + 1, Automaton.START


@torch.inference_mode()
def decode(
    model: Any,
    inputs: Mapping[str, Any],
    automaton: AnswerAutomaton,
    temperature: float = 0.0,
    generators: Sequence[np.random.Generator] | None = None,
    explanations: Automaton | None = None,
    stop_chance: float | None = None,
    moves_quantile: float | None = None,
) -> Decoded:
    """Answers of a batch of prompts, with a KV cache.

    Tokens that the grammar leaves no choice about are read together with the next that is chosen, so an
    answer costs one pass for each choice, and nothing after its last one. Where samples have different
    numbers of them, the shorter ones are padded in front, inside the cache.

    Args:
        model: A causal language model of transformers that numbers tokens by the attention mask, as
            `Dynam3DForCausalLM` does.
        inputs: Its inputs for the prompts: `input_ids` and `attention_mask` (b, t), padded in front, and what
            else it takes.
        automaton: The answers.
        temperature: 0 takes the likeliest token at each choice, else tokens are drawn at this temperature.
        generators: (b,) random numbers of each sample, needed to draw: one number a choice. So what a sample
            says does not depend on the others.
        explanations: Explanations to decode after each answer, greedily; None stops at the answer's end.
        stop_chance: In (0, 1): greedy decoding stops if that is at least so likely, and else takes the
            likeliest of the rest. The likeliest of all stops too often: the chance to go on is shared out
            among the directions. None takes the likeliest of all.
        moves_quantile: In (0, 1): where nothing is left to choose but the number of moves, in one token,
            greedy decoding takes this quantile of it, not the likeliest: who walks too far is worse off than
            who has to decide again. None takes the likeliest.

    Raises:
        ValueError: If the temperature is negative, chance or quantile is not in (0, 1), generators are
            missing, or prompts are padded at the end.
    """
    mask = inputs["attention_mask"]
    size = len(mask)
    if temperature < 0.0:
        raise ValueError(f"temperature must be at least 0 (the likeliest token), got {temperature}")
    for name, value in (("stop_chance", stop_chance), ("moves_quantile", moves_quantile)):
        if value is not None and not 0.0 < value < 1.0:
            raise ValueError(f"{name} must lie in (0, 1), got {value}")
    if temperature and (generators is None or len(generators) != size):
        raise ValueError(
            f"drawing at a temperature needs a random generator for each of {size} samples, got "
            f"{'none' if generators is None else len(generators)}"
        )
    if not bool(mask[:, -1].all()):
        raise ValueError("prompts must be padded in front, but the last column of attention_mask has zeros")
    automata = [automaton] if explanations is None else [automaton, explanations]
    writers = [_Writer(automata) for _ in range(size)]
    output = model(**inputs, use_cache=True, logits_to_keep=1)
    passes = 1
    while not all(writer.is_done for writer in writers):
        # Where an automaton begins with a forced token, there is something to read before the first choice.
        ready = [index for index, writer in enumerate(writers) if not writer.is_done and not writer.pending]
        chosen = _choose(
            output.logits[:, -1], writers, ready, temperature, generators, stop_chance, moves_quantile
        )
        for index, token, log_prob in chosen:
            if writers[index].phase == 0:
                writers[index].log_prob += log_prob
            writers[index].write(token)
        if all(writer.is_done for writer in writers):
            break
        tokens, is_token = _next_tokens(writers, automaton.end_id)
        mask = torch.cat([mask, torch.from_numpy(is_token).to(mask)], dim=1)
        output = model(
            input_ids=torch.from_numpy(tokens).to(mask.device),
            attention_mask=mask,
            past_key_values=output.past_key_values,
            use_cache=True,
            logits_to_keep=1,
        )
        passes += 1
    return Decoded(
        actions=np.array([automaton.macro(writer.texts[0]) for writer in writers], dtype=np.int64),
        texts=[writer.texts[0] for writer in writers],
        log_probs=np.array([writer.log_prob for writer in writers], dtype=np.float64),
        explanations=None if explanations is None else [writer.texts[1] for writer in writers],
        passes=passes,
    )


def _next_tokens(writers: Sequence[_Writer], filler: int) -> tuple[np.ndarray, np.ndarray]:
    """Pending ids int64 (b, t) of the samples that go on, padded in front, and bool (b, t) where they are."""
    due: list[list[int]] = []
    for writer in writers:
        due.append([] if writer.is_done else writer.pending)
        writer.pending = []
    tokens = np.full((len(due), max(map(len, due))), filler, dtype=np.int64)
    is_token = np.zeros(tokens.shape, dtype=bool)
    for row, ids in enumerate(due):
        start = tokens.shape[1] - len(ids)
        tokens[row, start:], is_token[row, start:] = ids, True
    return tokens, is_token


def _choose(
    logits: torch.Tensor,
    writers: Sequence[_Writer],
    ready: Sequence[int],
    temperature: float,
    generators: Sequence[np.random.Generator] | None,
    stop_chance: float | None,
    moves_quantile: float | None,
) -> list[tuple[int, int, float]]:
    """Sample, id and log-probability of each choice that is due; `logits` are (b, vocabulary)."""
    if not ready:
        return []
    widest = max(len(writers[index].choices) for index in ready)
    options = np.zeros((len(ready), widest), dtype=np.int64)
    for row, index in zip(options, ready, strict=True):
        row[: len(writers[index].choices)] = writers[index].choices
    picked = logits[torch.tensor(ready, device=logits.device)].gather(
        1, torch.from_numpy(options).to(logits.device)
    )
    values = picked.double().cpu().numpy()
    chosen = []
    for row, index in zip(values, ready, strict=True):
        choices = writers[index].choices
        draws = temperature > 0.0 and writers[index].phase == 0
        log_probs = _log_softmax(row[: len(choices)] / (temperature if draws else 1.0))
        if draws:
            assert generators is not None
            cumulated = np.cumsum(np.exp(log_probs))
            place = int(np.searchsorted(cumulated, generators[index].random() * cumulated[-1], side="right"))
            place = min(place, len(choices) - 1)
        elif moves_quantile is not None and writers[index].by_moves:
            order = [choices.index(token) for token in writers[index].by_moves]
            cumulated = np.cumsum(np.exp(log_probs[order]))
            place = order[min(int(np.searchsorted(cumulated, moves_quantile)), len(order) - 1)]
        elif stop_chance is not None and writers[index].stop is not None:
            stop = choices.index(writers[index].stop)
            going = np.where(np.arange(len(choices)) == stop, -np.inf, log_probs)
            place = stop if log_probs[stop] >= np.log(stop_chance) else int(going.argmax())
        else:
            place = int(log_probs.argmax())
        chosen.append((index, choices[place], float(log_probs[place])))
    return chosen


def _log_softmax(values: np.ndarray) -> np.ndarray:
    """float64 (n,) log-probabilities."""
    shifted = values - values.max()
    return shifted - np.log(np.exp(shifted).sum())
