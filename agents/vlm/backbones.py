"""Where the language model comes from: a small one of ours, or a pretrained one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import LlamaConfig

from agents.vlm.config import Dynam3DConfig


def tiny_config(
    vocab_size: int,
    token_dim: int,
    level_token_ids: Mapping[str, int],
    answer_token_id: int,
    eos_token_id: int,
    pad_token_id: int,
    *,
    truncate_token_id: int | None = None,
    action_token_ids: Sequence[int] | None = None,
    bos_token_id: int | None = None,
    hidden_size: int = 256,
    layers: int = 4,
    heads: int = 4,
    intermediate_size: int | None = None,
    max_length: int = 1024,
    **fields: Any,
) -> Dynam3DConfig:
    """Configuration of a small Llama with tied embeddings, to be trained from scratch.

    Args:
        vocab_size: Tokens of the tokenizer, `len(tokenizer)`.
        token_dim: Length D of a memory token's feature.
        level_token_ids: Placeholder id of each level; their names are the levels, unless `fields` name some.
        answer_token_id: Id of `<answer>`.
        eos_token_id: Id that ends a generation.
        pad_token_id: Id of padding.
        truncate_token_id: Id of `<trunc>`.
        action_token_ids: Ids that may be generated; None for all but the placeholders.
        bos_token_id: Id that begins a sequence, if the tokenizer has one.
        hidden_size: Width of the language model.
        layers: Its layers.
        heads: Its attention heads. With 64 channels a head, attention takes about half as long on a CPU as
            with 32.
        intermediate_size: Width of its feed-forward layers; None for 8/3 of `hidden_size`, in steps of 32.
        max_length: Longest sequence, in tokens.
        fields: Further fields of `Dynam3DConfig`.
    """
    text = LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        intermediate_size=intermediate_size or -(-hidden_size * 8 // 96) * 32,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=max_length,
        tie_word_embeddings=True,
        bos_token_id=bos_token_id,
        eos_token_id=eos_token_id,
        pad_token_id=pad_token_id,
    )
    fields.setdefault("levels", tuple(level_token_ids))
    return Dynam3DConfig(
        text_config=text,
        token_dim=token_dim,
        level_token_ids=dict(level_token_ids),
        answer_token_id=answer_token_id,
        truncate_token_id=truncate_token_id,
        action_token_ids=None if action_token_ids is None else list(action_token_ids),
        **fields,
    )
