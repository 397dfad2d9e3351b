"""What all agents share, and the agents that come with the package, by name."""

from __future__ import annotations

import importlib
import importlib.util
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from vlnenv.errors import unknown_name
from vlnenv.evaluation.agent import Agent, PrivilegedAgent, PublicEpisode

STOP, FORWARD, LEFT, RIGHT = range(4)
"""Values of the discrete action space."""

WEIGHTS = Path(__file__).parent / "weights"
_MODELS = ("model.safetensors", "adapter_model.safetensors")
"""A folder with such a file is a 3D-VLM's: whole, or a LoRA adapter."""

_MODULES = {
    "random": "agents.random:RandomAgent",
    "forward": "agents.random:ForwardAgent",
    "expert": "agents.expert:ExpertAgent",
}


def agent_names() -> list[str]:
    """Names that `load` knows: agents without weights, then the shipped trained ones."""
    return [*_MODULES, *trained_names()]


def trained_names() -> list[str]:
    """Names of the shipped agents that have weights."""
    files = (path.stem for path in WEIGHTS.glob("*.safetensors"))
    folders = (path.parent.name for name in _MODELS for path in WEIGHTS.glob(f"*/{name}"))
    return sorted((*files, *folders))


def weights_path(name_or_path: str | Path) -> Path:
    """The weights file of a shipped trained agent, or of a path as it is; of a folder the model in it.

    Raises:
        ValueError: If it is neither; the message names the nearest shipped agent.
    """
    path = Path(name_or_path)
    if path.suffix == ".safetensors":
        return path
    inside = [folder / name for folder in (WEIGHTS / path, path) for name in _MODELS]
    for found in (WEIGHTS / f"{name_or_path}.safetensors", *inside):
        if found.is_file():
            return found
    known = [*trained_names(), "FILE.safetensors", "FOLDER"]
    raise ValueError(unknown_name("trained agent", str(name_or_path), known))


def load(name: str, seed: int = 0, temperature: float = 0.0) -> Agent | PrivilegedAgent:
    """An agent by name.

    Args:
        name: One of `agent_names()`, a policy's or baseline's `.safetensors` file, a 3D-VLM's folder, or
            `module:attribute`, a callable that makes an agent of yours.
        seed: For agents that draw random numbers.
        temperature: For trained policies: 0 takes the best action, else actions are drawn.

    Raises:
        ValueError: If there is no such agent; the message names the nearest one.
        FileNotFoundError: If there is no such file.
    """
    if name in _MODULES:
        module, attribute = _MODULES[name].split(":")
        made = getattr(importlib.import_module(module), attribute)
        return made(seed=seed) if name == "random" else made()
    if ":" in name and not name.endswith(".safetensors"):
        return _import_agent(name)
    try:
        weights = weights_path(name)
    except ValueError:
        choices = [*agent_names(), "FILE.safetensors", "FOLDER", "module:attribute"]
        raise ValueError(unknown_name("agent", name, choices)) from None
    from agents.checkpoint import best_device, file_format, load_policy

    if weights.name in _MODELS:
        return _load_vlm(weights.parent, temperature, seed)
    from agents.baselines.agent import BaselineAgent
    from agents.baselines.checkpoint import FORMAT, load_baseline
    from agents.trained import PolicyAgent

    if file_format(weights) == FORMAT:
        return BaselineAgent(load_baseline(weights).to(best_device()), temperature, seed)

    return PolicyAgent(load_policy(weights).to(best_device()), temperature, seed)


def _load_vlm(folder: Path, temperature: float, seed: int) -> Agent:
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise ImportError(f"{folder.name} needs transformers: pip install 'vlnenv[train]'") from error
    from agents.checkpoint import best_device
    from agents.vlm.agent import VLMAgent

    agent = VLMAgent.from_pretrained(folder, temperature, seed)
    agent.model.to(best_device())
    return agent


def _import_agent(name: str) -> Any:
    module, attribute = name.split(":", 1)
    try:
        return getattr(importlib.import_module(module), attribute)()
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"no agent {name!r}: {error}") from error


def episode_rng(seed: int, episode: PublicEpisode) -> np.random.Generator:
    """Random numbers of one episode, whatever runs beside or before it."""
    return np.random.default_rng([seed, zlib.crc32(episode.episode_id.encode())])


def best_trained() -> str:
    """The shipped trained agent to show: the best one without privileged senses that can run here.

    Raises:
        ValueError: If none is shipped.
    """
    needs = {"dynam3d-tiny": "transformers"}
    for name in ("dynam3d-tiny", "bc", "bc_semantic"):
        runs = name not in needs or importlib.util.find_spec(needs[name]) is not None
        if runs and name in trained_names():
            return name
    raise ValueError("no trained agent is shipped here: run `vlnenv train bc`, then name its weights")
