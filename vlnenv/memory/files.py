"""Memories as safetensors files: what was remembered in one run, to go on with in another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from vlnenv.cache import write_atomic
from vlnenv.memory.config import MemoryConfig
from vlnenv.memory.snapshot import MemorySnapshot

FORMAT = "vlnenv.memory"
VERSION = 2
"""Raised when old files can no longer be read."""


def save_memory(
    snapshot: MemorySnapshot, config: MemoryConfig, path: str | Path, about: Mapping[str, str] | None = None
) -> None:
    """Write a memory to a file, atomically.

    Args:
        snapshot: What to write.
        config: The limits it was gathered under; `load_memory` compares them.
        path: The file, `.safetensors` by custom; its folder is created where missing.
        about: Facts of the caller's, such as scene and encoder, given back by `load_memory`.

    Raises:
        OSError: If the file cannot be written; an older file of that name is then untouched.
    """
    tensors: dict[str, torch.Tensor] = {}
    numbers: dict[str, int] = {}
    for field in fields(snapshot):
        value = getattr(snapshot, field.name)
        if isinstance(value, torch.Tensor):
            tensors[field.name] = value.cpu().contiguous()
        else:
            numbers[field.name] = int(value)
    metadata = {
        "format": FORMAT,
        "version": str(VERSION),
        "dim": str(snapshot.features.shape[1]),
        "config": json.dumps(asdict(config), sort_keys=True),
        "numbers": json.dumps(numbers, sort_keys=True),
        "about": json.dumps(dict(about or {}), sort_keys=True),
    }
    write_atomic(path, save_tensors(tensors, metadata))


def load_memory(
    path: str | Path, dim: int, config: MemoryConfig, device: str | torch.device = "cpu"
) -> tuple[MemorySnapshot, dict[str, str]]:
    """Read a memory that fits a memory of the given kind.

    Args:
        path: A file of `save_memory`.
        dim: Length of a feature there.
        config: Limits there. A setting that the file's writer did not know counts as its default.
        device: Where the tensors go.

    Returns:
        The memory, and what its writer said about it.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no memory or a damaged one, is of another version, or has another `dim` or
            config; the message names both sides.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no memory file {path}")
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            metadata = file.metadata() or {}
            _check(path, metadata, dim, config)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        numbers = json.loads(metadata["numbers"])
        about = json.loads(metadata["about"])
        snapshot = MemorySnapshot(**tensors, **numbers)
    except (SafetensorError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged or no memory: {error}") from error
    return snapshot, about


def _check(path: Path, metadata: Mapping[str, str], dim: int, config: MemoryConfig) -> None:
    if metadata.get("format") != FORMAT:
        raise ValueError(
            f"{path} holds no memory: expected format {FORMAT!r}, got {metadata.get('format')!r}"
        )
    if metadata["version"] != str(VERSION):
        raise ValueError(f"{path} is of version {metadata['version']}; this vlnenv reads version {VERSION}")
    if metadata["dim"] != str(dim):
        raise ValueError(
            f"{path} holds features of {metadata['dim']}, this memory of {dim}; "
            "use the encoder that it was made with"
        )
    saved = json.loads(metadata["config"])
    defaults = {f.name: f.default for f in fields(MemoryConfig) if f.default is not MISSING}
    here = asdict(config)
    differing = [
        f"{name} {saved.get(name, defaults.get(name))!r} in the file and {here.get(name)!r} here"
        for name in sorted({*saved, *here})
        if saved.get(name, defaults.get(name)) != here.get(name, defaults.get(name))
    ]
    if differing:
        raise ValueError(f"{path} was made with other settings: {'; '.join(differing)}")
