"""Text queries to a memory: how alike each of its patches and instances is to a phrase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlnenv.memory.snapshot import MemorySnapshot
from vlnenv.memory.text_encoder import embed_query


@dataclass(frozen=True)
class Match:
    """A remembered instance as the answer to a query."""

    instance_id: int
    similarity: float
    """Cosine of its feature and the query's, in [-1, 1]."""
    xyz_m: tuple[float, float, float]
    """Its centre, world frame, metres."""
    patches: int
    """Its live patches."""


def query_feature(query: str | np.ndarray, dim: int) -> np.ndarray:
    """The feature of a query in the space of a memory's features.

    Args:
        query: A phrase, embedded as `vlnenv.memory.text_encoder` does; or a feature (dim,) of your own, for
            a memory in another space.
        dim: Length of the memory's features.

    Returns:
        float32 (dim,) of unit length.

    Raises:
        ValueError: If a phrase is asked of a memory in another space, or a feature has the wrong shape or no
            direction.
    """
    if isinstance(query, str):
        feature = embed_query(query)
        if len(feature) != dim:
            raise ValueError(
                f"phrases are embedded to {len(feature)} numbers, this memory's features have {dim}: pass "
                "the query as a feature of its encoder's own text side"
            )
        return feature
    feature = np.asarray(query, dtype=np.float32)
    length = float(np.linalg.norm(feature))
    if feature.shape != (dim,) or not np.isfinite(length) or length == 0.0:
        raise ValueError(f"a query must be a finite feature ({dim},) that is not zero, got {feature.shape}")
    return feature / length


def patch_similarity(snapshot: MemorySnapshot, query: str | np.ndarray) -> np.ndarray:
    """How alike each point is to a query: its instance's feature where it has one, else its own.

    Args:
        snapshot: Of k points.
        query: See `query_feature`.

    Returns:
        float32 (k,) cosines in [-1, 1]; 0 for features without direction.
    """
    feature = query_feature(query, snapshot.features.shape[1])
    similarity = _cosine(snapshot.features.cpu().numpy(), feature)
    row = instance_rows(snapshot)
    known = row >= 0
    similarity[known] = instance_similarity(snapshot, feature)[row[known]]
    return similarity


def instance_similarity(snapshot: MemorySnapshot, query: str | np.ndarray) -> np.ndarray:
    """How alike each instance is to a query: float32 (j,) cosines in [-1, 1]."""
    feature = query_feature(query, snapshot.features.shape[1])
    return _cosine(snapshot.instance_features.cpu().numpy(), feature)


def best_instances(snapshot: MemorySnapshot, query: str | np.ndarray, count: int = 5) -> list[Match]:
    """The instances most alike to a query, best first: by the plain cosine.

    Tried on six houses and a scanned flat, and no better: counting against an instance what it has in common
    with other phrases (softmax over a vocabulary, mean likeness), prior weight of large instances, leaving
    out small ones, ranking by the likeness of single patches (mean, quantiles).

    Args:
        snapshot: What is remembered.
        query: See `query_feature`.
        count: How many, at most.

    Returns:
        At most `count` matches; of equally good ones the older instance first.
    """
    similarity = instance_similarity(snapshot, query)
    patches = patch_counts(snapshot)
    order = np.argsort(-similarity, kind="stable")[:count]
    ids = snapshot.instance_ids.cpu().numpy()
    centres_m = snapshot.instance_xyz_m.cpu().numpy().T
    return [
        Match(
            int(ids[row]),
            float(similarity[row]),
            (float(centres_m[row, 0]), float(centres_m[row, 1]), float(centres_m[row, 2])),
            int(patches[row]),
        )
        for row in order
    ]


def best_names(snapshot: MemorySnapshot, names: list[str] | tuple[str, ...]) -> list[str]:
    """The most alike of some names for each instance, (j,).

    Raises:
        ValueError: If there is no name.
    """
    if not names:
        raise ValueError("expected at least one name to choose from")
    dim = snapshot.features.shape[1]
    features = np.stack([query_feature(name, dim) for name in names])
    similarity = snapshot.instance_features.cpu().numpy() @ features.T
    return [names[column] for column in similarity.argmax(axis=1)]


def instance_rows(snapshot: MemorySnapshot) -> np.ndarray:
    """Each point's row among the instances, int64 (k,); -1 where it is in none."""
    ids = snapshot.instance_ids.cpu().numpy()
    own = snapshot.instance_id.cpu().numpy()
    return np.where(own >= 0, np.searchsorted(ids, own), -1)


def patch_counts(snapshot: MemorySnapshot) -> np.ndarray:
    """Live points of each instance, int64 (j,)."""
    row = instance_rows(snapshot)
    return np.bincount(row[row >= 0], minlength=len(snapshot.instance_ids))


def _cosine(features: np.ndarray, unit: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(features, axis=1)
    cosine: np.ndarray = (features @ unit) / np.where(lengths > 0.0, lengths, 1.0)
    return cosine.astype(np.float32)
