from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.memory.segmenters.scenes import no_features
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.sam import SamConfig, SamSegmenter, chosen_masks
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


def tiny_sam(folder: Path) -> str:
    """A SAM with random weights and 128 x 128 pixels."""
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra sam)")
    torch.manual_seed(0)
    config = transformers.SamConfig(
        vision_config={
            "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 128,
            "patch_size": 16, "output_channels": 16, "mlp_dim": 32, "window_size": 4,
            "global_attn_indexes": [0], "num_pos_feats": 8,
        },
        prompt_encoder_config={
            "hidden_size": 16, "image_size": 128, "patch_size": 16, "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    transformers.SamModel(config).save_pretrained(folder)
    return str(folder)


def tiny_sam2(folder: Path) -> str:
    """A SAM 2 with random weights and 128 x 128 pixels."""
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra sam)")
    torch.manual_seed(0)
    config = transformers.Sam2Config(
        vision_config={
            "backbone_config": {
                "model_type": "sam2_hiera_det_model", "hidden_size": 8, "image_size": [128, 128],
                "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
                "num_attention_heads_per_stage": [1, 1, 2, 2], "window_size_per_stage": [8, 4, 4, 2],
                "global_attention_blocks": [3],
            },
            "backbone_channel_list": [64, 32, 16, 8], "fpn_hidden_size": 16,
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
        },
        prompt_encoder_config={
            "hidden_size": 16, "image_size": 128, "patch_size": 16, "mask_input_channels": 4,
        },
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 32, "num_attention_heads": 2, "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    transformers.Sam2Model(config).save_pretrained(folder)
    return str(folder)


def pictures(n: int, height: int = 48) -> tuple[Frames, Camera]:
    rng = np.random.default_rng(0)
    blotches = rng.integers(0, 255, (n, height // 12, 6, 3), dtype=np.uint8)
    return Frames(rgb=blotches.repeat(12, axis=1).repeat(12, axis=2)), Camera(width=72, height=height)


@pytest.mark.parametrize("make", [tiny_sam, tiny_sam2])
def test_a_local_folder_is_loaded_and_segments(make: Callable[[Path], str], tmp_path: Path) -> None:
    config = SamConfig(
        points_per_side=3, points_per_call=4, min_quality=0.0, min_stability=0.0, max_overlap=1.0
    )
    segmenter = SamSegmenter(make(tmp_path), config)
    segmenter._model.mask_decoder.iou_prediction_head.proj_out.bias.data.fill_(1.0)
    frames, camera = pictures(2)
    labels = segmenter.segment(frames, no_features(2), camera)
    assert labels.shape == (2, 24, 24)
    assert labels.max() >= 1
    assert torch.equal(segmenter.segment(frames, no_features(2), camera), labels)
    assert frames.rgb is not None
    alone = segmenter.segment(Frames(rgb=frames.rgb[1:]), no_features(1), camera)
    assert torch.equal(alone[0], labels[1])


def test_masks_are_read_where_the_picture_lies_in_the_padded_square(tmp_path: Path) -> None:
    segmenter = SamSegmenter(tiny_sam(tmp_path), SamConfig(points_per_side=2))
    frames, _ = pictures(1)
    assert frames.rgb is not None
    asked = []

    class Ramp:
        """Masks whose logit is the column, then the row, of the 128-pixel square."""

        def get_image_embeddings(self, pixels: torch.Tensor) -> torch.Tensor:
            assert pixels.shape == (1, 3, 128, 128)
            assert (pixels[:, :, 85:] == 0).all()  # 48 / 72 of 128
            assert pixels[:, :, :85].abs().min() > 0
            return pixels

        def __call__(self, image_embeddings: Any, input_points: torch.Tensor, **_: Any) -> Any:
            asked.append(input_points)
            ramp = (torch.arange(32) + 0.5) * 4
            masks = torch.stack([ramp.expand(32, 32), ramp[:, None].expand(32, 32)])[None, None]

            class Found:
                pred_masks = masks
                iou_scores = torch.tensor([[[0.9, 0.8]]])

            return Found

    segmenter._model = Ramp()
    logits, quality = segmenter._everything(frames.rgb[0])
    pixel = (np.arange(24) * 3 + 1.5) / 72 * 128
    np.testing.assert_allclose(logits[0][:, 1:-1], np.broadcast_to(pixel, (24, 24))[:, 1:-1], atol=1e-3)
    pixel = (np.arange(24) * 2 + 1.5) / 48 * 85
    np.testing.assert_allclose(logits[1][1:], np.broadcast_to(pixel[:, None], (24, 24))[1:], atol=1e-3)
    assert quality.tolist() == pytest.approx([0.9, 0.8])
    assert asked[0][0, :, 0].tolist() == [[32, 21.25], [96, 21.25], [32, 63.75], [96, 63.75]]


def test_another_family_is_refused(tmp_path: Path) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra sam)")
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="SAM model type 'bert'"):
        SamSegmenter(str(tmp_path))


def test_poor_unstable_empty_and_repeated_masks_go() -> None:
    logits = np.full((6, 24, 24), -5.0, dtype=np.float32)
    logits[0, :10] = 5.0
    logits[1, :9] = 5.0  # overlaps the first by 0.9, and is better
    logits[2, 12:] = 5.0  # poor
    logits[3, 12:, :12] = 0.5  # unstable
    logits[5, :10, :12] = 5.0  # a part of the first
    quality = np.array([0.85, 0.9, 0.5, 0.99, 0.99, 0.82], dtype=np.float32)
    kept = chosen_masks(logits, quality, SamConfig())
    assert (kept == (logits[[1, 5]] > 0)).all()
    assert chosen_masks(logits[2:5], quality[2:5], SamConfig()).shape == (0, 24, 24)


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"vlnenv\[sam\]"):
        make_segmenter("sam")


@pytest.mark.parametrize("setting", [{"points_per_side": 0}, {"min_quality": 1.5}])
def test_settings_out_of_range_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(setting))} must"):
        SamConfig(**setting)
