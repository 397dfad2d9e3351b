"""Memory rows to vectors of the language model's width, and into the place of their placeholders."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.policy import position_features
from agents.vlm.config import LEVEL_CODES, ROW_HEADER

_POSITION_FEATURES = 11


class TokenNorm(nn.LayerNorm):
    """The last norm of memory tokens: it starts at the scale of the words that they stand among."""


class MemoryEmbedding(nn.Module):
    """Rows to vectors: a projected feature, plus where it is, plus its level.

    All levels share feature and place: what a chair looks like, and where left is, is learned once. With
    `projector_layers` 2 the feature passes an MLP, as large language models' visual projectors do.
    """

    def __init__(
        self,
        levels: Sequence[str],
        token_dim: int,
        position_width: int,
        width: int,
        projector_layers: int = 1,
    ) -> None:
        super().__init__()
        self.token_dim = token_dim
        self.levels = tuple(levels)
        # The last input is the feature's length: encoders differ in scale, and a path's number is a length.
        self.feature = nn.Linear(token_dim + 1, width)
        self.deeper = (
            nn.Sequential(nn.GELU(), nn.Linear(width, width)) if projector_layers > 1 else nn.Identity()
        )
        self.place = nn.Sequential(
            nn.Linear(_POSITION_FEATURES, position_width), nn.GELU(), nn.Linear(position_width, width)
        )
        self.level = nn.Embedding(1 + max(LEVEL_CODES.values()), width)
        self.norm = TokenNorm(width)

    def forward(self, rows: Tensor) -> Tensor:
        """Rows (m, 4 + D) to (m, width)."""
        rows, dtype = rows.float(), self.level.weight.dtype
        feature = rows[..., ROW_HEADER:]
        size = torch.log1p(feature.norm(dim=-1, keepdim=True))
        unit = F.normalize(feature, dim=-1, eps=1e-6)
        looks = self.deeper(self.feature(torch.cat([unit, size], dim=-1).to(dtype)))
        place = self.place(position_features(rows[..., 1:ROW_HEADER]).to(dtype))
        return self.norm(looks + place + self.level(row_codes(rows)))

    def check(self, pixel_values: Tensor, batch: int) -> None:
        """Refuse rows that are not of this model's shape or levels.

        Args:
            pixel_values: What the caller gave as memory.
            batch: Samples in the batch.

        Raises:
            ValueError: If they are not (batch, n, 4 + D), or of a level that the model does not read.
        """
        length = ROW_HEADER + self.token_dim
        if pixel_values.dim() != 3 or pixel_values.shape[0] != batch:
            raise ValueError(
                f"pixel_values must be ({batch}, n, {length}), one memory a sample, "
                f"got {tuple(pixel_values.shape)}"
            )
        if pixel_values.shape[2] != length:
            raise ValueError(
                f"this model reads memory tokens of length {self.token_dim} (rows of {length}), those in "
                f"pixel_values have length {pixel_values.shape[2] - ROW_HEADER} (rows of "
                f"{pixel_values.shape[2]}): use the encoder that it was trained with"
            )
        codes = row_codes(pixel_values)
        known = torch.tensor([0, *(LEVEL_CODES[level] for level in self.levels)], device=codes.device)
        strange = ~torch.isin(codes, known)
        if bool(strange.any()):
            raise ValueError(
                f"pixel_values hold rows of level {sorted(set(codes[strange].tolist()))}, this model reads "
                f"{ {level: LEVEL_CODES[level] for level in self.levels} } (0 is padding)"
            )


def row_codes(pixel_values: Tensor) -> Tensor:
    """Level code of each row, int64 (b, n); 0 is padding."""
    return pixel_values[..., 0].round().long()


def check_counts(level: str, token: int, slots: Tensor, rows: Tensor, queries: int = 0) -> None:
    """Refuse a prompt whose placeholders are not as many as its memory asks for.

    Args:
        level: The level's name.
        token: Its placeholder's id.
        slots: Placeholders of each sample, (b,).
        rows: Rows of each sample, (b,).
        queries: Tokens that any rows are compressed to; 0 for one placeholder a row.

    Raises:
        ValueError: With both counts of the first sample that is wrong.
    """
    expected = (rows > 0) * queries if queries else rows
    wrong = slots != expected
    if not bool(wrong.any()):
        return
    sample = int(wrong.nonzero()[0, 0])
    rule = f"{queries} placeholders if there is any row" if queries else "one placeholder a row"
    raise ValueError(
        f"sample {sample} has {int(slots[sample])} <{level}> placeholders (token {token}) in input_ids, but "
        f"{int(rows[sample])} {level} rows in pixel_values: expected {rule}, {int(expected[sample])}"
    )
