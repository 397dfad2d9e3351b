"""The memories of a batch's slots: what they are made of, look through, start with, and are saved with."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vlnenv.config import EnvConfig
from vlnenv.histories import History
from vlnenv.memory import MemorySnapshot, TokenMemory, make_encoder
from vlnenv.memory.field import make_renderer
from vlnenv.memory.files import load_memory
from vlnenv.memory.levels import LEVELS_FILE, MeanLevels, make_levels
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.noise import words_of
from vlnenv.sensors import Sensors, Viewpoints
from vlnenv.sim.camera import Camera
from vlnenv.sim.tour import look_around, tour_stops

_TOURS_KEPT = 16
"""Scenes whose tours are kept for the scope "pre_exploration"."""


@dataclass(frozen=True)
class SlotMemorySnapshot:
    """What one slot remembers."""

    memory: MemorySnapshot
    histories: tuple[Any, ...]
    """What each of `SlotMemories.histories` had kept."""


class SlotMemories:
    """A token memory a slot, with the eyes that fill it: one render and one encoder call for all.

    Args:
        config: The environment's settings; `uses_tokens` is True.
        sensors: What the agents look with.
        camera: The task's camera; the memory looks through it at the encoder's resolution.
        num_slots: Slots, each with a memory of its own.

    Raises:
        ValueError: If there is no such encoder, segmenter or levels, or they do not fit each other.
        ImportError: If one needs an extra that is not installed.
    """

    def __init__(self, config: EnvConfig, sensors: Sensors, camera: Camera, num_slots: int) -> None:
        self.config = config
        self.sensors = sensors
        self.encoder = make_encoder(config.encoder, config.device, camera)
        self.segmenter = None if config.segmenter is None else make_segmenter(config.segmenter, config.device)
        self.levels = make_levels(config.levels, config.encoder, self.encoder.dim, config.device)
        size = self.encoder.image_size
        self.camera = replace(camera, width=size, height=size)
        self._outputs = tuple(
            sorted({"depth", *self.encoder.outputs, *(self.segmenter.outputs if self.segmenter else ())})
        )
        self._limits = config.memory_config()
        dim = self.encoder.dim
        self._renderer = make_renderer(self._limits.panorama, dim, config.encoder, config.device)
        self.memory = self._empty_memory(num_slots)
        self.histories: list[History] = []
        """Added by `vlnenv.wrappers.ViewHistoryObservation` and `PathObservation`: observed, too."""
        self._tours: OrderedDict[str, MemorySnapshot] = OrderedDict()

    def _empty_memory(self, num_slots: int) -> TokenMemory:
        return TokenMemory(
            num_slots,
            self.encoder.dim,
            self._limits,
            self.camera,
            self.config.device,
            self.levels,
            self._renderer,
        )

    @property
    def levels_name(self) -> str:
        """Which levels "auto" has turned out to be."""
        return "mean" if isinstance(self.levels, MeanLevels) else "learned"

    @property
    def privileged(self) -> tuple[str, ...]:
        """What the memory is told that no robot could see, by setting and value; empty for nothing."""
        told = []
        if self.encoder.privileged:
            told.append(f"encoder {self.config.encoder}")
        if self.segmenter is not None and self.segmenter.privileged:
            told.append(f"segmenter {self.config.segmenter}")
        if self.config.memory_scope == "pre_exploration":
            told.append("memory_scope pre_exploration")
        return tuple(told)

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """Shipped weights that the tokens depend on."""
        names = [self.encoder.name]
        if self.levels_name == "learned":
            names.append(LEVELS_FILE.stem)
        if self.memory.config.panorama == "learned":
            names.append("field")
        files = [LEVELS_FILE.with_name(f"{name}.safetensors") for name in names]
        return tuple(file for file in files if file.is_file())

    # ---- an episode's beginning ----

    def beginning(self, scene_id: str, file: str | Path | None) -> MemorySnapshot | None:
        """What an episode in a scene begins with where that comes from elsewhere; changes no slot.

        Args:
            scene_id: The episode's scene.
            file: A file of `save`; None leaves it to the memory's scope.

        Raises:
            FileNotFoundError: If the file is not there.
            ValueError: If it does not fit.
        """
        if file is not None:
            return self._read(file, scene_id)
        if self.config.memory_scope == "pre_exploration":
            return self._tour(scene_id)
        return None

    def begin(self, slot: int, content: MemorySnapshot | None, is_same_scene: bool) -> None:
        """Begin an episode with `beginning`'s content.

        Args:
            slot: Where.
            content: None for what the scope leaves: nothing, or what the slot remembers of the same scene.
            is_same_scene: Whether the slot's last episode was in the scene of this one.
        """
        if content is not None:
            self.memory.restore(slot, content)
        elif self.config.memory_scope != "lifelong" or not is_same_scene:
            self.memory.reset([slot])
        for history in self.histories:
            history.reset(slot)

    def _tour(self, scene_id: str) -> MemorySnapshot:
        """What is remembered after a tour of a scene as it was loaded; made once for all slots.

        Privileged set-up: the stops are taken from the simulator's floor, and the agent is carried from one
        to the next without steps. At each it looks all around with its own camera, encoder and noise.
        """
        if scene_id not in self._tours:
            simulator = self.sensors.simulator
            scene = simulator.load(scene_id)
            memory = self._empty_memory(1)
            rng = np.random.default_rng(words_of(scene_id))
            for stop_m in tour_stops(simulator, scene):
                for turn_rad in look_around(self.camera.hfov_deg):
                    view = Viewpoints([scene], stop_m[None], np.array([turn_rad]), [rng])
                    self._take_in(memory, np.zeros(1, np.int64), view)
            self._tours[scene_id] = memory.snapshot(0)
        self._tours.move_to_end(scene_id)
        while len(self._tours) > _TOURS_KEPT:
            self._tours.popitem(last=False)
        return self._tours[scene_id]

    # ---- each step ----

    def observe(self, slots: Sequence[int], views: Viewpoints) -> dict[str, np.ndarray]:
        """Look once from each slot's viewpoint, remember it, and read the memories.

        Returns:
            The keys of `TokenMemory.read`, and those of the histories that are kept.
        """
        index = np.asarray(slots)
        features, told_m, told_rad = self._take_in(self.memory, index, views)
        observation = self.memory.read(index, told_m, told_rad)
        for history in self.histories:
            history.add(slots, features, told_m)
            observation.update(history.read(slots, told_m, told_rad))
        return observation

    def _take_in(
        self, memory: TokenMemory, index: np.ndarray, views: Viewpoints
    ) -> tuple[torch.Tensor, np.ndarray, np.ndarray]:
        """Let a memory see; returns the views' features and the poses that it was told.

        Encoder, segmenter and memory share one render, and the depth that the agents measure.
        """
        told_m, told_rad = self.sensors.told_poses(views)
        frames = self.sensors.look(views, self.camera, self._outputs)
        depth_m = frames.depth
        assert depth_m is not None
        if self.camera.min_depth_m > 0.0:
            # Nearer surfaces are told to be at the range's end: where they really are is not known.
            known = (depth_m > self.camera.min_depth_m) | (depth_m == 0.0)
            depth_m = np.where(known, depth_m, np.float32(np.nan))
            frames = replace(frames, depth=depth_m)
        features = self.encoder.encode(frames, views.scenes)
        segments = None if self.segmenter is None else self.segmenter.segment(frames, features, self.camera)
        memory.update(index, features, depth_m, told_m, told_rad, segments)
        return features, told_m, told_rad

    # ---- files and snapshots ----

    def save(self, slot: int, path: str | Path, scene_id: str) -> None:
        """Write a slot's memory to a safetensors file, with all that must agree where it is read."""
        self.memory.save(slot, path, self._about(scene_id))

    def _read(self, path: str | Path, scene_id: str) -> MemorySnapshot:
        snapshot, about = load_memory(path, self.memory.dim, self.memory.config, self.memory.device)
        for name, here in self._about(scene_id).items():
            if about.get(name) != here:
                raise ValueError(f"{path} remembers {name} {about.get(name)!r}, the episode has {here!r}")
        return snapshot

    def _about(self, scene_id: str) -> dict[str, str]:
        return {"scene_id": scene_id, "encoder": self.config.encoder, "levels": self.levels_name}

    def snapshot(self, slot: int) -> SlotMemorySnapshot:
        """What a slot remembers now; later steps do not touch it."""
        histories = tuple(history.snapshot(slot) for history in self.histories)
        return SlotMemorySnapshot(self.memory.snapshot(slot), histories)

    def restore(self, slot: int, snapshot: SlotMemorySnapshot) -> None:
        """Let a slot remember what a snapshot holds."""
        self.memory.restore(slot, snapshot.memory)
        for history, kept in zip(self.histories, snapshot.histories, strict=False):
            history.restore(slot, kept)
