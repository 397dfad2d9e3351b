"""The learned levels: trained encoders of instances and zones, and the trained merging discriminator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from vlnenv.memory.merging import MergingDiscriminator
from vlnenv.memory.set_encoder import SetEncoder
from vlnenv.memory.weight_files import load_weights, save_weights

_FORMAT = "vlnenv-levels-1"
INSTANCE_POSITION = 7
"""x, y, z to the centre, distance to it, sine and cosine of the viewing direction, width of the patch."""
ZONE_POSITION = 4
"""x, y, z to the centre, distance to it."""
_LANES = 32


@dataclass(frozen=True)
class LevelsConfig:
    """Sizes of the networks, and what they were trained for."""

    encoder: str = "mini"
    """Name of the encoder whose features they were trained on."""
    dim: int = 64
    """Length of a feature."""
    heads: int = 2
    ffn: int = 128
    layers: int = 2
    merge_hidden: int = 128

    def __post_init__(self) -> None:
        for name in ("dim", "heads", "ffn", "layers", "merge_hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


class LearnedLevels(nn.Module):
    """Two set encoders and a merging discriminator; the interface is `vlnenv.memory.levels.Levels`.

    Args:
        config: Sizes.
    """

    def __init__(self, config: LevelsConfig | None = None) -> None:
        super().__init__()
        self.config = config = LevelsConfig() if config is None else config
        self.dim = config.dim
        self.instances = SetEncoder(config.dim, INSTANCE_POSITION, config.heads, config.ffn, config.layers)
        self.zones = SetEncoder(config.dim, ZONE_POSITION, config.heads, config.ffn, config.layers)
        self.merging = MergingDiscriminator(config.dim, config.merge_hidden)

    def encode_instances(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """Features of instances out of their patches; see `vlnenv.memory.levels.Levels`."""
        return self.instances(features, position, mask)

    def encode_zones(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """Features of zones out of their instances; see `vlnenv.memory.levels.Levels`."""
        return self.zones(features, position, mask)

    def same(self, f3d: Tensor, f2d: Tensor, offset_m: Tensor, overlap: Tensor) -> Tensor:
        """Probability that each segment shows the instance; see `vlnenv.memory.levels.Levels`."""
        logit = self.merging(f3d, f2d, offset_m, overlap)
        # torch computes the last few numbers of a tensor by other instructions than the rest; of as many
        # equal ones as fill a vector the first is never among them.
        return logit[:, None].repeat(1, _LANES).sigmoid()[:, 0]

    def save(self, path: str | Path, facts: Mapping[str, str] | None = None) -> None:
        """Write the weights atomically, float32 safetensors with the config in the metadata.

        Args:
            path: A `.safetensors` file.
            facts: More metadata: where the weights come from.

        Raises:
            OSError: If the file cannot be written.
        """
        save_weights(path, self.state_dict(), _FORMAT, self.config, facts)

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> LearnedLevels:
        """Levels that `save` wrote, in evaluation mode and without gradients.

        Args:
            path: The file.
            device: Where they compute; the memory's.

        Raises:
            FileNotFoundError: If there is no such file.
            ValueError: If it does not hold levels of this version.
        """
        levels = load_weights(
            path,
            _FORMAT,
            lambda fields: cls(LevelsConfig(**fields)),
            what="learned levels",
            remedy="train them by `vlnenv train representation`",
        )
        return levels.to(device).requires_grad_(False)
