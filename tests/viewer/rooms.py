"""A memory of a built-in house that a walk has filled, with the default memory and true segments."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vlnenv import houses
from vlnenv.memory import MemorySnapshot, TokenMemory, make_encoder
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.tour import look_around, tour_stops

SCENE = "houses/train/0000"


@lru_cache(maxsize=1)
def simulator() -> EmbreeSimulator:
    return EmbreeSimulator(load_scene=houses.load_scene)


def scene() -> Scene:
    return simulator().load(SCENE)


@lru_cache(maxsize=1)
def remembered() -> MemorySnapshot:
    """What four stops of a tour leave, seen by the semantic encoder through true segments."""
    camera = Camera(width=96, height=96)
    encoder, segmenter = make_encoder("semantic"), make_segmenter("oracle")
    memory = TokenMemory(1, encoder.dim, camera=camera)
    for stop_m in tour_stops(simulator(), scene())[:4]:
        for heading in look_around(camera.hfov_deg):
            pose = (stop_m[None], np.array([heading]))
            frames = simulator().render(scene(), *pose, camera)
            features = encoder.encode(frames, [scene()])
            segments = segmenter.segment(frames, features, camera)
            memory.update([0], features, frames.depth, *pose, segments)
    return memory.snapshot(0)


def nothing() -> MemorySnapshot:
    return TokenMemory(1, 64).snapshot(0)
