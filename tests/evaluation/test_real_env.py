from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from vlnenv.episodes import Episode, EpisodeDataset, read_r2r_ce, write_r2r_ce
from vlnenv.evaluation import ManifestMismatch, evaluate, make_manifest, run
from vlnenv.vector import VLNVectorEnv

STOP, FORWARD, LEFT = 0, 1, 2


@pytest.fixture(scope="module")
def episode_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five walks along -z through an empty room of 8 x 8 m, the last one into a block; as files."""
    folder = tmp_path_factory.mktemp("room")
    floor = trimesh.creation.box(extents=(8.0, 0.2, 8.0))
    floor.apply_translation((0.0, -0.1, 0.0))
    block = trimesh.creation.box(extents=(1.5, 1.0, 0.5))
    block.apply_translation((2.75, 0.5, 2.0))
    scene = trimesh.Scene({"floor": floor, "block": block})
    (folder / "room.glb").write_bytes(scene.export(file_type="glb"))
    episodes = tuple(
        Episode(
            episode_id=str(index),
            trajectory_id=str(index),
            scene_id="room.glb",
            start_position_m=(x, 0.0, 3.0),
            start_rotation_xyzw=(0.0, 0.0, 0.0, 1.0),
            instruction=f"Walk {3 + index} steps.",
            goal_position_m=(x, 0.0, -1.0),
            reference_path_m=((x, 0.0, 3.0), (x, 0.0, -1.0)),
            geodesic_distance_m=4.0,
        )
        for index, x in enumerate((-2.0, -1.0, 0.0, 1.0, 3.0))
    )
    write_r2r_ce(EpisodeDataset("room", "val", episodes), folder / "val.json.gz")
    assert read_r2r_ce(folder / "val.json.gz").episodes == episodes
    return folder / "val.json.gz"


def make_env(episode_file: Path, num_envs: int, **settings: Any) -> VLNVectorEnv:
    return VLNVectorEnv(
        num_envs,
        autoreset_mode="Disabled",
        dataset=str(episode_file),
        split="val",
        observation="rgbd",
        image_size=8,
        max_steps=30,
        **settings,
    )


class Walker:
    """Walks straight for a number of steps, and draws whether to look left from numbers of its episode."""

    def __init__(self, steps: int = 12) -> None:
        self.limit = steps
        self.state: dict[int, tuple[np.random.Generator, int]] = {}

    def reset(self, index: int, episode: Any) -> None:
        self.state[index] = (np.random.default_rng(int(episode.episode_id)), 0)

    def act(self, observations: Any, active: np.ndarray) -> np.ndarray:
        actions = np.zeros(len(active), dtype=int)
        for slot in np.flatnonzero(active):
            rng, steps = self.state[slot]
            actions[slot] = STOP if steps == self.limit else FORWARD if rng.random() < 0.9 else LEFT
            self.state[slot] = (rng, steps + 1)
        return actions


def test_results_do_not_depend_on_the_number_of_slots(episode_file: Path) -> None:
    results = []
    for num_envs in (1, 2, 7):
        env = make_env(episode_file, num_envs)
        results.append(evaluate(Walker(), env, progress=False))
        env.close()
    assert results[0] == results[1] == results[2]
    for record in results[0]:
        assert record["steps"] == 13
        assert record["dataset"].endswith(f"@{read_r2r_ce(episode_file).hash}")
        assert 0.0 <= record["ndtw"] <= 1.0
        assert not any(key.startswith(("reward/", "_")) for key in record)
    assert results[0][4]["collisions"] > 0  # the block is in its way
    assert results[0][0]["collisions"] == 0


def test_steps_run_out(episode_file: Path) -> None:
    env = make_env(episode_file, 2)
    records = evaluate(Walker(steps=99), env, ["3", "0", "1"], progress=False)
    env.close()
    assert [(record["episode_id"], record["steps"]) for record in records] == [
        ("3", 30),
        ("0", 30),
        ("1", 30),
    ]
    assert not any(record["is_success"] for record in records)


def test_run_folder_and_manifest(episode_file: Path, tmp_path: Path) -> None:
    env = make_env(episode_file, 3)
    manifest = make_manifest("walker", env, agent_config={"steps": 12}, weights=[episode_file])
    assert len(manifest["agent"]["weights"]["val.json.gz"]) == 64
    records = run(Walker(), env, tmp_path / "run", manifest, progress=False)
    env.close()

    fewer = make_env(episode_file, 1)
    assert make_manifest("walker", fewer, agent_config={"steps": 12}, weights=[episode_file]) == manifest
    assert run(Walker(), fewer, tmp_path / "run", manifest, progress=False) == records
    with pytest.raises(ManifestMismatch, match=r"episodes\.count: 5 there, 2 now"):
        run(Walker(), fewer, tmp_path / "run", manifest, ["0", "1"], progress=False)
    fewer.close()

    other = make_env(episode_file, 1, sliding=False)
    with pytest.raises(ManifestMismatch, match=r"environment\.sliding: None there, False now"):
        run(Walker(), other, tmp_path / "run", make_manifest("walker", other), progress=False)
    other.close()
