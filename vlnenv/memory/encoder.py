"""The encoder interface: frames of a batch in, one language-aligned feature per patch out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from vlnenv.errors import unknown_name
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

PATCH_GRID = 24
"""Patches across and down a view; a camera image must be a multiple of it in both directions."""


class Encoder(Protocol):
    """Turns what n cameras see into 24 x 24 patch features each, in one call."""

    name: str
    dim: int
    """Length of a feature."""
    outputs: tuple[str, ...]
    """The frames it reads: any of "rgb", "depth", "instance"; nothing else is rendered for it."""
    image_size: int
    """Width and height in pixels that it wants, a multiple of 24."""
    privileged: bool
    """Whether it reads what a robot could not see (the simulator's instance ids)."""

    def encode(self, frames: Frames, scenes: Sequence[Scene]) -> torch.Tensor:
        """Patch features of n frames.

        Args:
            frames: n frames with at least `outputs`.
            scenes: The scene of each frame, length n (read by privileged encoders only).

        Returns:
            float32 (n, 24, 24, dim) of unit length (zero where a patch shows nothing), rows from the top of
            the image, columns from the left, on the encoder's device.
        """
        ...


ENCODERS = ("mini", "semantic", "clip")
"""Names that `make_encoder` knows."""


def make_encoder(name: str, device: str | torch.device = "cpu", camera: Camera | None = None) -> Encoder:
    """The encoder of that name.

    Args:
        name: "mini" (the shipped RGB-D network), "semantic" (class names told by the simulator: privileged),
            "clip" (CLIP ViT-L/14 at 336 pixels; extra `clip`) or "clip:MODEL" (any CLIP or SigLIP: a local
            folder or a hub name).
        device: Where it runs and its features go.
        camera: What it looks through, at its own resolution; None for R2R-CE's camera.

    Raises:
        ValueError: If there is no such encoder.
        ImportError: If it needs an extra that is not installed; the message names it.
        FileNotFoundError: If its model is neither there nor to be had.
    """
    if name == "mini":
        from vlnenv.memory.mini import MiniEncoder  # it needs this module

        return MiniEncoder(device, camera=camera)
    if name == "semantic":
        from vlnenv.memory.semantic import SemanticEncoder  # it needs this module

        return SemanticEncoder(device)
    kind, _, model = name.partition(":")
    if kind == "clip":
        from vlnenv.memory.clip import DEFAULT_MODEL, ClipEncoder

        return ClipEncoder(model or DEFAULT_MODEL, device)
    raise ValueError(unknown_name("encoder", name, ENCODERS))
