"""How instances and zones get their features, and when two instances are one: the interface, without weights.

`TokenMemory` keeps the books of instances and zones; what a set of patches looks like as a whole, and whether
a segment shows an instance that is known, it asks of a `Levels`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch

from vlnenv.errors import unknown_name

LEVELS_FILE = Path(__file__).parent / "weights" / "levels.safetensors"
"""Shipped weights of the learned levels, trained on features of the encoder "mini"."""
LEVELS = ("auto", "learned", "mean")
"""Names that `make_levels` knows."""


class Levels(Protocol):
    """Encodes instances and zones, and compares instances; all sets of a call at once.

    A row's result must not depend on the other rows of the call, to the last bit on a CPU. All tensors are
    float32 on the memory's device; every batch may be empty.
    """

    dim: int
    """Length of a feature."""

    def encode_instances(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Features of b instances out of m patches each.

        Args:
            features: (b, m, dim) of the patches.
            position: (b, m, 7): x, y, z to the instance's centre and the distance to it, metres; sine and
                cosine of the viewing direction; width of the patch, metres.
            mask: bool (b, m) which of them there are; at least one in each row, filled from the left.

        Returns:
            (b, dim) of unit length (zero where all features are).
        """
        ...

    def encode_zones(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Features of b zones out of m instances each.

        Args:
            features: (b, m, dim) of the instances.
            position: (b, m, 4): x, y, z to the zone's centre and the distance to it, metres.
            mask: bool (b, m), as for instances.

        Returns:
            (b, dim) of unit length (zero where all features are).
        """
        ...

    def same(
        self, f3d: torch.Tensor, f2d: torch.Tensor, offset_m: torch.Tensor, overlap: torch.Tensor
    ) -> torch.Tensor:
        """Probability that a segment shows a remembered instance, for p pairs.

        Args:
            f3d: (p, dim) features of the remembered instances.
            f2d: (p, dim) features of the segments.
            offset_m: (p, 3) from the instance's centre to the segment's, world axes, metres.
            overlap: (p, 2) in [0, 1]: the instance's points seen again in the segment, over the segment's
                patches (at most 1) and over all of the instance's points that are seen again.

        Returns:
            (p,) in [0, 1].
        """
        ...


class MeanLevels:
    """Levels without parameters: means, and a fixed rule of overlap, distance and likeness.

    Args:
        dim: Length of a feature.
    """

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def encode_instances(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """The mean of the patches' features, at unit length; see `Levels`."""
        return _unit_mean(features, mask)

    def encode_zones(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """The mean of the instances' features, at unit length; see `Levels`."""
        return _unit_mean(features, mask)

    def same(
        self, f3d: torch.Tensor, f2d: torch.Tensor, offset_m: torch.Tensor, overlap: torch.Tensor
    ) -> torch.Tensor:
        """Alike enough for how much they overlap and how near they are; see `Levels`."""
        # No sigmoid: torch computes its last bits otherwise at the end of a batch than in the middle.
        cosine = _folded_sum(f3d * f2d, 1)
        distance_m = (offset_m[:, 0] ** 2 + offset_m[:, 1] ** 2 + offset_m[:, 2] ** 2).sqrt()
        return (0.5 + overlap.amax(dim=1) + (cosine - 0.8) - 0.25 * distance_m).clamp(0.0, 1.0)


def make_levels(name: str, encoder: str, dim: int, device: str | torch.device = "cpu") -> Levels:
    """The levels of that name.

    Args:
        name: "learned" (shipped weights, trained on features of "mini"), "mean" (no parameters), or "auto":
            learned for the encoder "mini" where the weights are there, else mean.
        encoder: Name of the encoder whose features come in.
        dim: Length of its features.
        device: Where the memory lives.

    Raises:
        ValueError: If there are no such levels, or the learned ones do not fit the encoder.
        FileNotFoundError: If "learned" is asked for and the weights are missing.
    """
    if name not in LEVELS:
        raise ValueError(unknown_name("levels", name, LEVELS))
    if name == "mean" or (name == "auto" and not (encoder == "mini" and LEVELS_FILE.is_file())):
        return MeanLevels(dim)
    if not LEVELS_FILE.is_file():
        raise FileNotFoundError(
            f"no weights of the learned levels at {LEVELS_FILE}; train them by `vlnenv train representation` "
            "or use levels='mean'"
        )
    from vlnenv.memory.learned_levels import LearnedLevels

    levels: Levels = LearnedLevels.load(LEVELS_FILE, device)
    if levels.dim != dim:
        raise ValueError(
            f"the learned levels are for features of {levels.dim}, the encoder {encoder!r} gives {dim}; "
            "use levels='mean'"
        )
    return levels


def _unit_mean(features: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the marked rows of each set, (b, m, d) to (b, d), at unit length; zero stays zero."""
    total = _folded_sum(features * mask[..., None], 1)
    return total / _folded_sum(total * total, 1).sqrt().clamp(min=1e-12)[:, None]


def _folded_sum(values: torch.Tensor, dim: int) -> torch.Tensor:
    """Sum over one axis by adding its halves, again and again.

    The order of additions depends on nothing but the axis' length, and zeros at its end change nothing: a
    row's bits are its own. `torch.sum` may add in another order when the batch has another shape.
    """
    while (length := values.shape[dim]) > 1:
        half = 1 << (length - 1).bit_length() - 1
        low, high = values.narrow(dim, 0, half), values.narrow(dim, half, length - half)
        if length == 2 * half:
            values = low + high
        else:
            values = low.clone()
            values.narrow(dim, 0, length - half).add_(high)
    return values.squeeze(dim)
