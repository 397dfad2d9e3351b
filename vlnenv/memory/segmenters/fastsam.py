"""FastSAM through ultralytics, as Dynam3D segments. ultralytics is under AGPL-3.0."""

from __future__ import annotations

import numpy as np
import torch

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.segmenters.segmenter import at_patch_centres, checked_frame, labels_of_masks, numbered
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


class FastSamSegmenter:
    """All that FastSAM finds in the colour image; where masks overlap the smallest wins.

    Licence: ultralytics and the weights it gives out are under AGPL-3.0, whose terms reach a program that is
    built on them and its use over a network. This library neither contains nor requires them.

    Safety: a weights file of ultralytics is a pickle, and loading it runs what is in it. Load only files that
    you trust.

    Args:
        weights: Path of a weights file, or a name that ultralytics fetches ("FastSAM-s.pt", "FastSAM-x.pt").
        device: Where the network runs.
        image_size: Pixels that the longer side is scaled to, a multiple of 32.
        confidence: Masks with less are left out.
        overlap: Of masks whose boxes have a larger intersection over union the more confident stays.

    Raises:
        ImportError: If ultralytics is not installed.

    Source: X. Zhao et al., Fast Segment Anything, 2023; size 576, confidence 0.4 and overlap 0.8 as in
    Dynam3D's released code, which lets later masks overwrite earlier ones.
    """

    name = "fastsam"
    outputs: tuple[str, ...] = ("rgb",)
    privileged = False

    def __init__(
        self,
        weights: str = "FastSAM-s.pt",
        device: str | torch.device = "cpu",
        image_size: int = 576,
        confidence: float = 0.4,
        overlap: float = 0.8,
    ) -> None:
        try:
            from ultralytics import FastSAM
        except ImportError as error:
            raise ImportError(
                'the fastsam segmenter needs ultralytics (AGPL-3.0): pip install "vlnenv[fastsam]", '
                'or use "patchgraph", which needs nothing'
            ) from error
        self._model = FastSAM(weights)
        self._settings = {
            "imgsz": image_size,
            "conf": confidence,
            "iou": overlap,
            "device": str(device),
            "retina_masks": True,  # masks of the image's own size
            "verbose": False,
        }

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames; see `Segmenter`. Of the features, only number and device are read."""
        rgb = checked_frame(frames, "rgb", self.name, features, camera)
        segment = np.zeros((len(rgb), PATCH_GRID, PATCH_GRID), dtype=np.int64)
        # One image a call, so that no image's result depends on the others; arrays are taken as BGR.
        for image, out in zip(rgb, segment, strict=True):
            found = self._model.predict(np.ascontiguousarray(image[..., ::-1]), **self._settings)[0].masks
            if found is not None and len(found.data):
                out[:] = labels_of_masks(at_patch_centres(found.data.cpu().numpy() > 0.5))
        return torch.from_numpy(numbered(segment)).to(features.device)
