"""The `mini` encoder: a compact network of ours that turns RGB and depth into text-aligned patch features."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn import functional as F

from vlnenv.memory.encoder import PATCH_GRID
from vlnenv.memory.mini_network import MiniNetwork, cell_rays, load_network
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

WEIGHTS = Path(__file__).with_name("weights") / "mini.safetensors"
"""The weights shipped with the package; `weights/mini.md` says how they were made."""


class MiniEncoder:
    """Features in the space of the text table, from what a robot's RGB-D camera sees.

    The network was trained on renders of the built-in houses to predict the text embedding of the class and
    colour that each patch shows (`agents.pretraining.encoder`). Besides RGB it reads what the depth says of
    each place given the camera: distance, height above the floor and the surface's normal. On the CPU a
    view's features are the same bits whatever else is in the batch.
    """

    name = "mini"
    outputs: tuple[str, ...] = ("rgb", "depth")
    image_size = 192
    privileged = False

    def __init__(
        self,
        device: str | torch.device = "cpu",
        weights: str | Path | MiniNetwork = WEIGHTS,
        camera: Camera | None = None,
    ) -> None:
        """An encoder.

        Args:
            device: Where it computes and where the features go.
            weights: A file that `save_network` wrote, or a network.
            camera: Field of view, height, tilt and range of the camera; its resolution is not read. None for
                the task's camera.
        """
        self.device = torch.device(device)
        network = weights.folded() if isinstance(weights, MiniNetwork) else load_network(weights)
        self._network = network.to(self.device).requires_grad_(False)
        self.dim = network.config.dim
        camera = camera or Camera()
        square = Camera(self.image_size, self.image_size, camera.hfov_deg, pitch_deg=camera.pitch_deg)
        self._rays = cell_rays(square).to(self.device)
        self._max_depth_m = min(camera.max_depth_m, network.config.max_depth_m)
        self._height_m = torch.tensor([camera.height_m], dtype=torch.float32, device=self.device)
        self._centres = torch.from_numpy(patch_centre_pixels(self.image_size)).to(self.device)

    @torch.inference_mode()
    def encode(self, frames: Frames, scenes: Sequence[Scene]) -> torch.Tensor:
        """Patch features of n frames; see `Encoder`.

        Args:
            frames: n frames with `rgb` and `depth`, 192 x 192.
            scenes: Not read.

        Returns:
            float32 (n, 24, 24, dim), unit length; zero where the depth at the patch's pixel is unknown.

        Raises:
            ValueError: If the frames lack RGB or depth, or have another size.
        """
        if frames.rgb is None or frames.depth is None:
            raise ValueError('the mini encoder needs frames with "rgb" and "depth"; render both outputs')
        n, size = len(frames.rgb), self.image_size
        if frames.rgb.shape[1:] != (size, size, 3) or frames.depth.shape != (n, size, size):
            raise ValueError(
                f"the mini encoder reads images of {size} x {size} pixels, got RGB {frames.rgb.shape} and "
                f"depth {frames.depth.shape}"
            )
        rgb = torch.from_numpy(frames.rgb).to(self.device).permute(0, 3, 1, 2).float() / 255.0
        depth_m = torch.from_numpy(frames.depth).to(self.device)
        depth_m = torch.where((depth_m > 0.0) & (depth_m < self._max_depth_m), depth_m, 0.0)
        raw = self._raw(rgb, depth_m).permute(0, 2, 3, 1)
        known = depth_m[:, self._centres[:, None], self._centres[None, :]] > 0.0
        features = torch.where(known[..., None], F.normalize(raw, dim=-1), 0.0)
        return features.reshape(n, PATCH_GRID, PATCH_GRID, self.dim)

    def _raw(self, rgb: torch.Tensor, depth_m: torch.Tensor) -> torch.Tensor:
        """What the network gives, (n, dim, 24, 24)."""
        if self.device.type != "cpu" or not len(rgb):
            return self._network(rgb, depth_m, self._rays, self._height_m)
        # One view at a time: oneDNN blocks its sums by the size of the batch, so the last bit of a view's
        # features would depend on how many others there are. Costs 1 ms a view at most.
        views = zip(rgb.split(1), depth_m.split(1), strict=True)
        return torch.cat([self._network(one, depth, self._rays, self._height_m) for one, depth in views])
