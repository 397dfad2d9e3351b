"""The tiny agent: a small language model of our own, with a tokenizer of the instructions' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from agents.vlm.backbones import tiny_model
from agents.vlm.config import compressed
from agents.vlm.model import Dynam3DForCausalLM
from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.tokenizer import make_tokenizer
from vlnenv.episodes.vocabulary import Vocabulary
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS
from vlnenv.memory.text_table import load_text_table


def make_tiny(
    instructions: Sequence[str],
    token_dim: int,
    *,
    levels: Sequence[str],
    patch_pool: Sequence[int] = (1, 1),
    patch_grid: Sequence[int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
    perception: Mapping[str, Any] | None = None,
    hidden_size: int = 128,
    layers: int = 3,
    heads: int = 2,
    queries: int = 24,
    query_layers: int = 2,
    explained: bool = True,
    blind: str = "",
    look_around: bool = False,
) -> tuple[Dynam3DForCausalLM, Dynam3DProcessor]:
    """A new tiny model with random weights, and its processor.

    Args:
        instructions: Texts whose words it is to know.
        token_dim: Length D of a memory token's feature. Where it is that of the shipped text table, words
            start as features of that name look: "table" near tables.
        levels: Levels of memory that it reads.
        patch_pool: Rows and columns of patches that become one row.
        patch_grid: Rows and columns of the patches, (24, 24) of an egocentric view.
        perception: Fields of `agents.config.Perception` that the memory is made with.
        hidden_size: Width.
        layers: Layers of the language model.
        heads: Attention heads.
        queries: Tokens that the querying transformer makes of all levels; 0 gives each row its own token.
        query_layers: Its layers.
        explained: Whether explanations follow answers.
        blind: What it is never given, see `Dynam3DProcessor`.
        look_around: Whether the agent begins an episode with a whole turn.
    """
    tokenizer = make_tokenizer(Vocabulary.of(instructions).words, by_phrase=True)
    queries, query_levels = compressed(levels, queries)
    processor = Dynam3DProcessor(
        tokenizer,
        token_dim,
        levels=levels,
        queries=queries,
        query_levels=query_levels,
        patch_pool=patch_pool,
        patch_grid=patch_grid,
        explained=explained,
        blind=blind,
    )
    model = tiny_model(
        tokenizer,
        token_dim,
        tuple(levels),
        processor.grammar,
        hidden_size=hidden_size,
        layers=layers,
        heads=heads,
        queries=queries,
        query_levels=query_levels,
        query_layers=query_layers,
        query_gradient=1.0,
        projector_layers=1,
        perception=dict(perception or {}),
        look_around=look_around,
    )
    _start_words_from_features(model, tokenizer)
    return model, processor


@torch.no_grad()
def _start_words_from_features(model: Dynam3DForCausalLM, tokenizer: Any) -> None:
    """Put each word where memory tokens of that name are projected to: grounding begins before training."""
    table = load_text_table()
    if table.dim != model.config.token_dim:
        return
    words = model.get_input_embeddings().weight
    projection = model.model.memory_embedding.feature.weight[:, : table.dim]
    for word, index in tokenizer.get_vocab().items():
        if word in table and not word.startswith("<"):
            vector = projection @ torch.from_numpy(table.embed(word))
            words[index] = vector / vector.norm() * words[index].norm()
