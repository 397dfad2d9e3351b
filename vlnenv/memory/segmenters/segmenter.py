"""The segmenter interface: frames and patch features of a batch in, one segment label per patch out."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch

from vlnenv.errors import unknown_name
from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


class Segmenter(Protocol):
    """Cuts what n cameras see into segments on the 24 x 24 patch grid, in one call."""

    name: str
    outputs: tuple[str, ...]
    """The frames it reads: any of "rgb", "depth", "instance"; nothing else is rendered for it."""
    privileged: bool
    """Whether it reads what a robot could not see (the simulator's instance ids)."""

    def segment(self, frames: Frames, features: torch.Tensor, camera: Camera) -> torch.Tensor:
        """Segments of n frames.

        Args:
            frames: n frames with at least `outputs`, taken by `camera`.
            features: float (n, 24, 24, D) patch features, as an `Encoder` gives them; D may be 0.
            camera: The camera of all frames; its image is a multiple of 24 pixels in both directions.

        Returns:
            int64 (n, 24, 24) on the device of `features`, rows from the top of the image, columns from the
            left: 0 where a patch belongs to no segment, else 1 to k in each frame without a gap, numbered by
            first appearance row by row. A frame's labels depend on that frame alone. A patch is judged at
            the one pixel that stands for it in `vlnenv.memory.patches`.

        Raises:
            ValueError: If an output is missing or the frames, features and camera do not fit each other.
        """
        ...


SEGMENTERS = ("patchgraph", "felzenszwalb", "oracle", "fastsam", "sam")
"""Names that `make_segmenter` knows."""


def make_segmenter(name: str, device: str | torch.device = "cpu") -> Segmenter:
    """The segmenter of that name with its default settings; construct its class for others.

    Args:
        name: "patchgraph" (depth and colour, a millisecond a frame), "felzenszwalb" (colour; extra
            `segmenters`), "oracle" (the simulator's instance ids: privileged), "fastsam" (extra `fastsam`;
            ultralytics is under AGPL-3.0) or "sam" (extra `sam`).
        device: Where the networks of "fastsam" and "sam" run; the others work on the CPU.

    Raises:
        ValueError: If there is no such segmenter.
        ImportError: If it needs an extra that is not installed; the message names it.
    """
    # Each is imported where it is asked for, as some need packages of an extra.
    if name == "patchgraph":
        from vlnenv.memory.segmenters.patchgraph import PatchGraphSegmenter

        return PatchGraphSegmenter()
    if name == "felzenszwalb":
        from vlnenv.memory.segmenters.felzenszwalb import FelzenszwalbSegmenter

        return FelzenszwalbSegmenter()
    if name == "oracle":
        from vlnenv.memory.segmenters.oracle import OracleSegmenter

        return OracleSegmenter()
    if name == "fastsam":
        from vlnenv.memory.segmenters.fastsam import FastSamSegmenter

        return FastSamSegmenter(device=device)
    if name == "sam":
        from vlnenv.memory.segmenters.sam import SamSegmenter

        return SamSegmenter(device=device)
    raise ValueError(unknown_name("segmenter", name, SEGMENTERS))


def checked_frame(
    frames: Frames, output: str, name: str, features: torch.Tensor, camera: Camera
) -> np.ndarray:
    """One output of the frames, after checking that it is there and fits the features and the camera.

    Args:
        frames: What was rendered.
        output: "rgb", "depth" or "instance".
        name: The segmenter's name, for messages.
        features: (n, 24, 24, D).
        camera: What the frames were taken by.

    Returns:
        The array (n, height, width, ...).

    Raises:
        ValueError: If it is missing or a shape does not fit.
    """
    array: np.ndarray | None = getattr(frames, output)
    if array is None:
        raise ValueError(f'the {name} segmenter needs frames with "{output}"; render that output too')
    patch_centre_pixels(camera.height)
    patch_centre_pixels(camera.width)
    if array.shape[1:3] != (camera.height, camera.width):
        raise ValueError(
            f"the {name} segmenter got {output} of {array.shape[2]} x {array.shape[1]} pixels with a camera "
            f"of {camera.width} x {camera.height}; pass the camera that the frames were taken by"
        )
    if features.ndim != 4 or tuple(features.shape[:3]) != (len(array), PATCH_GRID, PATCH_GRID):
        raise ValueError(
            f"the {name} segmenter needs features ({len(array)}, {PATCH_GRID}, {PATCH_GRID}, D) for "
            f"{len(array)} frames, got {tuple(features.shape)}"
        )
    return array


def at_patch_centres(image: np.ndarray) -> np.ndarray:
    """The value of each patch: that of the pixel that stands for it.

    Args:
        image: (n, height, width, ...), multiples of 24.

    Returns:
        (n, 24, 24, ...).
    """
    rows, columns = patch_centre_pixels(image.shape[1]), patch_centre_pixels(image.shape[2])
    return image[:, rows[:, None], columns[None, :]]


def numbered(segment: np.ndarray) -> np.ndarray:
    """Labels 1 to k in the order in which segments first appear, 0 kept.

    Args:
        segment: int (n, 24, 24) with 0 for no segment and any other numbers for segments.

    Returns:
        int64 (n, 24, 24), each frame numbered by itself.
    """
    labels = np.zeros(segment.shape, dtype=np.int64)
    for frame, out in zip(segment, labels, strict=True):
        ids, first, inverse = np.unique(frame.reshape(-1), return_index=True, return_inverse=True)
        first = np.where(ids == 0, -1, first)
        rank = np.empty(len(ids), dtype=np.int64)
        rank[np.argsort(first, kind="stable")] = np.arange(len(ids)) + (0 if (ids == 0).any() else 1)
        out[:] = rank[inverse.reshape(-1)].reshape(frame.shape)
    return labels


def labels_of_masks(masks: np.ndarray) -> np.ndarray:
    """One label image of masks that may overlap: of the masks that cover a pixel the smallest wins.

    Args:
        masks: bool (m, height, width).

    Returns:
        int64 (height, width): 1 + the mask's index, 0 where none covers. Equal sizes: the first wins.

    Source: Dynam3D lets later masks overwrite earlier ones in the network's order; the smallest on top keeps
    the parts that a large mask swallows, whatever the order.
    """
    labels = np.zeros(masks.shape[1:], dtype=np.int64)
    areas = masks.sum(axis=(1, 2))
    # Largest first; among equals the last first, so that the first ends on top.
    for index in np.lexsort((-np.arange(len(masks)), -areas)):
        labels[masks[index]] = index + 1
    return labels
