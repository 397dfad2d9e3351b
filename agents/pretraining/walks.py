"""Walks through built-in houses: RGB-D views in order, their true instances and segments, and patch features.

What was seen is rendered once a setting and memory-mapped; features are computed once an encoder on top.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from agents.pretraining.config import WalksConfig
from vlnenv import houses
from vlnenv.cache import build_folder, cached_folder, open_folder
from vlnenv.houses.house import VERSION as HOUSES_VERSION
from vlnenv.memory.encoder import PATCH_GRID, Encoder, make_encoder
from vlnenv.memory.mini import WEIGHTS, MiniEncoder
from vlnenv.memory.segmenters import PatchGraphSegmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres, numbered
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import FORWARD, LEFT, follow
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames, Simulator

_VERSION = 1
_BATCH = 16
_TURN_RAD = math.radians(15.0)
SEGMENTERS = ("patchgraph", "oracle")
"""Whose segments a walk carries."""


@dataclass(frozen=True)
class Walks:
    """w walks of s views; the arrays are memory-mapped and read-only."""

    scene_ids: tuple[str, ...]
    """(w,)"""
    position_m: np.ndarray
    """float64 (w, s, 3) the agent's feet."""
    heading_rad: np.ndarray
    """float64 (w, s)."""
    rgb: np.ndarray
    """uint8 (w, s, size, size, 3)."""
    depth_mm: np.ndarray
    """uint16 (w, s, size, size) along the optical axis; 0 where nothing was hit."""
    instance: np.ndarray
    """int16 (w, s, 24, 24) true instance id of each patch; 0 where nothing was hit."""
    patchgraph: np.ndarray
    """int16 (w, s, 24, 24) labels of the default segmenter."""
    data_hash: str
    """Of the setting and every array."""
    folder: Path

    @property
    def camera(self) -> Camera:
        """What the views were taken by."""
        return Camera(width=self.depth_mm.shape[2], height=self.depth_mm.shape[3])

    def depth_m(self, walk: int, views: slice) -> np.ndarray:
        """Depth images of a walk, float32 (views, size, size), metres."""
        return self.depth_mm[walk, views].astype(np.float32) / 1000.0

    def segments(self, walk: int, segmenter: str) -> np.ndarray:
        """Labels of all views of a walk, int64 (s, 24, 24).

        Raises:
            ValueError: If the walks do not carry that segmenter's labels.
        """
        if segmenter not in SEGMENTERS:
            raise ValueError(f"walks carry segments of {SEGMENTERS}, got {segmenter!r}")
        if segmenter == "oracle":
            return numbered(self.instance[walk].astype(np.int64))
        return self.patchgraph[walk].astype(np.int64)


