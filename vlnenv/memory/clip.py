"""CLIP and SigLIP through transformers: patch features in the space of the model's own text tower."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from vlnenv.errors import unknown_name
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

DEFAULT_MODEL = "openai/clip-vit-large-patch14-336"
"""What Dynam3D looks through: 14-pixel patches, 24 x 24 of them, 768 numbers each; 1.7 GB."""
MODEL_CLASSES = {"clip": "CLIPModel", "siglip": "SiglipModel"}
"""Model types that can be loaded -> class in transformers (SigLIP 2 of fixed size calls itself siglip)."""
_FRAMES_PER_CALL = 32


class ClipEncoder:
    """The patch tokens of a CLIP or SigLIP image tower, brought to where its text tower's embeddings lie.

    The models are trained to compare a whole picture with a text, so each patch token is sent, by itself,
    through what the model does to the whole picture's: in CLIP the last layer norm and the projection of the
    class token; in SigLIP the attention pooling, which over one token is its value projection, and its MLP.
    Where the tower's grid is not 24 x 24 the features are interpolated, and where the picture is not of the
    size that the tower was trained on, its position table is. On a CPU frames pass one by one, so that the
    features of a frame depend on that frame alone to the last bit.

    Args:
        model: A hub name or a local folder with `config.json`, `model.safetensors`,
            `preprocessor_config.json` and, for `embed_text`, a tokenizer.
        device: Where the network runs and its features go.
        dtype: What it computes in; float16 or bfloat16 save time and memory on a GPU.
        image_size: Pixels across and down, a multiple of 24 and of the patch size; None for the one nearest
            to the tower's own (336 for the default, 24 x 24 patches of 14).

    Raises:
        ImportError: If transformers is not installed.
        FileNotFoundError: If a part of the model is neither there nor to be had.
        ValueError: If the model is of another family, or the image size does not fit it.

    Source: Dynam3D (projected tokens of ViT-L/14 at 336 pixels). One token through the attention pooling is
    the same thought as in C. Zhou et al., Extract Free Dense Labels from CLIP, ECCV 2022.
    """

    outputs: tuple[str, ...] = ("rgb",)
    privileged = False

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        device: str | torch.device = "cpu",
        dtype: torch.dtype = torch.float32,
        image_size: int | None = None,
    ) -> None:
        try:
            import transformers
        except ImportError as error:
            raise ImportError(
                'the clip encoder needs transformers: pip install "vlnenv[clip]", or use another encoder'
            ) from error
        try:
            settings, _ = transformers.PretrainedConfig.get_config_dict(model)
            if not settings:
                raise OSError("it has no config.json")
            self._family = settings.get("model_type")
            if self._family not in MODEL_CLASSES:
                raise ValueError(unknown_name("CLIP model type", self._family, MODEL_CLASSES))
            # The numbers alone: the processor itself may ask for torchvision.
            processor, _ = transformers.ImageProcessingMixin.get_image_processor_dict(model)
            # Safetensors only: a pickle runs what is in it.
            network = getattr(transformers, MODEL_CLASSES[self._family]).from_pretrained(
                model, use_safetensors=True, dtype=dtype
            )
        except OSError as error:
            raise FileNotFoundError(
                f"cannot load the CLIP model {model!r}: {error}\nIt takes a local folder with config.json, "
                "model.safetensors and preprocessor_config.json, or a hub name and a network. Where there is "
                f'one: hf download {model} --local-dir FOLDER; here: make_encoder("clip:FOLDER")'
            ) from error
        self.name = "clip" if model == DEFAULT_MODEL else f"clip:{model}"
        self.device = torch.device(device)
        self.dtype = dtype
        vision = network.config.vision_config
        self.image_size = _image_size(vision.image_size, vision.patch_size, image_size)
        self._grid = self.image_size // vision.patch_size
        self.dim = int(network.config.projection_dim if self._family == "clip" else vision.hidden_size)
        self._scale, self._shift = _normalisation(processor)
        self._model_name = model
        self._network: Any = network.to(self.device).eval()
        self._tokenizer: Any = None

    @torch.no_grad()
    def encode(self, frames: Frames, scenes: Sequence[Scene] = ()) -> torch.Tensor:
        """Patch features of n frames; see `Encoder`.

        Args:
            frames: n frames with `rgb`. Other sizes than `image_size` are stretched to it.
            scenes: Not read.

        Returns:
            float32 (n, 24, 24, dim), unit length.

        Raises:
            ValueError: If the frames lack `rgb`.
        """
        if frames.rgb is None:
            raise ValueError('the clip encoder needs frames with "rgb"; render that output too')
        features = torch.empty(len(frames.rgb), PATCH_GRID, PATCH_GRID, self.dim, device=self.device)
        step = 1 if self.device.type == "cpu" else _FRAMES_PER_CALL
        for start in range(0, len(features), step):
            part = slice(start, start + step)
            tokens = self._patch_tokens(self._pixels(frames.rgb[part])).float()
            if self._grid != PATCH_GRID:
                grid = tokens.transpose(1, 2).unflatten(2, (self._grid, self._grid))
                grid = functional.interpolate(grid, (PATCH_GRID, PATCH_GRID), mode="bilinear", antialias=True)
                tokens = grid.flatten(2).transpose(1, 2)
            features[part] = functional.normalize(tokens, dim=-1).unflatten(1, (PATCH_GRID, PATCH_GRID))
        return features

    @torch.no_grad()
    def embed_text(self, phrases: Sequence[str]) -> torch.Tensor:
        """Where phrases lie among the features, by the model's own text tower.

        Args:
            phrases: k phrases; the models know whole captions best ("a photo of a red sofa"). What is longer
                than the tower reads is cut.

        Returns:
            float32 (k, dim) unit length, on the encoder's device.

        Raises:
            FileNotFoundError: If the model has no tokenizer.
        """
        if not phrases:
            return torch.zeros(0, self.dim, device=self.device)
        if self._tokenizer is None:
            from transformers import AutoTokenizer

            try:
                self._tokenizer = AutoTokenizer.from_pretrained(self._model_name)
            except (OSError, ValueError) as error:
                raise FileNotFoundError(
                    f"the model {self._model_name!r} has no tokenizer that can be read, so it cannot embed "
                    f"text: {error}"
                ) from error
        is_clip = self._family == "clip"
        tokens = self._tokenizer(
            list(phrases),
            # SigLIP was trained on texts that are padded to the full length, and reads the padding.
            padding=True if is_clip else "max_length",
            truncation=True,
            max_length=self._network.config.text_config.max_position_embeddings,
            return_tensors="pt",
        ).to(self.device)
        if is_clip:
            found = self._network.text_model(tokens["input_ids"], attention_mask=tokens["attention_mask"])
            embeddings = self._network.text_projection(found.pooler_output)
        else:
            embeddings = self._network.text_model(tokens["input_ids"]).pooler_output
        return functional.normalize(embeddings.float(), dim=-1)

    def _pixels(self, rgb: np.ndarray) -> torch.Tensor:
        """uint8 (n, height, width, 3) to what the network takes, (n, 3, image_size, image_size)."""
        pixels = torch.from_numpy(np.ascontiguousarray(rgb)).to(self.device).permute(0, 3, 1, 2).float()
        size = (self.image_size, self.image_size)
        if pixels.shape[2:] != size:
            pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0.0, 255.0)
        scale, shift = self._scale.to(self.device), self._shift.to(self.device)
        return (pixels * scale + shift).to(self.dtype)

    def _patch_tokens(self, pixels: torch.Tensor) -> torch.Tensor:
        """Patch tokens (n, grid * grid, dim) in the text tower's space, before normalisation."""
        vision = self._network.vision_model
        hidden = vision(pixels, interpolate_pos_encoding=True).last_hidden_state
        if self._family == "clip":
            return self._network.visual_projection(vision.post_layernorm(hidden[:, 1:]))
        return vision.head(hidden.flatten(0, 1)[:, None]).unflatten(0, hidden.shape[:2])


def _image_size(trained: int, patch: int, wanted: int | None) -> int:
    """Pixels of the picture's side: as wanted, else what fits both grids and is nearest to `trained`."""
    step = math.lcm(PATCH_GRID, patch)
    if wanted is None:
        return max(1, int(trained / step + 0.5)) * step
    if wanted < step or wanted % step:
        raise ValueError(
            f"image_size must be a multiple of {PATCH_GRID} and of the model's patches of {patch} pixels, "
            f"got {wanted}; try {max(1, round(wanted / step)) * step}"
        )
    return wanted


def _normalisation(processor: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale and shift (1, 3, 1, 1) from pixels in [0, 255] to what a network takes, by its processor."""
    factor = processor.get("rescale_factor", 1.0 / 255.0) if processor.get("do_rescale", True) else 1.0
    mean, std = torch.zeros(3), torch.ones(3)
    if processor.get("do_normalize", True):
        for name in ("image_mean", "image_std"):
            if name not in processor:
                raise ValueError(f"the model's preprocessor_config.json has no {name}")
        mean, std = torch.tensor(processor["image_mean"]), torch.tensor(processor["image_std"])
    return (factor / std)[None, :, None, None], (-mean / std)[None, :, None, None]
