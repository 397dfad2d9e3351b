from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from vlnenv.memory import make_encoder
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.memory.text_table import load_text_table
from vlnenv.sim.scene import Instance, Scene
from vlnenv.sim.simulator import Frames


def scene(*objects: tuple[str, str]) -> Scene:
    instances = tuple(
        Instance(number, f"{kind}_{number}", kind, color) for number, (kind, color) in enumerate(objects, 1)
    )
    return Scene(
        "test", np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0), None, None, (), instances
    )


ROOM = scene(("wall", ""), ("sofa", "red"), ("sofa", "blue"), ("coffee table", "brown"))
BATH = scene(("toilet", "white"), ("bathtub", ""))


def frames(*ids: int, size: int = 96) -> Frames:
    return Frames(instance=np.stack([np.full((size, size), number, dtype=np.int32) for number in ids]))


def test_features_are_class_and_half_a_colour() -> None:
    encoder, table = make_encoder("semantic"), load_text_table()
    features = encoder.encode(frames(1, 2), [ROOM, ROOM])
    assert features.shape == (2, 24, 24, encoder.dim)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(2, 24, 24))
    np.testing.assert_allclose(features[0, 3, 4], table.embed("wall"), atol=1e-6)
    mixed = table.embed("sofa") + 0.5 * table.embed("red")
    np.testing.assert_allclose(features[1, 3, 4], mixed / np.linalg.norm(mixed), atol=1e-6)


def test_colours_and_classes_can_be_told_apart() -> None:
    red, blue, table = SemanticEncoder().instance_features(ROOM)[2:5]
    assert float(table @ red) < float(red @ blue) < 0.95


def test_the_centre_pixel_of_each_cell_decides() -> None:
    encoder = SemanticEncoder()
    image = np.full((1, 96, 96), 1, dtype=np.int32)
    image[0, 4 * 5 + 2, 4 * 7 + 2] = 2  # the centre pixel of cell (5, 7), 4 pixels a side
    image[0, 4 * 9, 4 * 9] = 3  # a corner
    features = encoder.encode(Frames(instance=image), [ROOM])[0]
    wall, sofa = encoder.instance_features(ROOM)[1:3]
    assert torch.equal(features[5, 7], sofa)
    features[5, 7] = wall
    assert torch.equal(features, wall.expand(24, 24, -1))


def test_nothing_is_zero() -> None:
    assert not SemanticEncoder().encode(frames(0), [ROOM]).any()


def test_scenes_do_not_mix_and_a_batch_equals_its_members() -> None:
    encoder = SemanticEncoder()
    rng = np.random.default_rng(0)
    scenes = [ROOM, BATH, ROOM, BATH]
    image = np.stack([rng.integers(0, len(s.instances) + 1, (48, 48)) for s in scenes]).astype(np.int32)
    together = encoder.encode(Frames(instance=image), scenes)
    for i, one in enumerate(scenes):
        assert torch.equal(
            together[i : i + 1], SemanticEncoder().encode(Frames(instance=image[i : i + 1]), [one])
        )


def test_tables_die_with_their_scenes() -> None:
    encoder = SemanticEncoder()
    short = scene(("chair", ""))
    encoder.encode(frames(1), [short])
    assert len(encoder._features) == 1
    del short
    gc.collect()
    assert len(encoder._features) == 0


def test_bad_frames_are_refused() -> None:
    encoder = SemanticEncoder()
    with pytest.raises(ValueError, match='"instance"'):
        encoder.encode(Frames(depth=np.zeros((1, 24, 24))), [ROOM])
    with pytest.raises(ValueError, match="as many scenes"):
        encoder.encode(frames(1, 1), [ROOM])
    with pytest.raises(ValueError, match="multiple of 24"):
        encoder.encode(frames(1, size=100), [ROOM])
    for wrong in (3, -1):
        with pytest.raises(ValueError, match="does not have"):
            encoder.encode(frames(wrong), [BATH])


def test_the_encoder_says_what_it_is() -> None:
    encoder = make_encoder("semantic")
    assert (encoder.name, encoder.dim, encoder.outputs, encoder.privileged) == (
        "semantic",
        64,
        ("instance",),
        True,
    )
    assert encoder.image_size % 24 == 0
    with pytest.raises(ValueError, match="Did you mean 'semantic'"):
        make_encoder("semantics")
