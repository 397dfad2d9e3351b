"""Training of the learned panorama: what is rendered of a memory learns to be what the encoder sees there.

python -m agents.pretraining.field --out runs/field
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import tyro
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from agents.pretraining.config import WalksConfig
from agents.pretraining.losses import LOGIT_SCALE
from agents.pretraining.walks import Walks, load_encoder, load_walks, walk_features
from agents.training_state import warm_cosine
from vlnenv.cache import write_atomic
from vlnenv.memory import MemoryConfig, TokenMemory
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.front_points import PanoramaPoints
from vlnenv.memory.geometry import make_pose
from vlnenv.memory.learned_field import FieldConfig, FieldNetwork, LearnedRenderer, cast_rays, ray_features
from vlnenv.memory.memory import MemorySnapshot
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS, PANORAMA_VIEW
from vlnenv.sim.camera import Camera


@dataclass(frozen=True)
class FieldTraining:
    """Settings of the training of the learned panorama."""

    out: str = "runs/field"
    """Folder for weights and curve."""
    encoder: str = "mini"
    """Whose patch features it is trained on; "semantic" is privileged."""
    encoder_weights: str = ""
    """Weights of "mini", a file; empty takes the shipped ones."""
    walks: WalksConfig = field(default_factory=WalksConfig)
    validation: WalksConfig = field(default_factory=lambda: WalksConfig(first=6000, houses=6))
    """Walks that are measured on after training; no weights are chosen by them."""
    every: int = 12
    """Of so many views of a walk in a row..."""
    hidden: int = 5
    """...so many, in a row too, are kept from the memory and rendered out of it. A step is 0.25 m or 15
    degrees: those in the middle lie some way from all that the memory has seen."""
    width: int = 64
    """Of the network's hidden layer."""
    updates: int = 2500
    views: int = 4
    """Views of an update."""
    learning_rate: float = 5e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.01
    cosine: float = 5.0
    """Weight of 1 - cosine with the encoder's own feature."""
    subspace: float = 2.0
    """Weight of 1 - cosine after the view's mean is taken from both, Dynam3D's Eq. 7."""
    contrast: float = 0.2
    """Weight of the contrast between the cells of a view."""
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("hidden", "width", "updates", "views", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.every <= self.hidden:
            raise ValueError(f"every must be above hidden, got {self.every} and {self.hidden}")
        if min(self.cosine, self.subspace, self.contrast) < 0.0:
            raise ValueError("weights of losses must be at least 0")
        if self.encoder_weights and self.encoder != "mini":
            raise ValueError(f'encoder_weights are for the encoder "mini", got {self.encoder!r}')
        if "val_unseen" in (self.walks.group, self.validation.group):
            raise ValueError("val_unseen is what results are reported on: train on houses of train")


@dataclass(frozen=True, eq=False)
class NovelViews:
    """v views that a memory has not seen: what it holds in front of each, and what the encoder sees there."""

    features: Tensor
    """float16 (v, 144, 4, k, dim) of the points in front, on four rays of each of the 12 x 12 cells."""
    place: Tensor
    """float32 (v, 144, 4, k, 8)."""
    weight: Tensor
    """float32 (v, 144, 4, k) in the parameter-free form."""
    target: Tensor
    """float16 (v, 144, dim) the encoder's features of the view, the mean of each 2 x 2 patches."""

    def __len__(self) -> int:
        return len(self.target)


def pooled(features: Tensor) -> Tensor:
    """Means of 2 x 2 patches, (n, 24, 24, dim) to (n, 144, dim)."""
    half = PATCH_GRID // 2
    return features.unflatten(2, (half, 2)).unflatten(1, (half, 2)).mean(dim=(2, 4)).flatten(1, 2)


def front_cells() -> Tensor:
    """int64 (144,) cells of the panorama that the view ahead fills, row by row."""
    first = 2 * PANORAMA_VIEW
    rows = torch.arange(PANORAMA_ROWS)[:, None] * PANORAMA_COLUMNS
    return (rows + first + torch.arange(PANORAMA_VIEW)).flatten()


def snapshot_points(
    snapshot: MemorySnapshot, position_m: np.ndarray, heading_rad: np.ndarray, camera: Camera, far_m: float
) -> PanoramaPoints:
    """One environment's memory, looked at from n poses."""
    n, device = len(position_m), snapshot.features.device
    return PanoramaPoints(
        xyz_m=snapshot.xyz_m[:, None].contiguous(),
        features=snapshot.features[None],
        direction_rad=snapshot.direction_rad[None],
        scale_m=snapshot.scale_m[None],
        patch_id=snapshot.patch_id[None],
        envs=torch.zeros(n, dtype=torch.int64, device=device),
        count=torch.full((n,), len(snapshot.patch_id), device=device),
        pose=make_pose(position_m, heading_rad, camera, device),
        camera_height_m=camera.height_m,
        far_m=far_m,
    )


def novel_views(walks: Walks, features: np.ndarray, every: int, hidden: int) -> NovelViews:
    """The views of walks that are kept from the memory, with what it holds in front of them.

    Views of one gap are looked at right after it, those of the next at the end of the walk.

    Args:
        walks: The walks.
        features: (w, s, 24, 24, dim) of an encoder.
        every: Views from one gap to the next.
        hidden: Views of a gap.
    """
    camera, config = walks.camera, MemoryConfig()
    parts: dict[str, list[Tensor]] = {name: [] for name in ("features", "place", "weight", "target")}
    cells = front_cells()

    def look(memory: TokenMemory, walk: int, views: list[int]) -> None:
        if not views:
            return
        poses = walks.position_m[walk, views], walks.heading_rad[walk, views]
        points = snapshot_points(memory.snapshot(0), *poses, camera, config.panorama_far_m)
        rays = cast_rays(points, LearnedRenderer.footprint)
        parts["features"].append(ray_features(points, rays.column[:, cells]).half())
        parts["place"].append(rays.place[:, cells])
        parts["weight"].append(rays.weight[:, cells])
        parts["target"].append(pooled(torch.tensor(features[walk, views]).float()).half())

    for walk in tqdm(range(len(walks.scene_ids)), desc="novel views", unit="walk"):
        memory = TokenMemory(1, features.shape[-1], config, camera)
        gap: list[int] = []
        late: list[int] = []
        for step in range(len(walks.heading_rad[walk])):
            number, place = divmod(step, every)
            if number and place < hidden:
                (gap if number % 2 else late).append(step)
                continue
            one = slice(step, step + 1)
            memory.update(
                [0],
                torch.tensor(features[walk, one]).float(),
                walks.depth_m(walk, one),
                walks.position_m[walk, one],
                walks.heading_rad[walk, one],
            )
            look(memory, walk, gap)
            gap = []
        look(memory, walk, gap + late)
    return NovelViews(**{name: torch.cat(values) for name, values in parts.items()})


def rendering_losses(rendered: Tensor, target: Tensor, shown: Tensor) -> dict[str, Tensor]:
    """How far rendered cells are from what the encoder sees: cosine, subspace, contrast.

    Args:
        rendered: float32 (v, 144, dim) unit length.
        target: float32 (v, 144, dim) the encoder's; zero where a cell shows nothing.
        shown: bool (v, 144) which cells count.

    Source: Dynam3D (arXiv 2505.11383), the losses of rendered patches. The labels of the contrast are soft
    here, since many cells of a view show the same wall: as like as two targets are, as like may be what is
    rendered of one to the other.
    """
    mean = target.mean(dim=1, keepdim=True)
    theirs = F.normalize(target, dim=-1)
    cosine = F.cosine_similarity(rendered, theirs, dim=-1)
    subspace = F.cosine_similarity(rendered - mean, theirs - mean, dim=-1)
    left_out = ~shown[:, None] | ~shown[..., None]
    labels = LOGIT_SCALE * theirs @ theirs.transpose(1, 2)
    labels = labels.masked_fill(left_out, -torch.inf).softmax(dim=2).nan_to_num(0.0)
    logits = LOGIT_SCALE * rendered @ theirs.transpose(1, 2)
    each = []
    for scores in (logits, logits.transpose(1, 2)):
        log_share = scores.masked_fill(~shown[:, None], -1e4).log_softmax(dim=2)
        each.append(-(labels * log_share).sum(dim=2)[shown].mean())
    return {
        "cosine": (1.0 - cosine)[shown].mean(),
        "subspace": (1.0 - subspace)[shown].mean(),
        "contrast": (each[0] + each[1]) / 2.0,
    }


def view_losses(network: FieldNetwork, data: NovelViews, views: Tensor) -> dict[str, Tensor]:
    """The losses of some views, int64 (b,)."""
    weight, target = data.weight[views], data.target[views].float()
    rendered = network(data.features[views].float(), data.place[views], weight)
    shown = (weight.flatten(2).amax(dim=2) > 0.0) & (target.norm(dim=-1) > 0.0)
    return rendering_losses(rendered, target, shown)


@torch.no_grad()
def measure(network: FieldNetwork, data: NovelViews, chunk: int = 32) -> dict[str, float]:
    """Cosine with what the encoder sees, plain and after the view's mean is taken from both."""
    found = [view_losses(network, data, views) for views in torch.arange(len(data)).split(chunk)]
    return {
        name: 1.0 - float(np.mean([float(each[name]) for each in found])) for name in ("cosine", "subspace")
    }


def load_novel_views(config: FieldTraining, walks: WalksConfig) -> tuple[NovelViews, str]:
    """The novel views of walks with features of an encoder, and the hash of what they are made of."""
    encoder, version = load_encoder(config.encoder, config.encoder_weights)
    seen = load_walks(walks)
    return (
        novel_views(seen, walk_features(seen, encoder, version), config.every, config.hidden),
        f"{seen.data_hash}-{version}",
    )


def train_network(config: FieldTraining, data: NovelViews) -> FieldNetwork:
    """A network trained on novel views; all chance follows from the seed."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    network = FieldNetwork(FieldConfig(config.encoder, data.target.shape[2], config.width))
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    smooth: dict[str, float] = {}
    for update in (progress := tqdm(range(config.updates), desc="field", unit="update", smoothing=0.05)):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * warm_cosine(update, config.updates)
        losses = view_losses(network, data, torch.from_numpy(rng.integers(len(data), size=config.views)))
        weights = dataclasses.asdict(config)
        optimizer.zero_grad(set_to_none=True)
        torch.stack([weights[name] * loss for name, loss in losses.items()]).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        for name, loss in losses.items():
            value = float(loss.detach())
            smooth[name] = 0.98 * smooth.get(name, value) + 0.02 * value
        if update % 20 == 0:
            progress.set_postfix({name: f"{value:.4f}" for name, value in smooth.items()})
    return network.eval()


def train_field(config: FieldTraining) -> Path:
    """Train the learned panorama: minutes, from the start each time.

    Args:
        config: Settings.

    Returns:
        The weights, `config.out/field.safetensors`, with a card beside them.
    """
    torch.set_num_threads(config.threads)
    data, data_hash = load_novel_views(config, config.walks)
    network = train_network(config, data)
    held_out, _ = load_novel_views(config, config.validation)
    out = Path(config.out)
    out.mkdir(parents=True, exist_ok=True)
    weights = out / "field.safetensors"
    facts = {"data_hash": data_hash, "seed": str(config.seed)}
    network.save(weights, facts)
    settings = dataclasses.asdict(config)
    settings.pop("out")
    card = {
        "settings": settings,
        **facts,
        "views": len(data),
        "held_out": measure(network, held_out),
        "held_out_untrained": measure(FieldNetwork(network.config), held_out),
        "held_out_views": len(held_out),
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    write_atomic(out / "field.json", (json.dumps(card, indent=2) + "\n").encode())
    print(json.dumps({name: card[name] for name in ("held_out", "held_out_untrained")}, indent=2))
    return weights


if __name__ == "__main__":
    train_field(tyro.cli(FieldTraining))
