"""Segment Anything (SAM and SAM 2) through transformers, asked for everything in the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from vlnenv.errors import unknown_name
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.segmenters.segmenter import checked_frame, labels_of_masks, numbered
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames

MODEL_CLASSES = {"sam": "SamModel", "sam2": "Sam2Model", "sam2_video": "Sam2Model"}
"""Model types that can be loaded -> their class in transformers (SAM 2's files call themselves video)."""
_MEAN = (0.485, 0.456, 0.406)  # of all models of the family
_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class SamConfig:
    """How a picture is asked for all its masks, and which of them are kept."""

    points_per_side: int = 12
    """Prompts across and down, one mask or more each."""
    points_per_call: int = 48
    """Prompts that the mask decoder takes at once; fewer need less memory."""
    min_quality: float = 0.8
    """Masks whose overlap with the truth the model itself puts lower are left out."""
    min_stability: float = 0.9
    """Masks that keep a smaller share of their area from a laxer threshold to a stricter one are left out."""
    max_overlap: float = 0.7
    """Of two masks with a larger intersection over union on the patch grid, the better one stays."""

    def __post_init__(self) -> None:
        for name in ("points_per_side", "points_per_call"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("min_quality", "min_stability", "max_overlap"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")


class SamSegmenter:
    """All that a SAM model finds in the colour image; where masks overlap the smallest wins.

    A grid of points is asked for masks; those that the model trusts, that are stable and that repeat no
    better one stay. Masks are read at the patches' pixels straight from the decoder, never at full size.

    Args:
        model: A hub name or a local folder with `config.json` and `model.safetensors`, of SAM or SAM 2
            (e.g. "facebook/sam-vit-base", "facebook/sam2.1-hiera-tiny").
        config: Prompts and thresholds.
        device: Where the network runs.

    Raises:
        ImportError: If transformers is not installed.
        ValueError: If the model is of another family.

    Source: A. Kirillov et al., Segment Anything, ICCV 2023, section 5 and appendix B ("everything"); differs
    in fewer points, no crops, and duplicates found by masks on the patch grid instead of boxes.
    """

    name = "sam"
    outputs: tuple[str, ...] = ("rgb",)
    privileged = False

    def __init__(
        self,
        model: str = "facebook/sam-vit-base",
        config: SamConfig | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        try:
            import transformers
        except ImportError as error:
            raise ImportError(
                'the sam segmenter needs transformers: pip install "vlnenv[sam]", '
                'or use "patchgraph", which needs nothing'
            ) from error
        kind = transformers.AutoConfig.from_pretrained(model).model_type
        if kind not in MODEL_CLASSES:
            raise ValueError(unknown_name("SAM model type", kind, MODEL_CLASSES))
        self.config = SamConfig() if config is None else config
        self.device = torch.device(device)
        # Safetensors only: a pickle runs what is in it.
        network = getattr(transformers, MODEL_CLASSES[kind]).from_pretrained(model, use_safetensors=True)
        self._model: Any = network.to(self.device).eval()
        # SAM scales the longer side and pads the rest; SAM 2 stretches to a square.
        self._keeps_aspect = kind == "sam"
        size = network.config.prompt_encoder_config.image_size
        self._size = int(size if isinstance(size, int) else size[0])

    @torch.inference_mode()
    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames; see `Segmenter`. Of the features, only number and device are read."""
        rgb = checked_frame(frames, "rgb", self.name, features, camera)
        segment = np.zeros((len(rgb), PATCH_GRID, PATCH_GRID), dtype=np.int64)
        # One image a call, so that no image's result depends on the others.
        for image, out in zip(rgb, segment, strict=True):
            logits, quality = self._everything(image)
            out[:] = labels_of_masks(chosen_masks(logits, quality, self.config))
        return torch.from_numpy(numbered(segment)).to(features.device)

    def _everything(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Logits float32 (m, 24, 24) at the patches' pixels and the model's own quality (m,) of all masks."""
        height, width = image.shape[:2]
        size = self._size
        scale = size / max(height, width)
        target = (round(height * scale), round(width * scale)) if self._keeps_aspect else (size, size)
        pixels = torch.from_numpy(image).to(self.device).permute(2, 0, 1)[None].float() / 255.0
        pixels = functional.interpolate(
            pixels, target, mode="bilinear", align_corners=False, antialias=True
        ).clamp(0.0, 1.0)
        mean, std = (torch.tensor(each, device=self.device)[None, :, None, None] for each in (_MEAN, _STD))
        pixels = functional.pad((pixels - mean) / std, (0, size - target[1], 0, size - target[0]))
        embeddings = self._model.get_image_embeddings(pixels)

        side = self.config.points_per_side
        steps = (torch.arange(side, device=self.device) + 0.5) / side
        y, x = torch.meshgrid(steps * target[0], steps * target[1], indexing="ij")
        points = torch.stack([x.flatten(), y.flatten()], dim=1)[None, :, None]  # (1, points, 1, x y)
        # Where the patches' pixels lie in the padded square, in [-1, 1].
        across = (torch.from_numpy(patch_centre_pixels(width)).to(self.device) + 0.5) / width * target[1]
        down = (torch.from_numpy(patch_centre_pixels(height)).to(self.device) + 0.5) / height * target[0]
        row, column = torch.meshgrid(down, across, indexing="ij")
        where = (torch.stack([column, row], dim=-1) / size * 2.0 - 1.0).float()[None]
        logits, quality = [], []
        for some in points.split(self.config.points_per_call, dim=1):
            found = self._model(image_embeddings=embeddings, input_points=some, multimask_output=True)
            masks = found.pred_masks.flatten(0, 2)[None]  # (1, masks, h, w)
            logits.append(functional.grid_sample(masks.float(), where, align_corners=False)[0])
            quality.append(found.iou_scores.flatten().float())
        return torch.cat(logits).cpu().numpy(), torch.cat(quality).cpu().numpy()


def chosen_masks(logits: np.ndarray, quality: np.ndarray, config: SamConfig) -> np.ndarray:
    """The masks that are kept, best first.

    Args:
        logits: float32 (m, 24, 24), above 0 inside.
        quality: float32 (m,) overlap with the truth that the model expects.
        config: Thresholds.

    Returns:
        bool (k, 24, 24).
    """
    masks = logits > 0.0
    core, reach = (logits > 1.0).sum(axis=(1, 2)), (logits > -1.0).sum(axis=(1, 2))
    good = masks.any(axis=(1, 2)) & (quality >= config.min_quality)
    good &= core >= config.min_stability * reach
    order = np.nonzero(good)[0]
    order = order[np.argsort(-quality[order], kind="stable")]
    kept: list[int] = []
    for index in order:
        mask = masks[index]
        overlaps = (
            (mask & masks[other]).sum() / (mask | masks[other]).sum() > config.max_overlap for other in kept
        )
        if not any(overlaps):
            kept.append(int(index))
    return masks[kept] if kept else masks[:0]
