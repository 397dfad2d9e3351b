"""Saved 3D-VLMs, whole or as LoRA adapters, checked against what they are to work with."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedConfig

from agents.checkpoint import CheckpointError
from agents.vlm.automaton import special_id
from agents.vlm.backbones import from_causal_lm
from agents.vlm.config import Dynam3DConfig
from agents.vlm.model import Dynam3DForCausalLM, answer_bias
from agents.vlm.prompt import ANSWER, LEVEL_TOKENS, TRUNCATE

ADAPTER = "adapter_config.json"
BASE = "dynam3d.json"
"""Configuration of the model that an adapter is for, in the adapter's folder."""
_MEMORY_PARTS = ("memory_embedding", "query_transformer")


def load_model(
    folder: str | Path,
    *,
    token_dim: int | None = None,
    levels: Sequence[str] | None = None,
    tokenizer: Any = None,
    trainable: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Read a model that `save_pretrained` or `save_adapter` wrote, in evaluation mode.

    Args:
        folder: Where it is, or its name on a hub.
        token_dim: Length of the tokens that it is to read; None takes any.
        levels: Levels that it is to read; None takes any.
        tokenizer: The tokenizer that it is to work with; None for no check.
        trainable: For an adapter, whether its weights are to be trained on.
        dtype: Of its weights.

    Returns:
        A `Dynam3DForCausalLM`, or a `peft.PeftModel` around one.

    Raises:
        FileNotFoundError: If a local folder has no model.
        CheckpointError: If it is not one, is incomplete, or does not fit; the message names both sides.
    """
    path = Path(folder)
    if path.is_dir() and not any((path / name).is_file() for name in ("config.json", ADAPTER)):
        raise FileNotFoundError(f"no model in {path}: expected config.json or {ADAPTER}")
    if (path / ADAPTER).is_file():
        config = _base_config(path)
        check_fit(config, str(folder), token_dim, levels, tokenizer)
        return _load_adapter(path, config, trainable, dtype)
    try:
        config = Dynam3DConfig.from_pretrained(str(folder))
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    check_fit(config, str(folder), token_dim, levels, tokenizer)
    try:
        loaded: Any = Dynam3DForCausalLM.from_pretrained(
            str(folder), config=config, dtype=dtype, output_loading_info=True, use_safetensors=True
        )
    except RuntimeError as error:
        raise CheckpointError(
            f"the weights in {folder} do not fit the sizes of its own config.json: {error}"
        ) from error
    model, report = loaded
    lacking, unknown = sorted(report["missing_keys"]), sorted(report["unexpected_keys"])
    if lacking or unknown:
        raise CheckpointError(
            f"the weights in {folder} are not those of its config.json: expected also {lacking[:3]} "
            f"({len(lacking)} in all), found {unknown[:3]} ({len(unknown)} in all) that it has no place for"
        )
    return model.eval()


def check_fit(
    config: Dynam3DConfig,
    name: str,
    token_dim: int | None = None,
    levels: Sequence[str] | None = None,
    tokenizer: Any = None,
) -> None:
    """Refuse a model for another memory or tokenizer than those it is to work with; None takes any.

    Raises:
        CheckpointError: Naming both sides.
    """
    if token_dim is not None and token_dim != config.token_dim:
        raise CheckpointError(
            f"{name} reads memory tokens of length {config.token_dim}, the memory's have length {token_dim}: "
            "use the encoder that it was trained with"
        )
    if levels is not None and sorted(levels) != sorted(config.levels):
        raise CheckpointError(
            f"{name} reads the levels {list(config.levels)}, it is given {list(levels)}: use the processor "
            "that was saved beside it"
        )
    if tokenizer is None:
        return
    if len(tokenizer) > config.text.vocab_size:
        raise CheckpointError(
            f"{name} has {config.text.vocab_size} tokens, the tokenizer has {len(tokenizer)}: use the one "
            "that was saved beside it"
        )
    assert config.level_token_ids is not None
    expected: dict[str, int | None] = {
        LEVEL_TOKENS[level]: token for level, token in config.level_token_ids.items()
    }
    expected |= {ANSWER: config.answer_token_id, TRUNCATE: config.truncate_token_id}
    for token, index in expected.items():
        if index is None:
            continue
        try:
            found = special_id(tokenizer, token)
        except ValueError as error:
            raise CheckpointError(
                f"{name} has the token {token!r} with the id {index}, but {error}"
            ) from error
        if found != index:
            raise CheckpointError(
                f"{name} has the token {token!r} with the id {index}, the tokenizer with the id {found}: use "
                "the one that was saved beside it"
            )


def with_lora(model: Dynam3DForCausalLM, lora: Any) -> Any:
    """A model whose language model is trained by LoRA and whose memory parts are trained whole.

    Args:
        model: Its weights are frozen, but for those named here.
        lora: A `peft.LoraConfig`. Where it says nothing, `target_modules` becomes all linear layers of the
            language model and `modules_to_save` the memory's projectors. Leave `trainable_token_indices`
            alone where embeddings are tied: peft's wrapper of the head has no bias, which answers need.

    Returns:
        A `peft.PeftModel`; with its adapter off it is the model as it came, apart from those parts.

    Raises:
        ImportError: If peft is not installed.
    """
    peft = _peft()
    backbone = model.model
    if lora.target_modules is None:
        leaves = {
            name.rpartition(".")[2]
            for name, module in backbone.language_model.named_modules()
            if isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"
        }
        lora.target_modules = rf".*language_model\..*\.({'|'.join(map(re.escape, sorted(leaves)))})"
    if lora.modules_to_save is None:
        # Not "memory": peft matches the ends of names.
        lora.modules_to_save = [part for part in _MEMORY_PARTS if getattr(backbone, part) is not None]
    lora.task_type = lora.task_type or "CAUSAL_LM"
    return peft.get_peft_model(model, lora)


def new_lora(model: Dynam3DForCausalLM, rank: int) -> Any:
    """`with_lora` at a rank, with twice the rank as alpha, as Dynam3D trains (rank 128, alpha 256)."""
    return with_lora(model, _peft().LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0))


def plain_model(model: Any) -> Dynam3DForCausalLM:
    """The 3D-VLM itself, whether a `peft.PeftModel` is around it or not; its layers are not changed."""
    return model if isinstance(model, Dynam3DForCausalLM) else model.get_base_model()


def save_adapter(model: Any, folder: str | Path) -> None:
    """Write a LoRA model's trained weights, and the configuration of the model that they are for.

    Args:
        model: What `with_lora` returned, around a model of `from_causal_lm` (or a saved one, whose folder is
            then needed to load it again).
        folder: Created where missing. The tokenizer, or the processor, is saved apart.
    """
    base = model.get_base_model()
    fields = base.config.to_dict()
    fields["base_folder"] = base.config._name_or_path or None
    model.save_pretrained(str(folder), save_embedding_layers=False)
    (Path(folder) / BASE).write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")


def _base_config(folder: Path) -> Dynam3DConfig:
    """The configuration beside an adapter."""
    path = folder / BASE
    if not path.is_file():
        raise CheckpointError(
            f"{folder} holds an adapter but no {BASE}: expected what agents.vlm.loading.save_adapter writes"
        )
    fields = json.loads(path.read_text())
    name = fields.pop("base_folder", None)
    config = Dynam3DConfig.from_dict(fields)
    config._name_or_path = name or ""
    return config


def _load_adapter(folder: Path, config: Dynam3DConfig, trainable: bool, dtype: torch.dtype) -> Any:
    """An adapter on the model that it was made for."""
    peft = _peft()
    if config._name_or_path:
        base = load_model(config._name_or_path, dtype=dtype)
    elif config.source is not None:
        base, _ = from_causal_lm(config.source, config.token_dim, config.levels, dtype=dtype, **_own(config))
        config.text_config = base.config.text_config
        base.config = base.model.config = config
        base.lm_head.bias.copy_(answer_bias(config))
    else:
        raise CheckpointError(f"{folder} does not say which language model its adapter is for")
    for field in ("token_dim", "levels", "level_token_ids", "answer_token_id"):
        ours, theirs = getattr(base.config, field), getattr(config, field)
        if ours != theirs:
            raise CheckpointError(f"the adapter in {folder} is for {field} {theirs}, its base has {ours}")
    return peft.PeftModel.from_pretrained(base, str(folder), is_trainable=trainable).eval()


def _own(config: Dynam3DConfig) -> dict[str, Any]:
    """The fields of a configuration that neither the language model nor its tokenizer decides."""
    given = {field.name for field in dataclasses.fields(PreTrainedConfig)}
    given |= {"text_config", "tie_word_embeddings", "token_dim", "levels", "source", "image_token_id"}
    given |= {"level_token_ids", "answer_token_id", "truncate_token_id", "action_token_ids"}
    names = (field.name for field in dataclasses.fields(config))
    return {name: getattr(config, name) for name in names if name not in given}


def _peft() -> Any:
    try:
        import peft
    except ImportError as error:
        raise ImportError(f"LoRA needs peft, which is not installed ({error}): pip install peft") from error
    return peft
