"""Agents on pretrained language models: made from one, or taken up again to train on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.vlm.backbones import from_causal_lm
from agents.vlm.config import compressed
from agents.vlm.loading import ADAPTER, load_model, new_lora
from agents.vlm.processor import Dynam3DProcessor
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS

MAX_PROMPT = 1024
"""Most tokens of a prompt, where the language model takes so many."""


def make_pretrained(
    source: str | Path,
    token_dim: int,
    *,
    levels: Sequence[str],
    patch_pool: Sequence[int] = (1, 1),
    patch_grid: Sequence[int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
    perception: Mapping[str, Any] | None = None,
    queries: int = 24,
    query_layers: int = 2,
    explained: bool = True,
    blind: str = "",
    look_around: bool = False,
    lora_rank: int = 0,
) -> tuple[Any, Dynam3DProcessor]:
    """A pretrained language model with new projectors for the memory, and its processor.

    Memory tokens of one level see each other, all else stays causal, as the language model was trained.

    Args:
        source: "smollm2"; or a folder or hub name of a causal LM or a LLaVA, see `from_causal_lm`.
        token_dim: Length D of a memory token's feature.
        levels: Levels of memory that it reads.
        patch_pool: Rows and columns of patches that become one row.
        patch_grid: Rows and columns of the patches, (24, 24) of an egocentric view.
        perception: Fields of `agents.config.Perception` that the memory is made with.
        queries: Tokens that the querying transformer makes of all levels; 0 gives each row its own token.
        query_layers: Its layers.
        explained: Whether explanations follow answers.
        blind: What it is never given, see `Dynam3DProcessor`.
        look_around: Whether the agent begins an episode with a whole turn.
        lora_rank: Rank of LoRA on the language model; 0 leaves all weights to be trained.

    Returns:
        A `Dynam3DForCausalLM`, with LoRA a `peft.PeftModel` around one, and the processor.

    Raises:
        ImportError: If a package is missing: SmolLM2's, or peft for LoRA.
        ValueError: If the folder holds no language model.
    """
    queries, query_levels = compressed(levels, queries)
    model, tokenizer = from_causal_lm(
        source,
        token_dim,
        tuple(levels),
        prompt_attention="memory",
        queries=queries,
        query_levels=query_levels,
        query_layers=query_layers,
        perception=dict(perception or {}),
        look_around=look_around,
    )
    longest = getattr(model.config.text, "max_position_embeddings", None)
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
        max_length=MAX_PROMPT if longest is None else min(MAX_PROMPT, longest),
    )
    return (new_lora(model, lora_rank) if lora_rank else model), processor


def load_to_train(folder: str | Path, lora_rank: int = 0) -> tuple[Any, Dynam3DProcessor]:
    """A saved model to be trained on, and its processor.

    Args:
        folder: What `agents.vlm.checkpoint.save_agent` wrote.
        lora_rank: Puts a new adapter of this rank on a whole model; 0 trains it whole. An adapter that is in
            the folder is trained on as it is.

    Raises:
        FileNotFoundError: If the folder holds no model.
        CheckpointError: If model and processor do not fit each other.
        ValueError: If the folder holds an adapter of another rank than is asked for.
    """
    processor = Dynam3DProcessor.from_pretrained(folder)
    fits = {
        "token_dim": processor.token_dim,
        "levels": processor.levels,
        "tokenizer": processor.tokenizer,
    }
    model = load_model(folder, trainable=True, **fits)
    if not (Path(folder) / ADAPTER).is_file():
        return (new_lora(model, lora_rank) if lora_rank else model), processor
    found = model.peft_config[model.active_adapter].r
    if lora_rank not in (0, found):
        raise ValueError(
            f"{folder} holds a LoRA adapter of rank {found}, lora_rank is {lora_rank}: leave it at 0 to "
            "go on with the adapter"
        )
    return model, processor
