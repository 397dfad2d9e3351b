"""The semantic encoder: what each patch shows, told by the simulator. Fast, and privileged."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.text_table import TextTable, load_text_table
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

COLOR_WEIGHT = 0.5
"""Weight of an instance's colour word beside its class name."""


class SemanticEncoder:
    """Gives a patch the text embedding of the class of the instance at its centre pixel.

    An instance with a colour gets normalise(class + 0.5 colour). Privileged: it reads the simulator's
    instance ids, which no robot has; results with it must say so. It stands in for a learned encoder where
    speed counts.
    """

    name = "semantic"
    outputs: tuple[str, ...] = ("instance",)
    image_size = 96
    privileged = True

    def __init__(self, device: str | torch.device = "cpu", table: TextTable | None = None) -> None:
        """An encoder.

        Args:
            device: Where the features go.
            table: Text embeddings; None for the table shipped with the package.
        """
        self.device = torch.device(device)
        self.table = table if table is not None else load_text_table()
        self.dim = self.table.dim
        # A scene is immutable and an edit makes a new one, so no table goes stale; each dies with its scene.
        self._features: WeakKeyDictionary[Scene, torch.Tensor] = WeakKeyDictionary()
        self._phrase_features: dict[tuple[str, str], np.ndarray] = {}

    def encode(self, frames: Frames, scenes: Sequence[Scene]) -> torch.Tensor:
        """Patch features of n frames; see `Encoder`.

        Args:
            frames: n frames with `instance`, any resolution that is a multiple of 24.
            scenes: The scene of each frame.

        Returns:
            float32 (n, 24, 24, dim), unit length; zero where the centre pixel shows nothing.

        Raises:
            ValueError: If the frames lack instance ids, have an odd size, do not match the scenes in number,
                or show an id that their scene does not have.
        """
        if frames.instance is None:
            raise ValueError('the semantic encoder needs frames with "instance"; render that output too')
        n, height, width = frames.instance.shape
        if len(scenes) != n:
            raise ValueError(f"{n} frames need as many scenes, got {len(scenes)}")
        rows, columns = patch_centre_pixels(height), patch_centre_pixels(width)
        ids = frames.instance[:, rows[:, None], columns[None, :]]
        unique = list(dict.fromkeys(scenes))
        tables = [self.instance_features(scene) for scene in unique]
        sizes = {scene: len(table) for scene, table in zip(unique, tables, strict=True)}
        limit = np.array([sizes[scene] for scene in scenes], dtype=np.int64)
        if n and ((ids < 0).any() or (ids.reshape(n, -1).max(axis=1) >= limit).any()):
            raise ValueError(
                "a frame shows an instance id that its scene does not have; "
                "are frames and scenes in the same order?"
            )
        starts = dict(zip(unique, np.cumsum([0, *(len(table) for table in tables)]).tolist(), strict=False))
        offset = np.array([starts[scene] for scene in scenes], dtype=np.int64)
        index = torch.from_numpy(ids + offset[:, None, None]).to(self.device)
        bank = (
            tables[0]
            if len(tables) == 1
            else torch.cat(tables)
            if tables
            else torch.zeros(1, self.dim, device=self.device)
        )
        return bank.index_select(0, index.flatten()).view(n, PATCH_GRID, PATCH_GRID, self.dim)

    def instance_features(self, scene: Scene) -> torch.Tensor:
        """The feature of each instance id of a scene.

        Returns:
            float32 (largest id + 1, dim) on the encoder's device; zero where no instance has the id.
        """
        features = self._features.get(scene)
        if features is None:
            largest = max((instance.id for instance in scene.instances), default=0)
            array = np.zeros((largest + 1, self.dim), dtype=np.float32)
            for instance in scene.instances:
                array[instance.id] = self._phrase_feature(instance.category, instance.color)
            features = torch.from_numpy(array).to(self.device)
            self._features[scene] = features
        return features

    def _phrase_feature(self, category: str, color: str) -> np.ndarray:
        feature = self._phrase_features.get((category, color))
        if feature is None:
            feature = self.table.embed(category)
            if color:
                feature = feature + COLOR_WEIGHT * self.table.embed(color)
                feature = feature / np.linalg.norm(feature)
            self._phrase_features[category, color] = feature
        return feature
