from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agents.cli import main
from agents.pretraining import representation
from agents.pretraining.config import LevelsTraining, LossWeights, RepresentationConfig, WalksConfig
from agents.pretraining.encounters import Encounters
from agents.pretraining.levels import (
    LevelsRun,
    PatchFeatures,
    draw_batch,
    load_encounters,
    measure,
    train_levels,
    turned,
)
from agents.pretraining.walks import load_walks
from vlnenv import houses
from vlnenv.memory.learned_levels import LearnedLevels
from vlnenv.memory.levels import Levels
from vlnenv.memory.semantic import SemanticEncoder

CONFIG = LevelsTraining(
    encoder="semantic",
    walks=WalksConfig(houses=2, steps=20, size=96),
    validation=WalksConfig(first=6000, houses=1, steps=10, size=96),
    keep=0.5,
    updates=6,
    views=3,
    eval_every=3,
)


@pytest.fixture(autouse=True)
def _small_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))


@pytest.fixture(scope="module")
def loaded(cache: Path) -> tuple[Encounters, PatchFeatures, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLNENV_CACHE", str(cache))
        return load_encounters(CONFIG, CONFIG.walks)


@pytest.fixture
def data(loaded: tuple[Encounters, PatchFeatures, str]) -> Encounters:
    return loaded[0]


@pytest.fixture
def features(loaded: tuple[Encounters, PatchFeatures, str]) -> PatchFeatures:
    return loaded[1]


def weights_of(run: LevelsRun) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in run.levels.parameters()]


def test_a_batch_holds_what_its_views_met(data: Encounters) -> None:
    views = data.pair_view.unique()[[1, 4]]
    batch = draw_batch(data, views, with_zones=True, with_scenes=True)
    mine = (data.pair_view == views[0]) | (data.pair_view == views[1])
    assert torch.equal(batch.pairs, mine.nonzero()[:, 0])
    assert torch.equal(views[batch.pair_view], data.pair_view[batch.pairs])
    assert torch.equal(batch.sets[batch.pair_sets], data.pair_sets[batch.pairs])
    segments = batch.pair_sets[:, 1]
    assert torch.equal(batch.set_view[segments], batch.pair_view)
    own = (data.zone_view[:, None] == views).any(dim=1)
    assert torch.equal(batch.zones[: batch.view_zones], own.nonzero()[:, 0])
    of_scenes = batch.zones[batch.view_zones :]
    for view in range(2):
        expected = data.view_zones[views[view]]
        assert of_scenes[batch.zone_scene == view].tolist() == expected[expected >= 0].tolist()


def test_patch_features(data: Encounters, features: PatchFeatures) -> None:
    """With the semantic encoder a patch's feature is its instance's text: that tells any mix-up of rows."""
    sets = torch.arange(0, len(data.set_count), 7)
    found, mask = features.of_sets(data, sets)
    pure = data.set_purity[sets] == 1.0
    text = data.instance_text[data.set_instance[sets]]
    assert torch.equal(mask.sum(dim=1), data.set_count[sets])
    assert (found[~mask] == 0).all()
    assert ((found - text[:, None]).abs().amax(dim=2) < 1e-3)[pure[:, None] & mask].all()
    views = torch.tensor([3, 0])
    means = features.view_means(data, views)
    walks = load_walks(CONFIG.walks)
    encoder = SemanticEncoder()
    for row, view in enumerate(views):
        walk, step = data.view_walk[view], data.view_step[view]
        bank = encoder.instance_features(houses.load_scene(walks.scene_ids[walk])).numpy()
        shown = walks.instance[walk, step]
        assert np.allclose(means[row], bank[shown[shown > 0]].mean(axis=0), atol=1e-3)


def test_turning_is_a_turn_of_the_world() -> None:
    """A patch at (x, z) seen along heading h: after a turn by a, its ray still hits it from the centre."""
    torch.manual_seed(0)
    position = torch.randn(5, 4, 7)
    heading = torch.rand(5, 4) * 6.0
    position[..., 4], position[..., 5] = heading.sin(), heading.cos()
    angle = torch.rand(5) * 6.0
    out = turned(position, angle)
    untouched = [1, 3, 6]
    assert torch.equal(out[..., untouched], position[..., untouched])
    assert torch.allclose(out[..., 4], (heading + angle[:, None]).sin(), atol=1e-5)
    assert torch.allclose(out[..., 5], (heading + angle[:, None]).cos(), atol=1e-5)
    # How far a place lies ahead along its viewing direction (-sin h, -cos h) in (x, z) does not change.
    ahead = [-(each[..., 0] * each[..., 4] + each[..., 2] * each[..., 5]) for each in (position, out)]
    assert torch.allclose(ahead[0], ahead[1], atol=1e-5)
    assert torch.allclose(turned(out, -angle), position, atol=1e-5)
    quarter = turned(torch.tensor([[[0.0, 0.0, -1.0, 1.0]]]), torch.tensor([math.pi / 2]))
    assert torch.allclose(quarter, torch.tensor([[[-1.0, 0.0, 0.0, 1.0]]]), atol=1e-6)


