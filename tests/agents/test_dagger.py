from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from agents.collect import collect_decisions
from agents.config import Perception
from agents.dagger import round_settings, train_dagger
from agents.decisions import open_decisions
from agents.vlm.imitation import train_vlm
from agents.vlm_config import DaggerConfig, DecisionConfig, VLMConfig


@pytest.fixture
def config(episode_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DaggerConfig:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    walks = DecisionConfig(
        out=str(tmp_path / "expert"), dataset=str(episode_file), perception=Perception("semantic"), num_envs=2
    )
    training = VLMConfig(
        out=str(tmp_path / "vlm"),
        decisions=(str(collect_decisions(walks)),),
        hidden_size=32,
        layers=1,
        queries=4,
        query_layers=1,
        updates=4,
        batch_size=8,
        eval_every=4,
    )
    best = train_vlm(training, lambda agent: {"success": 0.0})
    return DaggerConfig(
        start=str(best),
        out=str(tmp_path / "dagger"),
        decisions=training.decisions,
        rounds=2,
        walks=walks,
        training=training,
    )


def test_each_round_walks_by_the_weights_before_it_and_learns_from_all(config: DaggerConfig) -> None:
    (first, learned), (second, learned_again) = (round_settings(config, number) for number in (0, 1))
    assert (first.expert, second.expert) == (0.5, 0.25)
    assert first.learner == learned.start == config.start
    assert second.learner == learned_again.start == f"{learned.out}/best"
    assert learned.decisions == (*config.decisions, first.out)
    assert learned_again.decisions == (*config.decisions, first.out, second.out)
    assert first.seed != second.seed
    assert first.paraphrase != second.paraphrase


def test_rounds_walk_through_new_scenes_where_a_number_is_given(config: DaggerConfig) -> None:
    some = dataclasses.replace(config, walks=dataclasses.replace(config.walks, first_scene=5, scenes=10))
    assert [round_settings(some, number)[0].first_scene for number in range(3)] == [5, 15, 25]
    assert [round_settings(config, number)[0].first_scene for number in range(2)] == [0, 0]


def test_rounds_gather_what_the_learner_met_and_go_on_where_they_stopped(config: DaggerConfig) -> None:
    seen = []

    def score(agent: object) -> dict[str, float]:
        seen.append(agent)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return {"success": 0.0}

    with pytest.raises(KeyboardInterrupt):
        train_dagger(config, score)
    walked = Path(config.out) / "round-0" / "decisions" / "rows.npy"
    written = walked.stat().st_mtime_ns
    best = train_dagger(config, score)
    assert best == Path(config.out) / "round-1" / "training" / "best"
    assert walked.stat().st_mtime_ns == written
    assert len(seen) == 3, "the first round was not learned again"
    rounds = [open_decisions([Path(config.out) / f"round-{number}" / "decisions"]) for number in (0, 1)]
    expert = open_decisions(config.decisions)
    assert rounds[0].settings[0]["expert"] == 0.5
    # The learner, which knows nothing, strays: its states are not the expert's.
    assert len(rounds[0]) != len(expert) or not np.array_equal(rounds[0].goal, expert.goal)
    assert (rounds[1].label[:, 0] == 1).any()


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        DaggerConfig(start="x", rounds=0)
    with pytest.raises(ValueError, match="expert_decay"):
        DaggerConfig(start="x", expert_decay=1.5)
