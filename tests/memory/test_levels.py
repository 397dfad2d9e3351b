from __future__ import annotations

import pytest
import torch

from vlnenv.memory.levels import MeanLevels, make_levels


def test_a_mean_is_of_what_the_mask_marks_and_at_unit_length() -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(5, 7, 6, generator=generator)
    mask = torch.arange(7) < torch.tensor([1, 2, 3, 6, 7])[:, None]
    features[~mask] = 1e6  # padding never matters
    levels = MeanLevels(6)
    encoded = levels.encode_instances(features, torch.zeros(5, 7, 7), mask)
    for row in range(5):
        mean = features[row, mask[row]].double().mean(dim=0)
        torch.testing.assert_close(encoded[row].double(), mean / mean.norm(), atol=1e-6, rtol=0)
    assert torch.equal(encoded, levels.encode_zones(features, torch.zeros(5, 7, 4), mask))


def test_features_of_nothing_stay_nothing() -> None:
    encoded = MeanLevels(3).encode_instances(
        torch.zeros(1, 2, 3), torch.zeros(1, 2, 7), torch.ones(1, 2).bool()
    )
    assert not encoded.any()


@pytest.mark.parametrize("dim", [5, 64, 768])
def test_a_rows_bits_are_its_own(dim: int) -> None:
    generator = torch.Generator().manual_seed(1)
    levels, n, m = MeanLevels(dim), 33, 32
    features = torch.randn(n, m, dim, generator=generator)
    mask = torch.arange(m) < torch.randint(1, m + 1, (n, 1), generator=generator)
    together = levels.encode_instances(features, torch.zeros(n, m, 7), mask)
    offset, overlap = torch.randn(n, 3, generator=generator), torch.rand(n, 2, generator=generator)
    all_pairs = levels.same(together, together.flip(0), offset, overlap)
    assert ((all_pairs >= 0) & (all_pairs <= 1)).all()
    for rows in (slice(3, 4), slice(1, 5), slice(7, 23)):
        k = rows.stop - rows.start
        alone = levels.encode_instances(features[rows], torch.zeros(k, m, 7), mask[rows])
        assert torch.equal(alone, together[rows])
        pairs = levels.same(together[rows], together.flip(0)[rows], offset[rows], overlap[rows])
        assert torch.equal(pairs, all_pairs[rows])


def test_no_rows_are_no_work() -> None:
    levels = MeanLevels(4)
    assert levels.encode_instances(
        torch.zeros(0, 3, 4), torch.zeros(0, 3, 7), torch.zeros(0, 3).bool()
    ).shape == (0, 4)
    pairs = levels.same(torch.zeros(0, 4), torch.zeros(0, 4), torch.zeros(0, 3), torch.zeros(0, 2))
    assert pairs.shape == (0,)


def test_levels_go_by_name() -> None:
    assert isinstance(make_levels("mean", "mini", 64), MeanLevels)
    assert isinstance(make_levels("auto", "semantic", 64), MeanLevels)
    with pytest.raises(ValueError, match="Did you mean 'mean'"):
        make_levels("means", "mini", 64)
