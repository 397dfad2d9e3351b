"""The oracle segmenter: the simulator's own instance ids. Privileged."""

from __future__ import annotations

import torch

from vlnenv.memory.segmenters.segmenter import at_patch_centres, checked_frame, numbered
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


class OracleSegmenter:
    """Gives patches one label that show the same instance of the simulator.

    Privileged: no robot has these ids; results with it must say so. Floors and walls are segments, too. An
    instance is one segment wherever it shows, also where something in front of it cuts it in two.
    """

    name = "oracle"
    outputs: tuple[str, ...] = ("instance",)
    privileged = True

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames; see `Segmenter`. Of the features, only number and device are read."""
        instance = checked_frame(frames, "instance", self.name, features, camera)
        return torch.from_numpy(numbered(at_patch_centres(instance))).to(features.device)
