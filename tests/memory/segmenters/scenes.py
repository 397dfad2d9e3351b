"""Views of the box world, with the truth beside them."""

import numpy as np
import torch

from tests.memory.box_world import BoxWorld
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames

LEFT = ((-1.3, 0.0, -2.6), (-0.5, 0.8, -2.0))
RIGHT = ((0.5, 0.0, -2.7), (1.2, 1.0, -2.1))


def no_features(n: int) -> torch.Tensor:
    return torch.zeros(n, 24, 24, 0)


def view(boxes: list, camera: Camera, heading: float = 0.0) -> np.ndarray:
    """float32 (1, height, width) from the middle of the room."""
    world = BoxWorld(boxes=boxes)
    return world.depth(np.zeros((1, 3)), np.array([heading]), camera)


def shown(box: tuple, others: list, camera: Camera) -> np.ndarray:
    """bool (24, 24) the patches on which a box is seen: those that are farther without it."""
    rows, columns = patch_centre_pixels(camera.height), patch_centre_pixels(camera.width)
    with_it, without = view([*others, box], camera), view(others, camera)
    return (without > with_it)[0][rows[:, None], columns[None]]


def grey(depth: np.ndarray) -> np.ndarray:
    return np.full((*depth.shape, 3), 128, dtype=np.uint8)


def random_frames(n: int, size: int, seed: int = 0) -> tuple[Frames, Camera]:
    """Frames from random places in the box world, with blotches of colour, ids and holes."""
    rng = np.random.default_rng(seed)
    camera = Camera(width=size, height=size, pitch_deg=-15.0, max_depth_m=4.5)
    world = BoxWorld(boxes=[LEFT, RIGHT, ((-3, 0, 1), (-2, 1.5, 2)), ((2, 0.5, 1), (2.5, 1, 3))])
    depth = world.depth(rng.uniform([-1, 0, -1], [1, 0, 1], (n, 3)), rng.uniform(-3, 3, n), camera)
    depth[:, : size // 6, : size // 8] = 0.0
    blotches = rng.integers(0, 255, (n, 6, 6, 3), dtype=np.uint8)
    ids = rng.integers(0, 9, (n, 6, 6), dtype=np.int32)
    scale = size // 6
    frames = Frames(
        rgb=blotches.repeat(scale, axis=1).repeat(scale, axis=2),
        depth=depth,
        instance=ids.repeat(scale, axis=1).repeat(scale, axis=2),
    )
    return frames, camera
