"""Training of the `mini` encoder: each patch of a render learns the text embedding of what it shows.

python -m agents.pretraining.encoder --out runs/mini
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.tensorboard import SummaryWriter

from agents.checkpoint import best_device
from agents.pretraining.augmentation import AugmentationConfig, ViewBatch, augmented_batch, plain_batch
from agents.pretraining.views import Views, ViewsConfig, load_views
from agents.training_loop import remaining_updates
from agents.training_state import append_point, load_state, save_state, warm_cosine
from vlnenv.cache import write_atomic
from vlnenv.memory.mini_network import MiniNetwork, MiniNetworkConfig, save_network
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.semantic import COLOR_WEIGHT
from vlnenv.memory.text_table import TextTable, load_text_table


@dataclass(frozen=True)
class EncoderTrainingConfig:
    """Settings of the encoder's training."""

    out: str = "runs/mini"
    """Folder for weights, curve and TensorBoard logs; a run that is there goes on where it stopped."""
    views: ViewsConfig = field(default_factory=ViewsConfig)
    validation_houses: int = 8
    """The last so many houses are kept from training and watched."""
    network: MiniNetworkConfig = field(default_factory=MiniNetworkConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    updates: int = 6000
    batch_size: int = 32
    learning_rate: float = 2e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.02
    grad_norm: float = 2.0
    average: float = 0.998
    """Decay a step of the running average of the weights, which is what is kept."""
    class_balance: float = 0.5
    """Patches weigh the frequency of their category ** -class_balance, at most 20 times another's."""
    cosine_loss: float = 1.0
    """Weight of 1 - cosine to the embedding of category and colour (where the colour is the true one)."""
    category_loss: float = 0.3
    """Weight of the cross-entropy over the categories of the training houses."""
    subspace_loss: float = 0.5
    """Weight of 1 - cosine after taking away the view's mean from both, Dynam3D's Eq. 7."""
    logit_scale: float = 16.0
    """Cosines are multiplied by it before the cross-entropy."""
    eval_every: int = 500
    """Updates between validations and checkpoints."""
    threads: int = 1
    """Torch threads. More than the free cores makes it many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("updates", "batch_size", "eval_every", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 1 <= self.validation_houses < self.views.houses:
            raise ValueError(
                f"validation_houses must be at least 1 and fewer than the {self.views.houses} houses, "
                f"got {self.validation_houses}"
            )
        if self.views.size != self.network.image_size:
            raise ValueError(f"the network reads {self.network.image_size} px, views have {self.views.size}")


class Targets:
    """What the instances of the views should be encoded as."""

    def __init__(self, views: Views, table: TextTable) -> None:
        kinds = [(each.category, each.color) for scene in views.instances for each in scene]
        self.categories = tuple(sorted({category for category, _ in kinds}))
        phrases = sorted(set(kinds))
        self.category_features = torch.from_numpy(np.stack([table.embed(name) for name in self.categories]))
        """float32 (categories, dim)."""
        self.phrase_features = torch.from_numpy(np.stack([phrase_feature(table, *kind) for kind in phrases]))
        """float32 (phrases, dim) of category and colour."""
        largest = max(each.id for scene in views.instances for each in scene)
        self._category = torch.full((len(views.instances), largest + 1), -1)
        self._phrase = self._category.clone()
        category_row = {name: row for row, name in enumerate(self.categories)}
        phrase_row = {kind: row for row, kind in enumerate(phrases)}
        for row, scene in enumerate(views.instances):
            for each in scene:
                self._category[row, each.id] = category_row[each.category]
                self._phrase[row, each.id] = phrase_row[each.category, each.color]

    def rows(self, scene: Tensor, instance: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of `category_features` and `phrase_features`, -1 for nothing.

        Args:
            scene: int64 (n,).
            instance: int64 (n, ...) ids of instances in it.
        """
        scene = scene.view(-1, *[1] * (instance.dim() - 1)).expand_as(instance)
        return self._category[scene, instance], self._phrase[scene, instance]


def phrase_feature(table: TextTable, category: str, color: str) -> np.ndarray:
    """The embedding of a category and a colour word, as `SemanticEncoder` gives it: float32 (dim,)."""
    feature = table.embed(category) + (COLOR_WEIGHT * table.embed(color) if color else 0.0)
    return (feature / np.linalg.norm(feature)).astype(np.float32)


def subspace_loss(features: Tensor, targets: Tensor, weight: Tensor) -> Tensor:
    """1 - cosine between what is particular to a patch and what is particular to its target.

    Args:
        features: float32 (n, p, dim).
        targets: float32 (n, p, dim).
        weight: float32 (n, p), 0 for patches that do not count, also not for the view's mean.

    Returns:
        The weighted mean; patches whose target is the view's mean do not count.

    Source: Dynam3D, Eq. 7.
    """
    counts = (weight > 0.0).float()[..., None]
    number = counts.sum(dim=1, keepdim=True).clamp(min=1.0)
    features = features - (features * counts).sum(dim=1, keepdim=True) / number
    targets = targets - (targets * counts).sum(dim=1, keepdim=True) / number
    weight = weight * (targets.norm(dim=-1) > 0.1)
    return _mean(1.0 - F.cosine_similarity(features, targets, dim=-1), weight)


def _mean(value: Tensor, weight: Tensor) -> Tensor:
    return (value * weight).sum() / weight.sum().clamp(min=1e-6)


class EncoderTraining:
    """Trains a `MiniNetwork`; all chance follows from the seed and the update's number."""

    def __init__(self, config: EncoderTrainingConfig, views: Views) -> None:
        self.config = config
        self.views = views
        self.device = best_device()
        torch.manual_seed(config.seed)
        self.network = MiniNetwork(config.network).to(self.device)
        self.average = MiniNetwork(config.network).to(self.device).requires_grad_(False).eval()
        self.average.load_state_dict(self.network.state_dict())
        self.targets = Targets(views, load_text_table())
        self._category_features = self.targets.category_features.to(self.device)
        self._phrase_features = self.targets.phrase_features.to(self.device)
        self.training_rows = np.flatnonzero(views.scene < config.views.houses - config.validation_houses)
        self.validation_rows = np.flatnonzero(views.scene >= config.views.houses - config.validation_houses)
        self.weights = self._class_weights().to(self.device)
        decayed = [each for each in self.network.parameters() if each.dim() > 1]
        others = [each for each in self.network.parameters() if each.dim() <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0}],
            lr=config.learning_rate,
        )
        self.update = 0

    def _class_weights(self) -> Tensor:
        """Weight of a patch of each category, float32 (categories,): mean 1 over the training patches."""
        centres = patch_centre_pixels(self.config.views.size)
        counts = torch.zeros(len(self.targets.categories), dtype=torch.float64)
        for rows in np.array_split(self.training_rows, -(-len(self.training_rows) // 512)):
            ids = torch.from_numpy(
                self.views.instance[rows[:, None, None], centres[:, None], centres].astype(np.int64)
            )
            category, _ = self.targets.rows(torch.from_numpy(self.views.scene[rows].astype(np.int64)), ids)
            counts += torch.bincount(category[category >= 0], minlength=len(counts))
        weights = counts.clamp(min=1.0) ** -self.config.class_balance
        weights = weights.clamp(max=20.0 * float(weights[counts > 0].min()))
        return (weights * counts.sum() / (weights * counts).sum()).float()

    def batch(self, update: int) -> ViewBatch:
        """The views of an update, augmented: each epoch is another order of all views."""
        rng = np.random.default_rng([self.config.seed, update])
        size = min(self.config.batch_size, len(self.training_rows))
        epoch, index = divmod(update, len(self.training_rows) // size)
        order = np.random.default_rng([self.config.seed, 1 << 30, epoch]).permutation(self.training_rows)
        rows = np.sort(order[index * size : (index + 1) * size])
        return augmented_batch(self.views, rows, self.config.augmentation, rng)

    def features(self, network: nn.Module, batch: ViewBatch) -> Tensor:
        """Unit features float32 (n, 576, dim), patches row by row."""
        with torch.autocast(self.device.type, torch.bfloat16):
            raw = network(
                batch.rgb.to(self.device),
                batch.depth_m.to(self.device),
                batch.rays.to(self.device),
                batch.height_m.to(self.device),
            )
        return F.normalize(raw.float().flatten(2).transpose(1, 2), dim=-1)

    def losses(self, features: Tensor, batch: ViewBatch) -> dict[str, Tensor]:
        """The terms of the loss before their weights."""
        category, phrase = (
            rows.flatten(1).to(self.device) for rows in self.targets.rows(batch.scene, batch.instance)
        )
        weight = torch.where(category >= 0, self.weights[category.clamp(min=0)], 0.0)
        targets = self._phrase_features[phrase.clamp(min=0)]
        in_color = weight * batch.true_colors.to(self.device)[:, None]
        logits = self.config.logit_scale * features @ self._category_features.T
        entropy = F.cross_entropy(logits.flatten(0, 1), category.clamp(min=0).flatten(), reduction="none")
        return {
            "cosine": _mean(1.0 - (features * targets).sum(dim=-1), in_color),
            "category": _mean(entropy.view_as(weight), weight),
            "subspace": subspace_loss(features, targets, in_color),
        }

    def step(self) -> dict[str, float]:
        """One update; returns the losses."""
        config = self.config
        self.network.train()
        batch = self.batch(self.update)
        for group in self.optimizer.param_groups:
            group["lr"] = config.learning_rate * warm_cosine(self.update, config.updates)
        terms = self.losses(self.features(self.network, batch), batch)
        loss = (
            config.cosine_loss * terms["cosine"]
            + config.category_loss * terms["category"]
            + config.subspace_loss * terms["subspace"]
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), config.grad_norm)
        self.optimizer.step()
        self.update += 1
        self._follow()
        return {"loss": float(loss.detach()), **{name: float(term.detach()) for name, term in terms.items()}}

    @torch.no_grad()
    def _follow(self) -> None:
        # Young averages forget faster, or they would hold the first random weights for long.
        decay = min(self.config.average, (1.0 + self.update) / (10.0 + self.update))
        state = self.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(state[name], 1.0 - decay)
            else:
                value.copy_(state[name])

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Figures of the averaged weights on the validation houses, as rendered.

        Returns:
            "accuracy" of the nearest category a patch, "macro_accuracy" as a mean over categories, and the
            mean "cosine" to the target.
        """
        count = len(self.targets.categories)
        right, seen = torch.zeros(count), torch.zeros(count)
        cosine = 0.0
        for rows in np.array_split(self.validation_rows, -(-len(self.validation_rows) // 32)):
            batch = plain_batch(self.views, rows)
            features = self.features(self.average, batch).cpu()
            category, phrase = (r.flatten(1) for r in self.targets.rows(batch.scene, batch.instance))
            there = category >= 0
            guess = (features @ self.targets.category_features.T).argmax(dim=-1)
            seen += torch.bincount(category[there], minlength=count)
            right += torch.bincount(category[there & (guess == category)], minlength=count)
            target = self.targets.phrase_features[phrase.clamp(min=0)]
            cosine += float(((features * target).sum(dim=-1) * there).sum())
        return {
            "accuracy": float(right.sum() / seen.sum()),
            "macro_accuracy": float((right[seen > 0] / seen[seen > 0]).mean()),
            "cosine": cosine / float(seen.sum()),
        }

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        metadata = {"update": str(self.update), "settings": self._settings()}
        save_state(path, self._modules(), self.optimizer, metadata)

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names one that differs.
        """
        metadata = load_state(path, self._modules(), self.optimizer, self._settings())
        self.update = int(metadata["update"])

    def _modules(self) -> dict[str, nn.Module]:
        return {"network": self.network, "average": self.average}

    def save_weights(self, path: Path, figures: dict[str, float]) -> None:
        """Write the averaged weights, folded, with where they come from in the metadata."""
        facts = {"settings": self._settings(), "update": str(self.update), "validation": json.dumps(figures)}
        save_network(path, self.average, facts)

    def _settings(self) -> str:
        """What must be the same for a run to go on, as JSON."""
        settings = dataclasses.asdict(self.config)
        for name in ("out", "threads", "eval_every"):
            del settings[name]
        return json.dumps({**settings, "data_hash": self.views.data_hash}, sort_keys=True)


def train_encoder(config: EncoderTrainingConfig) -> Path:
    """Train the encoder, or go on with a run that was cut off.

    Args:
        config: Settings; written to `config.out` as `config.json`.

    Returns:
        The averaged weights of the last update, for `MiniEncoder(weights=...)`: `last.safetensors` in there.
    """
    torch.set_num_threads(config.threads)
    out = Path(config.out)
    run = EncoderTraining(config, load_views(config.views))
    state, weights = out / "state.safetensors", out / "last.safetensors"
    if state.is_file():
        run.resume(state)
    write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    with SummaryWriter(str(out / "tensorboard")) as writer:
        for losses in remaining_updates(run, config.updates, writer, "mini encoder", "encoder"):
            if run.update % config.eval_every == 0 or run.update == config.updates:
                figures = run.validate()
                named = {f"validation_{name}": value for name, value in figures.items()}
                for name, value in named.items():
                    writer.add_scalar(f"encoder/{name}", value, run.update)
                append_point(out / "curve.jsonl", {"update": run.update, **losses, **named})
                run.save(state)
                run.save_weights(weights, figures)
    return weights


def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line."""
    weights = train_encoder(tyro.cli(EncoderTrainingConfig, args=arguments))
    sys.stdout.write(f"weights: {weights}\n")


if __name__ == "__main__":
    main()
