"""The set encoder: members of an instance or a zone, with where they lie, in one feature of unit length."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LARGE_WEIGHT = 256 * 256
_BLOCK_ROWS = 64


class SetEncoder(nn.Module):
    """A small transformer with a learned query: features and places of a set's members in, one feature out.

    A token is a member's feature plus an MLP of its place; the query stands in front of the tokens. Its row
    after the last layer, projected, is added to the mean of the members' features, and the sum is brought to
    unit length. The projection starts at zero: an untrained encoder is the mean. Layers normalise first. Of
    the last layer only the query's row is computed, which is exact and much cheaper.

    The result depends neither on the order of the members, up to rounding, nor on padding. On the CPU, with
    one thread and `dim` a multiple of 32, its bits do not depend on the other sets of a call: its rows go
    through matrix products of fixed shapes (`times`), because BLAS gives equal bits for equal shapes only.

    Source: Dynam3D (arXiv 2505.11383), the encoders of instances and zones; differs in the normalisation, in
    starting from the mean, and in places that are all relative to the set's centre (`vlnenv.memory.levels`),
    where its released code takes the distance from the world's origin.
    """

    def __init__(
        self, dim: int, position_dim: int, heads: int = 4, ffn: int | None = None, layers: int = 2
    ) -> None:
        """An encoder that averages until it is trained.

        Args:
            dim: Length of a feature, a multiple of `heads`.
            position_dim: Numbers that say where a member lies.
            heads: Attention heads.
            ffn: Width of the feed-forward layers; None for twice `dim`.
            layers: Layers, the last of which serves the query alone.

        Raises:
            ValueError: If a size is below 1 or `dim` is no multiple of `heads`.
        """
        super().__init__()
        ffn = 2 * dim if ffn is None else ffn
        if min(dim, position_dim, heads, ffn, layers) < 1 or dim % heads:
            raise ValueError(
                "a set encoder needs sizes of at least 1 and dim a multiple of heads, got "
                f"dim={dim}, position_dim={position_dim}, heads={heads}, ffn={ffn}, layers={layers}"
            )
        self.dim = dim
        self.position_dim = position_dim
        self.query = nn.Parameter(torch.randn(dim) * 0.5)
        self.place_in = nn.Linear(position_dim, dim)
        self.place_norm = nn.LayerNorm(dim)
        self.place_out = nn.Linear(dim, dim, bias=False)
        self.layers = nn.ModuleList(_Layer(dim, heads, ffn) for _ in range(layers - 1))
        self.last = _Layer(dim, heads, ffn)
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        """One feature for each of b sets.

        Args:
            features: float32 (b, m, dim) of the members, about unit length.
            position: float32 (b, m, position_dim) where they lie.
            mask: bool (b, m), which of them there are.

        Returns:
            float32 (b, dim) of unit length; zero for a set without members.

        Raises:
            ValueError: If a shape is wrong.
        """
        b, m = mask.shape
        if features.shape != (b, m, self.dim) or position.shape != (b, m, self.position_dim):
            raise ValueError(
                f"sets with a mask {(b, m)} need features {(b, m, self.dim)} and positions "
                f"{(b, m, self.position_dim)}, got {tuple(features.shape)} and {tuple(position.shape)}"
            )
        if mask.device.type != "cpu" or torch.is_grad_enabled():
            return self._encode(features, position, mask)
        if m > 1 and bool((mask[:, 1:] > mask[:, :-1]).any()):  # members to the front
            order = (~mask).to(torch.uint8).argsort(dim=1, stable=True)[..., None]
            features, position, mask = (
                values.gather(1, order.expand(-1, -1, values.shape[2]))
                for values in (features, position, mask[..., None])
            )
            mask = mask[..., 0]
        encoded = torch.zeros(b, self.dim)
        padded = padded_sizes(mask.sum(dim=1))
        for size in padded.unique().tolist():
            (rows,) = (padded == size).nonzero(as_tuple=True)
            more = max(size - m, 0)
            encoded[rows] = self._encode(
                F.pad(features[rows, :size], (0, 0, 0, more)),
                F.pad(position[rows, :size], (0, 0, 0, more)),
                F.pad(mask[rows, :size], (0, more)),
            )
        return encoded

    def _encode(self, features: Tensor, position: Tensor, mask: Tensor) -> Tensor:
        features = features * mask[..., None]
        place = F.gelu(self.place_norm(product(position, self.place_in)))
        # A unit feature's components are about 1 / sqrt(dim), a place's about 1.
        tokens = product(place, self.place_out, features * math.sqrt(self.dim))
        tokens = torch.cat([self.query.expand(len(tokens), 1, -1), tokens], dim=1)
        hidden = torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, -torch.inf)
        hidden = F.pad(hidden, (1, 0))[:, None]  # the query is always there
        for layer in self.layers:
            tokens = layer(tokens, hidden)
        query = self.last.first_row(tokens, hidden)
        # Sums by matrix products, too: those of torch depend on the batch in their last bits.
        count = mask.sum(dim=1, keepdim=True)
        mean = torch.bmm((mask / count.clamp(min=1))[:, None], features)
        row = mean + product(self.norm(query), self.out)
        length = torch.bmm(row, row.transpose(1, 2)).clamp(min=1e-24).sqrt()
        return (row / length)[:, 0] * (count > 0)


class _Layer(nn.Module):
    """Self-attention and a feed-forward network, each behind a layer norm."""

    own_head: Tensor

    def __init__(self, dim: int, heads: int, ffn: int) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim, bias=False)
        self.widen, self.narrow = nn.Linear(dim, ffn), nn.Linear(ffn, dim, bias=False)
        own = torch.eye(heads).repeat_interleave(dim // heads, dim=1)
        self.register_buffer("own_head", own, persistent=False)

    def forward(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """All rows: (b, t, dim) to the same; hidden (b, 1, t) is 0, or -inf where a token is padding."""
        b, t, dim = tokens.shape
        qkv = product(self.norm1(tokens), self.qkv).view(b, t, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).reshape(3, b * self.heads, t, -1)
        hidden = hidden.expand(b, self.heads, t).reshape(b * self.heads, 1, t)
        attention = torch.baddbmm(hidden, q, k.transpose(1, 2), alpha=self.scale).softmax(dim=2)
        mixed = torch.bmm(attention, v).view(b, self.heads, t, -1).transpose(1, 2).reshape(b, t, dim)
        return self._feed_forward(product(mixed, self.out, tokens))

    def first_row(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """The first row of what `forward` gives, (b, 1, dim), without keys and values of the other tokens.

        A head's q . (K x + k) is (K^T q) . x but for a constant that the softmax does not see, and its sum of
        a V x is V of the sum of a x: one row a head to multiply instead of one a token.
        """
        b = len(tokens)
        normed = self.norm1(tokens)
        (query, key, value), (query_bias, _, value_bias) = (
            part.chunk(3) for part in (self.qkv.weight, self.qkv.bias)
        )
        q = times(normed[:, :1], query, query_bias) * self.own_head
        asked = times(q, key.T)
        attention = torch.baddbmm(hidden, asked, normed.transpose(1, 2), alpha=self.scale).softmax(dim=2)
        seen = times(torch.bmm(attention, normed), value, value_bias)
        mixed = torch.bmm(torch.ones(b, 1, self.heads, device=q.device), seen * self.own_head)
        return self._feed_forward(product(mixed, self.out, tokens[:, :1]))

    def _feed_forward(self, tokens: Tensor) -> Tensor:
        return product(F.gelu(product(self.norm2(tokens), self.widen)), self.narrow, tokens)


def padded_sizes(count: Tensor) -> Tensor:
    """Rows that a set of `count` members is computed with: 8 or a multiple of 32, so that sizes are few."""
    return torch.where(count <= 8, 8, (count + 31) // 32 * 32)


def product(x: Tensor, linear: nn.Linear, plus: Tensor | None = None) -> Tensor:
    """`linear(x) + plus` for x (b, t, d), whose bits are each set's own on the CPU.

    Only one of `plus` and the bias may be there.
    """
    if torch.is_grad_enabled() or x.device.type != "cpu":  # one large product: faster to differentiate
        return linear(x) if plus is None else linear(x) + plus
    return times(x, linear.weight, linear.bias if plus is None else plus)


def times(x: Tensor, weight: Tensor, start: Tensor | None = None) -> Tensor:
    """`start + x @ weight.T` for x (b, t, d) and weight (out, d), whose bits are each set's own on the CPU.

    Small weights: one product a set. Large ones would come from main memory once a set, so the rows of all
    sets go through them in blocks of one size; a row's bits do not depend on the others in its block.
    """
    if weight.numel() < _LARGE_WEIGHT or torch.is_grad_enabled() or x.device.type != "cpu":
        weights = weight.T.expand(len(x), -1, -1)
        return torch.bmm(x, weights) if start is None else torch.baddbmm(start, x, weights)
    rows = x.flatten(0, 1)
    blocks = F.pad(rows, (0, 0, 0, -len(rows) % _BLOCK_ROWS)).split(_BLOCK_ROWS)
    multiplied = torch.cat([F.linear(block, weight) for block in blocks])
    multiplied = multiplied[: len(rows)].view(*x.shape[:2], -1)
    return multiplied if start is None else start + multiplied
