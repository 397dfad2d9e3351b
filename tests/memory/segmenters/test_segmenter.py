"""What holds for every segmenter, and the parts that they share."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.memory.segmenters.scenes import no_features, random_frames
from vlnenv.memory.segmenters import SEGMENTERS, PatchGraphSegmenter, Segmenter, geometry_only, make_segmenter
from vlnenv.memory.segmenters.segmenter import labels_of_masks, numbered
from vlnenv.sim.simulator import Frames


@pytest.fixture(params=["patchgraph", "geometry", "felzenszwalb", "oracle"])
def segmenter(request: pytest.FixtureRequest) -> Segmenter:
    if request.param == "geometry":
        return PatchGraphSegmenter(geometry_only())
    if request.param == "felzenszwalb":
        pytest.importorskip("skimage", reason="needs scikit-image (extra segmenters)")
    return make_segmenter(request.param)


def only(frames: Frames, outputs: tuple[str, ...], rows: list[int] | slice = slice(None)) -> Frames:
    return Frames(**{output: getattr(frames, output)[rows] for output in outputs})


@pytest.mark.parametrize("size", [24, 72, 96])
def test_labels_are_contiguous_and_in_order_of_appearance(segmenter: Segmenter, size: int) -> None:
    frames, camera = random_frames(5, size)
    labels = segmenter.segment(only(frames, segmenter.outputs), no_features(5), camera)
    assert labels.dtype == torch.int64
    assert labels.shape == (5, 24, 24)
    for frame in labels.flatten(1).tolist():
        assert list(dict.fromkeys(label for label in frame if label)) == list(range(1, max(frame) + 1))
        assert max(frame) > 1


def test_a_frame_does_not_depend_on_its_batch_and_a_repeat_is_equal(segmenter: Segmenter) -> None:
    frames, camera = random_frames(6, 96)
    features = torch.from_numpy(np.random.default_rng(1).normal(size=(6, 24, 24, 5)).astype(np.float32))
    frames = only(frames, segmenter.outputs)
    together = segmenter.segment(frames, features, camera)
    assert torch.equal(segmenter.segment(frames, features, camera), together)
    order = [4, 0, 5, 5]
    some = segmenter.segment(only(frames, segmenter.outputs, order), features[order], camera)
    assert torch.equal(some, together[order])
    alone = [
        segmenter.segment(only(frames, segmenter.outputs, [i]), features[i : i + 1], camera) for i in range(6)
    ]
    assert torch.equal(torch.cat(alone), together)


def test_nothing_is_changed_and_no_frames_are_no_labels(segmenter: Segmenter) -> None:
    frames, camera = random_frames(2, 48)
    before = {output: getattr(frames, output).copy() for output in segmenter.outputs}
    segmenter.segment(frames, no_features(2), camera)
    for output, array in before.items():
        np.testing.assert_array_equal(getattr(frames, output), array)
    none = only(frames, segmenter.outputs, [])
    assert segmenter.segment(none, no_features(0), camera).shape == (0, 24, 24)


def test_what_does_not_fit_is_refused(segmenter: Segmenter) -> None:
    frames, camera = random_frames(2, 48)
    _, other = random_frames(2, 72)
    with pytest.raises(ValueError, match="render that output too"):
        segmenter.segment(Frames(), no_features(2), camera)
    with pytest.raises(ValueError, match="48 x 48 pixels with a camera of 72 x 72"):
        segmenter.segment(frames, no_features(2), other)
    with pytest.raises(ValueError, match=r"needs features \(2, 24, 24, D\)"):
        segmenter.segment(frames, no_features(3), camera)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="Did you mean 'patchgraph'"):
        make_segmenter("patch_graph")
    assert SEGMENTERS[0] == "patchgraph"


def test_only_the_oracle_is_privileged() -> None:
    assert make_segmenter("oracle").privileged
    assert not make_segmenter("patchgraph").privileged


def test_numbers_follow_first_appearance_and_zero_stays() -> None:
    segment = np.zeros((2, 24, 24), dtype=np.int64)
    segment[0, 0, :3] = [7, 0, 3]
    segment[0, 1, 0] = 7
    segment[1] = 5
    labels = numbered(segment)
    assert labels[0, 0, :4].tolist() == [1, 0, 2, 0]
    assert labels[0, 1, 0] == 1
    assert (labels[1] == 1).all()


def test_the_smallest_mask_wins() -> None:
    masks = np.zeros((3, 4, 4), dtype=bool)
    masks[0, 1:3, 1:3] = True
    masks[1, :, :3] = True
    masks[2, 1:3, 2:4] = True  # as large as the first
    labels = labels_of_masks(masks)
    assert labels.tolist() == [[2, 2, 2, 0], [2, 1, 1, 3], [2, 1, 1, 3], [2, 2, 2, 0]]
    assert labels_of_masks(masks[:0]).tolist() == [[0] * 4] * 4
