from __future__ import annotations

import numpy as np
import pytest
import torch

from vlnenv.memory.members import gather, gather_by_arrays, spread

FORMS = pytest.mark.parametrize("form", [gather, gather_by_arrays])


@FORMS
def test_samples_are_the_lowest_in_the_spread_of_ids(form) -> None:
    rng = np.random.default_rng(4)
    group = torch.from_numpy(rng.integers(0, 5, 3000))
    group[group == 3] = 0  # 3 is empty, 4 has two
    group[(group == 4).nonzero()[2:, 0]] = 1
    place = torch.from_numpy(rng.permutation(4000)[:3000])
    ids = torch.from_numpy(rng.permutation(10**6)[:4000])
    groups = form(torch.zeros(3, 4000), ids, place, group, 5, 32)
    assert groups.size.tolist() == torch.bincount(group, minlength=5).tolist()
    assert groups.size[3:].tolist() == [0, 2]
    for number in range(5):
        own = ids[place[group == number]]
        expected = own[spread(own).argsort()[:32]].tolist()
        assert ids[groups.member[number]][groups.mask[number]].tolist() == expected
        assert (groups.mask[number].int().diff() <= 0).all()  # filled from the left


@FORMS
def test_means_are_added_up_in_float64(form) -> None:
    xyz, every = torch.full((3, 100_000), 0.1) + 1000.0, torch.arange(100_000)
    mean = form(xyz, every, every, torch.zeros(100_000, dtype=torch.int64), 2, 4).centre_m
    assert torch.equal(mean[:, 0], xyz[:, 0])
    assert not mean[:, 1].any()


def test_compiled_loop_and_arrays_agree_to_the_last_bit() -> None:
    rng = np.random.default_rng(2)
    xyz = torch.from_numpy(rng.normal(size=(3, 5000)).astype(np.float32) * 20)
    ids = torch.from_numpy(rng.choice(2**32, 5000, replace=False))
    for most, things in ((1, 4000), (32, 4000), (8, 0)):
        place = torch.from_numpy(rng.choice(5000, things, replace=False))
        group = torch.from_numpy(rng.integers(0, 40, things) ** 2 // 40)
        one, two = (form(xyz, ids, place, group, 41, most) for form in (gather, gather_by_arrays))
        for name in ("size", "centre_m", "mask"):
            assert torch.equal(getattr(one, name), getattr(two, name)), name
        assert torch.equal(one.member[one.mask], two.member[one.mask])
