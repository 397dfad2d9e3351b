from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.vlm.rows import LEVEL_CODES, count_levels, memory_rows, pooled_patches, stack_rows

DIM = 5
COUNTS = {"patch": 576, "instance": 6, "zone": 4, "path": 8, "view": 10}


def random_observation(size: int = 3, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    observation: dict[str, Any] = {}
    for level, count in COUNTS.items():
        mask = rng.integers(0, 2, (size, count)).astype(np.int8)
        xyz = rng.normal(size=(size, count, 3)).astype(np.float32)
        xyz[mask == 0] = np.nan
        observation[f"{level}_mask"], observation[f"{level}_xyz"] = mask, xyz
        if level != "path":
            observation[f"{level}_tokens"] = rng.normal(size=(size, count, DIM)).astype(np.float32)
            observation[f"{level}_tokens"][mask == 0] = np.nan
    return observation


def test_rows_are_the_valid_tokens_sorted_by_level() -> None:
    observation = random_observation()
    samples, counts = memory_rows(observation, [2, 0], list(COUNTS)[::-1])
    for sample, count, row in zip(samples, counts, [2, 0], strict=True):
        assert sample.dtype == np.float32
        assert np.isfinite(sample).all()
        assert (np.diff(sample[:, 0]) >= 0).all()
        assert count == {level: observation[f"{level}_mask"][row].sum() for level in COUNTS}
        assert count_levels(sample) == {level: number for level, number in count.items() if number}
        for level, code in LEVEL_CODES.items():
            part, mask = sample[sample[:, 0] == code], observation[f"{level}_mask"][row] == 1
            np.testing.assert_array_equal(part[:, 1:4], observation[f"{level}_xyz"][row][mask])
            if level == "path":
                np.testing.assert_allclose(part[:, 4], (np.arange(COUNTS["path"]) + 1)[mask] / 16.0)
                assert not part[:, 5:].any()
            else:
                np.testing.assert_array_equal(part[:, 4:], observation[f"{level}_tokens"][row][mask])


def test_rows_do_not_depend_on_the_batch() -> None:
    observation = random_observation(4)
    together, _ = memory_rows(observation, range(4), patch_pool=(4, 2))
    for row in range(4):
        ((alone,), _) = memory_rows(observation, [row], patch_pool=(4, 2))
        np.testing.assert_array_equal(alone, together[row])


def test_empty_levels_and_no_rows() -> None:
    observation = random_observation()
    for level in COUNTS:
        observation[f"{level}_mask"][1] = 0
    samples, counts = memory_rows(observation, [1, 2], ("patch", "instance", "zone"), patch_pool=(4, 2))
    assert samples[0].shape == (0, 4 + DIM)
    assert counts[0] == {"patch": 0, "instance": 0, "zone": 0}
    assert len(samples[1])
    assert memory_rows(observation, []) == ([], [])


def test_pooling_is_the_mean_of_the_valid_cells() -> None:
    observation = random_observation(2)
    tokens, xyz, mask = (observation[f"patch_{part}"] for part in ("tokens", "xyz", "mask"))
    mask = mask.astype(bool)
    mask.reshape(2, 12, 48)[1, 4:8, 6:8] = False
    pooled, places, valid = pooled_patches(tokens, xyz, mask, pool=(4, 2))
    assert pooled.shape == (2, 3 * 24, DIM)
    assert places.shape == (2, 72, 3)
    assert not valid[1, 24 + 3]
    for env in range(2):
        for row in range(3):
            for column in range(24):
                index = np.zeros((12, 48), dtype=bool)
                index[row * 4 : row * 4 + 4, column * 2 : column * 2 + 2] = True
                cells = index.reshape(-1) & mask[env]
                block = row * 24 + column
                assert valid[env, block] == cells.any()
                if cells.any():
                    np.testing.assert_allclose(pooled[env, block], tokens[env][cells].mean(0), atol=1e-6)
                    np.testing.assert_allclose(places[env, block], xyz[env][cells].mean(0), atol=1e-6)


def test_pooling_checks_the_grid() -> None:
    observation = random_observation(1)
    with pytest.raises(ValueError, match=r"\(5, 2\) patches must divide the grid"):
        memory_rows(observation, [0], patch_pool=(5, 2))
    samples, _ = memory_rows(observation, [0], patch_pool=(6, 6), patch_grid=(24, 24))
    assert count_levels(samples[0])["patch"] <= 16
    observation["patch_mask"] = observation["patch_mask"][:, :100]
    with pytest.raises(ValueError, match="the observation 100: set patch_grid"):
        memory_rows(observation, [0], patch_pool=(4, 2))


def test_half_precision_is_read() -> None:
    observation = random_observation(1)
    exact, _ = memory_rows(observation, [0], patch_pool=(4, 2))
    for key in ("patch_tokens", "patch_xyz"):
        observation[key] = observation[key].astype(np.float16)
    halved, _ = memory_rows(observation, [0], patch_pool=(4, 2))
    np.testing.assert_allclose(halved[0], exact[0], atol=5e-3)


def test_errors() -> None:
    observation = random_observation()
    with pytest.raises(ValueError, match="Did you mean 'zone'"):
        memory_rows(observation, [0], ["zones"])
    with pytest.raises(ValueError, match="features of one length"):
        memory_rows(observation, [0], ["path"])
    observation["zone_tokens"] = observation["zone_tokens"][..., :3]
    with pytest.raises(ValueError, match=r"got \{'patch': 5, 'zone': 3\}"):
        memory_rows(observation, [0], ["patch", "zone"])
    del observation["zone_mask"]
    with pytest.raises(KeyError, match="reads zone tokens, but 'zone_mask' is not in the observation"):
        memory_rows(observation, [0], ["zone"])


def test_stacking_pads_with_zeros() -> None:
    samples, _ = memory_rows(random_observation(), [0, 1])
    stacked = stack_rows([*samples, np.zeros(0)], DIM)
    assert stacked.shape == (3, max(map(len, samples)), 4 + DIM)
    np.testing.assert_array_equal(stacked[0, : len(samples[0])], samples[0])
    assert not stacked[2].any()
    assert stack_rows([[]], DIM).shape == (1, 1, 4 + DIM)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="rows of 10 numbers"):
        stack_rows(samples, DIM + 1)
