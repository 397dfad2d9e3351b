"""The navigation policy: a compact masked-attention network over the token memory and the instruction.

It has no hidden state of its own: what it has seen is in the token memory, whose positions move with it.

    words  -> transformer -> each word attends to the tokens ("where is the sofa?") -> transformer
    tokens -> 24 directions of 15 degrees attend to the tokens and the grounded words that lie there
    directions (and how far the way is free) -> circular convolutions -> action logits
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.config import LEVELS, Perception
from vlnenv.episodes.vocabulary import PAD, Vocabulary
from vlnenv.errors import unknown_name

ACTIONS = 4
"""Stop, forward, left, right."""
_HISTORY = 4
_POSITION_FEATURES = 11
_FREE_RANGE_M = 5.0
_OBSTACLE_HEIGHT_M = (0.25, 1.6)


@dataclass(frozen=True)
class PolicyConfig:
    """Sizes of the network, the words that it knows, and what it reads and sees with."""

    words: tuple[str, ...]
    """The vocabulary, without padding and unknown."""
    levels: tuple[str, ...] = ("patch", "instance", "zone")
    """Levels of tokens that it reads: the keys `<level>_tokens`, `<level>_xyz` and `<level>_mask`."""
    perception: Perception = field(default_factory=Perception)
    """Settings of the environments that it was trained in; the network does not depend on them."""
    token_dim: int = 64
    """Length of a memory token: the encoder's `dim`."""
    max_words: int = 80
    """Longest instruction, in words."""
    width: int = 64
    """Length of all hidden vectors; a multiple of `heads`."""
    heads: int = 4
    directions: int = 24
    """Directions around the agent, 15 degrees each: one turn action is a shift by one."""
    word_layers: int = 1
    """Transformer layers before, and again after, the words look at the tokens."""
    dropout: float = 0.1
    train_tokens: int = 192
    """Tokens kept, at random, in training mode: regularises, and costs a third. All are read otherwise."""

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads, got {self.width} and {self.heads}")
        if min(self.token_dim, self.word_layers, self.max_words) < 1 or self.directions < 4:
            raise ValueError("token_dim, word_layers and max_words must be at least 1, directions at least 4")
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels must name at least one level, and each once, got {self.levels}")
        for level in self.levels:
            if level not in LEVELS:
                raise ValueError(unknown_name("token level", level, LEVELS))
        if self.train_tokens < 1:
            raise ValueError(f"train_tokens must be at least 1, got {self.train_tokens}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}")


def position_features(xyz_m: Tensor) -> Tensor:
    """What a token's place says, scaled to about [-1, 1].

    Args:
        xyz_m: (..., 3) metres in the agent frame: x ahead, y left, z up.

    Returns:
        (..., 11): x, y, z, log distance, nearness, then sine and cosine of the azimuth and of its first two
        multiples.
    """
    x, y, z = xyz_m.unbind(-1)
    distance = torch.sqrt(x * x + y * y + 1e-6)
    sine, cosine = y / distance, x / distance
    sine2, cosine2 = 2 * sine * cosine, cosine * cosine - sine * sine
    return torch.stack(
        [
            x / 5.0,
            y / 5.0,
            z / 2.0,
            torch.log1p(distance) - 1.0,
            torch.exp(-distance / 1.5),
            sine,
            cosine,
            sine2,
            cosine2,
            2 * sine2 * cosine2,
            cosine2 * cosine2 - sine2 * sine2,
        ],
        dim=-1,
    )


def free_distance(xyz_m: Tensor, valid: Tensor, directions: int) -> Tensor:
    """How far the way is free in each direction, as far as the tokens tell.

    Args:
        xyz_m: (b, n, 3) token positions in the agent frame, metres.
        valid: bool (b, n).
        directions: Number of directions; the first is straight ahead, they go round to the left.

    Returns:
        (b, directions) horizontal metres to the nearest token between knee and head height, at most 5.
    """
    x, y, z = xyz_m.float().unbind(-1)
    distance = torch.sqrt(x * x + y * y)
    low, high = _OBSTACLE_HEIGHT_M
    obstacle = valid & (z > low) & (z < high)
    distance = torch.where(obstacle, distance, torch.full_like(distance, _FREE_RANGE_M))
    sector = torch.round(torch.atan2(y, x) * (directions / (2 * math.pi))).long() % directions
    free = distance.new_full((xyz_m.shape[0], directions), _FREE_RANGE_M)
    return free.scatter_reduce(1, sector, distance, reduce="amin")


