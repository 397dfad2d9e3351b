"""Behaviour cloning: the policy learns to do what the expert does on the expert's demonstrations."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from agents.checkpoint import best_device, save_policy
from agents.demonstrations import DemonstrationConfig, Demonstrations, load_demonstrations
from agents.instructions import Vocabulary
from agents.policy import ACTIONS, LEVELS, NavigationPolicy, PolicyConfig
from vlnenv.cache import write_atomic

_LEFT, _RIGHT = 2, 3
_MIRRORED_ACTION = torch.tensor([0, 1, _RIGHT, _LEFT])


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of `vlnenv train bc`."""

    out: str = "runs/bc"
    """Folder for weights, curves and TensorBoard logs; a run that is there goes on where it stopped."""
    data: DemonstrationConfig = field(default_factory=DemonstrationConfig)
    updates: int = 6000
    batch_size: int = 256
    learning_rate: float = 1e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.02
    grad_norm: float = 1.0
    class_balance: float = 0.4
    """Labels are weighted by frequency ** -class_balance: 0 is not at all, 1 fully (STOP would be overdone)."""
    goal_loss: float = 0.1
    """Weight of predicting where the goal is, which only helps the features to form."""
    word_dropout: float = 0.05
    """Part of the words that training replaces by "unknown"."""
    width: int = 64
    dropout: float = 0.1
    train_tokens: int = 192
    """Memory tokens read per sample in training."""
    eval_every: int = 1000
    """Updates between closed-loop validations; the best weights by success rate are kept."""
    eval_split: str = "val_seen"
    """Never the split that results are reported on."""
    eval_episodes: int = 40
    num_envs: int = 8
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("updates", "batch_size", "eval_every", "eval_episodes", "num_envs", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.eval_split == "val_unseen":
            raise ValueError("eval_split chooses the weights, so it must not be val_unseen: use val_seen")


def class_weights(actions: np.ndarray, balance: float) -> Tensor:
    """Weight of each action's label, float32 (4,), of mean 1 over the labels and at most 5 times another's."""
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
        swapped_ids: Word id after the swap, see `Vocabulary.swap_left_right`.
    """
    side = torch.where(mirrored, -1.0, 1.0)
    out = dict(batch)
    for level in LEVELS:
        xyz = batch[f"{level}_xyz"].float()
        out[f"{level}_xyz"] = torch.stack([xyz[..., 0], xyz[..., 1] * side[:, None], xyz[..., 2]], dim=-1)
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


class Imitation:
    """Trains a policy on demonstrations; every random choice follows from the seed and the update's number."""

    def __init__(self, config: ImitationConfig, data: Demonstrations, vocabulary: Vocabulary) -> None:
        self.config = config
        self.data = data
        self.device = best_device()
        self._ids = torch.as_tensor(vocabulary.encode(data.instructions))
        self._swapped_ids = torch.as_tensor(vocabulary.swap_left_right())
        torch.manual_seed(config.seed)
        self.policy = NavigationPolicy(
            PolicyConfig(
                vocabulary=vocabulary,
                token_dim=data.arrays["patch_tokens"].shape[-1],
                width=config.width,
                dropout=config.dropout,
                train_tokens=config.train_tokens,
            )
        ).to(self.device)
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
        batch = {name: torch.from_numpy(array[rows]) for name, array in self.data.arrays.items()}
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
            group["lr"] = self.config.learning_rate * self._schedule(self.update)
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

    def _schedule(self, update: int) -> float:
        warm_up = max(1, round(0.03 * self.config.updates))
        if update < warm_up:
            return (update + 1) / warm_up
        return 0.5 * (1 + math.cos(math.pi * (update - warm_up) / max(1, self.config.updates - warm_up)))

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        tensors = {f"policy.{name}": value for name, value in self.policy.state_dict().items()}
        tensors |= {f"goal.{name}": value for name, value in self.goal_head.state_dict().items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
        metadata = {
            "update": str(self.update),
            "best_success": repr(self.best_success),
            "settings": _settings(self.config, self.data),
        }
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        write_atomic(path, safetensors.torch.save(tensors, metadata=metadata))

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names the first that differs.
        """
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        before = json.loads(metadata["settings"])
        now = json.loads(_settings(self.config, self.data))
        for name in now:
            if before.get(name) != now[name]:
                raise ValueError(
                    f"{path.parent} holds a run with {name} = {before.get(name)!r}, now it is {now[name]!r}: "
                    "choose another --out, or repeat the old settings"
                )
        self.policy.load_state_dict(_part(tensors, "policy."))
        self.goal_head.load_state_dict(_part(tensors, "goal."))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "adam.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})
        self.update = int(metadata["update"])
        self.best_success = float(metadata["best_success"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}


def _settings(config: ImitationConfig, data: Demonstrations) -> str:
    """What must be the same for a run to go on, as JSON."""
    settings = dataclasses.asdict(config)
    for name in ("out", "threads", "num_envs"):
        del settings[name]
    return json.dumps({**settings, "data_hash": data.data_hash}, sort_keys=True)


def train_imitation(
    config: ImitationConfig,
    evaluate: Callable[[NavigationPolicy, Path], dict[str, float]] | None = None,
) -> Path:
    """Train a policy by behaviour cloning, or go on with a run that was cut off.

    Args:
        config: Settings; written to `config.out` as `config.json`.
        evaluate: Closed-loop metrics of a policy, with a folder for the results; by default on
            `config.eval_split` through the evaluation runner.

    Returns:
        The best weights, `config.out/policy.safetensors`.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    data = load_demonstrations(config.data, config.num_envs)
    run = Imitation(config, data, Vocabulary.of(data.instructions, min_count=3))
    state = out / "state.safetensors"
    if state.is_file():
        run.resume(state)
    write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    if evaluate is None:
        evaluate = _evaluator(config)
    for metrics in _updates(run, out):
        if run.update % config.eval_every and run.update != config.updates:
            continue
        closed_loop = evaluate(run.policy.eval(), out / "validation" / f"{run.update:06d}")
        metrics = {**metrics, **{f"{config.eval_split}/{key}": value for key, value in closed_loop.items()}}
        _append_curve(out / "curve.jsonl", {"update": run.update, **metrics})
        if closed_loop["success"] >= run.best_success:
            run.best_success = closed_loop["success"]
            card = {
                "method": "behaviour cloning",
                "update": run.update,
                "settings": dataclasses.asdict(config),
                "data_hash": data.data_hash,
                "samples": len(data),
                "figures": closed_loop,
            }
            save_policy(out / "policy.safetensors", run.policy, card)
        run.save(state)
    return out / "policy.safetensors"


def _updates(run: Imitation, out: Path) -> Iterator[dict[str, float]]:
    """Carry out the remaining updates with a progress bar and TensorBoard logs; yields smoothed losses."""
    from torch.utils.tensorboard import SummaryWriter

    smooth: dict[str, float] = {}
    total = run.config.updates
    with (
        SummaryWriter(str(out / "tensorboard")) as writer,
        tqdm(total=total, initial=run.update, desc="behaviour cloning", unit="update") as progress,
    ):
        while run.update < total:
            for name, value in run.step().items():
                smooth[name] = value if name not in smooth else 0.98 * smooth[name] + 0.02 * value
            progress.update(1)
            if run.update % 20 == 0:
                progress.set_postfix({name: f"{value:.3f}" for name, value in smooth.items()})
                for name, value in smooth.items():
                    writer.add_scalar(f"bc/{name}", value, run.update)
            yield dict(smooth)


def _append_curve(path: Path, point: dict[str, Any]) -> None:
    """Add a point to a curve file, replacing points at or after it that a cut-off run left."""
    points = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    points = [old for old in points if old["update"] < point["update"]] + [point]
    write_atomic(path, "".join(json.dumps(each, sort_keys=True) + "\n" for each in points).encode())


def _evaluator(config: ImitationConfig) -> Callable[[NavigationPolicy, Path], dict[str, float]]:
    from agents.closed_loop import evaluate_policy

    def evaluate(policy: NavigationPolicy, folder: Path) -> dict[str, float]:
        return evaluate_policy(
            policy,
            folder,
            dataset=config.data.dataset,
            split=config.eval_split,
            encoder=config.data.encoder,
            episodes=config.eval_episodes,
            num_envs=config.num_envs,
        )

    return evaluate
