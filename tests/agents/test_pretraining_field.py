from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from agents.pretraining.config import WalksConfig
from agents.pretraining.field import (
    FieldTraining,
    NovelViews,
    front_cells,
    measure,
    novel_views,
    pooled,
    rendering_losses,
    snapshot_points,
    train_field,
    train_network,
)
from agents.pretraining.walks import Walks, load_walks, walk_features
from vlnenv.memory import MemoryConfig, TokenMemory, make_encoder
from vlnenv.memory.field import make_renderer
from vlnenv.memory.learned_field import FieldConfig, FieldNetwork

WALKS = WalksConfig(first=7000, houses=1, steps=40, size=24)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))


@pytest.fixture
def walks() -> Walks:
    return load_walks(WALKS)


@pytest.fixture
def data(walks: Walks) -> NovelViews:
    return novel_views(walks, walk_features(walks, make_encoder("semantic")), every=12, hidden=5)


@pytest.mark.parametrize("form", ["nearest", "weighted"])
def test_the_view_just_seen_is_what_the_panorama_shows_ahead(walks: Walks, form: str) -> None:
    features = torch.tensor(walk_features(walks, make_encoder("semantic"))[0]).float()
    renderer, ahead = make_renderer(form, 64, "semantic"), front_cells()
    right, mirrored = [], []
    for step in range(0, 40, 4):
        memory, one = TokenMemory(1, 64, MemoryConfig(), walks.camera), slice(step, step + 1)
        pose = walks.position_m[0, one], walks.heading_rad[0, one]
        memory.update([0], features[one], walks.depth_m(0, one), *pose)
        points = snapshot_points(memory.snapshot(0), *pose, walks.camera, 20.0)
        tokens, xyz_m, mask = (values[0, ahead] for values in renderer.render(points))
        target = pooled(features[one])[0]
        right.append(F.cosine_similarity(tokens, target, dim=-1)[mask].mean())
        mirrored.append(
            F.cosine_similarity(tokens, target.view(12, 12, -1).flip(1).flatten(0, 1), dim=-1)[mask].mean()
        )
        assert (xyz_m[mask][:, 0] > 0).all()
        assert float(mask.float().mean()) > 0.9
    assert float(torch.stack(right).mean()) > (0.98 if form == "weighted" else 0.9)
    assert float(torch.stack(mirrored).mean()) < 0.85


def test_hidden_views_are_rendered_from_what_else_was_seen(walks: Walks, data: NovelViews) -> None:
    features = walk_features(walks, make_encoder("semantic"))
    # Of 40 views 12 to 16 are rendered right after, 24 to 28 (and 36 to 39, the last) at the end.
    order = [*range(12, 17), *range(36, 40), *range(24, 29)]
    expected = pooled(torch.tensor(features[0, order]).float())
    np.testing.assert_allclose(data.target.float(), expected, atol=1e-3)
    assert data.features.shape[1:] == (144, 4, 2, 64)
    assert 0.3 < float((data.weight.sum(dim=-1) > 0).float().mean()) <= 1.0


def test_what_equals_its_target_costs_least() -> None:
    generator = torch.Generator().manual_seed(0)
    target = F.normalize(torch.randn(2, 144, 8, generator=generator), dim=-1)
    shown = torch.rand(2, 144, generator=generator) < 0.7
    best = rendering_losses(target, target, shown)
    assert float(best["cosine"]) == pytest.approx(0.0, abs=1e-6)
    assert float(best["subspace"]) == pytest.approx(0.0, abs=1e-5)
    other = F.normalize(target + 0.5 * torch.randn(target.shape, generator=generator), dim=-1)
    worse = rendering_losses(other, target, shown)
    assert all(float(worse[name]) > float(best[name]) + 0.01 for name in best)
    hidden = torch.where(shown[..., None], target, other)  # what is not shown is not counted
    assert float(rendering_losses(hidden, target, shown)["cosine"]) == pytest.approx(0.0, abs=1e-6)


def test_training_brings_the_panorama_nearer_and_repeats_itself(data: NovelViews) -> None:
    config = FieldTraining(encoder="semantic", updates=30, views=4)
    network = train_network(config, data)
    before, after = measure(FieldNetwork(FieldConfig("semantic")), data), measure(network, data)
    assert after["cosine"] > before["cosine"]
    assert after["subspace"] > before["subspace"]
    again = train_network(config, data)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters(), strict=True))


def test_training_writes_weights_and_their_card(tmp_path: Path) -> None:
    config = FieldTraining(
        out=str(tmp_path / "run"),
        encoder="semantic",
        walks=WALKS,
        validation=dataclasses.replace(WALKS, first=7001),
        updates=2,
        views=2,
    )
    weights = train_field(config)
    assert FieldNetwork.load(weights).config == FieldConfig("semantic")
    card = json.loads((tmp_path / "run" / "field.json").read_text())
    assert card["settings"]["encoder"] == "semantic"
    assert "out" not in card["settings"]
    assert 0.0 < card["held_out"]["cosine"] < 1.0


@pytest.mark.parametrize(
    "wrong",
    [{"every": 5}, {"updates": 0}, {"cosine": -1.0}, {"walks": WalksConfig(group="val_unseen", first=0)}],
)
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"must|val_unseen"):
        FieldTraining(**wrong)  # type: ignore[arg-type]
