"""A policy on disk: its weights as safetensors, with all that rebuilds it in the file's metadata."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from agents.config import Perception
from agents.policy import NavigationPolicy, PolicyConfig
from vlnenv.cache import write_atomic
from vlnenv.evaluation.manifest import file_hash

_FORMAT = "vlnenv-policy-2"


class CheckpointError(ValueError):
    """A file is not a policy that this version can read."""


def save_policy(path: str | Path, policy: NavigationPolicy, card: Mapping[str, Any] | None = None) -> None:
    """Write a policy atomically, and its card beside it as `<name>.json`.

    Args:
        path: A `.safetensors` file; its folder is created where missing.
        policy: Weights are written exactly, as float32.
        card: Where the weights come from: command, seed, data hash, figures. JSON values only.
    """
    path = Path(path)
    config = dataclasses.asdict(policy.config)
    metadata = {"format": _FORMAT, "config": json.dumps(config, sort_keys=True)}
    tensors = {name: value.detach().cpu().contiguous() for name, value in policy.state_dict().items()}
    write_atomic(path, safetensors.torch.save(tensors, metadata=metadata))
    if card is not None:
        save_card(path, card)


def save_card(path: str | Path, card: Mapping[str, Any]) -> None:
    """Write the card of a policy's file atomically beside it, with the file's SHA-256 added.

    Args:
        path: The policy's `.safetensors` file.
        card: Where the weights come from, see `save_policy`.

    Raises:
        FileNotFoundError: If the policy's file is not there.
    """
    path = Path(path)
    text = json.dumps({**card, "sha256": file_hash(path)}, indent=2, sort_keys=True) + "\n"
    write_atomic(path.with_suffix(".json"), text.encode())


def load_policy(path: str | Path, token_dim: int | None = None) -> NavigationPolicy:
    """Read a policy, in evaluation mode, on the CPU.

    Args:
        path: A file that `save_policy` wrote.
        token_dim: The length of the tokens it is to read; None takes any.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is not a policy, or one for tokens of another length.
    """
    metadata, tensors = read_weights(path, _FORMAT, "policy")
    try:
        fields = json.loads(metadata["config"])
        words, levels = tuple(fields.pop("words")), tuple(fields.pop("levels"))
        perception = Perception(**fields.pop("perception"))
        policy = NavigationPolicy(PolicyConfig(words, levels, perception, **fields))
        policy.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds a policy that this version cannot rebuild: {error}") from error
    if token_dim is not None and policy.config.token_dim != token_dim:
        raise CheckpointError(
            f"{path} was trained on tokens of length {policy.config.token_dim}, but the environment's have "
            f"length {token_dim}: use the encoder that it was trained with"
        )
    return policy.eval()


def read_weights(
    path: str | Path, expected_format: str, what: str
) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and tensors of a safetensors file.

    Args:
        path: The file.
        expected_format: What its metadata must say that it is.
        what: The same for a reader.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no {what} file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(f"{path} is not a readable safetensors file: {error}") from error
    if metadata.get("format") != expected_format:
        raise CheckpointError(
            f"{path} is not a {what} of this version: expected format {expected_format!r}, "
            f"found {metadata.get('format')!r}"
        )
    return metadata, tensors


def file_format(path: str | Path) -> str | None:
    """What a safetensors file says that it is; None where it is not there, not readable, or says nothing."""
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("format")
    except (OSError, SafetensorError):
        return None


def best_device() -> torch.device:
    """CUDA where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
