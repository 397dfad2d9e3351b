from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.viewer.rooms import nothing, remembered, scene
from vlnenv.memory.query import (
    best_instances,
    best_names,
    instance_rows,
    instance_similarity,
    patch_counts,
    patch_similarity,
    query_feature,
)
from vlnenv.memory.text_table import load_text_table


def colored_names() -> list[tuple[str, str]]:
    """Furniture that stands once in the house, and is remembered: (colour, name)."""
    pieces = [(instance.color, instance.category) for instance in scene().instances]
    once = [piece for piece in pieces if piece[0] and sum(piece[1] == other for _, other in pieces) == 1]
    found = []
    for color, name in once:
        box = next(instance.bounds_m for instance in scene().instances if instance.category == name)
        low, high = (np.array(corner)[:, None] for corner in box)
        xyz_m = remembered().xyz_m.numpy()
        if ((xyz_m > low - 0.02) & (xyz_m < high + 0.02)).all(axis=0).sum() > 40:
            found.append((color, name))
    return found


def test_an_object_is_found_by_its_colour_and_name_where_it_stands() -> None:
    pieces = colored_names()
    assert len(pieces) >= 3
    for color, name in pieces:
        match = best_instances(remembered(), f"{color} {name}", count=1)[0]
        box = next(instance.bounds_m for instance in scene().instances if instance.category == name)
        assert (np.array(match.xyz_m) > np.array(box[0]) - 0.1).all(), name
        assert (np.array(match.xyz_m) < np.array(box[1]) + 0.1).all(), name
        assert match.similarity > 0.8
        assert match.patches >= 3


def test_matches_come_best_first() -> None:
    everything = best_instances(remembered(), "sofa", count=10_000)
    assert len(everything) == len(remembered().instance_ids)
    similarity = [match.similarity for match in everything]
    assert similarity == sorted(similarity, reverse=True)
    assert best_instances(remembered(), "sofa", count=3) == everything[:3]
    counts = dict(zip(remembered().instance_ids.tolist(), patch_counts(remembered()).tolist(), strict=True))
    assert [match.patches for match in everything] == [counts[match.instance_id] for match in everything]


def test_a_patch_speaks_for_itself_only_where_it_is_in_no_instance() -> None:
    snapshot = remembered()
    row = instance_rows(snapshot)
    loose = snapshot.instance_id.clone()
    loose[::3] = -1
    changed = replace(snapshot, instance_id=loose)
    similarity = patch_similarity(changed, "bed")
    unit = load_text_table().embed("bed")
    own = snapshot.features.numpy() @ unit
    np.testing.assert_allclose(similarity[::3], own[::3], atol=1e-5)
    np.testing.assert_allclose(similarity[1::3], instance_similarity(snapshot, "bed")[row[1::3]], atol=1e-6)


def test_rows_and_counts_follow_the_ids_when_they_have_gaps() -> None:
    snapshot = remembered()
    doubled = replace(
        snapshot,
        instance_ids=snapshot.instance_ids * 2 + 5,
        instance_id=torch.where(snapshot.instance_id < 0, -1, snapshot.instance_id * 2 + 5),
    )
    np.testing.assert_array_equal(instance_rows(doubled), instance_rows(snapshot))
    assert patch_counts(doubled).sum() == int((snapshot.instance_id >= 0).sum())
    assert (patch_counts(doubled) >= 1).all()
    expected = [match.instance_id * 2 + 5 for match in best_instances(snapshot, "bed")]
    assert [match.instance_id for match in best_instances(doubled, "bed")] == expected


def test_names_are_the_most_alike() -> None:
    names = best_names(remembered(), ("floor", "wall", "ceiling"))
    height_m = remembered().instance_xyz_m[1].numpy()
    counts = patch_counts(remembered())
    low = (height_m < 0.05) & (counts > 100)
    assert low.any()
    assert {name for name, is_low in zip(names, low, strict=True) if is_low} == {"floor"}
    with pytest.raises(ValueError, match="at least one name"):
        best_names(remembered(), [])


def test_an_empty_memory_has_no_match() -> None:
    assert best_instances(nothing(), "sofa") == []
    assert patch_similarity(nothing(), "sofa").shape == (0,)
    assert best_names(nothing(), ["sofa"]) == []


def test_queries_that_do_not_fit_are_named() -> None:
    np.testing.assert_allclose(query_feature(np.array([3.0, 4.0]), 2), [0.6, 0.8])
    with pytest.raises(ValueError, match="embedded to 64 numbers, this memory's features have 768"):
        query_feature("sofa", 768)
    for wrong in (np.zeros(64), np.ones(5), np.full(64, np.nan)):
        with pytest.raises(ValueError, match="finite feature"):
            query_feature(wrong, 64)
