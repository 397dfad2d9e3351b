"""`vlnenv doctor`: what is installed, what is cached, and what this machine offers."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

CORE = (
    "vlnenv",
    "gymnasium",
    "numpy",
    "scipy",
    "numba",
    "trimesh",
    "embreex",
    "torch",
    "safetensors",
    "tyro",
)
EXTRAS: dict[str, tuple[str, ...]] = {
    "train": ("stable-baselines3", "tensorboard"),
    "viewer": ("imageio", "imageio-ffmpeg", "matplotlib"),
    "open3d": ("open3d",),
    "segmenters": ("scikit-image",),
    "sam, clip, text": ("transformers",),
    "fastsam": ("ultralytics",),
    "none: conda, see docs/habitat.md": ("habitat-sim",),
}


def report() -> str:
    """The report, as text."""
    lines = [
        f"Python {platform.python_version()} on {platform.platform()}",
        f"  {sys.executable}",
        "",
        "Core",
    ]
    lines += [_package(name) for name in CORE]
    for extra, names in EXTRAS.items():
        lines += ["", f"Extra [{extra}]", *(_package(name) for name in names)]
    return "\n".join([*lines, "", *_machine(), "", *_data(), "", *_senses(), "", *_agents()])


def _package(name: str) -> str:
    try:
        return f"  {name:<20}{metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"  {name:<20}not installed"


def _machine() -> list[str]:
    import torch

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        "Machine",
        f"  {'usable cores':<20}{cores}",
        f"  {'torch threads':<20}{torch.get_num_threads()}",
        f"  {'GPU':<20}{', '.join(gpus) or 'none'}",
    ]


def _data() -> list[str]:
    from vlnenv import data
    from vlnenv.cache import cache_dir
    from vlnenv.datasets import EPISODES

    cache = cache_dir()
    files = [path for path in cache.rglob("*") if path.is_file()] if cache.is_dir() else []
    size = sum(path.stat().st_size for path in files)
    lines = ["Data", f"  {'cache':<20}{cache} ({len(files)} files, {size / 1e6:.1f} MB; may be deleted)"]
    for name in EPISODES:
        splits = data.installed_splits(name)
        where = ", ".join(splits) if splits else f"not below {data.data_dir()} (set VLNENV_DATA)"
        lines.append(f"  {name:<20}{where}")
    return [*lines, f"  {'houses':<20}built in"]


def _agents() -> list[str]:
    from agents.base import agent_names, trained_names

    trained = trained_names()
    lines = ["Agents"]
    for name in agent_names():
        lines.append(f"  {name:<20}{_about_trained(name) if name in trained else 'no weights'}")
    return lines


def _about_trained(name: str) -> str:
    """Size of a shipped agent's weights, and what it reads and sees with."""
    from agents.base import load, weights_path
    from agents.trained import TrainedAgent

    size = f"{weights_path(name).stat().st_size / 1e6:.1f} MB of weights"
    try:
        agent = load(name)
    except ImportError as error:
        return f"{size}; {error}"
    assert isinstance(agent, TrainedAgent)
    return f"{size}, reads {' + '.join(agent.levels)} tokens of encoder {agent.perception.encoder}"


def _senses() -> list[str]:
    """What the environment sees with by default, and its shipped weights."""
    from vlnenv.config import EnvConfig
    from vlnenv.memory.levels import LEVELS_FILE

    config = EnvConfig()
    files = sorted(LEVELS_FILE.parent.glob("*.safetensors"))
    sizes = ", ".join(f"{file.stem} ({file.stat().st_size / 1e6:.1f} MB)" for file in files)
    return [
        "Senses",
        f"  {'default':<20}encoder {config.encoder}, segmenter {config.segmenter}, levels {config.levels}",
        f"  {'shipped weights':<20}{sizes or 'none'}",
    ]
