from __future__ import annotations

import numpy as np
import torch

from vlnenv.memory.cubes import KEY_BITS
from vlnenv.memory.scans import in_cubes, in_cubes_by_arrays, of_instances, of_instances_by_arrays

ENVS, COUNT = torch.tensor([4, 0, 2, 1]), torch.tensor([1500, 0, 3000, 1])


def test_points_of_instances_are_found_once_each() -> None:
    rng = np.random.default_rng(0)
    slot = torch.from_numpy(rng.integers(-1, 60, (6, 3100)))
    slot[1, 0] = 5
    number = torch.full((4, 64), -1)
    number[0, [3, 50]], number[2, [3, 7]], number[3, 5] = torch.tensor([0, 1]), torch.tensor([2, 3]), 4
    number[:, 61] = 9  # no point is in it
    expected = [
        (env * 3100 + i, int(number[row, slot[env, i]]))
        for row, (env, count) in enumerate(zip(ENVS.tolist(), COUNT.tolist(), strict=True))
        for i in range(count)
        if slot[env, i] >= 0 and number[row, slot[env, i]] >= 0
    ]
    assert {group for _, group in expected} == {0, 1, 2, 3, 4}
    for form in (of_instances, of_instances_by_arrays):
        place, group = form(slot, ENVS, COUNT, number)
        assert list(zip(place.tolist(), group.tolist(), strict=True)) == expected


def test_points_in_cubes_are_found_once_each() -> None:
    rng = np.random.default_rng(1)
    keys = torch.from_numpy(rng.integers(0, 1 << KEY_BITS, 80))
    voxel = keys[torch.from_numpy(rng.integers(0, 80, (6, 3100)))]
    wanted = [(0, 3), (0, 4), (2, 3), (2, 50), (1, 3), (3, int((keys == voxel[1, 0]).nonzero()))]
    cubes = torch.tensor(sorted((row << KEY_BITS) | int(keys[k]) for row, k in wanted))
    expected = [
        (cubes.tolist().index(key), row, i)
        for row, (env, count) in enumerate(zip(ENVS.tolist(), COUNT.tolist(), strict=True))
        for i in range(count)
        if (key := (row << KEY_BITS) | int(voxel[env, i])) in cubes
    ]
    assert len({at for at, _, _ in expected}) == 5  # nothing is stored where the view of row 1 looks
    for form in (in_cubes, in_cubes_by_arrays):
        found = zip(*(values.tolist() for values in form(voxel, ENVS, COUNT, cubes)), strict=True)
        assert list(found) == expected
