import math

import pytest
import torch

from agents.pretraining.losses import (
    alignment_loss,
    category_loss,
    contrast,
    distillation_loss,
    merge_loss,
    subspace_loss,
    text_loss,
)


def rows(count=7, dim=5, seed=0):
    return torch.randn(count, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        sum(x * x for x in a) * sum(y * y for y in b)
    )


def looped_contrast(ours, theirs, meaning=None, group=None, scale=10.0):
    ours, theirs = ours.tolist(), theirs.tolist()
    n, total = len(ours), 0.0
    for i in range(n):
        rivals = [
            j
            for j in range(n)
            if j == i
            or ((meaning is None or meaning[j] != meaning[i]) and (group is None or group[j] == group[i]))
        ]
        own = scale * cosine(ours[i], theirs[i])
        forward = math.log(sum(math.exp(scale * cosine(ours[i], theirs[j])) for j in rivals)) - own
        backward = math.log(sum(math.exp(scale * cosine(ours[j], theirs[i])) for j in rivals)) - own
        total += (forward + backward) / 2.0
    return total / n


MEANING = [0, 1, 0, 2, 3, 3, 4]
GROUP = [0, 0, 1, 1, 1, 0, 2]


@pytest.mark.parametrize("meaning", [None, MEANING])
@pytest.mark.parametrize("group", [None, GROUP])
def test_contrast_equals_its_loop(meaning, group):
    ours, theirs = rows(seed=1), rows(seed=2)
    tensors = [None if values is None else torch.tensor(values) for values in (meaning, group)]
    found = float(contrast(ours, theirs, *tensors))
    assert found == pytest.approx(looped_contrast(ours, theirs, meaning, group), rel=1e-9)


def test_contrast_by_hand():
    """Two orthogonal pairs that agree: each row's cross-entropy is log(1 + e^-10)."""
    axes = torch.eye(2, dtype=torch.float64)
    assert float(contrast(axes, 3.0 * axes)) == pytest.approx(math.log1p(math.exp(-10)))
    assert float(contrast(axes, axes.flip(0))) == pytest.approx(10 + math.log1p(math.exp(-10)))
    assert float(contrast(axes, axes.flip(0), meaning=torch.tensor([5, 5]))) == pytest.approx(0.0)
    assert float(contrast(axes[:0], axes[:0])) == 0.0


def test_merge_loss_weighs_both_kinds_the_same():
    logit = torch.tensor([2.0, -1.0, 0.5, 3.0], dtype=torch.float64)
    is_same = torch.tensor([True, False, False, False])
    same = -math.log(1 / (1 + math.exp(-2.0)))
    other = sum(-math.log(1 - 1 / (1 + math.exp(-x))) for x in (-1.0, 0.5, 3.0)) / 3
    assert float(merge_loss(logit, is_same)) == pytest.approx((same + other) / 2)
    assert float(merge_loss(logit[:1], is_same[:1])) == pytest.approx(same)
    assert float(merge_loss(logit[1:], is_same[1:])) == pytest.approx(other)
    assert float(merge_loss(logit[:0], is_same[:0])) == 0.0


def test_merge_loss_takes_logits():
    """At a large logit the loss goes on falling; of a score that went through a softmax it cannot."""
    assert float(merge_loss(torch.tensor([20.0]), torch.tensor([True]))) < 1e-6


def test_text_loss_does_not_hold_equal_texts_against_each_other():
    features, text = rows(seed=3), rows(seed=4)
    text[2], text[5] = text[0], text[4]
    found = float(text_loss(features, text, torch.tensor(MEANING)))
    assert found == pytest.approx(looped_contrast(features, text, MEANING), rel=1e-9)
    assert found < looped_contrast(features, text)


def test_distillation_equals_its_loop():
    features, mean = rows(seed=5), rows(seed=6)
    apart = sum(1 - cosine(a, b) for a, b in zip(features.tolist(), mean.tolist(), strict=True)) / 7
    expected = apart + looped_contrast(features, mean) / 5
    assert float(distillation_loss(features, mean)) == pytest.approx(expected, rel=1e-9)
    assert float(distillation_loss(features[:0], mean[:0])) == 0.0


def test_subspace_takes_the_view_from_both_sides():
    features, target, means = rows(seed=7), rows(seed=8), rows(3, seed=9)
    view = torch.tensor(GROUP)
    found = float(subspace_loss(features, target, means[view], view))
    expected = looped_contrast(features - means[view], target - means[view], group=GROUP)
    assert found == pytest.approx(expected, rel=1e-9)


def test_subspace_does_not_see_what_a_view_has_in_common():
    features, target, view = rows(seed=7), rows(seed=8), torch.zeros(7, dtype=torch.int64)
    mean, common = rows(1, seed=9), 100.0 * rows(1, seed=10)
    found = subspace_loss(features + common, target + common, (mean + common).expand(7, -1), view)
    torch.testing.assert_close(found, subspace_loss(features, target, mean.expand(7, -1), view))


def test_category_equals_its_loop():
    features, names, category = rows(seed=11), rows(4, seed=12), [0, 3, 1, 1, 2, 0, 3]
    total = 0.0
    for feature, own in zip(features.tolist(), category, strict=True):
        logits = [10 * cosine(feature, name) for name in names.tolist()]
        total += math.log(sum(map(math.exp, logits))) - logits[own]
    found = float(category_loss(features, names, torch.tensor(category)))
    assert found == pytest.approx(total / 7, rel=1e-9)
    assert float(category_loss(features[:0], names, torch.tensor(category)[:0])) == 0.0


def test_alignment_has_three_scales():
    sizes = {"object": 7, "region": 4, "scene": 2}
    scales = {
        name: (rows(n, seed=n), rows(n, seed=20 + n), torch.tensor(MEANING[:n])) for name, n in sizes.items()
    }
    found = alignment_loss(scales)
    for name, (ours, theirs, meaning) in scales.items():
        expected = looped_contrast(ours, theirs, meaning.tolist())
        assert float(found[name]) == pytest.approx(expected, rel=1e-9)
    with pytest.raises(ValueError, match="room"):
        alignment_loss({"room": scales["region"]})


def test_all_have_finite_gradients():
    features = rows(seed=1).requires_grad_(True)
    ids = torch.tensor(GROUP)
    total = (
        contrast(features, rows(seed=2), ids, ids)
        + merge_loss(features[:, 0], ids == 0)
        + distillation_loss(features, rows(seed=3))
        + subspace_loss(features, rows(seed=4), rows(seed=5), ids)
        + category_loss(features, rows(3), ids)
    )
    total.backward()
    assert torch.isfinite(features.grad).all()
    assert features.grad.abs().sum() > 0
