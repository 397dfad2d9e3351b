"""The querying transformer: any number of memory rows to a set number of tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agents.vlm.config import LEVEL_CODES, ROW_HEADER, query_placeholder
from agents.vlm.embedding import MemoryEmbedding, TokenNorm, row_codes

_HEAD_WIDTH = 64


class _ScaleGradient(torch.autograd.Function):
    """The identity, whose gradient is multiplied by a factor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """`x` itself; the gradient that flows back through it is multiplied by `factor`."""
    return x if factor == 1.0 else _ScaleGradient.apply(x, factor)


class _QueryLayer(nn.Module):
    """Pre-norm: queries attend to the rows and to each other, then pass a feed-forward network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = max(1, width // _HEAD_WIDTH)
        if width % self.heads:
            self.heads = 1
        self.norm = nn.LayerNorm(width)
        self.ask = nn.Linear(width, width)
        self.tell = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.feed = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, queries: Tensor, rows: Tensor, valid: Tensor) -> Tensor:
        """(b, q, width) from queries, rows (b, n, width) and the keys' validity, bool (b, q + n)."""
        asked = self.norm(queries)
        keys, values = self.tell(torch.cat([asked, rows.to(asked.dtype)], dim=1)).chunk(2, dim=-1)
        query, key, value = (self._split(each) for each in (self.ask(asked), keys, values))
        # Few queries: matrix products are quicker than fused attention, on a CPU twice as quick.
        score = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        score = score.masked_fill(~valid[:, None, None, :], torch.finfo(score.dtype).min)
        found = score.softmax(dim=-1) @ value
        queries = queries + self.out(found.transpose(1, 2).flatten(2))
        return queries + self.feed(queries)

    def _split(self, x: Tensor) -> Tensor:
        """(b, n, width) to (b, heads, n, width / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class QueryingTransformer(nn.Module):
    """Queries around the agent that look at the projected memory, layer by layer.

    Source: ST4VLA's querying transformer and its gradient decay (factor .5 on the gradient into its input),
    which keeps what the policy learns from spoiling what it reads. Theirs looks at a language model's
    features, ours at the memory's rows, and each of ours begins at a place of its own.
    """

    def __init__(self, queries: int, layers: int, width: int, gradient: float) -> None:
        super().__init__()
        self.gradient = gradient
        self.queries = nn.Parameter(torch.zeros(queries, width))
        self.seen = nn.LayerNorm(width)
        self.layers = nn.ModuleList(_QueryLayer(width) for _ in range(layers))
        self.norm = TokenNorm(width)

    def forward(self, places: Tensor, rows: Tensor, valid: Tensor) -> Tensor:
        """Tokens (b, queries, width).

        Args:
            places: What a row without a feature looks like at each query's place, (queries, width).
            rows: Projected rows, (b, n, width).
            valid: Bool (b, n), False on padding; samples without any give tokens of no use, but finite ones.
        """
        batch, count = rows.shape[0], self.queries.shape[0]
        rows = self.seen(scale_gradient(rows, self.gradient))
        # Places have the scale of words, rows that of a norm: what is seen soon outweighs where it is asked.
        found = (self.queries + scale_gradient(places, self.gradient)).expand(batch, -1, -1)
        # The queries see each other, so no row of the attention is empty.
        valid = torch.cat([valid.new_ones(batch, count), valid], dim=1)
        for layer in self.layers:
            found = layer(found, rows, valid)
        return self.norm(found)


def query_places(queries: int, radius_m: float = 2.0, height_m: float = 0.8) -> Tensor:
    """Places of the queries, float32 (queries, 3): a ring around the agent, from straight ahead to the left.

    Agent frame, metres.
    """
    angle = torch.arange(queries) * (2.0 * math.pi / max(1, queries))
    return torch.stack(
        [radius_m * angle.cos(), radius_m * angle.sin(), torch.full_like(angle, height_m)], dim=-1
    )


def read_out(
    embedding: MemoryEmbedding, transformer: QueryingTransformer, levels: Sequence[str], pixel_values: Tensor
) -> tuple[Tensor, Tensor]:
    """What a querying transformer makes of a memory.

    Args:
        embedding: Projects the rows.
        transformer: Reads them.
        levels: Levels that it reads.
        pixel_values: The memory, (b, n, 4 + D).

    Returns:
        Tokens (b, queries, width), of no use where there is nothing to read, and bool (b, n), which rows were
        read.
    """
    # The weights' precision, which is not the memory's where a whole model is in bfloat16.
    count, width = transformer.queries.shape
    codes = row_codes(pixel_values)
    rows = pixel_values.new_zeros(*codes.shape, width, dtype=transformer.queries.dtype)
    valid = torch.isin(codes, torch.tensor([LEVEL_CODES[level] for level in levels], device=codes.device))
    rows = rows.index_put((valid,), embedding(pixel_values[valid]).to(rows.dtype))
    places = pixel_values.new_zeros(count, pixel_values.shape[2])
    places[:, 0] = LEVEL_CODES[query_placeholder(levels)]
    places[:, 1:ROW_HEADER] = query_places(count).to(places)
    return transformer(embedding(places), rows, valid), valid
