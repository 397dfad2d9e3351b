import numpy as np
import pytest
import torch

from tests.memory.box_world import BoxWorld, random_walk
from tests.memory.test_memory import assert_same_snapshots
from vlnenv.memory import MemoryConfig, TokenMemory
from vlnenv.memory.geometry import make_pose
from vlnenv.memory.patches import sight
from vlnenv.memory.tiles import TILES, TileGrid
from vlnenv.sim.camera import Camera


@pytest.mark.parametrize(
    ("camera", "far_m"),
    [
        (Camera(width=24, height=24), 3.0),
        (Camera(width=48, height=24, hfov_deg=60, pitch_deg=-30, height_m=0.5), 5.0),
        (Camera(width=24, height=48, hfov_deg=120, pitch_deg=45), 2.0),
        (Camera(width=24, height=24, pitch_deg=-90), 3.0),
    ],
)
def test_no_point_in_view_lies_in_a_tile_that_is_left_out(camera, far_m):
    rng = np.random.default_rng(0)
    grid, n = TileGrid(camera, far_m), 40
    position, heading = rng.uniform(-100, 100, (n, 3)), rng.uniform(-7, 7, n)
    reach = 1.8 * far_m
    points = position[:, None] + rng.uniform(-reach, reach, (n, 4000, 3))
    xyz = torch.from_numpy(points.reshape(-1, 3).T.astype(np.float32))
    row = torch.arange(n).repeat_interleave(4000)
    depth = torch.full((n, camera.height, camera.width), 1e6)  # the view reaches through everything
    pose = make_pose(position, heading, camera, torch.device("cpu"))
    seen = sight(xyz, row, depth, pose, camera, far_m).point
    assert len(seen) > 300
    flags = grid.in_view(position, heading)
    assert flags.shape == (n, TILES)
    assert flags[row[seen].numpy(), grid.tiles(xyz[:, seen]).numpy()].all()
    # And few others are looked at, or the grid is of no use.
    tile_area = grid.tile_m**2
    ground = 4.0 * far_m**2 * (1.0 + camera.tan_half_hfov) ** 2
    assert flags.sum(axis=1).max() * tile_area < 2.0 * ground + 20.0 * tile_area


def test_a_level_view_leaves_most_of_its_surroundings_out():
    flags = TileGrid(Camera(width=24, height=24), 3.0).in_view(np.zeros((8, 3)), np.linspace(0, 6, 8))
    area_m2 = flags.sum(axis=1) * 0.75**2
    assert area_m2.min() > 9.0  # the triangle itself
    assert area_m2.max() < 24.0


def test_a_view_as_wide_as_the_grid_looks_at_everything():
    wide = TileGrid(Camera(width=24, height=24, hfov_deg=176.0), 3.0)
    assert wide.in_view(np.zeros((2, 3)), np.zeros(2)).all()
    none = TileGrid(Camera(width=24, height=24), 0.0)
    assert none.in_view(np.zeros((1, 3)), np.zeros(1)).sum() < 30


def test_tiles_are_numbered_alike_on_both_sides_of_the_origin():
    grid = TileGrid(Camera(width=24, height=24), 4.0)  # tiles of 1 m
    xyz = torch.tensor([[-0.5, 0.5, 63.5, 64.5], [0.0, 9.0, 0.0, 0.0], [0.5, 0.5, 0.5, 0.5]])
    assert grid.tiles(xyz).tolist() == [63 * 64, 0, 63 * 64, 0]


@pytest.mark.parametrize("camera", [Camera(width=24, height=24), Camera(width=24, height=24, pitch_deg=-30)])
def test_a_memory_with_tiles_holds_the_same_bits_as_one_that_looks_at_every_point(camera, monkeypatch):
    rng = np.random.default_rng(3)
    config = MemoryConfig(max_patches=6000)
    memories, world = [TokenMemory(2, 4, config, camera) for _ in range(2)], BoxWorld()
    for position, heading in random_walk(rng, 2, 40):
        world.boxes = [
            (tuple(corner), tuple(corner + 1.0)) for corner in rng.uniform([-4, 0, -3], [3, 1, 2], (2, 3))
        ]
        depth, features = world.depth(position, heading, camera), rng.normal(size=(2, 24, 24, 4)).astype("f4")
        segments = rng.integers(0, 3, (2, 2, 2)).repeat(12, axis=1).repeat(12, axis=2)
        for memory, few in zip(memories, (0, 10**9), strict=True):
            monkeypatch.setattr("vlnenv.memory.memory._FEW_POINTS", few)
            memory.update([0, 1], features, depth, position, heading, segments)
    for env in (0, 1):
        assert_same_snapshots(*(memory.snapshot(env) for memory in memories))
