"""Random stores of points to look at, without a memory around them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import torch

from vlnenv.memory.front_points import PanoramaPoints
from vlnenv.memory.geometry import Pose, make_pose
from vlnenv.sim.camera import Camera

CAMERA = Camera(width=96, height=96)
DIM = 5


def cloud(sizes: list[int], seed: int = 0, far_m: float = 5.0, steps_m: float = 0.0) -> PanoramaPoints:
    """Random points, an environment a size, each looked at from a random pose.

    Positions and poses are whole steps where `steps_m` is not 0, so that many points are equally far.
    """
    rng = np.random.default_rng(seed)
    e, c = len(sizes), max(sizes) + 3
    xyz, feet, heading = rng.uniform(-4, 4, (3, e, c)), rng.uniform(-1, 1, (e, 3)), rng.uniform(-9, 9, e)
    if steps_m:
        xyz, feet = np.round(xyz / steps_m) * steps_m, np.round(feet / steps_m) * steps_m
        heading = np.zeros(e)
    return PanoramaPoints(
        xyz_m=torch.from_numpy(xyz.astype(np.float32)),
        features=torch.from_numpy(rng.normal(size=(e, c, DIM)).astype(np.float32)),
        direction_rad=torch.from_numpy(rng.uniform(0, 2 * math.pi, (e, c)).astype(np.float32)),
        scale_m=torch.from_numpy(rng.uniform(0.01, 0.4, (e, c)).astype(np.float32)),
        patch_id=torch.from_numpy(np.stack([rng.permutation(c) for _ in range(e)])),
        envs=torch.arange(e),
        count=torch.tensor(sizes),
        pose=make_pose(feet, heading, CAMERA, torch.device("cpu")),
        camera_height_m=CAMERA.height_m,
        far_m=far_m,
    )


def seen_from_origin(
    camera_xyz_m: np.ndarray, features: np.ndarray, scale_m: float, heading_rad: float = 0.0
) -> PanoramaPoints:
    """Points given as (k, 3) ahead, left and up from the camera of an agent at the origin."""
    ahead, left, up = np.asarray(camera_xyz_m, dtype=np.float64).T
    sin, cos = math.sin(heading_rad), math.cos(heading_rad)
    # Forward is (-sin h, 0, -cos h), left is (-cos h, 0, sin h).
    xyz = np.stack([-ahead * sin - left * cos, up + CAMERA.height_m, -ahead * cos + left * sin])
    k = len(ahead)
    return PanoramaPoints(
        xyz_m=torch.from_numpy(xyz[:, None].astype(np.float32)),
        features=torch.from_numpy(np.asarray(features, dtype=np.float32)[None]),
        direction_rad=torch.zeros(1, k),
        scale_m=torch.full((1, k), scale_m),
        patch_id=torch.arange(k)[None],
        envs=torch.arange(1),
        count=torch.tensor([k]),
        pose=make_pose(np.zeros((1, 3)), np.array([heading_rad]), CAMERA, torch.device("cpu")),
        camera_height_m=CAMERA.height_m,
        far_m=10.0,
    )


def of(points: PanoramaPoints, rows: list[int]) -> PanoramaPoints:
    """Some environments of the same stores."""
    return dataclasses.replace(
        points, envs=points.envs[rows], count=points.count[rows], pose=pose_of(points.pose, rows)
    )


def pose_of(pose: Pose, rows: list[int]) -> Pose:
    """Some of the agents."""
    return Pose(
        feet_m=pose.feet_m[:, rows],
        cos_heading=pose.cos_heading[rows],
        sin_heading=pose.sin_heading[rows],
        heading_rad=pose.heading_rad[rows],
        world_from_camera=pose.world_from_camera[:, :, rows],
    )


def shuffled(points: PanoramaPoints, seed: int = 0) -> PanoramaPoints:
    """The same points of one full store in another order."""
    order = torch.randperm(int(points.count[0]), generator=torch.Generator().manual_seed(seed))
    stores = {
        name: getattr(points, name)[:, order] for name in ("features", "direction_rad", "scale_m", "patch_id")
    }
    return dataclasses.replace(points, xyz_m=points.xyz_m[:, :, order].contiguous(), **stores)
