from __future__ import annotations

import numpy as np
import torch

from tests.memory.test_memory import DIM, SMALL, ZERO, unit_features
from vlnenv.memory import MemoryConfig, TokenMemory
from vlnenv.memory.cubes import cube_coordinates, cube_keys, keys_of_cubes
from vlnenv.memory.voxels import finest


def test_cubes_are_numbered_as_they_lie() -> None:
    generator = torch.Generator().manual_seed(0)
    xyz = torch.randn(3, 500, generator=generator) * 50.0
    keys = cube_keys(xyz, 2.0)
    coordinates = cube_coordinates(keys)
    assert torch.equal(coordinates, torch.floor(xyz / 2.0).long().T)
    assert torch.equal(keys_of_cubes(coordinates), keys)
    ascending = [tuple(row) for row in coordinates[keys.argsort()].tolist()]
    assert ascending == sorted(ascending)
    assert len(set(keys.tolist())) == len(set(ascending))


def view(memory: TokenMemory, depth_m: float, heading: float = 0.0) -> None:
    memory.update(
        [0],
        unit_features(np.random.default_rng(0), 1),
        np.full((1, 24, 24), depth_m, np.float32),
        np.zeros((1, 3)),
        np.array([heading]),
        np.ones((1, 24, 24), dtype=np.int64),
    )


def test_a_zone_goes_with_its_last_instance_and_comes_with_its_first() -> None:
    memory = TokenMemory(1, DIM, MemoryConfig(zone_m=0.5, candidates=0), SMALL)
    view(memory, 1.0)
    assert memory.snapshot(0).zone_keys.tolist() == [[0, 2, -2]]  # about (0, 1.25, -1), a hair to the right
    view(memory, 2.5)  # the first wall is seen through
    snap = memory.snapshot(0)
    assert snap.zone_keys[:, 2].tolist() == [-5]
    torch.testing.assert_close(snap.zone_xyz_m, snap.instance_xyz_m)
    torch.testing.assert_close(snap.zone_features, snap.instance_features)
    memory.update(
        [0], unit_features(np.random.default_rng(0), 1), np.zeros((1, 24, 24), np.float32), *ZERO
    )  # into the open: all goes
    snap = memory.snapshot(0)
    assert len(snap.zone_keys) == len(snap.instance_ids) == len(snap.patch_id) == 0
    assert not memory.read([0], *ZERO)["zone_mask"].any()


def test_zones_are_read_nearest_first_up_to_their_number() -> None:
    memory = TokenMemory(1, DIM, MemoryConfig(zone_m=1.0, max_zones=2, candidates=0), SMALL)
    for turn, depth_m in enumerate((1.0, 2.0, 2.9)):
        view(memory, depth_m, heading=2.0 * turn)
    snap = memory.snapshot(0)
    assert len(snap.zone_keys) == 3
    distance = snap.zone_xyz_m.norm(dim=0)
    observation = memory.read([0], *ZERO)
    assert observation["zone_mask"].tolist() == [[1, 1]]
    nearest = distance.argsort()[:2]
    np.testing.assert_array_equal(observation["zone_tokens"][0], snap.zone_features[nearest])


def test_far_points_are_kept_once_a_voxel_and_the_finest_of_them() -> None:
    config = MemoryConfig(dedup_voxel_m=0.3)
    memory = TokenMemory(1, DIM, config, SMALL)

    def look(ahead_m: float) -> None:
        depth = np.full((1, 24, 24), 6.0 - ahead_m, np.float32)  # a wall six metres from the origin
        memory.update(
            [0],
            unit_features(np.random.default_rng(0), 1),
            depth,
            np.array([[0.0, 0.0, -ahead_m]]),
            np.zeros(1),
        )

    look(0.0)
    assert len(memory) == 576  # half a metre apart
    look(0.0)
    snap = memory.snapshot(0)
    assert len(snap.patch_id) == 576
    assert int(snap.patch_id.max()) == 575  # what is no finer is dropped
    assert snap.next_id == 2 * 576  # though it had its ids
    look(1.5)
    snap = memory.snapshot(0)
    keys = cube_keys(snap.xyz_m, 0.3)
    assert len(keys.unique()) == len(keys)
    finer = snap.patch_id >= 2 * 576
    assert finer.sum() > 200
    assert snap.scale_m[finer].max() < snap.scale_m[~finer].min()
    look(3.5)  # within range nothing is thinned out
    near = memory.snapshot(0)
    assert (near.patch_id >= 3 * 576).sum() == 576


def test_of_equally_fine_new_points_the_first_is_kept() -> None:
    memory = TokenMemory(2, DIM, camera=SMALL)
    row, voxel = torch.tensor([0, 0, 0, 1]), torch.tensor([7, 7, 9, 7])
    scale = torch.tensor([0.5, 0.5, 0.5, 0.1])
    kept, gone_row, gone_column = finest(torch.tensor([1, 0]), memory._patches, row, voxel, scale)
    assert kept.tolist() == [0, 2, 3]
    assert not len(gone_row)
    assert not len(gone_column)
