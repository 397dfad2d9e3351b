from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorWrapper

from tests.evaluation.fake_env import LineVectorEnv, ReadingAgent
from vlnenv.evaluation import ManifestMismatch, PublicEpisode, evaluate, read_results, run

COUNT = 23


def results_with(num_envs: int, **arguments: Any) -> tuple[list[dict[str, Any]], ReadingAgent]:
    agent = ReadingAgent(num_envs)
    return evaluate(agent, LineVectorEnv(num_envs, COUNT), progress=False, **arguments), agent


@pytest.mark.parametrize("num_envs", [1, 2, 7, 23, 40])
def test_each_episode_once_and_the_same_for_any_number_of_slots(num_envs: int) -> None:
    records, agent = results_with(num_envs)
    assert [record["episode_id"] for record in records] == [str(each) for each in range(COUNT)]
    assert sorted(agent.resets) == sorted(str(each) for each in range(COUNT))
    assert records == results_with(3)[0]
    assert all(active.any() for active in agent.was_active)


def test_records_are_plain_and_complete() -> None:
    record = results_with(4)[0][5]
    assert record == {
        "episode_id": "5",
        "scene_id": "scene-2",
        "dataset": "line@0",
        "steps": 6,
        "distance_to_goal": 0.0,
        "is_success": True,
        "oracle_success": True,
        "spl": 1.0,
        "ndtw": 1.0,
        "return": pytest.approx(0.5),
    }
    assert {type(value) for value in record.values()} <= {str, int, float, bool}
    json.dumps(record)


def test_episodes_out_of_steps_are_results_too() -> None:
    record = results_with(4)[0][4]
    assert (record["steps"], record["is_success"]) == (12, False)


@pytest.mark.parametrize("num_envs", [1, 2, 7])
def test_where_memories_last_a_slot_runs_a_scene_in_a_row(num_envs: int) -> None:
    env, agent = LineVectorEnv(num_envs, COUNT, memory_scope="lifelong"), ReadingAgent(num_envs)
    slots: dict[str, list[tuple[int, str]]] = {}
    reset = agent.reset

    def noted(index: int, episode: PublicEpisode) -> None:
        slots.setdefault(episode.scene_id, []).append((index, episode.episode_id))
        reset(index, episode)

    agent.reset = noted  # type: ignore[method-assign]
    records = evaluate(agent, env, progress=False)
    assert records == results_with(3)[0]
    assert sorted(slots) == ["scene-0", "scene-1", "scene-2"]
    for name, row in slots.items():
        assert len({index for index, _ in row}) == 1
        assert [int(each) for _, each in row] == list(range(int(name[-1]), COUNT, 3))


def test_a_scene_that_was_cut_short_is_repeated_where_memories_last(tmp_path: Path) -> None:
    class Stops(Exception):
        pass

    class TiredAgent(ReadingAgent):
        def reset(self, index: int, episode: Any) -> None:
            if len(self.resets) == 12:
                raise Stops
            super().reset(index, episode)

    with pytest.raises(Stops):
        run(TiredAgent(1), LineVectorEnv(1, COUNT, memory_scope="lifelong"), tmp_path, {}, progress=False)
    _, half = read_results(tmp_path)
    agent = ReadingAgent(2)
    records = run(agent, LineVectorEnv(2, COUNT, memory_scope="lifelong"), tmp_path, {}, progress=False)
    assert records == results_with(3)[0]
    # Scene 0 was complete; scene 1 runs again from its beginning, so that its memory is as if uncut.
    done = {record["episode_id"] for record in half}
    assert done > {str(each) for each in range(0, COUNT, 3)}
    assert sorted(agent.resets, key=int) == [str(each) for each in range(COUNT) if each % 3]


def test_chosen_episodes_in_the_order_given() -> None:
    seen: list[dict[str, Any]] = []
    records, _ = results_with(3, episode_ids=["9", "2", "11", "4"], on_result=seen.append)
    assert [record["episode_id"] for record in records] == ["9", "2", "11", "4"]
    assert sorted(record["episode_id"] for record in seen) == ["11", "2", "4", "9"]
    assert seen[-1]["episode_id"] == "4"  # the one that never stops
    assert results_with(3, episode_ids=[])[0] == []


