from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from agents.config import LEVELS, DemonstrationConfig, Perception
from agents.demonstrations import Disturbance, load_demonstrations
from tests.small_houses import with_houses
from vlnenv import houses
from vlnenv.memory import MemoryConfig

SEMANTIC = Perception("semantic", segmenter=None)
"""Quick to see with."""


def test_disturbances_never_stop_and_come_in_runs() -> None:
    disturbance = Disturbance(0.1, np.random.default_rng(0))
    actions = [disturbance.apply(0) for _ in range(2000)]
    assert set(actions) == {0, 1, 2, 3}
    disturbed = np.mean([action != 0 for action in actions])
    assert 0.15 < disturbed < 0.4
    assert all(Disturbance(0.0, np.random.default_rng(0)).apply(action) == action for action in range(4))


def test_the_expert_is_recorded_step_by_step(
    episode_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    config = DemonstrationConfig(dataset=str(episode_file), disturbance=0.0, keep=1.0, stop_m=0.0)
    assert config.perception == Perception() == Perception("mini", "patchgraph", "auto")
    alone = load_demonstrations(config, num_envs=1)
    assert (np.asarray(alone.action) == 0).sum() == 2, "an expert stops once an episode"
    assert alone.action[-1] == 0
    assert alone.arrays["patch_tokens"].dtype == np.float16
    for level in LEVELS:
        assert alone.arrays[f"{level}_mask"].any(axis=1).all(), level
    # An episode begins with one view, and each step adds one.
    views = alone.arrays["view_mask"].sum(axis=1) // 36
    assert views[0] == 1
    assert views[:16].tolist() == list(range(1, 17))
    assert (alone.perception.encoder, alone.perception.segmenter) == ("mini", "patchgraph")
    assert alone.perception.levels in ("mean", "learned")
    assert {"patches": "panorama", **(alone.perception.memory or {})} == dataclasses.asdict(MemoryConfig())
    assert "mini.safetensors" in alone.weights
    assert alone.arrays["patch_mask"].shape == (len(alone), 576)
    assert alone.arrays["patch_mask"].any()
    assert len(alone.instructions) == 2
    # The last action of a history is the label before it, within an episode.
    for row in range(1, len(alone)):
        if alone.instruction[row] == alone.instruction[row - 1]:
            assert alone.arrays["action_history"][row, -1] == alone.action[row - 1]
    stops = np.asarray(alone.action) == 0
    assert (alone.goal[stops, 0] < 0.5).all()
    assert (alone.goal[~stops, 0] > 0.1).all()
    # Straight-line place of the goal: never farther than the walk.
    assert (np.linalg.norm(alone.goal[:, 1:], axis=1) <= alone.goal[:, 0] + 0.1).all()
    folder = next((cache / "demonstrations").iterdir())
    before = (folder / "index.json").stat().st_mtime_ns
    again = load_demonstrations(config, num_envs=1)
    assert (folder / "index.json").stat().st_mtime_ns == before, "the cache is used"
    assert (again.action == alone.action).all()


def test_steps_near_the_goal_are_labelled_stop(
    episode_file: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    config = DemonstrationConfig(
        dataset=str(episode_file), stop_m=1.0, keep=0.3, views=False, perception=SEMANTIC
    )
    data = load_demonstrations(config, 2)
    assert "view_tokens" not in data.arrays
    assert not data.arrays["instance_mask"].any()
    assert (data.perception.encoder, data.perception.levels) == ("semantic", "mean")
    assert data.weights == {}
    stops = np.asarray(data.action) == 0
    assert (stops == (data.goal[:, 0] < 1.0)).all()
    assert stops.sum() >= 2 * 4, "none of them is left out"


def test_disturbed_demonstrations_do_not_depend_on_how_many_run_at_once(
    episode_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = DemonstrationConfig(
        dataset=str(episode_file), disturbance=0.2, keep=0.5, passes=2, seed=3, perception=SEMANTIC
    )
    sorted_rows = []
    for num_envs in (1, 3):
        monkeypatch.setenv("VLNENV_CACHE", str(with_houses(tmp_path / str(num_envs))))
        data = load_demonstrations(config, num_envs=num_envs)
        texts = [data.instructions[index] for index in data.instruction]
        views = data.arrays["view_tokens"].astype(np.float64).sum(axis=(1, 2)).tolist()
        rows = zip(texts, data.goal.tolist(), data.action.tolist(), views, strict=True)
        sorted_rows.append(sorted(rows))
    assert len(sorted_rows[0]) > 10
    assert sorted_rows[0] == sorted_rows[1]


def test_demonstrations_can_be_kept_to_the_first_scenes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(with_houses(tmp_path)))
    episodes = houses.load_episodes("val_unseen").episodes
    here = {each.instruction for each in episodes if each.scene_id == episodes[0].scene_id}
    config = DemonstrationConfig(
        split="val_unseen", scenes=1, episodes=2, keep=0.0, views=False, perception=SEMANTIC
    )
    data = load_demonstrations(config, 2)
    assert len(data.instructions) == 2
    assert set(data.instructions) <= here