def _heads(x: Tensor, heads: int) -> Tensor:
    """(b, n, d) to (b, heads, n, d / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def _attend(query: Tensor, key: Tensor, value: Tensor, valid: Tensor) -> Tensor:
    """Masked attention (b, q, d) of per-head queries over per-head keys; `valid` is bool (b, n)."""
    found = F.scaled_dot_product_attention(query, key, value, attn_mask=valid[:, None, None, :])
    return found.transpose(1, 2).flatten(2)


class _WordLayer(nn.Module):
    """A pre-norm transformer layer over the words; padding words are never attended to."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, words: Tensor, key_mask: Tensor) -> Tensor:
        q, k, v = (_heads(t, self.heads) for t in self.qkv(self.norm_attention(words)).chunk(3, dim=-1))
        words = words + self.dropout(self.out(_attend(q, k, v, key_mask)))
        return words + self.dropout(self.mlp(self.norm_mlp(words)))


class _Places(nn.Module):
    """Keys and values whose last channels are where a thing lies, so that one fused attention reads both.

    Each head's key ends with the thing's unit direction (2 channels): a query that ends with `s` times a
    direction adds `s * cos(azimuth difference)` to the logit. Each head's value ends with the direction and a
    one for "nothing" (3 channels): the result tells where, and how surely, something was found.
    """

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.heads = config.heads
        size = config.width // config.heads
        self.key = nn.Linear(config.width, config.heads * (size - 2))
        self.value = nn.Linear(config.width, config.heads * (size - 3))

    def forward(self, x: Tensor, direction: Tensor, nothing: Tensor) -> tuple[Tensor, Tensor]:
        """Key and value, each (b, heads, n, size), of things (b, n, d) that lie at `direction` (b, n, 2).

        `nothing` (b, n, 1) is how much of a thing is the answer "there is none".
        """
        where = torch.cat([direction, nothing], dim=-1).to(x.dtype)
        where = where[:, None].expand(-1, self.heads, -1, -1)
        key = torch.cat([_heads(self.key(x), self.heads), where[..., :2]], dim=-1)
        return key, torch.cat([_heads(self.value(x), self.heads), where], dim=-1)