def test_training_learns(data: Encounters, features: PatchFeatures) -> None:
    run = LevelsRun(dataclasses.replace(CONFIG, updates=30, views=2, learning_rate=2e-3), data, features)
    before = measure(run.levels.eval(), data, features)
    losses = [run.step() for _ in range(30)]
    after = measure(run.levels.eval(), data, features)
    assert np.mean([each["loss"] for each in losses[-10:]]) < 0.85 * np.mean(
        [each["loss"] for each in losses[:10]]
    )
    both = [(each["merge_recall"] + each["merge_rejection"]) / 2 for each in (before, after)]
    assert both[1] > max(0.85, both[0])
    assert set(losses[0]) - {"loss"} == {each.name for each in dataclasses.fields(LossWeights)}
    assert before["name_top1"] == pytest.approx(before["mean_name_top1"], abs=1e-3)


@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(LossWeights)])
def test_each_loss_can_be_switched_off(data: Encounters, features: PatchFeatures, name: str) -> None:
    off = dataclasses.replace(LossWeights(), **{name: 0.0})
    losses = LevelsRun(dataclasses.replace(CONFIG, weights=off), data, features).step()
    assert name not in losses
    assert len(losses) == len(dataclasses.fields(LossWeights))


def test_the_seed_decides(data: Encounters, features: PatchFeatures) -> None:
    runs = [LevelsRun(dataclasses.replace(CONFIG, seed=seed), data, features) for seed in (0, 0, 1)]
    for run in runs:
        run.step()
    one, two, other = map(weights_of, runs)
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_run_that_was_cut_off_goes_on_as_if_it_had_not(
    data: Encounters, features: PatchFeatures, tmp_path: Path
) -> None:
    whole, part = LevelsRun(CONFIG, data, features), LevelsRun(CONFIG, data, features)
    for _ in range(5):
        whole.step()
    for _ in range(2):
        part.step()
    part.save(tmp_path / "state.safetensors")
    resumed = LevelsRun(CONFIG, data, features)
    resumed.resume(tmp_path / "state.safetensors")
    for _ in range(3):
        resumed.step()
    assert all(torch.equal(a, b) for a, b in zip(weights_of(whole), weights_of(resumed), strict=True))
    other = LevelsRun(dataclasses.replace(CONFIG, learning_rate=1e-4), data, features)
    with pytest.raises(ValueError, match="learning_rate"):
        other.resume(tmp_path / "state.safetensors")


def test_train_levels_writes_weights_card_and_curve(tmp_path: Path) -> None:
    path = train_levels(CONFIG, tmp_path)
    levels = LearnedLevels.load(path)
    as_levels: Levels = levels
    assert as_levels.dim == 64
    assert levels.config.encoder == "semantic"
    card = json.loads((tmp_path / "levels.json").read_text())
    assert card["settings"]["updates"] == 6
    assert card["sets"] > 0
    points = [json.loads(line) for line in (tmp_path / "curve.jsonl").read_text().splitlines()]
    assert [point["update"] for point in points] == [3, 6]
    assert card["held_out"]["merge_recall"] == points[-1]["merge_recall"]
    before = load_file(path)
    again = load_file(train_levels(CONFIG, tmp_path))
    assert all(torch.equal(value, again[name]) for name, value in before.items())


def test_the_command_hands_each_part_the_encoder_trained_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parts themselves have tests of their own; here only what goes into them is looked at."""
    seen: dict[str, Any] = {}

    def train(part: str, path: Path) -> Callable[..., Path]:
        def remember(config: Any, *_: Path) -> Path:
            seen[part] = config
            return path

        return remember

    monkeypatch.setattr(representation, "train_encoder", train("encoder", tmp_path / "mini.safetensors"))
    monkeypatch.setattr(representation, "train_levels", train("levels", tmp_path / "levels.safetensors"))
    monkeypatch.setattr(representation, "train_field", train("field", tmp_path / "field.safetensors"))
    main(["train", "representation", "--out", str(tmp_path), "--levels.updates", "7"])
    assert seen["encoder"].out == str(tmp_path / "encoder")
    assert seen["levels"].updates == 7
    assert (
        seen["levels"].encoder_weights == seen["field"].encoder_weights == str(tmp_path / "mini.safetensors")
    )
    main(["train", "representation", "--parts", "levels", "--levels.encoder", "semantic"])
    assert (seen["levels"].encoder, seen["levels"].encoder_weights) == ("semantic", "")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"walks": WalksConfig(group="val_unseen")}, "val_unseen"),
        ({"validation": WalksConfig(first=5001, houses=1)}, "share houses"),
        ({"updates": 0}, "at least 1"),
        ({"encoder": "semantic", "encoder_weights": "x"}, "mini"),
    ],
)
def test_wrong_settings_are_named(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LevelsTraining(**wrong)


def test_unknown_parts_are_named() -> None:
    with pytest.raises(ValueError, match="parts must be some of"):
        RepresentationConfig(parts=("decoder",))
    with pytest.raises(ValueError, match="subspace"):
        LossWeights(subspace=-1.0)
