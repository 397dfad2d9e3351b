"""Losses of the representation's pretraining: pure functions of features and targets.

Rows of features need not have unit length; all similarities are cosines. "C" is `contrast`.

Source: Dynam3D (arXiv 2505.11383), Eq. 4 to 7; the three scales after MS-VLAM.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

LOGIT_SCALE = 10.0
"""What cosines are multiplied by before a softmax."""


def contrast(
    ours: Tensor,
    theirs: Tensor,
    meaning: Tensor | None = None,
    group: Tensor | None = None,
    scale: float = LOGIT_SCALE,
) -> Tensor:
    """Symmetric InfoNCE: row i of each side is to be more like row i of the other than like any other row.

    Args:
        ours: (n, d).
        theirs: (n, d).
        meaning: int (n,), equal where two rows stand for the same thing (two white walls, say): such rows are
            not held against each other. None: all differ.
        group: int (n,), only rows of the same group are compared; None for one group.
        scale: Of the cosines.

    Returns:
        The mean cross-entropy over the rows and both directions; 0 without rows.
    """
    if len(ours) == 0:
        return ours.sum() * 0.0
    logits = scale * F.normalize(ours, dim=1) @ F.normalize(theirs, dim=1).T
    left_out = torch.zeros(logits.shape, dtype=torch.bool, device=logits.device)
    if meaning is not None:
        left_out |= meaning[:, None] == meaning
    if group is not None:
        left_out |= group[:, None] != group
    left_out.fill_diagonal_(False)
    logits = logits.masked_fill(left_out, -torch.inf)
    target = torch.arange(len(ours), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2.0


def merge_loss(logit: Tensor, is_same: Tensor) -> Tensor:
    """Eq. 4: cross-entropy of the merging discriminator, pairs of both kinds weighing the same.

    Args:
        logit: (p,) of "the same"; not a probability (the released code takes the softmax twice).
        is_same: bool (p,), the truth.

    Returns:
        The mean of the two kinds' means; of one kind alone if the other is missing; 0 without pairs.
    """
    each = F.binary_cross_entropy_with_logits(logit, is_same.to(logit.dtype), reduction="none")
    kinds = [each[kind].mean() for kind in (is_same, ~is_same) if kind.any()]
    return torch.stack(kinds).mean() if kinds else logit.sum() * 0.0


def text_loss(features: Tensor, text: Tensor, meaning: Tensor, scale: float = LOGIT_SCALE) -> Tensor:
    """Eq. 5: C of instances, or zones, with the embeddings of what they are called.

    Args:
        features: (n, d).
        text: (n, d).
        meaning: int (n,), equal for equal texts.
        scale: Of the cosines.
    """
    return contrast(features, text, meaning, scale=scale)


def distillation_loss(features: Tensor, mean_patch: Tensor) -> Tensor:
    """Eq. 6: 1 - cosine with the mean of the members' features, plus C / 5.

    Args:
        features: (n, d) of instances.
        mean_patch: (n, d), the encoder's mean over each instance's patches.
    """
    if len(features) == 0:
        return features.sum() * 0.0
    apart = (1.0 - F.cosine_similarity(features, mean_patch, dim=1)).mean()
    return apart + contrast(features, mean_patch) / 5.0


def subspace_loss(features: Tensor, target: Tensor, view_mean: Tensor, view: Tensor) -> Tensor:
    """Eq. 7: C of features and targets after the mean of their view is taken from both, within each view.

    What all of a view has in common no longer counts, so that what sets its things apart does.

    Args:
        features: (n, d) of instances, unit length.
        target: (n, d), unit length.
        view_mean: (n, d) mean patch feature of the view that each was seen in, not brought to unit length.
        view: int (n,) which view that is.
    """
    return contrast(features - view_mean, target - view_mean, group=view)


def category_loss(features: Tensor, names: Tensor, category: Tensor, scale: float = LOGIT_SCALE) -> Tensor:
    """Cross-entropy of the cosines with the embeddings of all category names.

    Args:
        features: (n, d).
        names: (c, d).
        category: int64 (n,) in [0, c).
        scale: Of the cosines.
    """
    if len(features) == 0:
        return features.sum() * 0.0
    return F.cross_entropy(scale * F.normalize(features, dim=1) @ F.normalize(names, dim=1).T, category)


def alignment_loss(scales: dict[str, tuple[Tensor, Tensor, Tensor]]) -> dict[str, Tensor]:
    """Three-scale alignment: C of features and text for objects, regions and whole scenes apart.

    Args:
        scales: "object", "region" and "scene", or some of them: features (n, d), text (n, d) and `meaning`
            int (n,), as for `contrast`.

    Returns:
        The loss of each scale.

    Raises:
        ValueError: If there is another scale.
    """
    unknown = set(scales) - {"object", "region", "scene"}
    if unknown:
        raise ValueError(f"scales are object, region and scene, got {sorted(unknown)}")
    return {name: contrast(*values) for name, values in scales.items()}
