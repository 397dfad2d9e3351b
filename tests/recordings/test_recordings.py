import dataclasses
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from agents.expert import ExpertAgent
from agents.random import RandomAgent
from tests.small_houses import FIRST, SPLIT_SETTINGS
from vlnenv.recordings import Recordings, ReplayError, record, replay

IDS = FIRST[:3]
CHEAP = {**SPLIT_SETTINGS, "observation": "rgbd", "image_size": 24, "max_steps": 30}


def _env(num_envs: int = 2, **settings: object) -> gym.vector.VectorEnv:
    return gym.make_vec(
        "vlnenv:R2RCE-v0", num_envs=num_envs, autoreset_mode="Disabled", **{**CHEAP, **settings}
    )


@pytest.fixture(scope="module")
def recordings() -> Recordings:
    return record(ExpertAgent(), _env(sensor_noise={}), IDS, progress=False, seed=3)


class Watching:
    """An agent whose observations are kept by episode."""

    def __init__(self, agent: RandomAgent) -> None:
        self.agent = agent
        self.seen: dict[str, list[dict[str, np.ndarray]]] = {}
        self.episode: dict[int, str] = {}

    def reset(self, index, episode):
        self.agent.reset(index, episode)
        self.episode[index] = episode.episode_id

    def act(self, observations, active):
        for slot in np.flatnonzero(active):
            row = {key: np.array(value[slot]) for key, value in observations.items() if key != "instruction"}
            self.seen.setdefault(self.episode[slot], []).append(row)
        return self.agent.act(observations, active)


def test_a_file_gives_back_what_was_recorded(recordings: Recordings, tmp_path: Path) -> None:
    recordings.save(tmp_path / "demos.npz")
    loaded = Recordings.load(tmp_path / "demos.npz")
    assert [each.episode_id for each in loaded] == IDS
    for name in ("settings", "dataset", "task_hash", "agent"):
        assert getattr(loaded, name) == getattr(recordings, name)
    for ours, theirs in zip(loaded, recordings, strict=True):
        for field in dataclasses.fields(ours):
            np.testing.assert_equal(getattr(ours, field.name), getattr(theirs, field.name))
        assert len(ours.position_m) == len(ours) + 1 == len(ours.heading_rad)
        assert ours.metrics["steps"] == len(ours)
    assert (tmp_path / "demos.npz").stat().st_size < 20_000


def test_replay_makes_the_very_observations_again() -> None:
    env = _env(sensor_noise={}, observation="all", encoder="semantic", segmenter=None, max_steps=12)
    agent = Watching(RandomAgent())
    recordings = record(agent, env, IDS, progress=False, seed=5)
    for recording, observations in replay(recordings, num_envs=3):
        assert observations["instruction"]
        for step, seen in enumerate(agent.seen[recording.episode_id]):
            for key, value in seen.items():
                np.testing.assert_array_equal(observations[key][step], value, err_msg=f"{key} at {step}")


def test_other_eyes_see_the_same_episodes(recordings: Recordings) -> None:
    tokens = {"observation": "tokens", "encoder": "semantic", "segmenter": None}
    alone = list(replay(recordings, num_envs=1, **tokens))
    batched = list(replay(recordings, num_envs=3, **tokens))
    for (recording, ours), (_, theirs) in zip(alone, batched, strict=True):
        assert ours["patch_tokens"].shape == (len(recording) + 1, 576, 64)
        np.testing.assert_array_equal(ours["patch_tokens"], theirs["patch_tokens"])


def test_an_episode_that_goes_another_way_is_named(recordings: Recordings) -> None:
    moved = recordings[1].position_m.copy()
    moved[4:, 0] += 0.01
    broken = dataclasses.replace(
        recordings, episodes=(recordings[0], dataclasses.replace(recordings[1], position_m=moved))
    )
    with pytest.raises(ReplayError, match=rf"{IDS[1]}.* after 4 actions"):
        list(replay(broken))


def test_recordings_of_other_data_are_refused(recordings: Recordings) -> None:
    with pytest.raises(ValueError, match="recordings are of episodes"):
        next(replay(dataclasses.replace(recordings, dataset="houses@0")))
    with pytest.raises(ValueError, match="protocol"):
        next(replay(dataclasses.replace(recordings, task_hash="0")))


@pytest.mark.parametrize(
    "settings",
    [{"memory_scope": "lifelong", "observation": "tokens", "encoder": "semantic"}, {"keep_edits": True}],
)
def test_what_could_not_be_replayed_is_not_recorded(settings: dict) -> None:
    with pytest.raises(ValueError, match="could not be made again"):
        record(ExpertAgent(), _env(**settings), IDS, progress=False)


def test_more_environments_than_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="at most as many environments"):
        record(ExpertAgent(), _env(4), IDS, progress=False)


def test_damaged_files_are_named(tmp_path: Path, recordings: Recordings) -> None:
    with pytest.raises(FileNotFoundError, match="data record"):
        Recordings.load(tmp_path / "none.npz")
    recordings.save(tmp_path / "demos.npz")
    whole = (tmp_path / "demos.npz").read_bytes()
    (tmp_path / "demos.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"demos.npz holds no recordings"):
        Recordings.load(tmp_path / "demos.npz")
    np.savez(tmp_path / "other.npz", header=np.frombuffer(b'{"format": "x"}', dtype=np.uint8))
    with pytest.raises(ValueError, match="vlnenv-recordings-1"):
        Recordings.load(tmp_path / "other.npz")


def test_minari_holds_the_episodes(
    recordings: Recordings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minari = pytest.importorskip("minari")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    from vlnenv.recordings import export_minari

    facts = {"author": "us", "author_email": "us@example.org", "code_permalink": "https://example.org"}
    export_minari(recordings, "vlnenv/houses/expert-v0", facts=facts)
    dataset = minari.load_dataset("vlnenv/houses/expert-v0")
    assert len(dataset) == len(recordings)
    for episode, (recording, observations) in zip(dataset, replay(recordings), strict=True):
        np.testing.assert_array_equal(episode.observations["depth"], observations["depth"])
        np.testing.assert_array_equal(episode.observations["rgb"], observations["rgb"])
        np.testing.assert_array_equal(episode.actions, recording.actions)
        assert set(episode.observations["instruction"]) == {observations["instruction"]}
        assert episode.terminations.tolist() == [False] * (len(recording) - 1) + [recording.terminated]
    assert dataset.recover_environment().spec.kwargs["split"] == "val_unseen"
    with pytest.raises(ValueError, match="already"):
        export_minari(recordings, "vlnenv/houses/expert-v0")
