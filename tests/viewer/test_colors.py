from __future__ import annotations

import numpy as np

from vlnenv.viewer.colors import NONE_RGB, feature_colors, heat_colors, instance_colors


def test_alike_features_get_alike_colors() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(3, 64))
    member = rng.integers(0, 3, 300)
    colors = feature_colors(centres[member] + 0.02 * rng.normal(size=(300, 64))).astype(float)
    means = np.stack([colors[member == cluster].mean(axis=0) for cluster in range(3)])
    between = np.linalg.norm(means[:, None] - means[None], axis=2)[np.triu_indices(3, 1)]
    # The third direction is noise between three clusters: two channels tell them apart.
    within = max(colors[member == cluster][:, :2].std(axis=0).max() for cluster in range(3))
    assert between.min() > 8 * within


def test_feature_colors_do_not_depend_on_the_order_and_survive_few_points() -> None:
    features = np.random.default_rng(1).normal(size=(50, 8))
    order = np.random.default_rng(2).permutation(50)
    difference = feature_colors(features)[order].astype(int) - feature_colors(features[order])
    assert np.abs(difference).max() <= 1
    assert feature_colors(np.zeros((0, 8))).shape == (0, 3)
    assert (feature_colors(np.ones((1, 8))) == 128).all()
    assert (feature_colors(np.ones((7, 8))) == 128).all()
    assert feature_colors(np.random.default_rng(3).normal(size=(9, 2))).shape == (9, 3)


def test_an_instance_keeps_its_color_and_none_is_grey() -> None:
    ids = np.array([4, -1, 0, 4, 123_456])
    colors = instance_colors(ids)
    assert colors.dtype == np.uint8
    np.testing.assert_array_equal(colors[0], colors[3])
    np.testing.assert_array_equal(colors[0], instance_colors(np.array([4]))[0])
    np.testing.assert_array_equal(colors[1], NONE_RGB)
    assert len(np.unique(instance_colors(np.arange(60)), axis=0)) == 60
    following = instance_colors(np.arange(40)).astype(float)
    assert np.linalg.norm(np.diff(following, axis=0), axis=1).min() > 60


def test_heat_runs_from_pale_to_red() -> None:
    colors = heat_colors(np.array([0.1, 0.2, 0.2, 0.6, 0.9])).astype(int)
    np.testing.assert_array_equal(colors[0], colors[1])  # the median and all below
    assert colors[4, 0] > colors[4, 1] + 100
    redness = colors[:, 0] - colors[:, 2]
    assert (np.diff(redness) >= 0).all()
    assert len(np.unique(heat_colors(np.full(5, 0.3)), axis=0)) == 1
    assert heat_colors(np.zeros(0)).shape == (0, 3)