def test_agents_see_public_episodes_only() -> None:
    _, agent = results_with(2)
    for episode in agent.episodes:
        assert type(episode) is PublicEpisode
    assert [field.name for field in dataclasses.fields(PublicEpisode)] == [
        "episode_id",
        "scene_id",
        "instruction",
    ]


def test_privileged_agents_see_everything() -> None:
    class Expert(ReadingAgent):
        privileged = True
        env: Any = None

        def bind(self, env: Any) -> None:
            assert not self.resets
            self.env = env

        def reset(self, index: int, episode: Any) -> None:
            assert self.env.episodes[index] is episode
            assert episode.goal_position_m is not None
            super().reset(index, episode)

    env = LineVectorEnv(2, 5)
    agent = Expert(2)
    evaluate(agent, VectorWrapper(env), progress=False)
    assert agent.env is env


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=r"autoreset_mode='Disabled', got AutoresetMode\.NEXT_STEP"):
        evaluate(ReadingAgent(1), LineVectorEnv(1, 2, AutoresetMode.NEXT_STEP), progress=False)
    with pytest.raises(ValueError, match=r"more than once: \['2'\]"):
        results_with(2, episode_ids=["2", "1", "2"])
    with pytest.raises(KeyError, match="no episode '77'"):
        results_with(2, episode_ids=["77"])

    class Mute(ReadingAgent):
        def act(self, observations: Any, active: np.ndarray) -> np.ndarray:
            return np.zeros(1)

    with pytest.raises(ValueError, match=r"2 in all, from Mute.act, got shape \(1,\)"):
        evaluate(Mute(2), LineVectorEnv(2, 2), progress=False)


def test_progress_bar_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(ReadingAgent(2), LineVectorEnv(2, 4))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "SR=" in captured.err


class PulledPlugError(Exception):
    pass


class FailingAgent(ReadingAgent):
    """Breaks down after some actions."""

    def act(self, observations: Any, active: np.ndarray) -> np.ndarray:
        if len(self.was_active) == 9:
            raise PulledPlugError
        return super().act(observations, active)


def test_a_run_cut_short_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    manifest = {"agent": {"name": "reading", "seed": 0}}
    whole = run(ReadingAgent(4), LineVectorEnv(4, COUNT), tmp_path / "whole", manifest, progress=False)

    folder = tmp_path / "cut"
    with pytest.raises(PulledPlugError):
        run(FailingAgent(3), LineVectorEnv(3, COUNT), folder, manifest, progress=False)
    done = (folder / "episodes.jsonl").read_bytes()
    assert 0 < done.count(b"\n") < COUNT
    (folder / "episodes.jsonl").write_bytes(done + b'{"episode_id": "7", "is_su')  # the torn line
    assert not (folder / "summary.json").exists()

    agent = ReadingAgent(2)
    records = run(agent, LineVectorEnv(2, COUNT), folder, manifest, progress=False)
    assert records == whole
    assert len(agent.resets) == COUNT - done.count(b"\n")
    lines = [(tmp_path / name / "episodes.jsonl").read_text().splitlines() for name in ("whole", "cut")]
    assert sorted(lines[0]) == sorted(lines[1])
    for name in ("summary.json", "manifest.json"):
        assert (tmp_path / "whole" / name).read_bytes() == (folder / name).read_bytes()
    assert read_results(folder)[1] == sorted(whole, key=lambda record: record["episode_id"])

    again = ReadingAgent(2)
    assert run(again, LineVectorEnv(2, COUNT), folder, manifest, progress=False) == whole
    assert again.resets == []

    changed = {"agent": {"name": "reading", "seed": 1}}
    with pytest.raises(ManifestMismatch, match=r"agent\.seed: 0 there, 1 now"):
        run(again, LineVectorEnv(2, COUNT), folder, changed, progress=False)
