import math

import numpy as np
import pytest

from vlnenv.noise import SensorNoise, make_sensor_noise, noise_key
from vlnenv.sim.camera import Camera

CAMERA = Camera(width=96, height=96)


def test_told_poses_are_uniform_within_their_bounds():
    noise, rng = SensorNoise(position_m=0.05, heading_deg=3.0), np.random.default_rng(0)
    true = np.array([1.0, 2.0, 3.0])
    told = [noise.told_pose(true, 0.5, rng) for _ in range(2000)]
    offset = np.array([position for position, _ in told]) - true
    turn = np.degrees(np.array([heading for _, heading in told]) - 0.5)
    assert not offset[:, 1].any()
    for values, bound in ((offset[:, 0], 0.05), (offset[:, 2], 0.05), (turn, 3.0)):
        assert np.abs(values).max() <= bound + 1e-9
        assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
        assert abs(values.mean()) < 0.1 * bound
    assert abs(np.corrcoef(offset[:, 0], offset[:, 2])[0, 1]) < 0.1
    np.testing.assert_array_equal(true, [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("depth", "deviation"), [(1.0, 0.0012 + 0.0019 * 0.36), (4.0, 0.0012 + 0.0019 * 12.96)]
)
def test_depth_errors_grow_with_the_squared_distance(depth, deviation):
    true = np.full((96, 96), depth, np.float32)
    measured = SensorNoise().measured_depth(true, CAMERA, np.random.default_rng(1))
    assert measured.dtype == np.float32
    error = measured - true
    assert error.std() == pytest.approx(deviation, rel=0.04)
    assert abs(error.mean()) < 0.05 * deviation


def test_nothing_stays_nothing_and_depths_stay_in_range():
    true = np.linspace(0.0, 10.0, 96 * 96, dtype=np.float32).reshape(96, 96)
    noise = SensorNoise(depth_base_m=2.0)
    measured = noise.measured_depth(true, CAMERA, np.random.default_rng(1))
    assert measured[0, 0] == 0.0
    assert measured[-1, -1] == 10.0
    assert (measured.reshape(-1)[1:] > 0.0).all()
    assert measured.max() <= 10.0


def test_settings_are_checked_by_name_and_value():
    assert make_sensor_noise(None) is None
    assert make_sensor_noise({}) == SensorNoise()
    assert make_sensor_noise({"heading_deg": 0}) == SensorNoise(heading_deg=0)
    with pytest.raises(TypeError, match="Did you mean 'position_m'"):
        make_sensor_noise({"position": 0.1})
    with pytest.raises(TypeError, match="dict"):
        make_sensor_noise(0.1)
    with pytest.raises(TypeError, match="must be a number"):
        make_sensor_noise({"position_m": "0.1"})
    for value in (-0.1, math.nan):
        with pytest.raises(ValueError, match="position_m must be finite and at least 0"):
            SensorNoise(position_m=value)


def test_the_key_follows_generator_and_episode_and_draws_nothing():
    rng, twin = np.random.default_rng(3), np.random.default_rng(3)
    key = noise_key(rng, "7")
    assert key == noise_key(rng, "7") == noise_key(twin, "7")
    assert noise_key(rng, "8") != key
    assert noise_key(rng, "7", key) not in (key, noise_key(rng, "8", key))
    assert rng.integers(1 << 60) == twin.integers(1 << 60)
    assert noise_key(rng, "7") != key
