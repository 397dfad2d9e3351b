"""The merging discriminator: whether a segment shows an instance that is remembered."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vlnenv.memory.set_encoder import product

_DERIVED = 3 + 1 + 1 + 2
"""Offset, distance, cosine, overlap."""
_DROPOUT = 0.5


class MergingDiscriminator(nn.Module):
    """Two features, how far apart they lie and how much they overlap in; the logit of "the same" out.

    Linear, layer norm, GELU, linear. In training half of the features' numbers are dropped, so that it judges
    how alike two things are more than what they are, also of things that it has never seen. On the CPU a
    pair's bits do not depend on the other pairs of a call.

    Source: Dynam3D (arXiv 2505.11383), merging discriminator; differs in what it reads beside the features
    and the offset (distance, cosine and overlap) and in one logit for two.
    """

    def __init__(self, dim: int, hidden: int = 128) -> None:
        """An untrained discriminator.

        Args:
            dim: Length of a feature.
            hidden: Width of the hidden layer.

        Raises:
            ValueError: If a size is below 1.
        """
        super().__init__()
        if dim < 1 or hidden < 1:
            raise ValueError(f"dim and hidden must be at least 1, got {dim} and {hidden}")
        self.dim = dim
        self.dropout = nn.Dropout(_DROPOUT)
        self.first = nn.Linear(2 * dim + _DERIVED, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.last = nn.Linear(hidden, 1)

    def forward(self, f3d: Tensor, f2d: Tensor, offset_m: Tensor, overlap: Tensor) -> Tensor:
        """Logits of p pairs.

        Args:
            f3d: float32 (p, dim) of the remembered instances, unit length.
            f2d: float32 (p, dim) of the segments, unit length.
            offset_m: float32 (p, 3) from the instance's centre to the segment's, metres.
            overlap: float32 (p, 2), at least 0: the instance's points seen again in the segment, over the
                segment's patches (above 1 where they lie closer than patches) and over all of the instance's
                that are seen again.

        Returns:
            float32 (p,), above 0 for "the same".

        Raises:
            ValueError: If a shape is wrong.
        """
        p = len(f3d)
        shapes = [tuple(values.shape) for values in (f3d, f2d, offset_m, overlap)]
        if shapes != [(p, self.dim), (p, self.dim), (p, 3), (p, 2)]:
            raise ValueError(
                f"pairs of features of {self.dim} need shapes (p, {self.dim}) twice, (p, 3) and (p, 2), "
                f"got {shapes}"
            )
        # Products of one row each: their bits are the pair's own, those of a sum over a batch are not.
        distance = torch.bmm(offset_m[:, None], offset_m[:, :, None]).clamp(min=1e-12).sqrt()
        cosine = torch.bmm(f3d[:, None], f2d[:, :, None])
        read = self.dropout(f3d), self.dropout(f2d)
        pair = torch.cat([*read, offset_m, distance[:, 0], cosine[:, 0], overlap.clamp(max=2.0)], dim=1)
        return product(F.gelu(self.norm(product(pair[:, None], self.first))), self.last)[:, 0, 0]