class _TokenMemory(nn.Module):
    """Tokens of the levels that are read to keys and values, behind a learned one "nothing of the kind"."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.embed = nn.Linear(config.token_dim, width)
        self.place = nn.Linear(_POSITION_FEATURES, width)
        self.level = nn.Parameter(torch.zeros(len(config.levels), width))
        self.nothing = nn.Parameter(torch.randn(width) * 0.02)
        self.places = _Places(config)

    def forward(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Key and value (b, heads, 1 + n, size), valid (b, 1 + n), free distances (b, directions)."""
        xyz, valid, tokens, level = self._gather(observation)
        free = self._free(observation)
        if self.training and xyz.shape[1] > self.config.train_tokens:
            kept = torch.randperm(xyz.shape[1], device=xyz.device)[: self.config.train_tokens]
            xyz, valid, tokens, level = xyz[:, kept], valid[:, kept], tokens[:, kept], level[kept]
        hidden = self.embed(tokens.float()) + self.place(position_features(xyz)) + self.level[level]
        nothing = self.nothing.expand(xyz.shape[0], 1, -1)
        things = F.gelu(torch.cat([nothing, hidden], dim=1))
        direction = F.pad(F.normalize(xyz[..., :2], dim=-1, eps=1e-3), (0, 0, 1, 0))
        is_nothing = F.pad(torch.zeros_like(xyz[..., :1]), (0, 0, 1, 0), value=1.0)
        key, value = self.places(things, direction, is_nothing)
        return key, value, F.pad(valid, (1, 0), value=True), free

    def _free(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Free distances by the patches: they lie on surfaces, centres of instances and zones do not."""
        if "patch" not in self.config.levels:
            shape = (len(observation["action_history"]), self.config.directions)
            return torch.full(shape, _FREE_RANGE_M, device=self.nothing.device)
        valid = observation["patch_mask"].bool()
        xyz = observation["patch_xyz"].float().masked_fill(~valid[..., None], 0.0)
        return free_distance(xyz, valid, self.config.directions)

    def _gather(self, observation: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Positions (b, n, 3), valid (b, n), tokens (b, n, dim) and level (n,) of all levels in use."""
        xyz, valid, tokens, levels = [], [], [], []
        for index, level in enumerate(self.config.levels):
            level_valid = observation[f"{level}_mask"].bool()
            # A level that nobody has filled costs nothing; masked tokens have no effect either way.
            if index > 0 and not bool(level_valid.any()):
                continue
            # Where the mask is zero the arrays may hold anything, NaN included.
            hidden = ~level_valid[..., None]
            xyz.append(observation[f"{level}_xyz"].float().masked_fill(hidden, 0.0))
            tokens.append(observation[f"{level}_tokens"].masked_fill(hidden, 0.0))
            valid.append(level_valid)
            levels.append(level_valid.new_full((level_valid.shape[1],), index, dtype=torch.long))
        if len(xyz) == 1:
            return xyz[0], valid[0], tokens[0], levels[0]
        return torch.cat(xyz, 1), torch.cat(valid, 1), torch.cat(tokens, 1), torch.cat(levels)


class _Directions(nn.Module):
    """What lies in each direction: attention over tokens and grounded words that is sharpened by azimuth."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        width, heads = config.width, config.heads
        angle = torch.arange(config.directions) * (2 * math.pi / config.directions)
        self.unit: Tensor
        self.register_buffer("unit", torch.stack([angle.cos(), angle.sin()], dim=-1), persistent=False)
        size = width // heads - 2
        self.query_tokens = nn.Linear(width, heads * size)
        self.query_words = nn.Linear(width, heads * size)
        self.words = _Places(config)
        # Sharpness of the azimuth kernel per head, as a softplus: from broad to one direction.
        self.token_sharpness = nn.Parameter(torch.linspace(1.0, 20.0, heads))
        self.word_sharpness = nn.Parameter(torch.linspace(0.5, 6.0, heads))
        self.mix = nn.Linear(2 * width + 2, width)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 5) for _ in range(2))

    def _query(self, content: Tensor, sharpness: Tensor) -> Tensor:
        """Queries (b, heads, directions, size) of one content (b, heads * (size - 2)) for all directions."""
        heads, directions = self.config.heads, self.config.directions
        scale = math.sqrt(self.config.width // heads)
        content = content.unflatten(-1, (heads, 1, -1)).expand(-1, -1, directions, -1)
        kernel = (F.softplus(sharpness) * scale)[:, None, None] * self.unit
        return torch.cat([content, kernel.to(content.dtype).expand(content.shape[0], -1, -1, -1)], dim=-1)

    def forward(
        self,
        summary: Tensor,
        tokens: tuple[Tensor, Tensor, Tensor],
        words: Tensor,
        word_mask: Tensor,
        word_where: Tensor,
        free: Tensor,
    ) -> Tensor:
        """One vector per direction, (b, k, d)."""
        key, value, valid = tokens
        seen = _attend(self._query(self.query_tokens(summary), self.token_sharpness), key, value, valid)
        key, value = self.words(words, word_where[..., :2], word_where[..., 2:])
        named = _attend(self._query(self.query_words(summary), self.word_sharpness), key, value, word_mask)
        way = torch.stack([free / _FREE_RANGE_M, torch.exp(-free / 0.5)], dim=-1).to(seen.dtype)
        x = F.gelu(self.mix(torch.cat([seen, named, way], dim=-1)) + summary[:, None, :])
        for convolution in self.convolutions:
            around = F.pad(x.transpose(1, 2), (2, 2), mode="circular")
            x = x + F.gelu(convolution(around)).transpose(1, 2)
        return x


class NavigationPolicy(nn.Module):
    """Action logits from token memory, instruction ids and the last four actions."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        width, heads, layers = config.width, config.heads, config.word_layers
        self.vocabulary = Vocabulary(config.words)
        self.word = nn.Embedding(len(self.vocabulary), width, padding_idx=PAD)
        self.word_place = nn.Parameter(torch.randn(config.max_words, width) * 0.02)
        self.before = nn.ModuleList(_WordLayer(width, heads, config.dropout) for _ in range(layers))
        self.memory = _TokenMemory(config)
        self.ground_norm = nn.LayerNorm(width)
        self.ground_query = nn.Linear(width, width)
        self.ground_out = nn.Linear(width, width)
        self.history = nn.Embedding((ACTIONS + 1) * _HISTORY, width)
        self.after = nn.ModuleList(_WordLayer(width, heads, config.dropout) for _ in range(layers))
        self.summary_norm = nn.LayerNorm(width)
        self.around = _Directions(config)
        self.squeeze = nn.Linear(width, 16)
        self.body = nn.Sequential(
            nn.Linear(2 * width + 16 * config.directions + config.directions, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, 2 * width),
            nn.GELU(),
        )
        self.action_head = nn.Linear(2 * width, ACTIONS)

    @property
    def feature_dim(self) -> int:
        """Length of `features`."""
        return 2 * self.config.width

    def features(self, observation: Mapping[str, Tensor]) -> Tensor:
        """What the action head reads, (b, feature_dim).

        Args:
            observation: A batch of the environment's token observation (each array with a first axis b), with
                `instruction_ids` int64 (b, max_words) from this policy's vocabulary in place of the text.
                Of the levels, those of the policy alone are read.

        Raises:
            ValueError: If the tokens are not of this policy's length.
        """
        token_dim = observation[f"{self.config.levels[0]}_tokens"].shape[-1]
        if token_dim != self.config.token_dim:
            raise ValueError(
                f"this policy reads tokens of length {self.config.token_dim}, the observation has length "
                f"{token_dim}: use the encoder that it was trained with"
            )
        ids = observation["instruction_ids"].long()
        # Trim the padding that no row of this batch needs; an empty instruction keeps one (padding) word.
        length = max(1, int((ids != PAD).sum(dim=1).max()))
        ids = ids[:, :length]
        padded = ids == PAD
        # The summary slot in front is always valid, so no row of any attention is empty.
        word_mask = F.pad(~padded, (1, 0), value=True)
        history = self._history(observation["action_history"])
        words = torch.cat([history[:, None, :], self.word(ids) + self.word_place[:length]], dim=1)
        for layer in self.before:
            words = layer(words, word_mask)

        key, value, valid, free = self.memory(observation)
        query = _heads(self.ground_query(self.ground_norm(words)), self.config.heads)
        found = _attend(query, key, value, valid)
        # The heads' mean direction, and how much of what they found is "nothing".
        where = found.unflatten(-1, (self.config.heads, -1))[..., -3:].mean(dim=2)
        words = words + self.ground_out(found)
        for layer in self.after:
            words = layer(words, word_mask)

        summary = self.summary_norm(words[:, 0])
        around = self.around(summary, (key, value, valid), words, word_mask, where, free)
        flat = self.squeeze(around).flatten(1)
        way = (free / _FREE_RANGE_M).to(flat.dtype)
        return self.body(torch.cat([summary, history, flat, way], dim=-1)).float()

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Action logits float32 (b, 4); arguments and errors as for `features`."""
        return self.action_head(self.features(observation))

    def _history(self, actions: Tensor) -> Tensor:
        """One vector (b, d) for the last four actions; out-of-range values mean "none yet"."""
        actions = actions.long()
        actions = torch.where(
            (actions >= 0) & (actions < ACTIONS), actions, torch.full_like(actions, ACTIONS)
        )
        slot = torch.arange(_HISTORY, device=actions.device) * (ACTIONS + 1)
        return self.history(actions + slot).sum(dim=1)
