from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from agents.pretraining.config import WalksConfig
from agents.pretraining.encounters import Encounters, Recorder, majority, meet
from agents.pretraining.walks import Walks, load_walks
from vlnenv import houses
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.memory.text_table import load_text_table

STEPS, HOUSES = 20, 2


@pytest.fixture(scope="module")
def walks(cache: Path) -> Walks:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLNENV_CACHE", str(cache))
        return load_walks(WalksConfig(houses=HOUSES, steps=STEPS, size=96))


@pytest.fixture(scope="module")
def data(walks: Walks) -> Encounters:
    return meet(walks, keep=0.5)


def test_numbers_fit_together(data: Encounters) -> None:
    sets, zones, views = len(data.set_count), len(data.zone_view), len(data.view_step)
    assert sets > 100
    assert 0 < views < 2 * HOUSES * STEPS
    assert data.pair_sets.min() >= 0
    assert data.pair_sets.max() < sets
    assert (data.pair_view.diff() >= 0).all()
    assert (data.zone_view.diff() >= 0).all()
    assert data.pair_view.max() < views
    assert data.zone_sets.max() < sets
    assert data.view_zones.max() < zones
    assert (data.view_zones >= 0).any(dim=1).all()
    used = torch.cat([data.pair_sets.flatten(), data.zone_sets[data.zone_sets >= 0]]).unique()
    assert torch.equal(used, torch.arange(sets))
    assert data.set_instance.max() < len(data.instance_category)


def test_sets_and_their_truth_belong_together(walks: Walks, data: Encounters) -> None:
    truth = torch.from_numpy(walks.instance.reshape(-1).astype(np.int64))[data.set_patches.long()]
    walk = data.set_patches[:, 0].long() // (STEPS * 576)
    first = np.cumsum([0, *(len(houses.load_scene(name).instances) for name in walks.scene_ids)])
    own = truth - 1 + torch.from_numpy(first)[walk, None] == data.set_instance[:, None]
    mask = torch.arange(32) < data.set_count[:, None]
    part = (own & mask).sum(dim=1) / data.set_count
    assert torch.allclose(part, data.set_purity)
    assert 0.5 < (part == 1.0).float().mean() < 1.0
    assert all(
        len(set(row[:count].tolist())) == count
        for row, count in zip(data.set_patches, data.set_count, strict=True)
    )


def test_a_pair_is_of_one_walk_and_its_segment_of_the_view(data: Encounters) -> None:
    view = data.set_patches // 576
    mask = torch.arange(32) < data.set_count[:, None]
    here = (data.view_walk * STEPS + data.view_step)[data.pair_view][:, None]
    segment, remembered = data.pair_sets[:, 1], data.pair_sets[:, 0]
    assert (view[segment] == here)[mask[segment]].all()
    before = view[remembered]
    assert ((before < here) & (before >= here - data.view_step[data.pair_view][:, None]))[
        mask[remembered]
    ].all()


def test_texts_are_those_of_the_scene(walks: Walks, data: Encounters) -> None:
    table, scene = load_text_table(), houses.load_scene(walks.scene_ids[0])
    for instance in scene.instances:
        row = instance.id - 1
        assert np.array_equal(data.instance_name[row], table.embed(instance.category))
        assert np.array_equal(
            data.category_names[data.instance_category[row]], table.embed(instance.category)
        )
    assert torch.equal(
        data.instance_text[: len(scene.instances)], SemanticEncoder().instance_features(scene)[1:]
    )
    room = houses.house_of(scene.id).rooms[1]
    floor = next(each.id for each in scene.instances if each.name == f"floor_{room.name}")
    assert np.array_equal(data.instance_room[floor - 1], table.embed(room.kind))


def test_places_are_relative_to_the_centre(data: Encounters) -> None:
    position = data.set_position.float()
    mask = torch.arange(32) < data.set_count[:, None]
    assert torch.allclose(position[..., :3].norm(dim=2)[mask], position[..., 3][mask], atol=0.02)
    circle = position[..., 4].square() + position[..., 5].square()
    assert torch.allclose(circle[mask], torch.ones(1), atol=0.01)
    own = data.zone_sets >= 0
    assert torch.allclose(
        data.zone_position[..., :3].norm(dim=2)[own], data.zone_position[..., 3][own], atol=1e-4
    )


def test_pairs_of_one_object_overlap_more(data: Encounters) -> None:
    same = data.pair_is_same
    assert 0.2 < same.float().mean() < 0.95
    assert data.pair_overlap[same, 1].mean() > 2.0 * data.pair_overlap[~same, 1].mean()
    assert data.pair_offset_m[same].norm(dim=1).mean() < data.pair_offset_m[~same].norm(dim=1).mean()


def test_the_same_again(walks: Walks, data: Encounters) -> None:
    for path in walks.folder.glob("encounters-*"):
        path.unlink()
    again = meet(walks, keep=0.5)
    assert all(torch.equal(value, getattr(again, name)) for name, value in vars(data).items())
    assert len(list(walks.folder.glob("encounters-*"))) == 1


def test_instances_of_true_masks_are_pure(walks: Walks) -> None:
    found = meet(walks, segmenters=("oracle",))
    assert (found.set_purity == 1.0).all()


def test_majority() -> None:
    truth = torch.tensor([[3.0, 5.0, 5.0, 9.0], [2.0, 7.0, 7.0, 7.0], [4.0, 6.0, 0.0, 0.0]])
    mask = torch.tensor([[True] * 4, [True, True, False, False], [True, False, False, False]])
    value, part = majority(truth, mask)
    assert value.tolist() == [5, 2, 4]
    assert part.tolist() == [0.5, 0.5, 1.0]
    assert majority(truth[:0], mask[:0])[0].shape == (0,)


def test_too_large_sets_are_named() -> None:
    sets = torch.zeros(1, 40, 2), torch.zeros(1, 40, 7), torch.ones(1, 40, dtype=torch.bool)
    with pytest.raises(ValueError, match="at most 32 members"):
        Recorder().encode_instances(*sets)
