"""A baseline on disk: its weights as safetensors, with all that rebuilds it in the file's metadata."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch

from agents.baselines.networks import BaselineNetwork, NetworkConfig, make_network
from agents.checkpoint import CheckpointError, read_weights, save_card
from agents.config import Perception
from vlnenv.cache import write_atomic

FORMAT = "vlnenv-baseline-1"


def save_baseline(path: str | Path, network: BaselineNetwork, card: Mapping[str, Any] | None = None) -> None:
    """Write a baseline atomically, and its card beside it as `<name>.json`.

    Args:
        path: A `.safetensors` file; its folder is created where missing.
        network: Weights are written exactly, as float32.
        card: Where the weights come from: command, seed, data, figures. JSON values only.
    """
    config = json.dumps(dataclasses.asdict(network.config), sort_keys=True)
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_atomic(path, safetensors.torch.save(tensors, metadata={"format": FORMAT, "config": config}))
    if card is not None:
        save_card(path, card)


def load_baseline(path: str | Path) -> BaselineNetwork:
    """Read a baseline, in evaluation mode, on the CPU.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is not a baseline.
    """
    metadata, tensors = read_weights(path, FORMAT, "baseline")
    try:
        fields = json.loads(metadata["config"])
        words, perception = tuple(fields.pop("words")), Perception(**fields.pop("perception"))
        network = make_network(NetworkConfig(words=words, perception=perception, **fields))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"{path} holds a baseline that this version cannot rebuild: {error}") from error
    return network.eval()
