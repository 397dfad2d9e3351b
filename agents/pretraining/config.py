"""Settings of the representation's pretraining; loads nothing heavy, so that `vlnenv --help` is quick."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field

PARTS = ("encoder", "levels", "field")
"""What `vlnenv train representation` trains, in this order."""


@dataclass(frozen=True)
class WalksConfig:
    """Which walks through built-in houses are made."""

    group: str = "train"
    """Group of built-in houses; no house is in two groups."""
    first: int = 5000
    """The first house. Far from the houses that the patch encoder is trained on (`ViewsConfig`): on those its
    features are better than they ever are again."""
    houses: int = 40
    """One walk each."""
    steps: int = 120
    """Views of a walk."""
    size: int = 192
    """Pixels across and down, a multiple of 24."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("houses", "steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.size < 24 or self.size % 24:
            raise ValueError(f"size must be a multiple of 24, got {self.size}")
        if self.first < 0 or self.first + self.houses > 10_000:
            raise ValueError(f"houses are numbered 0 to 9999, got {self.first} and {self.houses} more")


@dataclass(frozen=True)
class LossWeights:
    """What each loss counts (`agents.pretraining.losses`); 0 switches it off.

    Distillation counts most for instances: the texts are those of 41 categories, and what draws features to
    these takes from all that they do not name.
    """

    merge: float = 1.0
    """Eq. 4: the merging discriminator."""
    instance_text: float = 0.1
    """Eq. 5: instances and their categories' names."""
    zone_text: float = 0.2
    """Eq. 5: zones and the names of what is in them."""
    distillation: float = 2.0
    """Eq. 6: instances and the mean of their patches."""
    subspace: float = 0.1
    """Eq. 7: instances and their text, the view's mean taken from both."""
    category: float = 0.1
    """Instances against all names."""
    object: float = 0.1
    """Three scales: instances and their colour and name."""
    region: float = 0.2
    """Three scales: zones and their room with what is in them."""
    scene: float = 0.05
    """Three scales: the mean of a scene's zones and the summary of its house."""

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            if not math.isfinite(value) or value < 0.0:
                raise ValueError(f"the weight {name} must be finite and at least 0, got {value}")


@dataclass(frozen=True)
class LevelsTraining:
    """Settings of the training of instance encoder, zone encoder and merging discriminator."""

    encoder: str = "mini"
    """Whose patch features they are trained on; "semantic" is privileged."""
    encoder_weights: str = ""
    """Weights of "mini", a file; empty takes the shipped ones."""
    walks: WalksConfig = field(default_factory=WalksConfig)
    validation: WalksConfig = field(default_factory=lambda: WalksConfig(first=6000, houses=6))
    """Walks that are measured on during training; no weights are chosen by them."""
    weights: LossWeights = field(default_factory=LossWeights)
    segmenters: tuple[str, ...] = ("patchgraph", "oracle")
    keep: float = 0.25
    """Part of the walks' views that is trained on; neighbours are nearly alike."""
    updates: int = 800
    views: int = 6
    """Views of an update."""
    learning_rate: float = 1e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.02
    grad_norm: float = 1.0
    least_purity: float = 0.5
    """Sets of which a smaller part shows one object teach no text."""
    eval_every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("updates", "views", "eval_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("keep", "least_purity"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        if self.encoder_weights and self.encoder != "mini":
            raise ValueError(f'encoder_weights are for the encoder "mini", got {self.encoder!r}')
        for each in (self.walks, self.validation):
            if each.group == "val_unseen":
                raise ValueError("val_unseen is what results are reported on: train on houses of train")
        ours = range(self.walks.first, self.walks.first + self.walks.houses)
        theirs = range(self.validation.first, self.validation.first + self.validation.houses)
        if self.walks.group == self.validation.group and set(ours) & set(theirs):
            raise ValueError(f"training and validation share houses: {ours} and {theirs}")


@dataclass(frozen=True)
class RepresentationConfig:
    """Settings of `vlnenv train representation`."""

    parts: tuple[str, ...] = PARTS
    """Any of "encoder" (patch features), "levels" (instances, zones, merging), "field" (the panorama)."""
    out: str = "runs/representation"
    """Each part gets a folder below; a part that was cut off goes on."""
    levels: LevelsTraining = field(default_factory=LevelsTraining)
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""

    def __post_init__(self) -> None:
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        unknown = set(self.parts) - set(PARTS)
        if unknown or not self.parts:
            raise ValueError(f"parts must be some of {PARTS}, got {self.parts}")