def draw_walk(
    simulator: Simulator, scene: Scene, steps: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Poses of an agent that walks shortest ways between random places, in R2R-CE's steps and turns.

    Returns:
        Positions float64 (steps, 3) and headings float64 (steps,).
    """
    position_m, heading_rad = simulator.sample(scene, rng, 1)[0], rng.integers(24) * _TURN_RAD
    positions, headings = [position_m], [heading_rad]
    while len(positions) < steps:
        goal_m = simulator.sample(scene, rng, 1)
        way = follow(simulator, scene, position_m, heading_rad, goal_m, max_steps=steps)
        forward = 0
        for action in way.actions:
            if action == FORWARD:
                forward += 1
                position_m = way.positions_m[forward]
            elif action != 0:
                heading_rad += _TURN_RAD if action == LEFT else -_TURN_RAD
            else:
                continue
            positions.append(position_m)
            headings.append(heading_rad)
    return np.array(positions[:steps]), np.array(headings[:steps])


def load_walks(config: WalksConfig) -> Walks:
    """The walks of a setting: out of the cache, or made now, with a progress bar."""
    settings = {**dataclasses.asdict(config), "generator": HOUSES_VERSION, "version": _VERSION}
    folder = cached_folder("walks", settings, lambda building: _walk(config, building, settings))
    return open_walks(folder)


def open_walks(folder: Path) -> Walks:
    """Memory-map the walks in a folder."""
    index, arrays = open_folder(folder)
    return Walks(scene_ids=tuple(index["scene_ids"]), data_hash=index["data_hash"], folder=folder, **arrays)


def load_encoder(name: str, weights: str = "") -> tuple[Encoder, str]:
    """An encoder, and what tells it from others of its name: the hash of its weights, where it has any.

    Args:
        name: As `make_encoder` takes it.
        weights: A file for "mini"; empty for the shipped one.
    """
    if name != "mini":
        return make_encoder(name), ""
    path = Path(weights) if weights else WEIGHTS
    encoder = MiniEncoder(weights=path)
    return encoder, hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def walk_features(walks: Walks, encoder: Encoder, version: str = "") -> np.ndarray:
    """Patch features of all views by an encoder: out of the cache, or computed now.

    Args:
        walks: The views; their size is the encoder's, unless it reads instance ids alone.
        encoder: What encodes them.
        version: Tells apart encoders of one name, such as the hash of their weights.

    Returns:
        float16 (w, s, 24, 24, dim), memory-mapped.
    """
    folder = walks.folder / f"features-{encoder.name.replace('/', '_')}-{version or 'only'}"
    if not (folder / "features.npy").is_file():
        build_folder(folder, lambda building: _encode(walks, encoder, building))
    features: np.ndarray = np.load(folder / "features.npy", mmap_mode="r", allow_pickle=False)
    return features


def _walk(config: WalksConfig, building: Path, settings: dict[str, object]) -> None:
    shape, image = (config.houses, config.steps), (config.size, config.size)
    arrays = {
        name: np.lib.format.open_memmap(building / f"{name}.npy", mode="w+", dtype=dtype, shape=shape + rest)
        for name, dtype, rest in (
            ("position_m", np.float64, (3,)),
            ("heading_rad", np.float64, ()),
            ("rgb", np.uint8, (*image, 3)),
            ("depth_mm", np.uint16, image),
            ("instance", np.int16, (PATCH_GRID, PATCH_GRID)),
            ("patchgraph", np.int16, (PATCH_GRID, PATCH_GRID)),
        )
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    camera, segmenter = Camera(width=config.size, height=config.size), PatchGraphSegmenter()
    scene_ids = [f"houses/{config.group}/{config.first + number:04d}" for number in range(config.houses)]
    for walk, scene_id in enumerate(tqdm(scene_ids, desc="walks", unit="house", smoothing=0.05)):
        scene = simulator.load(scene_id)
        rng = np.random.default_rng([config.seed, walk])
        position_m, heading_rad = draw_walk(simulator, scene, config.steps, rng)
        arrays["position_m"][walk], arrays["heading_rad"][walk] = position_m, heading_rad
        for start in range(0, config.steps, _BATCH):
            views = slice(start, start + _BATCH)
            frames = simulator.render(scene, position_m[views], heading_rad[views], camera)
            assert frames.rgb is not None
            assert frames.depth is not None
            assert frames.instance is not None
            nothing = torch.zeros(len(frames.rgb), PATCH_GRID, PATCH_GRID, 0)
            arrays["rgb"][walk, views] = frames.rgb
            arrays["depth_mm"][walk, views] = np.rint(1000.0 * frames.depth).astype(np.uint16)
            arrays["instance"][walk, views] = at_patch_centres(frames.instance)
            arrays["patchgraph"][walk, views] = segmenter.segment(frames, nothing, camera).numpy()
        for array in arrays.values():
            digest.update(np.ascontiguousarray(array[walk]).tobytes())
    for array in arrays.values():
        array.flush()
    index = {
        "settings": settings,
        "arrays": sorted(arrays),
        "scene_ids": scene_ids,
        "data_hash": digest.hexdigest()[:16],
    }
    (building / "index.json").write_text(json.dumps(index))


def _encode(walks: Walks, encoder: Encoder, building: Path) -> None:
    shape = (*walks.heading_rad.shape, PATCH_GRID, PATCH_GRID, encoder.dim)
    features = np.lib.format.open_memmap(building / "features.npy", mode="w+", dtype=np.float16, shape=shape)
    for walk, scene_id in enumerate(tqdm(walks.scene_ids, desc=f"{encoder.name} features", unit="house")):
        scene = houses.load_scene(scene_id)
        for start in range(0, shape[1], _BATCH):
            views = slice(start, start + _BATCH)
            frames = Frames(
                rgb=np.ascontiguousarray(walks.rgb[walk, views]),
                depth=walks.depth_m(walk, views),
                instance=walks.instance[walk, views].astype(np.int32),
            )
            count = len(walks.heading_rad[walk, views])
            features[walk, views] = encoder.encode(frames, [scene] * count).cpu().numpy()
    features.flush()
