"""Weight files of the memory's networks: safetensors with a format name and the config in the metadata."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vlnenv.cache import write_atomic

Network = TypeVar("Network", bound=nn.Module)


def save_weights(
    path: str | Path,
    tensors: Mapping[str, Tensor],
    file_format: str,
    config: Any,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Write a network's weights atomically.

    Args:
        path: A `.safetensors` file.
        tensors: By name, on any device.
        file_format: Name and version of what the file holds.
        config: Dataclass instance that the network is built from.
        facts: More metadata: where the weights come from.

    Raises:
        OSError: If the file cannot be written.
    """
    metadata = {
        **(facts or {}),
        "format": file_format,
        "config": json.dumps(dataclasses.asdict(config), sort_keys=True),
    }
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomic(path, safetensors.torch.save(plain, metadata=metadata))


def load_weights(
    path: str | Path,
    file_format: str,
    build: Callable[[dict[str, Any]], Network],
    *,
    what: str,
    remedy: str,
) -> Network:
    """The network that `save_weights` wrote, in evaluation mode, float32, on the CPU.

    Args:
        path: The file.
        file_format: As it was written with.
        build: Makes the network from the config's fields.
        what: The network's name in messages: "mini network".
        remedy: What to do where the file is missing.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it does not hold a network of this version.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no weights of the {what} at {path}; {remedy}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        if metadata.get("format") != file_format:
            raise ValueError(f"expected format {file_format!r}, found {metadata.get('format')!r}")
        network = build(json.loads(metadata["config"]))
        network.load_state_dict(tensors)
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} holds no {what} that this version can read: {error}") from error
    return network.eval()
