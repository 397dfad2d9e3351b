"""Decisions: how they are walked for, written and read."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from agents.collect import chosen_routes, collect_decisions
from agents.config import Perception
from agents.decisions import DecisionWriter, open_decisions
from agents.environments import make_env_for
from agents.expert import next_waypoint
from agents.roll_in import RollIn, RollInConfig, jittered
from agents.vlm.imitation import train_vlm
from agents.vlm.recorder import RowRecorder
from agents.vlm_config import DecisionConfig, VLMConfig
from vlnenv.episodes import read_r2r_ce
from vlnenv.evaluation import evaluate

SEMANTIC = Perception("semantic")


@pytest.fixture
def config(
    episode_file: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DecisionConfig:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    return DecisionConfig(
        out=str(tmp_path / "decisions"),
        dataset=str(episode_file),
        perception=SEMANTIC,
        wrong_turn=0.0,
        jitter=0.0,
        num_envs=2,
    )


def test_the_expert_is_noted_decision_by_decision(config: DecisionConfig) -> None:
    decisions = open_decisions([collect_decisions(config)])
    assert decisions.token_dim == 64
    assert (decisions.label[:, 0] == 1).sum() == 2, "an expert stops once an episode"
    assert sorted(set(decisions.route.tolist())) == [0, 1]
    for route in (0, 1):
        rows = np.flatnonzero(decisions.route == route)
        assert decisions.number[rows].tolist() == list(range(len(rows)))
        assert decisions.label[rows[-1], 0] == 1
        assert decisions.goal[rows[-1], 0] <= 1.5
        assert (decisions.goal[rows[:-1], 0] > 1.5).all()
        # After the whole turn at the beginning.
        assert decisions.history[rows[0]].tolist() == [[0, 4, 0]] * 4
    for index in range(len(decisions)):
        codes = decisions.rows_of(index)[:, 0]
        assert (np.diff(codes) >= 0).all()
        assert set(codes.tolist()) >= {1.0, 2.0, 3.0, 4.0}
        turn = int(decisions.label[index, 1])
        if min(turn, 24 - turn) >= 4:
            assert decisions.label[index, 2] == 0, "what comes after a long turn is decided later"
    # The straight line to the goal is never longer than the walk.
    assert (np.linalg.norm(decisions.goal[:, 1:3], axis=1) <= decisions.goal[:, 0] + 0.1).all()


def test_egocentric_patches_are_noted_and_learned_as_the_view_that_they_are(
    config: DecisionConfig, tmp_path: Path
) -> None:
    seen = Perception("semantic", patches="egocentric")
    folder = collect_decisions(dataclasses.replace(config, perception=seen, levels=("patch", "zone")))
    decisions = open_decisions([folder])
    patches = [int((decisions.rows_of(index)[:, 0] == 1).sum()) for index in range(len(decisions))]
    assert max(patches) == 6 * 12, "blocks of 4 x 2 of 24 x 24 patches"
    tiny = VLMConfig(
        out=str(tmp_path / "vlm"),
        decisions=(str(folder),),
        levels=("patch", "zone"),
        hidden_size=32,
        layers=1,
        heads=1,
        updates=1,
    )
    agents = []
    train_vlm(tiny, lambda agent: agents.append(agent) or {"success": 0.0})
    assert agents[0].perception.patches == "egocentric"
    env = make_env_for(agents[0], 2, dataset=config.dataset, split="train", autoreset_mode="Disabled")
    try:
        ids = [episode.episode_id for episode in env.unwrapped.batch.episodes]
        assert len(evaluate(agents[0], env, ids, progress=False)) == len(ids)
    finally:
        env.close()


def test_decisions_do_not_depend_on_how_many_run_at_once(config: DecisionConfig, tmp_path: Path) -> None:
    wandering = dataclasses.replace(config, wrong_turn=0.4)
    together = open_decisions([collect_decisions(wandering)])
    other = dataclasses.replace(wandering, num_envs=1, out=str(tmp_path / "alone"))
    alone = open_decisions([collect_decisions(other)])
    assert len(together) == len(alone)
    order = [np.lexsort((each.number, each.route)) for each in (together, alone)]
    for first, second in zip(*order, strict=True):
        np.testing.assert_array_equal(together.label[first], alone.label[second])
        np.testing.assert_array_equal(together.history[first], alone.history[second])
        np.testing.assert_array_equal(together.rows_of(first), alone.rows_of(second))


def test_a_complete_folder_is_left_and_another_ones_refused(config: DecisionConfig) -> None:
    folder = collect_decisions(config)
    before = (folder / "index.json").stat().st_mtime_ns
    assert collect_decisions(config) == folder
    assert (folder / "index.json").stat().st_mtime_ns == before
    with pytest.raises(ValueError, match=r"stop_m = 1.5, now it is 1.0: choose another --out"):
        collect_decisions(dataclasses.replace(config, stop_m=1.0))


def test_shards_are_read_as_one_if_they_see_alike(config: DecisionConfig, tmp_path: Path) -> None:
    first = collect_decisions(config)
    second = collect_decisions(dataclasses.replace(config, seed=1, wrong_turn=0.5, out=str(tmp_path / "b")))
    both, one, two = open_decisions([first, second]), open_decisions([first]), open_decisions([second])
    assert len(both) == len(one) + len(two)
    assert len(both.instructions) == 4
    np.testing.assert_array_equal(both.rows_of(len(one)), two.rows_of(0))
    assert both.instructions[both.route[len(one)]] == two.instructions[two.route[0]]
    blind = collect_decisions(dataclasses.replace(config, patch_pool=(12, 48), out=str(tmp_path / "c")))
    with pytest.raises(ValueError, match="patch_pool"):
        open_decisions([first, blind])
    with pytest.raises(FileNotFoundError, match="vlnenv train decisions"):
        open_decisions([tmp_path / "nowhere"])
    index = json.loads((second / "index.json").read_text())
    (second / "index.json").write_text(json.dumps({**index, "format": "vlnenv-decisions-0"}))
    with pytest.raises(ValueError, match="vlnenv-decisions-0"):
        open_decisions([second])


def test_routes_are_walked_once_and_keep_all_their_texts(episode_file: Path) -> None:
    episodes = list(read_r2r_ce(episode_file).episodes)
    twice = [*episodes, dataclasses.replace(episodes[0], episode_id="9", instruction="Go on.")]
    routes = chosen_routes(twice, None, None)
    assert [[each.episode_id for each in route] for route in routes] == [["0", "9"], ["1"]]
    assert len(chosen_routes(twice, 1, 1)) == 1
    assert chosen_routes(twice, 0, None) == []


def test_scenes_are_counted_from_the_first_that_is_asked_for(config: DecisionConfig) -> None:
    with pytest.raises(ValueError, match=r"scenes from 7 on, all of them, of split .* has 1 scenes"):
        collect_decisions(dataclasses.replace(config, first_scene=7))
    (first, _) = read_r2r_ce(config.dataset).episodes
    later = [
        dataclasses.replace(first, trajectory_id=str(number), scene_id=f"scene-{number}")
        for number in range(4)
    ]
    assert [route[0].scene_id for route in chosen_routes(later, 2, None, 1)] == ["scene-1", "scene-2"]
    with pytest.raises(ValueError, match="first_scene must be at least 0, got -1"):
        chosen_routes(later, 2, None, -1)


def test_the_next_waypoint_is_the_first_that_was_not_passed_in_order() -> None:
    route = [(0.0, 0.0, 0.0), (0.0, 0.0, -3.0), (3.0, 0.0, -3.0)]
    goal = np.array([3.0, 0.0, -3.0])
    path = np.array([[0.0, 0, 0]])
    np.testing.assert_array_equal(next_waypoint(path, route, goal), route[1])
    # Near the last waypoint without having been at the one before it: it has to be made good.
    np.testing.assert_array_equal(next_waypoint(np.array([[0.0, 0, 0], [3, 0, -3]]), route, goal), route[1])
    np.testing.assert_array_equal(next_waypoint(np.array(route), route, goal), goal)
    np.testing.assert_array_equal(next_waypoint(path, [], goal), goal)


class Stubborn:
    """A learner that always says the same."""

    def __init__(self, macro: tuple[int, int, int]) -> None:
        self.macro = macro

    def reset(self, index: int, episode: object) -> None:
        pass

    def see(self, observations: object, rows: list[int]) -> None:
        pass

    def decide(self, observations: object, rows: list[int]) -> np.ndarray:
        return np.tile(np.array(self.macro), (len(rows), 1))


def test_a_learner_is_followed_but_for_its_stops(config: DecisionConfig) -> None:
    from agents.environments import make_env
    from vlnenv.evaluation import evaluate

    env = make_env(
        2, SEMANTIC, config.levels, action="macro", dataset=config.dataset, autoreset_mode="Disabled"
    )
    routes = {"0": 0, "1": 1}
    for macro, ends_well in (((1, 0, 0), True), ((0, 3, 1), False)):
        writer = DecisionWriter()
        settings = RollInConfig(expert=0.0, wrong_turn=0.0, max_decisions=12)
        recorder = RowRecorder(writer, config.levels, config.patch_pool)
        agent = RollIn(settings, routes, recorder, Stubborn(macro))
        records = evaluate(agent, env, ["0", "1"], progress=False)
        assert all(record["is_success"] for record in records) == ends_well
        assert len(writer) <= 24
    env.close()
    with pytest.raises(ValueError, match="needs a learner"):
        RollIn(RollInConfig(expert=0.5), routes, recorder)


def test_jitter_moves_the_places_of_decisions_and_still_reaches_the_goal(
    config: DecisionConfig, tmp_path: Path
) -> None:
    exact = open_decisions([collect_decisions(config)])
    shaken = dataclasses.replace(config, jitter=1.0, out=str(tmp_path / "shaken"))
    decisions = open_decisions([collect_decisions(shaken)])
    assert len(decisions) > len(exact)
    for route in range(2):
        own = decisions.route == route
        last = decisions.label[own][np.argmax(decisions.number[own])]
        assert last.tolist() == [1, 0, 0], "it ends at the goal"


def test_a_jittered_action_is_a_little_off() -> None:
    macro = np.array([0, 1, 5])
    assert jittered(macro, -2, 0.0).tolist() == [0, 23, 1]
    assert jittered(macro, 2, 0.999).tolist() == [0, 3, 9]
    assert jittered(np.array([0, 1, 12]), 0, 0.999).tolist() == [0, 1, 12], "no more than can be said"
    assert jittered(np.array([0, 6, 0]), 1, 0.999).tolist() == [0, 7, 0], "a turn stays one"


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"wrong_turn must lie in \[0, 1\], got 2"):
        RollInConfig(wrong_turn=2.0)
    with pytest.raises(ValueError, match="max_decisions"):
        RollInConfig(max_decisions=0)
