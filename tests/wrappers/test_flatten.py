import numpy as np

from tests.test_env import make
from vlnenv.wrappers import FlattenArrays


def test_matrices_become_vectors_and_images_stay():
    env = make(observation="all", image_size=8)
    wrapped = FlattenArrays(make(observation="all", image_size=8))
    matrix, _ = env.reset(seed=2)
    flat, _ = wrapped.reset(seed=2)
    assert wrapped.observation_space.contains(flat)
    assert flat["patch_tokens"].shape == (576 * 64,)
    np.testing.assert_array_equal(flat["patch_tokens"].reshape(576, 64), matrix["patch_tokens"])
    assert flat["rgb"].shape == (8, 8, 3)
