import pytest
import torch
from torch.nn import functional as F

from vlnenv.memory.set_encoder import SetEncoder, padded_sizes

DIM, POSITION = 64, 7


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def trained(dim=DIM, heads=4, layers=2):
    """An encoder with arbitrary weights in every place, as training leaves it."""
    torch.manual_seed(0)
    encoder = SetEncoder(dim, POSITION, heads=heads, layers=layers).eval()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return encoder.requires_grad_(False)


def sets(count, members=32, dim=DIM, seed=1):
    torch.manual_seed(seed)
    features = F.normalize(torch.randn(count, members, dim), dim=-1)
    position = torch.randn(count, members, POSITION)
    live = torch.randint(1, members + 1, (count, 1))
    return features, position, torch.arange(members) < live


def test_an_untrained_encoder_is_the_mean():
    features, position, mask = sets(9)
    encoder = SetEncoder(DIM, POSITION).eval()
    mean = F.normalize((features * mask[..., None]).sum(1), dim=1)
    with torch.no_grad():
        torch.testing.assert_close(encoder(features, position, mask), mean)


def test_a_trained_one_is_not_and_has_unit_length():
    features, position, mask = sets(9)
    with torch.no_grad():
        encoded = trained()(features, position, mask)
    mean = F.normalize((features * mask[..., None]).sum(1), dim=1)
    assert (encoded * mean).sum(1).max() < 0.95
    torch.testing.assert_close(encoded.norm(dim=1), torch.ones(9))


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_equals_a_plain_transformer(layers):
    """Every row of every layer, by torch's own attention, one set at a time without padding."""
    encoder = trained(heads=2, layers=layers)
    features, position, mask = sets(6, members=11)
    with torch.no_grad():
        encoded = encoder(features, position, mask)
        for row, own in enumerate(mask):
            place = F.gelu(encoder.place_norm(encoder.place_in(position[row, own])))
            tokens = features[row, own] * DIM**0.5 + place @ encoder.place_out.weight.T
            x = torch.cat([encoder.query[None], tokens])
            for layer in [*encoder.layers, encoder.last]:
                q, k, v = layer.qkv(layer.norm1(x)).chunk(3, dim=1)
                heads = [
                    torch.softmax(qh @ kh.T / qh.shape[1] ** 0.5, dim=1) @ vh
                    for qh, kh, vh in zip(q.chunk(2, 1), k.chunk(2, 1), v.chunk(2, 1), strict=True)
                ]
                x = x + torch.cat(heads, dim=1) @ layer.out.weight.T
                x = x + F.gelu(layer.widen(layer.norm2(x))) @ layer.narrow.weight.T
            expected = features[row, own].mean(0) + encoder.out(encoder.norm(x[0]))
            torch.testing.assert_close(encoded[row], F.normalize(expected, dim=0), rtol=0, atol=2e-6)


def test_padding_never_matters():
    encoder = trained()
    features, position, mask = sets(12, members=20)
    dirty = torch.where(mask[..., None], features, torch.randn_like(features) * 100)
    far = torch.where(mask[..., None], position, torch.full_like(position, 1e6))
    wider = [F.pad(values, (0, 0, 0, 13), value=7.0) for values in (features, position)]
    with torch.no_grad():
        expected = encoder(features, position, mask)
        assert torch.equal(encoder(dirty, far, mask), expected)
        assert torch.equal(encoder(*wider, F.pad(mask, (0, 13))), expected)
    with_gradients = encoder(dirty, far, mask)
    torch.testing.assert_close(with_gradients, expected, rtol=0, atol=1e-6)


def test_the_order_of_members_never_matters():
    encoder = trained()
    features, position, mask = sets(12, members=40)
    order = torch.stack([torch.randperm(40) for _ in range(12)])
    shuffled = [
        values.gather(1, order[..., None].expand(-1, -1, values.shape[2])) for values in (features, position)
    ]
    with torch.no_grad():
        expected = encoder(features, position, mask)
        found = encoder(*shuffled, mask.gather(1, order))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("dim", "heads"), [(64, 2), (96, 3), (256, 4)])
def test_bits_do_not_depend_on_the_batch(dim, heads):
    encoder = trained(dim, heads)
    features, position, mask = sets(16, dim=dim)
    with torch.no_grad():
        together = encoder(features, position, mask)
        for batch in (1, 3, 4):
            for start in range(0, 16, batch):
                rows = slice(start, start + batch)
                longest = int(mask[rows].sum(1).max())
                own = encoder(features[rows], position[rows], mask[rows])
                cut = encoder(features[rows, :longest], position[rows, :longest], mask[rows, :longest])
                assert torch.equal(own, together[rows])
                assert torch.equal(cut, together[rows])


def test_many_members():
    encoder = trained()
    features, position, mask = sets(2, members=130)
    with torch.no_grad():
        encoded = encoder(features, position, mask)
        for row in range(2):
            alone = encoder(
                features[row : row + 1, mask[row]],
                position[row : row + 1, mask[row]],
                mask[row, mask[row]][None],
            )
            torch.testing.assert_close(alone[0], encoded[row], rtol=0, atol=1e-6)


def test_padded_sizes():
    counts = torch.tensor([0, 1, 8, 9, 16, 17, 32, 33, 64, 65])
    assert padded_sizes(counts).tolist() == [8, 8, 8, 32, 32, 32, 32, 64, 64, 96]


def test_empty_sets_are_zero_and_no_sets_are_none():
    encoder = trained()
    features, position, mask = sets(3)
    mask[1] = False
    with torch.no_grad():
        encoded = encoder(features, position, mask)
        assert encoder(features[:0], position[:0], mask[:0]).shape == (0, DIM)
    assert torch.equal(encoded[1], torch.zeros(DIM))
    assert torch.isfinite(encoded).all()
    assert torch.isfinite(encoder(features, position, mask)).all()


def test_gradients_reach_every_weight():
    encoder = trained().requires_grad_(True)
    encoder(*sets(5)).square().mul(torch.rand(DIM)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("sizes", [{"dim": 0}, {"dim": 30, "heads": 4}, {"layers": 0}, {"ffn": 0}])
def test_wrong_sizes_are_named(sizes):
    with pytest.raises(ValueError, match="multiple of heads"):
        SetEncoder(**{"dim": 64, "position_dim": 7, **sizes})


def test_wrong_shapes_are_named():
    features, position, mask = sets(3)
    with pytest.raises(ValueError, match=r"got \(3, 32, 64\) and \(3, 32, 4\)"):
        SetEncoder(DIM, POSITION)(features, position[..., :4], mask)
