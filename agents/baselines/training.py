"""Imitation and DAgger for the recurrent baselines: cross-entropy of the expert's decisions."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from agents.baselines.agent import BaselineAgent
from agents.baselines.batches import PAD_LABEL, Augmentation, Batch, Batches
from agents.baselines.checkpoint import load_baseline, save_baseline
from agents.baselines.config import BASELINE_LEVELS, BaselineConfig
from agents.baselines.networks import BaselineNetwork, NetworkConfig, make_network
from agents.baselines.sequences import Round, Sequences, collect_sequences
from agents.checkpoint import best_device
from agents.closed_loop import Validation
from agents.imitation import start_words_from_table
from agents.macros import signed_turn
from agents.training_loop import note_validation, remaining_updates
from agents.training_state import load_state, save_state, warm_cosine
from vlnenv.cache import write_atomic
from vlnenv.episodes.vocabulary import Vocabulary
from vlnenv.evaluation.manifest import file_hash

_BATCHES_AT_ONCE = 16
"""Batches whose episodes are drawn together and sorted by length: little padding, and still by chance."""
WEIGHTS = "policy.safetensors"
STATE = "state.safetensors"

Evaluate = Callable[[BaselineAgent], dict[str, float]]
"""Closed-loop metrics of an agent, "success" among them."""


@dataclasses.dataclass(frozen=True)
class Losses:
    """Of a batch; means over its decisions."""

    turn: Tensor
    moves: Tensor
    progress: Tensor
    agreement: Tensor
    """Part of the decisions that the network would make as the expert does."""


def losses(network: BaselineNetwork, batch: Batch, stop_weight: float, inflection_weight: float) -> Losses:
    """How far a network's decisions are from the expert's.

    Args:
        network: In training mode, or not.
        batch: Padding and looks that nothing is decided on count nothing.
        stop_weight: Weight of decisions to stop, for 1 of the others.
        inflection_weight: Weight of decisions of another kind than the action before.
    """
    decided = network(network.read(batch.ids), batch.view, batch.depth, batch.previous)
    chosen = batch.decides
    label, features = batch.label[chosen], decided.features[chosen]
    stops = label[:, 0] == 1
    turn = torch.where(stops, 0, 1 + label[:, 1])
    turn_logits = decided.turn_logits[chosen]
    moves_logits = network.moves_logits(features, turn)
    kind, before = action_kinds(label), action_kinds(batch.previous[chosen])
    weight = torch.where(stops, stop_weight, 1.0) * torch.where(kind != before, inflection_weight, 1.0)
    walks = weight * ~stops
    by_turn = F.cross_entropy(turn_logits, turn, reduction="none")
    by_moves = F.cross_entropy(moves_logits, label[:, 2], reduction="none")
    right = turn_logits.argmax(dim=-1) == turn
    right &= stops | (moves_logits.argmax(dim=-1) == label[:, 2])
    return Losses(
        turn=(weight * by_turn).sum() / weight.sum(),
        moves=(walks * by_moves).sum() / walks.sum().clamp(min=1.0),
        progress=F.mse_loss(decided.progress[chosen], batch.progress[chosen]),
        agreement=right.float().mean(),
    )


def action_kinds(macros: Tensor) -> Tensor:
    """Kinds int64 (...) of macro actions (..., 3): 0 stop, 1 ahead, 2 left, 3 right, -1 for none."""
    signed = torch.tensor([signed_turn(turn) for turn in range(24)], device=macros.device)
    left = signed[macros[..., 1].clamp(min=0)]
    kind = 1 + (left > 0).long() + 2 * (left < 0).long()
    kind = torch.where(macros[..., 0] == 1, 0, kind)
    return torch.where(macros[..., 0] < 0, PAD_LABEL, kind)


class BaselineTraining:
    """Trains a network on sequences; all chance follows from the seed and the update's number.

    Args:
        config: Settings.
        sequences: The data.
        start: Weights to go on from; None begins a new network.
    """

    def __init__(self, config: BaselineConfig, sequences: Sequences, start: Path | None = None) -> None:
        self.config = config
        self.sequences = sequences
        self.device = best_device()
        self.start_hash = None if start is None else file_hash(start)
        torch.manual_seed(config.seed)
        self.network = _new(config, sequences) if start is None else load_baseline(start)
        self.network.to(self.device)
        self.batches = Batches(
            sequences,
            self.network.vocabulary,
            Augmentation(config.mirror, config.cell_dropout, config.word_dropout),
        )
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.update = 0
        self.best_success = -1.0
        self._drawn: tuple[int, np.ndarray] | None = None

    def batch(self, number: int) -> Batch:
        """The episodes of an update."""
        group, place = divmod(number, _BATCHES_AT_ONCE)
        if self._drawn is None or self._drawn[0] != group:
            self._drawn = (group, self._draw(group))
        indices = self._drawn[1][place]
        rng = np.random.default_rng([self.config.seed, number, 1])
        return self.batches.batch(indices, rng.integers(1 << 30, size=len(indices)), rng).to(self.device)

    def _draw(self, group: int) -> np.ndarray:
        """Episodes (16, batch_size), those of like length together, the batches in an order by chance."""
        rng = np.random.default_rng([self.config.seed, group, 0])
        size = (_BATCHES_AT_ONCE, min(self.config.batch_size, len(self.sequences)))
        indices = rng.integers(len(self.sequences), size=size).ravel()
        order = np.argsort(self.sequences.lengths[indices], kind="stable").reshape(size)
        return indices[order[rng.permutation(size[0])]]

    def step(self) -> dict[str, float]:
        """One update; returns the losses and the part of the decisions that the network agrees with."""
        config = self.config
        self.network.train()
        # Dropout follows from the update's number, so that a resumed run repeats it.
        torch.manual_seed((config.seed << 32) + self.update)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * warm_cosine(self.update, config.updates)
        # On CPUs 16 bits gain nothing here: most time goes to the recurrent layers, which stay in 32.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            parts = losses(
                self.network, self.batch(self.update), config.stop_weight, config.inflection_weight
            )
        loss = config.turn_weight * parts.turn + parts.moves + config.progress_loss * parts.progress
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), config.grad_norm)
        self.optimizer.step()
        self.update += 1
        named = {f"{name}_loss": getattr(parts, name) for name in ("turn", "moves", "progress")}
        named |= {"loss": loss, "agreement": parts.agreement}
        return {name: float(value.detach()) for name, value in named.items()}

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        metadata = {
            "update": str(self.update),
            "best_success": repr(self.best_success),
            "settings": self._settings(),
        }
        save_state(path, {"network": self.network}, self.optimizer, metadata)

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names one that differs.
        """
        metadata = load_state(path, {"network": self.network}, self.optimizer, self._settings())
        self.update = int(metadata["update"])
        self.best_success = float(metadata["best_success"])

    def _settings(self) -> str:
        """What must be the same for a run to go on, as JSON."""
        settings = dataclasses.asdict(self.config)
        # More rounds of DAgger leave those before them as they are.
        for name in ("out", "threads", "num_envs", "dagger"):
            del settings[name]
        return json.dumps(
            {**settings, "shards": self.sequences.settings, "start": self.start_hash}, sort_keys=True
        )


