"""Imitation learning of the 3D-VLM: cross-entropy of the expert's answers on noted decisions."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from agents.checkpoint import best_device
from agents.closed_loop import Validation
from agents.config import Perception
from agents.decisions import Decisions, open_decisions
from agents.provenance import command, machine
from agents.training_loop import note_validation, remaining_updates
from agents.training_state import load_state, save_state, warm_cosine
from agents.vlm.agent import VLMAgent, best_dtype
from agents.vlm.auxiliary import NextMemory
from agents.vlm.checkpoint import save_agent
from agents.vlm.loading import plain_model
from agents.vlm.optimizer import make_optimizer
from agents.vlm.pretrained import load_to_train, make_pretrained
from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.rows import grid_of
from agents.vlm.samples import AnswerWeights, Augmentation, Samples
from agents.vlm.tiny import make_tiny
from agents.vlm_config import VLMConfig
from vlnenv.cache import write_atomic

_BATCHES_AT_ONCE = 16
"""Batches whose samples are drawn together and sorted by length: little padding, and still by chance."""


class VLMImitation:
    """Trains a model on decisions; all chance follows from the seed and the update's number."""

    def __init__(self, config: VLMConfig, decisions: Decisions) -> None:
        self.config = config
        self.decisions = decisions
        self.device = best_device()
        torch.manual_seed(config.seed)
        self.model, self.processor = _model(config, decisions)
        self.model.to(self.device)
        if self.device.type == "cpu":
            # For prompts this short, matrix products on the CPU are twice as fast as its fused attention.
            plain_model(self.model).model.language_model.set_attn_implementation("eager")
        self.worker = low_precision(self.model, best_dtype(self.device))
        self.samples = Samples(
            decisions,
            self.processor,
            Augmentation(config.mirror, config.row_dropout, config.word_dropout, config.history_dropout),
            AnswerWeights(config.stop_weight, config.first_weight, config.explanation_weight),
        )
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.auxiliary: NextMemory | None = None
        if config.jepa_weight:
            if plain_model(self.model) is not self.model:
                raise ValueError("jepa_weight is for models that are trained whole, not by LoRA: set it to 0")
            self.auxiliary = NextMemory(self.model, decisions, config.jepa_decay).to(self.device)
            self.modules["jepa"] = self.auxiliary
        self.learned = [p for module in self.modules.values() for p in module.parameters() if p.requires_grad]
        self.optimizer = make_optimizer(
            config.optimizer, self.modules.values(), config.learning_rate, config.weight_decay
        )
        self.update = 0
        self.best_success = -1.0
        self.seconds = 0.0
        """Spent on updates so far."""
        self._drawn: tuple[int, np.ndarray, np.ndarray] | None = None

    def batch(self, number: int) -> dict[str, Tensor]:
        """The samples of a batch, counted over the whole run."""
        indices, paraphrases = self._chosen(number)
        batch = self.samples.batch(indices, paraphrases, self._rng(number))
        return {name: value.to(self.device) for name, value in batch.items()}

    def _chosen(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Decisions and paraphrases of a batch, each (batch_size,)."""
        group, place = divmod(number, _BATCHES_AT_ONCE)
        if self._drawn is None or self._drawn[0] != group:
            self._drawn = (group, *self._draw(group))
        return self._drawn[1][place], self._drawn[2][place]

    def _rng(self, number: int) -> np.random.Generator:
        """Random numbers of a batch's augmentation, from the first."""
        return np.random.default_rng([self.config.seed, number, 1])

    def _draw(self, group: int) -> tuple[np.ndarray, np.ndarray]:
        """Decisions and paraphrases, each (16, batch_size), samples of one length together."""
        rng = np.random.default_rng([self.config.seed, group, 0])
        size = (_BATCHES_AT_ONCE, min(self.config.batch_size, len(self.decisions)))
        indices = rng.integers(len(self.decisions), size=size).ravel()
        paraphrases = rng.integers(6, size=indices.shape)
        pairs = zip(indices.tolist(), paraphrases.tolist(), strict=True)
        lengths = [self.samples.length(*pair) for pair in pairs]
        order = np.argsort(lengths, kind="stable").reshape(size)[rng.permutation(size[0])]
        return indices[order], paraphrases[order]

    def step(self) -> dict[str, float]:
        """One update; returns the losses and the gradient's norm, "loss" of the answers alone."""
        begun = time.perf_counter()
        self.worker.train()
        torch.manual_seed((self.config.seed << 32) + self.update)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * warm_cosine(self.update, self.config.updates)
        for each in (self.worker, self.optimizer):
            each.zero_grad(set_to_none=True)
        noted: dict[str, float] = {}
        for part in range(self.config.accumulate):
            loss, parts = self._losses(self.update * self.config.accumulate + part)
            (loss / self.config.accumulate).backward()
            for name, value in parts.items():
                noted[name] = noted.get(name, 0.0) + float(value / self.config.accumulate)
        for master, low in self._copied():
            master.grad = None if low.grad is None else low.grad.to(master.dtype)
        norm = nn.utils.clip_grad_norm_(self.learned, self.config.grad_norm)
        self.optimizer.step()
        self._refresh()
        if self.auxiliary is not None:
            self.auxiliary.follow(self.model)
        self.update += 1
        self.seconds += time.perf_counter() - begun
        return {**noted, "grad_norm": float(norm)}

    def _losses(self, number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """What a batch is learned by, and what is to be noted of it."""
        batch = self.batch(number)
        outputs = self.worker(**batch)
        loss, parts = outputs.loss, {"loss": outputs.loss.detach()}
        if self.auxiliary is not None:
            indices, _ = self._chosen(number)
            mirrored = self.samples.mirrored(len(indices), self._rng(number))
            extra, explained = self.auxiliary(
                outputs.last_hidden_state, batch["input_ids"], indices, mirrored
            )
            loss = loss + self.config.jepa_weight * extra
            parts |= {"jepa": extra.detach(), "jepa_explained": explained}
        return loss, parts

    @torch.no_grad()
    def _refresh(self) -> None:
        """Give the worker the weights as they are now."""
        for master, low in self._copied():
            low.copy_(master)

    def _copied(self) -> Iterator[tuple[nn.Parameter, nn.Parameter]]:
        """Trained parameters, each with the worker's copy, where it has copies."""
        if self.worker is not self.model:
            for master, low in zip(self.model.parameters(), self.worker.parameters(), strict=True):
                if master.requires_grad:
                    yield master, low

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        metadata = {
            "update": str(self.update),
            "best_success": repr(self.best_success),
            "seconds": repr(self.seconds),
            "settings": _settings(self.config, self.decisions),
        }
        save_state(path, self.modules, self.optimizer, metadata, omit_frozen=("model",))

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names one that differs.
        """
        settings = _settings(self.config, self.decisions)
        metadata = load_state(path, self.modules, self.optimizer, settings)
        self.update = int(metadata["update"])
        self.best_success = float(metadata["best_success"])
        self.seconds = float(metadata.get("seconds", 0.0))
        self._refresh()


def low_precision(model: Any, dtype: torch.dtype | None) -> Any:
    """A copy of a model that computes in a lower precision; the model itself for None.

    Updates are made to the float32 model, so none is lost to rounding. On a CPU this takes two thirds of
    autocast's time, which keeps activations in float32 between the products.
    """
    if dtype is None:
        return model
    worker = copy.deepcopy(model).to(dtype)
    for name, buffer in model.named_buffers():
        if name.endswith("inv_freq"):
            # Rounded, they would put words at other positions.
            parent, _, own = name.rpartition(".")
            setattr(worker.get_submodule(parent), own, buffer.clone())
    return worker


def _model(config: VLMConfig, decisions: Decisions) -> tuple[Any, Dynam3DProcessor]:
    seen = decisions.settings[0]
    if config.start is not None:
        model, processor = load_to_train(config.start, config.lora_rank)
        # What is learned from is what it sees from now on, which may be another encoder's features.
        plain_model(model).config.perception = seen["perception"]
        processor.blind = config.blind or processor.blind
        return model, processor
    missing = set(config.levels) - set(seen["levels"])
    if missing:
        raise ValueError(f"the decisions have no rows of {sorted(missing)}, only of {seen['levels']}")
    shared: dict[str, Any] = {
        "levels": config.levels,
        "patch_pool": tuple(seen["patch_pool"]),
        "patch_grid": grid_of(Perception(**seen["perception"]).patches),
        "perception": seen["perception"],
        "queries": config.queries,
        "query_layers": config.query_layers,
        "explained": config.explained,
        "blind": config.blind,
        "look_around": seen["look_around"],
    }
    if config.backbone != "tiny":
        return make_pretrained(config.backbone, decisions.token_dim, lora_rank=config.lora_rank, **shared)
    return make_tiny(
        [text for texts in decisions.instructions for text in texts],
        decisions.token_dim,
        hidden_size=config.hidden_size,
        layers=config.layers,
        heads=config.heads,
        **shared,
    )


def _settings(config: VLMConfig, decisions: Decisions) -> str:
    """What must be the same for a run to go on, as JSON."""
    settings = dataclasses.asdict(config)
    # A run without them goes on from before there was an auxiliary objective, or another language model.
    unused = [] if config.jepa_weight else ["jepa_weight", "jepa_decay"]
    unused += [
        name for name, default in (("backbone", "tiny"), ("lora_rank", 0)) if settings[name] == default
    ]
    for name in ("out", "threads", "num_envs", "save_every", *unused):
        del settings[name]
    return json.dumps({**settings, "shards": list(decisions.settings)}, sort_keys=True)


def train_vlm(config: VLMConfig, evaluate: Callable[[VLMAgent], dict[str, float]] | None = None) -> Path:
    """Train a 3D-VLM by imitation, or go on with a run that was cut off.

    Args:
        config: Settings; written to `config.out` as `config.json`.
        evaluate: Closed-loop metrics of an agent, "success" among them; by default `Validation` on
            `config.eval_split`.

    Returns:
        Folder of the best weights, `config.out/best`: the model, its processor and its card.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    run = VLMImitation(config, open_decisions(config.decisions))
    state = out / "state.safetensors"
    if state.is_file():
        run.resume(state)
    write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    with ExitStack() as stack:
        if evaluate is None:
            evaluate = stack.enter_context(
                Validation(
                    config.eval_dataset,
                    config.eval_split,
                    Perception(**plain_model(run.model).config.perception),
                    tuple(run.processor.levels),
                    config.eval_episodes,
                    config.num_envs,
                    action_mode="macro",
                )
            )
        writer = stack.enter_context(SummaryWriter(str(out / "tensorboard")))
        for losses in remaining_updates(run, config.updates, writer, "imitation", "vlm"):
            if run.update % config.eval_every == 0 or run.update == config.updates:
                metrics = evaluate(VLMAgent(run.model, run.processor))
                _note(run, losses, metrics, writer)
                run.save(state)
            elif run.update % config.save_every == 0:
                run.save(state)
    return out / "best"


def _note(
    run: VLMImitation, losses: dict[str, float], closed_loop: dict[str, float], writer: SummaryWriter
) -> None:
    """Log a validation, and keep the weights if none were better."""
    config, out = run.config, Path(run.config.out)
    if note_validation(run, out, config.eval_split, losses, closed_loop, writer):
        card = {
            "method": "imitation of the expert's macro actions",
            "command": command(),
            "machine": machine(gpu_name(run.device)),
            "hours": run.seconds / 3600.0,
            "update": run.update,
            "settings": dataclasses.asdict(config),
            "decisions": len(run.decisions),
            "shards": list(run.decisions.settings),
            "figures": closed_loop,
        }
        save_agent(out / "best", run.model, run.processor, card)


def gpu_name(device: torch.device) -> str | None:
    """The GPU's name, None for a CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None
