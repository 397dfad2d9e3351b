"""Who sees whom in a prompt, and at which positions its tokens stand."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from agents.vlm.config import LEVEL_CODES


def placeholder_codes(input_ids: Tensor, level_token_ids: Mapping[str, int]) -> Tensor:
    """Level code of each placeholder, 0 for all other tokens: int64 like `input_ids` (b, t)."""
    codes = torch.zeros_like(input_ids)
    for level, token in level_token_ids.items():
        codes = codes.masked_fill(input_ids == token, LEVEL_CODES[level])
    return codes


def _continues(codes: Tensor) -> Tensor:
    """Whether a token is a placeholder of the same level as the one before it, bool (b, t)."""
    same = torch.zeros_like(codes, dtype=torch.bool)
    same[:, 1:] = (codes[:, 1:] > 0) & (codes[:, 1:] == codes[:, :-1])
    return same


def set_positions(codes: Tensor, valid: Tensor) -> Tensor:
    """Positions where a run of placeholders of one level counts as one token.

    They are numbered so that a token after the last run stands where it would stand without any of this, at
    the number of valid tokens before it: decoding goes on from the attention mask alone. (What a rotary
    model computes depends on differences of positions only.)

    Args:
        codes: What `placeholder_codes` returns, (b, t).
        valid: Bool (b, t), False on padding at either side.

    Returns:
        int64 (b, t), at least 0; what padding gets is of no consequence.
    """
    advance = valid & ~_continues(codes)
    saved = (valid & ~advance).sum(dim=1, keepdim=True)
    return (advance.long().cumsum(dim=1) - 1 + saved).clamp_min(0)


def prefix_mask(input_ids: Tensor, valid: Tensor, answer_token_id: int) -> Tensor:
    """Bool (b, t, t), True where a query (row) sees a key: all up to the first `<answer>`, then causal.

    A sample without `<answer>` is causal throughout. Every query sees itself, padding too, so no row of the
    softmax is empty.
    """
    is_answer = input_ids == answer_token_id
    # Up to and including the first one; with later turns in the sequence, what was decoded stays causal.
    before = is_answer.long().cumsum(dim=1) - is_answer.long()
    prefix = (before == 0) & is_answer.any(dim=1, keepdim=True)
    return _with_itself((_causal(input_ids) | prefix[:, None, :]) & valid[:, None, :])


def block_mask(codes: Tensor, valid: Tensor) -> Tensor:
    """Bool (b, t, t): causal, but placeholders of one run see each other; padding as in `prefix_mask`."""
    run = (~_continues(codes)).long().cumsum(dim=1).masked_fill(codes == 0, 0)
    together = (run[:, :, None] == run[:, None, :]) & (codes > 0)[:, None, :]
    return _with_itself((_causal(codes) | together) & valid[:, None, :])


def _causal(like: Tensor) -> Tensor:
    """Bool (1, t, t)."""
    length = like.shape[1]
    return torch.ones(1, length, length, dtype=torch.bool, device=like.device).tril()


def _with_itself(allowed: Tensor) -> Tensor:
    """The same with a True diagonal."""
    return allowed | torch.eye(allowed.shape[1], dtype=torch.bool, device=allowed.device)


def for_attention(allowed: Tensor, implementation: str, dtype: torch.dtype) -> Tensor:
    """A mask (b, t, t) as the language model's attention takes it, (b, 1, t, t).

    Raises:
        ValueError: If the implementation takes no such masks.
    """
    if implementation == "sdpa":
        return allowed[:, None]
    if implementation == "eager":
        zeros = torch.zeros(allowed.shape, dtype=dtype, device=allowed.device)
        return zeros.masked_fill(~allowed, torch.finfo(dtype).min)[:, None]
    raise ValueError(
        "a prompt whose tokens see ahead needs attn_implementation 'sdpa' or 'eager', the model has "
        f"{implementation!r}: load it with one of them, or use prompt_attention='causal'"
    )
