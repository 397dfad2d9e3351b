from __future__ import annotations

import numpy as np
import pytest

from vlnenv.evaluation import bootstrap_means, mean_interval, paired_difference, summarise


def test_hand_cases() -> None:
    assert set(bootstrap_means(np.ones(5), list("aabbc"))) == {1.0}
    one = mean_interval([3.0], ["a"])
    assert (one.mean, one.low, one.high) == (3.0, 3.0, 3.0)
    # one episode a scene: the plain bootstrap of two values
    means = bootstrap_means(np.array([0.0, 1.0]), ["a", "b"], samples=4000)
    assert set(means) == {0.0, 0.5, 1.0}
    assert np.mean(means == 0.5) == pytest.approx(0.5, abs=0.03)


def test_interval_of_independent_episodes_is_the_binomial_one() -> None:
    rng = np.random.default_rng(0)
    values = (rng.random(400) < 0.5).astype(float)
    interval = mean_interval(values, [str(each) for each in range(400)])
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.006)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.006)


def test_alike_episodes_of_a_scene_widen_the_interval() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0, 1.0, 0.0], 50)
    by_scene = mean_interval(values, np.repeat(list("abcdef"), 50).tolist())
    apart = mean_interval(values, [str(each) for each in range(300)])
    assert by_scene.high - by_scene.low > 4 * (apart.high - apart.low)


def test_coverage_of_a_two_level_population() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(100):
        rates = rng.normal(0.5, 0.1, size=30)
        values = np.concatenate([rng.normal(rate, 0.2, size=10) for rate in rates])
        interval = mean_interval(
            values, np.repeat(np.arange(30), 10).astype(str).tolist(), samples=300, seed=seed
        )
        covered += interval.low <= 0.5 <= interval.high
    assert 88 <= covered <= 100


def test_seeded_and_independent_of_order() -> None:
    rng = np.random.default_rng(2)
    records = [
        {"episode_id": str(each), "scene_id": f"s{each % 4}", "spl": float(rng.random()), "note": "x"}
        for each in range(40)
    ]
    shuffled = [records[each] for each in rng.permutation(40)]
    assert summarise(records) == summarise(shuffled)
    assert list(summarise(records)["metrics"]) == ["spl"]
    assert summarise(records) != summarise(records, seed=1)
    assert summarise([]) == {"num_episodes": 0, "num_scenes": 0, "metrics": {}}


def test_columns_stay_together() -> None:
    values = np.random.default_rng(3).random((30, 2))
    values[:, 1] = 1.0 - values[:, 0]
    means = bootstrap_means(values, [f"s{each % 5}" for each in range(30)])
    assert means.shape == (2000, 2)
    assert np.allclose(means.sum(axis=1), 1.0)


def test_pairing_sees_what_separate_intervals_do_not() -> None:
    rng = np.random.default_rng(4)
    base = [
        {"episode_id": str(each), "scene_id": f"s{each % 10}", "spl": float(rng.normal(0.5, 0.3))}
        for each in range(200)
    ]
    better = [{**record, "spl": record["spl"] + 0.05 + rng.normal(0, 0.02)} for record in base][::-1]
    interval = paired_difference(better, base, "spl")
    assert 0.04 < interval.low < interval.mean < interval.high < 0.06
    scenes = [record["scene_id"] for record in base]
    alone = mean_interval([record["spl"] for record in base], scenes)
    assert alone.high - alone.low > 0.05
    reverse = paired_difference(base, better, "spl")
    assert reverse.mean == pytest.approx(-interval.mean)


def test_bad_input_is_refused() -> None:
    records = [{"episode_id": "1", "scene_id": "a", "spl": 1.0}]
    with pytest.raises(ValueError, match=r"only on one side: \['1', '2'\]"):
        paired_difference(records, [{**records[0], "episode_id": "2"}], "spl")
    with pytest.raises(ValueError, match="each episode once"):
        paired_difference(records, records * 2, "spl")
    with pytest.raises(KeyError, match="sr"):
        paired_difference(records, records, "sr")
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap_means(np.array([]), [])
    with pytest.raises(ValueError, match="finite"):
        mean_interval([float("nan")], ["a"])
    with pytest.raises(ValueError, match="level must lie between 0 and 1"):
        mean_interval([1.0], ["a"], level=95)
