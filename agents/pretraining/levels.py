"""Training of the levels (instance encoder, zone encoder, merging discriminator) on encounters of walks."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from agents.pretraining.config import LevelsTraining, WalksConfig
from agents.pretraining.encounters import Encounters, meet
from agents.pretraining.losses import (
    alignment_loss,
    category_loss,
    distillation_loss,
    merge_loss,
    subspace_loss,
    text_loss,
)
from agents.pretraining.walks import load_encoder, load_walks, walk_features
from agents.training_state import append_point, load_state, save_state, warm_cosine
from vlnenv.cache import write_atomic
from vlnenv.memory.learned_levels import LearnedLevels, LevelsConfig


@dataclass(frozen=True)
class Batch:
    """Some views' pairs and zones, and the sets that they name, numbered from 0 in the batch."""

    sets: Tensor
    """int64 (s,) rows of the encounters."""
    set_view: Tensor
    """int64 (s,) view of the batch that each set is met in (one of them)."""
    pairs: Tensor
    """int64 (p,) rows of the encounters."""
    pair_sets: Tensor
    """int64 (p, 2) into `sets`."""
    pair_view: Tensor
    """int64 (p,) view of the batch."""
    zones: Tensor
    """int64 (z,) rows of the encounters, those of the scenes behind those of the views."""
    view_zones: int
    """So many of the zones are the views' own."""
    zone_scene: Tensor
    """int64 (z - view_zones,) view of the batch whose scene the others stand for."""
    views: Tensor
    """int64 (v,) rows of the encounters."""


def draw_batch(data: Encounters, views: Tensor, with_zones: bool, with_scenes: bool) -> Batch:
    """All that the chosen views met."""
    pairs, pair_view = _rows_of(data.pair_view, views)
    sets, inverse = data.pair_sets[pairs].unique(return_inverse=True)
    set_view = torch.zeros(len(sets), dtype=torch.int64)
    set_view[inverse[:, 0]] = pair_view
    set_view[inverse[:, 1]] = pair_view  # a segment is met in its view alone, an instance in several
    zones = _rows_of(data.zone_view, views)[0] if with_zones else torch.zeros(0, dtype=torch.int64)
    of_scenes = data.view_zones[views] if with_scenes else torch.full((len(views), 1), -1)
    return Batch(
        sets=sets,
        set_view=set_view,
        pairs=pairs,
        pair_sets=inverse,
        pair_view=pair_view,
        zones=torch.cat([zones, of_scenes[of_scenes >= 0]]),
        view_zones=len(zones),
        zone_scene=(of_scenes >= 0).nonzero()[:, 0],
        views=views,
    )


def turned(position: Tensor, angle_rad: Tensor) -> Tensor:
    """Places after the world has turned about the vertical.

    Args:
        position: (n, m, k) with x, y, z in front, then the distance; of seven numbers the fifth and sixth are
            sine and cosine of a heading.
        angle_rad: (n,) counter-clockwise seen from above.

    Returns:
        The same shape.
    """
    sine, cosine = angle_rad.sin()[:, None], angle_rad.cos()[:, None]
    out = position.clone()
    x, z = position[..., 0], position[..., 2]
    out[..., 0], out[..., 2] = x * cosine + z * sine, z * cosine - x * sine
    if position.shape[-1] == 7:
        heading_sine, heading_cosine = position[..., 4], position[..., 5]
        out[..., 4] = heading_sine * cosine + heading_cosine * sine
        out[..., 5] = heading_cosine * cosine - heading_sine * sine
    return out


