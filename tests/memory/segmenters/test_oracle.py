import numpy as np

from tests.memory.segmenters.scenes import no_features, random_frames
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


def test_labels_are_the_ids_at_the_patches_pixels() -> None:
    frames, camera = random_frames(3, 72)
    assert frames.instance is not None
    labels = make_segmenter("oracle").segment(frames, no_features(3), camera).numpy()
    pixels = patch_centre_pixels(72)
    ids = frames.instance[:, pixels[:, None], pixels[None]]
    for frame_labels, frame_ids in zip(labels, ids, strict=True):
        pairs = set(zip(frame_labels.reshape(-1).tolist(), frame_ids.reshape(-1).tolist(), strict=True))
        assert len(pairs) == len(np.unique(frame_ids)) == len(np.unique(frame_labels))
        assert all((label == 0) == (instance == 0) for label, instance in pairs)


def test_a_corner_pixel_does_not_decide() -> None:
    instance = np.full((1, 96, 96), 9, dtype=np.int32)
    instance[:, ::4, ::4] = 3
    labels = make_segmenter("oracle").segment(
        Frames(instance=instance), no_features(1), Camera(width=96, height=96)
    )
    assert (labels == 1).all()
