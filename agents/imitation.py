"""Behaviour cloning: the policy learns to do what the expert does on the expert's demonstrations."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from agents.checkpoint import best_device, save_policy
from agents.closed_loop import Validation
from agents.config import ImitationConfig, Perception
from agents.demonstrations import Demonstrations, load_demonstrations
from agents.policy import ACTIONS, NavigationPolicy, PolicyConfig
from agents.trained import PolicyAgent
from agents.training_loop import note_validation, remaining_updates
from agents.training_state import load_state, save_state, warm_cosine
from vlnenv.cache import write_atomic
from vlnenv.episodes.vocabulary import Vocabulary, split_words
from vlnenv.memory.text_table import load_text_table

_LEFT, _RIGHT = 2, 3
_MIRRORED_ACTION = torch.tensor([0, 1, _RIGHT, _LEFT])


def class_weights(actions: np.ndarray, balance: float) -> Tensor:
    """Weight of each action's label, float32 (4,): mean 1 over the labels, at most 5 times another's."""
    counts = np.bincount(actions, minlength=ACTIONS).astype(np.float64)
    weights = np.where(counts > 0, np.maximum(counts, 1.0) ** -balance, 0.0)
    weights = np.minimum(weights, 5.0 * weights[weights > 0].min())
    weights *= counts.sum() / max((weights * counts).sum(), 1e-12)
    return torch.as_tensor(weights, dtype=torch.float32)


def mirror(batch: dict[str, Tensor], mirrored: Tensor, swapped_ids: Tensor) -> dict[str, Tensor]:
    """Swap left and right in the chosen samples: places, words, past actions and labels.

    Args:
        batch: Observation keys, and `action` (b,) and `goal` (b, 3).
        mirrored: bool (b,), which samples.
        swapped_ids: Word id after the swap, see `swapped_words`.
    """
    side = torch.where(mirrored, -1.0, 1.0)
    out = dict(batch)
    for key in (key for key in batch if key.endswith("_xyz")):
        xyz = batch[key].float()
        out[key] = torch.stack([xyz[..., 0], xyz[..., 1] * side[:, None], xyz[..., 2]], dim=-1)
    ids = batch["instruction_ids"]
    out["instruction_ids"] = torch.where(mirrored[:, None], swapped_ids[ids], ids)
    action = batch["action"]
    out["action"] = torch.where(mirrored, _MIRRORED_ACTION[action], action)
    history = batch["action_history"].long()
    swapped = torch.where(history >= 0, _MIRRORED_ACTION[history.clamp(min=0)], history)
    out["action_history"] = torch.where(mirrored[:, None], swapped, history)
    goal = batch["goal"]
    out["goal"] = torch.stack([goal[:, 0], goal[:, 1], goal[:, 2] * side], dim=-1)
    return out


def swapped_words(vocabulary: Vocabulary) -> Tensor:
    """Word ids after a mirror, int64 (len(vocabulary),): "left" becomes "right" and back, all others stay."""
    swapped = torch.arange(len(vocabulary))
    if "left" in vocabulary.words and "right" in vocabulary.words:
        left, right = (vocabulary.words.index(word) + 2 for word in ("left", "right"))
        swapped[left], swapped[right] = right, left
    return swapped


class Imitation:
    """Trains a policy on demonstrations; all chance follows from the seed and the update's number."""

    def __init__(self, config: ImitationConfig, data: Demonstrations) -> None:
        self.config = config
        self.data = data
        self.device = best_device()
        for level in config.levels:
            if f"{level}_tokens" not in data.arrays:
                raise ValueError(f"the demonstrations have no {level} tokens, only {sorted(data.arrays)}")
        keys = [f"{level}_{part}" for level in config.levels for part in ("tokens", "xyz", "mask")]
        self._inputs = {key: data.arrays[key] for key in [*keys, "action_history"]}
        torch.manual_seed(config.seed)
        self.policy = NavigationPolicy(
            PolicyConfig(
                words=Vocabulary.of(data.instructions).words,
                levels=config.levels,
                perception=_needed(data.perception, config.levels),
                max_words=max(80, *(len(split_words(text)) for text in data.instructions)),
                token_dim=data.arrays[f"{config.levels[0]}_tokens"].shape[-1],
                width=config.width,
                dropout=config.dropout,
                train_tokens=config.train_tokens,
            )
        )
        if config.text_table:
            start_words_from_table(self.policy.word, self.policy.vocabulary)
        self.policy.to(self.device)
        vocabulary, length = self.policy.vocabulary, self.policy.config.max_words
        encoded = [vocabulary.encode(text, length)[0] for text in data.instructions]
        self._ids = torch.from_numpy(np.stack(encoded))
        self._swapped_ids = swapped_words(vocabulary)
        self.goal_head = nn.Linear(self.policy.feature_dim, 3).to(self.device)
        self.weights = class_weights(np.asarray(data.action), config.class_balance).to(self.device)
        self.optimizer = torch.optim.AdamW(
            [*self.policy.parameters(), *self.goal_head.parameters()],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
        )
        self.update = 0
        self.best_success = -1.0

    def batch(self, update: int) -> dict[str, Tensor]:
        """The samples of an update, augmented: each epoch is another order of all samples."""
        rng = np.random.default_rng([self.config.seed, update])
        rows = np.sort(self._rows(update))
        batch = {name: torch.from_numpy(array[rows]) for name, array in self._inputs.items()}
        ids = self._ids[torch.from_numpy(self.data.instruction[rows].astype(np.int64))]
        forgotten = torch.from_numpy(rng.random(ids.shape) < self.config.word_dropout)
        batch["instruction_ids"] = torch.where(forgotten & (ids > 0), torch.ones_like(ids), ids)
        batch["action"] = torch.from_numpy(self.data.action[rows].astype(np.int64))
        batch["goal"] = torch.from_numpy(self.data.goal[rows])
        mirrored = torch.from_numpy(rng.random(len(rows)) < 0.5)
        return {k: v.to(self.device) for k, v in mirror(batch, mirrored, self._swapped_ids).items()}

    def _rows(self, update: int) -> np.ndarray:
        size = min(self.config.batch_size, len(self.data))
        per_epoch = len(self.data) // size
        epoch, index = divmod(update, per_epoch)
        if getattr(self, "_epoch", None) != epoch:
            self._epoch = epoch
            self._order = np.random.default_rng([self.config.seed, 1 << 30, epoch]).permutation(
                len(self.data)
            )
        return self._order[index * size : (index + 1) * size]

    def step(self) -> dict[str, float]:
        """One update; returns the losses and the part of labels that the policy agrees with."""
        self.policy.train()
        # Dropout and token choice follow from the update's number, so that a resumed run repeats them.
        torch.manual_seed((self.config.seed << 32) + self.update)
        batch = self.batch(self.update)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * warm_cosine(self.update, self.config.updates)
        features = self.policy.features(batch)
        logits = self.policy.action_head(features)
        action_loss = F.cross_entropy(logits, batch["action"], weight=self.weights)
        target = batch["goal"] / 5.0
        target = target.sign() * torch.log1p(target.abs())
        goal_loss = F.smooth_l1_loss(self.goal_head(features), target)
        loss = action_loss + self.config.goal_loss * goal_loss
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.policy.parameters(), self.config.grad_norm)
        self.optimizer.step()
        self.update += 1
        agrees = (logits.argmax(dim=-1) == batch["action"]).float().mean()
        return {
            "loss": float(loss.detach()),
            "action_loss": float(action_loss.detach()),
            "goal_loss": float(goal_loss.detach()),
            "agreement": float(agrees),
        }

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        metadata = {
            "update": str(self.update),
            "best_success": repr(self.best_success),
            "settings": _settings(self.config, self.data),
        }
        save_state(path, self._modules(), self.optimizer, metadata)

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names one that differs.
        """
        settings = _settings(self.config, self.data)
        metadata = load_state(path, self._modules(), self.optimizer, settings)
        self.update = int(metadata["update"])
        self.best_success = float(metadata["best_success"])

    def _modules(self) -> dict[str, nn.Module]:
        return {"policy": self.policy, "goal": self.goal_head}


def _needed(perception: Perception, levels: tuple[str, ...]) -> Perception:
    """What a policy of these levels needs of a perception: without instances and zones no segmenter."""
    if {"instance", "zone"} & set(levels):
        return perception
    return dataclasses.replace(perception, segmenter=None)


def start_words_from_table(embedding: nn.Embedding, vocabulary: Vocabulary) -> None:
    """Put each word near the classes that it names: a better start than chance, training goes on from it.

    An embedding of another length than the table's stays as it is.
    """
    table = load_text_table()
    if table.dim != embedding.embedding_dim:
        return
    with torch.no_grad():
        for index, word in enumerate(vocabulary.words):
            if word in table:
                # Rows of a fresh embedding have a length of about sqrt(width).
                embedding.weight[index + 2] = torch.from_numpy(table.embed(word)) * math.sqrt(table.dim)


def _settings(config: ImitationConfig, data: Demonstrations) -> str:
    """What must be the same for a run to go on, as JSON."""
    settings = dataclasses.asdict(config)
    for name in ("out", "threads", "num_envs"):
        del settings[name]
    settings["data"]["perception"] = dataclasses.asdict(data.perception)
    return json.dumps({**settings, "data_hash": data.data_hash, "weights": data.weights}, sort_keys=True)


def train_imitation(
    config: ImitationConfig,
    evaluate: Callable[[NavigationPolicy], dict[str, float]] | None = None,
) -> Path:
    """Train a policy by behaviour cloning, or go on with a run that was cut off.

    Args:
        config: Settings; written to `config.out` as `config.json`.
        evaluate: Closed-loop metrics of a policy, "success" among them; by default `Validation` on
            `config.eval_split`.

    Returns:
        The best weights, `config.out/policy.safetensors`.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    data = load_demonstrations(config.data, config.num_envs)
    run = Imitation(config, data)
    state = out / "state.safetensors"
    if state.is_file():
        run.resume(state)
    write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    with ExitStack() as stack:
        if evaluate is None:
            validation = stack.enter_context(
                Validation(
                    config.data.dataset,
                    config.eval_split,
                    run.policy.config.perception,
                    config.levels,
                    config.eval_episodes,
                    config.num_envs,
                )
            )
            evaluate = lambda policy: validation(PolicyAgent(policy))  # noqa: E731
        writer = stack.enter_context(SummaryWriter(str(out / "tensorboard")))
        for losses in remaining_updates(run, config.updates, writer, "behaviour cloning", "bc"):
            if run.update % config.eval_every == 0 or run.update == config.updates:
                _validate(run, losses, evaluate(run.policy.eval()), writer)
                run.save(state)
    return out / "policy.safetensors"


def _validate(
    run: Imitation, losses: dict[str, float], closed_loop: dict[str, float], writer: SummaryWriter
) -> None:
    """Log a validation, and keep the weights if none were better."""
    config, out = run.config, Path(run.config.out)
    if note_validation(run, out, config.eval_split, losses, closed_loop, writer):
        card = {
            "method": "behaviour cloning",
            "update": run.update,
            "settings": dataclasses.asdict(config),
            "data_hash": run.data.data_hash,
            "perception": dataclasses.asdict(run.data.perception),
            "perception_weights": run.data.weights,
            "samples": len(run.data),
            "figures": closed_loop,
        }
        save_policy(out / "policy.safetensors", run.policy, card)