def _new(config: BaselineConfig, sequences: Sequences) -> BaselineNetwork:
    vocabulary = Vocabulary.of(text for texts in sequences.instructions for text in texts)
    network = make_network(
        NetworkConfig(
            network=config.network,
            words=vocabulary.words,
            perception=sequences.perception,
            token_dim=sequences.token_dim,
            width=config.width,
            dropout=config.dropout,
            history_dropout=config.history_dropout,
            look_around=sequences.look_around,
        )
    )
    if config.text_table:
        start_words_from_table(network.word, vocabulary)
    return network


def train_baseline(config: BaselineConfig, evaluate: Evaluate | None = None) -> Path:
    """Train a baseline by imitation and DAgger, or go on with a run that was cut off.

    Args:
        config: Settings; written to `config.out` as `config.json`.
        evaluate: By default `Validation` on `config.eval_split`.

    Returns:
        The best weights of the best round, of equals the last: `policy.safetensors` in `config.out`, or in
        `dagger-<n>` there.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    folders = collect_sequences(config.data, config.num_envs)
    with ExitStack() as stack:
        if evaluate is None:
            evaluate = stack.enter_context(_validation(config, Sequences(folders)))
        run = BaselineTraining(config, Sequences(folders))
        write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
        _train(run, out, evaluate)
        weights = out / WEIGHTS
        found = [(run.best_success, weights)]
        for number, expert in enumerate(config.dagger, 1):
            learner = BaselineAgent(load_baseline(weights).to(best_device()))
            walk = Round(number, expert, file_hash(weights))
            folders = [*folders, *collect_sequences(config.data, config.num_envs, walk, learner)]
            run = BaselineTraining(config, Sequences(folders), weights)
            folder = out / f"dagger-{number}"
            _train(run, folder, evaluate)
            weights = folder / WEIGHTS
            found.append((run.best_success, weights))
    return max(reversed(found), key=lambda each: each[0])[1]


def _validation(config: BaselineConfig, sequences: Sequences) -> Validation:
    return Validation(
        config.eval_dataset,
        config.eval_split,
        sequences.perception,
        BASELINE_LEVELS,
        config.eval_episodes,
        config.num_envs,
        action_mode="macro",
    )


def _train(run: BaselineTraining, out: Path, evaluate: Evaluate) -> None:
    """Carry out what is left of a round."""
    config = run.config
    state = out / STATE
    if state.is_file():
        run.resume(state)
    with SummaryWriter(str(out / "tensorboard")) as writer:
        for measured in remaining_updates(run, config.updates, writer, config.network, "baseline"):
            if run.update % config.eval_every == 0 or run.update == config.updates:
                metrics = evaluate(BaselineAgent(run.network))
                _note(run, out, measured, metrics, writer)
                run.save(state)


def _note(
    run: BaselineTraining,
    out: Path,
    measured: dict[str, float],
    closed_loop: dict[str, float],
    writer: SummaryWriter,
) -> None:
    """Log a validation, and keep the weights if none were better."""
    config = run.config
    if note_validation(run, out, config.eval_split, measured, closed_loop, writer):
        card = {
            "method": f"{config.network}: imitation of the expert's macro actions",
            "update": run.update,
            "settings": dataclasses.asdict(config),
            "episodes": len(run.sequences),
            "decisions": run.sequences.decisions,
            "shards": run.sequences.settings,
            "start_sha256": run.start_hash,
            "parameters": sum(each.numel() for each in run.network.parameters()),
            "figures": closed_loop,
        }
        save_baseline(out / WEIGHTS, run.network, card)
