"""What every trainer here shares: the learning rate's course, and a run's state as one file to go on from."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from vlnenv.cache import write_atomic


def warm_cosine(update: int, total: int) -> float:
    """Part of the peak learning rate, in (0, 1]: rises over 3 % of the updates, falls to 0 as a cosine."""
    warm_up = max(1, round(0.03 * total))
    if update < warm_up:
        return (update + 1) / warm_up
    return 0.5 * (1.0 + math.cos(math.pi * (update - warm_up) / max(1, total - warm_up)))


def append_point(path: Path, point: Mapping[str, Any]) -> None:
    """Add a point to a curve file, replacing points at or after its "update" that a cut-off run left."""
    points = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
    points = [old for old in points if old["update"] < point["update"]] + [dict(point)]
    write_atomic(path, "".join(json.dumps(each, sort_keys=True) + "\n" for each in points).encode())


def save_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    metadata: Mapping[str, str],
    omit_frozen: Collection[str] = (),
) -> None:
    """Write all that a run needs to go on, atomically, as safetensors.

    Args:
        path: The file.
        modules: By the prefix of their tensors' names.
        optimizer: Of the Adam family: all state in tensors.
        metadata: Must hold "settings", a JSON object of what has to be the same for the run to go on.
        omit_frozen: Modules whose frozen parameters are left out, because what makes the module has them,
            such as a pretrained language model under LoRA.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in modules.items():
        frozen = _frozen(module) if prefix in omit_frozen else set()
        kept = {name: value for name, value in module.state_dict().items() if name not in frozen}
        tensors |= {f"{prefix}.{name}": value for name, value in kept.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{index}.{name}": value for name, value in state.items()}
    # Copies: safetensors refuses tensors that share memory, as tied embeddings do.
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    write_atomic(path, safetensors.torch.save(tensors, metadata=dict(metadata)))


def load_state(
    path: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    settings: str,
    defaults: str = "{}",
) -> dict[str, str]:
    """Put a run back to `save_state`.

    Args:
        path: The file.
        modules: Those that were saved. Frozen parameters that were left out stay as they are.
        optimizer: Over the same parameters.
        settings: JSON object that has to equal the saved one.
        defaults: JSON object of settings that a file may lack, because they are newer than it.

    Returns:
        The metadata.

    Raises:
        ValueError: If the file was written under other settings; the message names one that differs.
    """
    with safetensors.safe_open(path, framework="pt") as file:
        metadata: dict[str, str] = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    now = json.loads(settings)
    before = {**json.loads(defaults), **json.loads(metadata["settings"])}
    for name in now:
        if before.get(name) != now[name]:
            raise ValueError(
                f"{path.parent} holds a run with {name} = {before.get(name)!r}, now it is {now[name]!r}: "
                "choose another --out, or repeat the old settings"
            )
    for prefix, module in modules.items():
        present = module.state_dict()
        frozen = {name: present[name] for name in _frozen(module)}
        module.load_state_dict({**frozen, **_part(tensors, f"{prefix}.")})
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "adam.").items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
    return metadata


def _frozen(module: nn.Module) -> set[str]:
    """Names of the parameters that are not trained, in all places where they are shared."""
    named = module.named_parameters(remove_duplicate=False)
    return {name for name, parameter in named if not parameter.requires_grad}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
