from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.baselines.config import BASELINE_LEVELS
from agents.baselines.senses import looks, pooled_depth
from agents.environments import make_env
from tests.agents.baselines.fakes import DIM, SEMANTIC, observations


def test_depth_is_pooled_like_the_view_and_misses_are_left_out() -> None:
    depth = np.arange(24 * 24, dtype=np.float32).reshape(1, 24, 24, 1) + 1.0
    depth[0, :4, 4:8] = 0.0
    depth[0, 0, 8] = 0.0
    cells = pooled_depth(depth)
    assert cells.shape == (1, 36)
    assert cells[0, 0] == depth[0, :4, :4].mean()
    assert cells[0, 1] == 0.0, "nothing there"
    assert cells[0, 2] == pytest.approx(depth[0, :4, 8:12].sum() / 15)
    assert cells[0, 6] == depth[0, 4:8, :4].mean(), "row by row"
    with pytest.raises(ValueError, match="6 x 6 cells, got 8 x 8"):
        pooled_depth(np.zeros((1, 8, 8, 1), np.float32))


def test_looks_are_of_the_newest_view_and_the_last_action() -> None:
    batch = observations(3)
    seen = looks(batch, [2, 0])
    assert (seen.view.shape, seen.depth.shape, seen.previous.shape) == ((2, 36, DIM), (2, 36), (2, 3))
    assert np.array_equal(seen.view[0], batch["view_tokens"][2, :36])
    assert np.array_equal(seen.previous[1], batch["action_history"][0, 3])
    with pytest.raises(KeyError, match="'depth'"):
        looks({key: value for key, value in batch.items() if key != "depth"}, [0])


def test_the_environment_gives_both(episode_file: Path) -> None:
    env = make_env(
        1, SEMANTIC, BASELINE_LEVELS, action="macro", dataset=str(episode_file), autoreset_mode="Disabled"
    )
    try:
        first, _ = env.reset(seed=0)
        second, *_ = env.step(np.array([[0, 3, 0]]))
    finally:
        env.close()
    assert second["depth"].shape == (1, 24, 24, 1)
    assert np.array_equal(second["view_tokens"][0, 36:72], first["view_tokens"][0, :36])
    seen = looks(second, [0])
    assert seen.previous.tolist() == [[0, 3, 0]]
    assert 0.0 < seen.depth.min() < seen.depth.max() <= 10.0
    assert looks(first, [0]).previous.tolist() == [[-1, -1, -1]]
