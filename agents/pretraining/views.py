"""RGB-D views with instance ids from random poses: rendered once a setting, then memory-mapped."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from vlnenv import houses
from vlnenv.cache import cached_folder, open_folder
from vlnenv.houses.house import VERSION as HOUSES_VERSION
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Instance, Scene
from vlnenv.sim.simulator import Frames, Simulator

_VERSION = 1
_AIM_RANGE_M = 6.0
_BATCH = 32


@dataclass(frozen=True)
class ViewsConfig:
    """Which views are rendered."""

    group: str = "train"
    """Group of built-in houses; no house is in two groups."""
    houses: int = 240
    """The first so many houses of the group (the episodes of the split "train" use the first 60)."""
    views_per_house: int = 64
    size: int = 192
    """Pixels across and down, a multiple of 24."""
    aimed: float = 0.5
    """Part of the views that look at an object within 6 m, each category of the house as often; the others
    look anywhere."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("houses", "views_per_house"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.size < 24 or self.size % 24:
            raise ValueError(f"size must be a multiple of 24, got {self.size}")
        if not 0.0 <= self.aimed <= 1.0:
            raise ValueError(f"aimed must lie in [0, 1], got {self.aimed}")


@dataclass(frozen=True)
class Views:
    """n views of the task's camera at another resolution; the arrays are memory-mapped and read-only."""

    rgb: np.ndarray
    """uint8 (n, size, size, 3)."""
    depth_mm: np.ndarray
    """uint16 (n, size, size) millimetres along the optical axis; 0 where nothing was hit."""
    instance: np.ndarray
    """int16 (n, size, size) instance ids of the view's scene; 0 where nothing was hit."""
    scene: np.ndarray
    """int32 (n,) index into `scene_ids`."""
    position_m: np.ndarray
    """float64 (n, 3) the agent's feet."""
    heading_rad: np.ndarray
    """float64 (n,)."""
    scene_ids: tuple[str, ...]
    instances: tuple[tuple[Instance, ...], ...]
    """The instances of each scene; of each only id, name, category and colour."""
    data_hash: str
    """Hash of the setting and of every array."""

    def __len__(self) -> int:
        return len(self.scene)


def load_views(config: ViewsConfig) -> Views:
    """The views of a setting: out of the cache, or rendered now, with a progress bar."""
    settings = {**dataclasses.asdict(config), "generator": HOUSES_VERSION, "version": _VERSION}
    folder = cached_folder("views", settings, lambda building: _render(config, building, settings))
    return open_views(folder)


def open_views(folder: Path) -> Views:
    """Memory-map the views in a folder."""
    index, arrays = open_folder(folder)
    return Views(
        **arrays,
        scene_ids=tuple(index["scene_ids"]),
        instances=tuple(tuple(Instance(*facts) for facts in scene) for scene in index["instances"]),
        data_hash=index["data_hash"],
    )


def draw_poses(
    simulator: Simulator, scene: Scene, count: int, aimed: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random poses on the walkable floor.

    Args:
        simulator: Knows where one can stand.
        scene: The scene.
        count: How many.
        aimed: Chance that a pose looks at an object within 6 m rather than anywhere; each category that has
            one there is as likely. Walls may stand between.
        rng: Source of chance.

    Returns:
        Positions float64 (count, 3) and headings float64 (count,).
    """
    position_m = simulator.sample(scene, rng, count)
    heading_rad = rng.uniform(-np.pi, np.pi, count)
    centre_m = np.array([np.mean(instance.bounds_m, axis=0) for instance in scene.instances])
    category = np.array([instance.category for instance in scene.instances])
    for row in np.flatnonzero(rng.random(count) < aimed):
        offset_m = centre_m - position_m[row]
        near = np.hypot(offset_m[:, 0], offset_m[:, 2]) < _AIM_RANGE_M
        if near.any():
            wanted = rng.choice(np.unique(category[near]))
            x, _, z = offset_m[rng.choice(np.flatnonzero(near & (category == wanted)))]
            heading_rad[row] = np.arctan2(-x, -z) + rng.normal(scale=0.3)
    return position_m, heading_rad


def _render(config: ViewsConfig, building: Path, settings: dict[str, object]) -> None:
    """Render all views."""
    n, size = config.houses * config.views_per_house, config.size
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "rgb": ((n, size, size, 3), np.uint8),
        "depth_mm": ((n, size, size), np.uint16),
        "instance": ((n, size, size), np.int16),
        "scene": ((n,), np.int32),
        "position_m": ((n, 3), np.float64),
        "heading_rad": ((n,), np.float64),
    }
    arrays = {
        name: np.lib.format.open_memmap(building / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)
        for name, (shape, dtype) in shapes.items()
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    camera = Camera(width=size, height=size)
    scene_ids = [f"houses/{config.group}/{number:04d}" for number in range(config.houses)]
    instances = []
    for number, scene_id in enumerate(tqdm(scene_ids, desc="views", unit="house", smoothing=0.05)):
        scene = simulator.load(scene_id)
        instances.append([(each.id, each.name, each.category, each.color) for each in scene.instances])
        rng = np.random.default_rng([config.seed, number])
        position_m, heading_rad = draw_poses(simulator, scene, config.views_per_house, config.aimed, rng)
        for start in range(0, config.views_per_house, _BATCH):
            part = slice(start, start + _BATCH)
            frames = simulator.render(scene, position_m[part], heading_rad[part], camera)
            rows = slice(
                number * config.views_per_house + start,
                number * config.views_per_house + start + len(position_m[part]),
            )
            _store(arrays, rows, frames)
            arrays["scene"][rows] = number
            arrays["position_m"][rows], arrays["heading_rad"][rows] = position_m[part], heading_rad[part]
            for array in arrays.values():
                digest.update(np.ascontiguousarray(array[rows]).tobytes())
    for array in arrays.values():
        array.flush()
    index = {
        "settings": settings,
        "arrays": sorted(arrays),
        "scene_ids": scene_ids,
        "instances": instances,
        "data_hash": digest.hexdigest()[:16],
    }
    (building / "index.json").write_text(json.dumps(index))


def _store(arrays: Mapping[str, np.ndarray], rows: slice, frames: Frames) -> None:
    assert frames.rgb is not None
    assert frames.depth is not None
    assert frames.instance is not None
    arrays["rgb"][rows] = frames.rgb
    arrays["depth_mm"][rows] = np.rint(1000.0 * frames.depth).astype(np.uint16)
    arrays["instance"][rows] = frames.instance