class PatchFeatures:
    """The patch features of all walks by an encoder.

    Args:
        features: float (w, s, 24, 24, d), as `walk_features` gives them.
    """

    def __init__(self, features: np.ndarray) -> None:
        self.dim = features.shape[-1]
        self._views = features
        self._flat = features.reshape(-1, self.dim)

    def of_sets(self, data: Encounters, sets: Tensor) -> tuple[Tensor, Tensor]:
        """Members' features (n, 32, d), zero where there is none, and bool (n, 32) which there are."""
        count, longest = data.set_count[sets], data.set_patches.shape[1]
        mask = torch.arange(longest) < count[:, None]
        features = torch.zeros(len(sets), longest, self.dim)
        features[mask] = torch.from_numpy(self._flat[data.set_patches[sets][mask].numpy()].astype(np.float32))
        return features, mask

    def view_means(self, data: Encounters, views: Tensor) -> Tensor:
        """Mean feature (n, d) of the patches of views that show anything."""
        rows = data.view_walk[views].numpy(), data.view_step[views].numpy()
        patches = torch.from_numpy(self._views[rows].astype(np.float32)).flatten(1, 2)
        known = (patches != 0).any(dim=2).sum(dim=1, keepdim=True)
        return patches.sum(dim=1) / known.clamp(min=1)


