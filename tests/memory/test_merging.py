import pytest
import torch
from torch.nn import functional as F

from vlnenv.memory.merging import MergingDiscriminator


def pairs(count, dim=64):
    torch.manual_seed(1)
    f3d, f2d = (F.normalize(torch.randn(count, dim), dim=1) for _ in range(2))
    return f3d, f2d, torch.randn(count, 3), torch.rand(count, 2)


def test_reads_features_offset_distance_cosine_and_overlap():
    network = MergingDiscriminator(64, 32).eval().requires_grad_(False)
    f3d, f2d, offset, overlap = pairs(5)
    logits = network(f3d, f2d, offset, overlap)
    for row in range(5):
        distance = offset[row].square().sum().sqrt()
        cosine = torch.dot(f3d[row], f2d[row])
        read = torch.cat([f3d[row], f2d[row], offset[row], distance[None], cosine[None], overlap[row]])
        expected = network.last(F.gelu(network.norm(network.first(read))))
        torch.testing.assert_close(logits[row], expected[0], rtol=0, atol=1e-6)


def test_bits_do_not_depend_on_the_batch():
    network = MergingDiscriminator(64).eval()
    values = pairs(33)
    with torch.no_grad():
        together = network(*values)
        for size in (1, 2, 5, 16):
            parts = [network(*(each[i : i + size] for each in values)) for i in range(0, 33, size)]
            assert torch.equal(torch.cat(parts), together)
        assert network(*(each[:0] for each in values)).shape == (0,)


def test_learns_to_tell_near_from_far():
    torch.manual_seed(0)
    network = MergingDiscriminator(8, 16)
    f3d, f2d, offset, overlap = pairs(256, 8)
    label = (offset.norm(dim=1) < 1.5).float()
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(network(f3d, f2d, offset, overlap), label).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        right = (network(f3d, f2d, offset, overlap) > 0) == label.bool()
    assert right.float().mean() > 0.95


def test_training_drops_features_and_nothing_else():
    network = MergingDiscriminator(64)
    f3d, f2d, offset, overlap = pairs(4)
    with torch.no_grad():
        assert not torch.equal(network(f3d, f2d, offset, overlap), network(f3d, f2d, offset, overlap))
        blank = torch.zeros_like(f3d), torch.zeros_like(f2d), offset, overlap
        assert torch.equal(network(*blank), network(*blank))


def test_a_pair_at_one_place_has_finite_gradients():
    network = MergingDiscriminator(8, 16)
    f3d, f2d, _, overlap = pairs(3, 8)
    offset = torch.zeros(3, 3, requires_grad=True)
    network(f3d, f2d, offset, overlap).sum().backward()
    assert torch.isfinite(offset.grad).all()


def test_wrong_shapes_are_named():
    f3d, f2d, offset, overlap = pairs(3)
    with pytest.raises(ValueError, match=r"got .*\(3, 1\)"):
        MergingDiscriminator(64)(f3d, f2d, offset, overlap[:, :1])
    with pytest.raises(ValueError, match="at least 1"):
        MergingDiscriminator(0)