class LevelsRun:
    """Trains levels on encounters; all chance follows from the seed and the update's number."""

    def __init__(
        self, config: LevelsTraining, data: Encounters, features: PatchFeatures, data_hash: str = ""
    ) -> None:
        self.config = config
        self.data = data
        self.features = features
        self.data_hash = data_hash
        torch.manual_seed(config.seed)
        self.levels = LearnedLevels(LevelsConfig(encoder=config.encoder, dim=features.dim))
        self.optimizer = torch.optim.AdamW(
            self.levels.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        # Views without pairs teach nothing: the first of each walk.
        self._views = data.pair_view.unique()
        if not len(self._views):
            raise ValueError("the walks met no pair to learn from: use more or longer walks")
        self.update = 0

    def step(self) -> dict[str, float]:
        """One update; returns the losses, unweighted."""
        self.levels.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * warm_cosine(self.update, self.config.updates)
        rng = np.random.default_rng([self.config.seed, self.update])
        # Dropout follows from the update's number, so that a resumed run repeats it.
        torch.manual_seed((self.config.seed << 32) + self.update)
        losses = self.losses(self._draw(rng), rng.uniform(0.0, 2.0 * math.pi, self.config.views))
        weights = dataclasses.asdict(self.config.weights)
        total = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(self.levels.parameters(), self.config.grad_norm)
        self.optimizer.step()
        self.update += 1
        return {
            "loss": float(total.detach()),
            **{name: float(loss.detach()) for name, loss in losses.items()},
        }

    def losses(self, batch: Batch, angle_rad: np.ndarray) -> dict[str, Tensor]:
        """The losses that are switched on, of one batch whose views are turned by angles (v,)."""
        data, weights, angle = self.data, self.config.weights, torch.from_numpy(angle_rad).float()
        features, mask = self.features.of_sets(data, batch.sets)
        position = turned(data.set_position[batch.sets].float(), angle[batch.set_view])
        encoded = self.levels.encode_instances(features, position, mask)
        found: dict[str, Tensor] = {}
        if weights.merge:
            first, second = batch.pair_sets.unbind(1)
            offset = turned(data.pair_offset_m[batch.pairs][:, None], angle[batch.pair_view])[:, 0]
            logit = self.levels.merging(
                encoded[first], encoded[second], offset, data.pair_overlap[batch.pairs]
            )
            truth = data.set_instance[batch.sets]
            found["merge"] = merge_loss(logit, truth[first] == truth[second])
        found |= self._instance_losses(batch, encoded, (features * mask[..., None]).sum(dim=1))
        return found | self._zone_losses(batch, angle)

    def _instance_losses(self, batch: Batch, encoded: Tensor, patches: Tensor) -> dict[str, Tensor]:
        data, weights = self.data, self.config.weights
        pure = data.set_purity[batch.sets] >= self.config.least_purity
        encoded, patches, view = encoded[pure], patches[pure], batch.set_view[pure]
        truth = data.set_instance[batch.sets][pure]
        category, text = data.instance_category[truth], data.instance_text[truth]
        found = {}
        if weights.instance_text:
            found["instance_text"] = text_loss(encoded, data.instance_name[truth], category)
        if weights.distillation:
            found["distillation"] = distillation_loss(encoded, patches)
        if weights.subspace:
            found["subspace"] = subspace_loss(
                encoded, text, self.features.view_means(data, batch.views)[view], view
            )
        if weights.category:
            found["category"] = category_loss(encoded, data.category_names, category)
        if weights.object:
            found |= alignment_loss({"object": (encoded, text, data.instance_meaning[truth])})
        return found

    def _zone_losses(self, batch: Batch, angle: Tensor) -> dict[str, Tensor]:
        data, weights = self.data, self.config.weights
        found: dict[str, Tensor] = {}
        if not len(batch.zones):
            return found
        is_member = data.zone_sets[batch.zones] >= 0
        sets, inverse = data.zone_sets[batch.zones][is_member].unique(return_inverse=True)
        with torch.no_grad():  # zones learn to read instances, not instances to be read by zones
            features, mask = self.features.of_sets(data, sets)
            encoded = self.levels.encode_instances(features, data.set_position[sets].float(), mask)
        members = torch.zeros(*is_member.shape, encoded.shape[1])
        members[is_member] = encoded[inverse]
        turn = angle[torch.randint(len(angle), (len(batch.zones),), generator=_seeded(self.update))]
        zones = self.levels.encode_zones(members, turned(data.zone_position[batch.zones], turn), is_member)
        contents, region = self._zone_texts(is_member, data.set_instance[sets][inverse])
        own = batch.view_zones
        if weights.zone_text and own:
            found["zone_text"] = text_loss(zones[:own], contents[:own], _alike(contents[:own]))
        scales = {}
        if weights.region and own:
            scales["region"] = (zones[:own], region[:own], _alike(region[:own]))
        if weights.scene and len(batch.zone_scene):
            views, scene = batch.zone_scene.unique(return_inverse=True)
            whole = torch.zeros(len(views), zones.shape[1]).index_add(0, scene, zones[own:])
            walk = data.view_walk[batch.views[views]]
            scales["scene"] = (whole, data.scene_text[walk], walk)
        return found | alignment_loss(scales)

    def _zone_texts(self, is_member: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """What zones hold, and that with their rooms, each (z, d); `truth` are the members' instances."""
        sums = []
        for values in (self.data.instance_name, self.data.instance_room):
            each = torch.zeros(*is_member.shape, values.shape[1])
            each[is_member] = values[truth]
            sums.append(F.normalize(each.sum(dim=1), dim=1))
        return sums[0], F.normalize(sums[0] + sums[1], dim=1)

    def _draw(self, rng: np.random.Generator) -> Batch:
        weights = self.config.weights
        views = rng.choice(
            len(self._views), size=self.config.views, replace=len(self._views) < self.config.views
        )
        return draw_batch(
            self.data,
            self._views[torch.from_numpy(np.sort(views))],
            with_zones=bool(weights.zone_text or weights.region),
            with_scenes=bool(weights.scene),
        )

    def save(self, path: Path) -> None:
        """Write all that training needs to go on, atomically."""
        metadata = {"update": str(self.update), "settings": self._settings()}
        save_state(path, {"levels": self.levels}, self.optimizer, metadata)

    def resume(self, path: Path) -> None:
        """Go on from `save`.

        Raises:
            ValueError: If the file was written under other settings; the message names one that differs.
        """
        metadata = load_state(path, {"levels": self.levels}, self.optimizer, self._settings())
        self.update = int(metadata["update"])

    def _settings(self) -> str:
        """What must be the same for a run to go on, as JSON."""
        settings = dataclasses.asdict(self.config)
        del settings["eval_every"]
        return json.dumps({**settings, "data_hash": self.data_hash}, sort_keys=True)


@torch.no_grad()
def measure(
    levels: LearnedLevels,
    data: Encounters,
    patches: PatchFeatures,
    least_purity: float = 0.5,
    chunk: int = 512,
) -> dict[str, float]:
    """How good levels are on encounters, beside the mean of the patches.

    Returns:
        "merge_recall" and "merge_rejection": the part of the pairs of one instance, and of two, that are
        judged right; "name_top1": the part of the sets whose nearest category name is their own, and
        "mean_name_top1" the same for their mean patch feature.
    """
    encoded, means = [], []
    for sets in torch.arange(len(data.set_count)).split(chunk):
        features, mask = patches.of_sets(data, sets)
        encoded.append(levels.encode_instances(features, data.set_position[sets].float(), mask))
        means.append(F.normalize((features * mask[..., None]).sum(dim=1), dim=1))
    f, mean = torch.cat(encoded), torch.cat(means)
    first, second = data.pair_sets.unbind(1)
    is_judged = levels.same(f[first], f[second], data.pair_offset_m, data.pair_overlap) > 0.5
    is_same = data.pair_is_same
    pure = data.set_purity >= least_purity
    category = data.instance_category[data.set_instance[pure]]
    return {
        "merge_recall": float(is_judged[is_same].float().mean()),
        "merge_rejection": float((~is_judged[~is_same]).float().mean()),
        "name_top1": _top1(f[pure], data.category_names, category),
        "mean_name_top1": _top1(mean[pure], data.category_names, category),
    }


def load_encounters(config: LevelsTraining, walks: WalksConfig) -> tuple[Encounters, PatchFeatures, str]:
    """Encounters, the features of their patches, and the hash of what both are made of."""
    encoder, version = load_encoder(config.encoder, config.encoder_weights)
    seen = load_walks(walks)
    features = PatchFeatures(walk_features(seen, encoder, version))
    return meet(seen, config.segmenters, config.keep, config.seed), features, f"{seen.data_hash}-{version}"


def train_levels(config: LevelsTraining, out: Path) -> Path:
    """Train levels, or go on with a run that was cut off.

    Args:
        config: Settings; written to `out` as `config.json`.
        out: Folder for weights, card and curve.

    Returns:
        The weights, `out/levels.safetensors`, with the card `levels.json` beside them.

    Raises:
        ValueError: If `out` holds a run with other settings.
    """
    out.mkdir(parents=True, exist_ok=True)
    data, features, data_hash = load_encounters(config, config.walks)
    run = LevelsRun(config, data, features, data_hash)
    state, weights = out / "state.safetensors", out / "levels.safetensors"
    if state.is_file():
        run.resume(state)
    write_atomic(out / "config.json", (json.dumps(dataclasses.asdict(config), indent=2) + "\n").encode())
    held_out = load_encounters(config, config.validation)[:2]
    smooth: dict[str, float] = {}
    with tqdm(total=config.updates, initial=run.update, desc="levels", unit="update") as progress:
        while run.update < config.updates:
            for name, value in run.step().items():
                smooth[name] = value if name not in smooth else 0.98 * smooth[name] + 0.02 * value
            progress.update(1)
            if run.update % config.eval_every == 0 or run.update == config.updates:
                figures = measure(run.levels.eval(), *held_out, config.least_purity)
                progress.set_postfix({name: f"{value:.3f}" for name, value in figures.items()})
                append_point(out / "curve.jsonl", {"update": run.update, **smooth, **figures})
                run.save(state)
    figures = measure(run.levels.eval(), *held_out, config.least_purity)
    facts = {"data_hash": data_hash, "seed": str(config.seed)}
    run.levels.save(weights, facts)
    card = {
        "settings": dataclasses.asdict(config),
        **facts,
        "sets": len(data.set_count),
        "pairs": len(data.pair_view),
        "zones": len(data.zone_view),
        "held_out": figures,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    write_atomic(out / "levels.json", (json.dumps(card, indent=2) + "\n").encode())
    return weights


def _rows_of(sorted_views: Tensor, views: Tensor) -> tuple[Tensor, Tensor]:
    """Rows whose view is one of `views` (v,), and which of them, both in the order of `views`."""
    first = torch.searchsorted(sorted_views, views)
    count = torch.searchsorted(sorted_views, views, right=True) - first
    own = torch.arange(len(views)).repeat_interleave(count)
    before = (count.cumsum(0) - count)[own]
    return first[own] + torch.arange(len(own)) - before, own


def _top1(features: Tensor, names: Tensor, category: Tensor) -> float:
    return float(((features @ names.T).argmax(dim=1) == category).float().mean())


def _alike(text: Tensor) -> Tensor:
    """int64 (n,) equal for equal rows."""
    return (text * 1e4).round().unique(dim=0, return_inverse=True)[1]


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
