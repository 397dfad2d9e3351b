from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from vlnenv.memory import make_encoder
from vlnenv.memory.clip import ClipEncoder, _image_size
from vlnenv.sim.simulator import Frames

WORDS = ("a", "photo", "of", "red", "sofa", "lamp")
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
VISION = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {**VISION, "vocab_size": 9, "max_position_embeddings": 8, "bos_token_id": 1, "eos_token_id": 2}


def save(model: Any, folder: Path) -> str:
    """A model folder as the hub has them, with a processor's numbers and a tokenizer of a few words."""
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra clip)")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    model.save_pretrained(folder)
    numbers = {"do_normalize": True, "do_rescale": True, "rescale_factor": 1 / 255}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({**numbers, "image_mean": MEAN, "image_std": STD})
    )
    vocabulary = {word: number for number, word in enumerate(("[PAD]", "[BOS]", "[EOS]", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A [EOS]", special_tokens=[("[BOS]", 1), ("[EOS]", 2)]
    )
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", bos_token="[BOS]", eos_token="[EOS]"
    ).save_pretrained(folder)
    return str(folder)


def tiny_clip(folder: Path, image_size: int = 336, patch_size: int = 14) -> str:
    """A CLIP with random weights."""
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra clip)")
    torch.manual_seed(0)
    config = transformers.CLIPConfig(
        vision_config={**VISION, "image_size": image_size, "patch_size": patch_size},
        text_config=TEXT,
        projection_dim=12,
    )
    return save(transformers.CLIPModel(config), folder)


def tiny_siglip(folder: Path, image_size: int = 336, patch_size: int = 14) -> str:
    """A SigLIP with random weights."""
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra clip)")
    torch.manual_seed(0)
    config = transformers.SiglipConfig(
        vision_config={**VISION, "image_size": image_size, "patch_size": patch_size}, text_config=TEXT
    )
    return save(transformers.SiglipModel(config), folder)


def pictures(n: int, size: int = 336) -> Frames:
    rng = np.random.default_rng(0)
    return Frames(rgb=rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8))


def input_of(frames: Frames) -> torch.Tensor:
    assert frames.rgb is not None
    pixels = (frames.rgb / 255.0 - MEAN) / STD
    return torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2)


def test_clip_features_are_the_projected_tokens(tmp_path: Path) -> None:
    encoder = ClipEncoder(tiny_clip(tmp_path))
    frames = pictures(2)
    features = encoder.encode(frames)
    assert (encoder.dim, encoder.image_size, encoder.outputs, encoder.privileged) == (
        12,
        336,
        ("rgb",),
        False,
    )
    assert features.shape == (2, 24, 24, 12)
    assert features.dtype == torch.float32
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(tmp_path).eval()
    with torch.no_grad():
        hidden = model.vision_model(input_of(frames)).last_hidden_state[:, 1:]
        tokens = model.visual_projection(model.vision_model.post_layernorm(hidden))
    expected = functional.normalize(tokens, dim=-1).view(2, 24, 24, 12)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=0)


def test_siglip_features_are_what_pooling_makes_of_each_token(tmp_path: Path) -> None:
    """Where all tokens are alike, attention pools them into what it makes of each."""
    encoder = ClipEncoder(tiny_siglip(tmp_path))
    encoder._network.vision_model.embeddings.position_embedding.weight.data.zero_()
    flat = Frames(rgb=np.full((1, 336, 336, 3), (10, 120, 240), dtype=np.uint8))
    with torch.no_grad():
        pooled = encoder._network.vision_model(input_of(flat)).pooler_output
    expected = functional.normalize(pooled, dim=-1).expand(24, 24, -1)
    torch.testing.assert_close(encoder.encode(flat)[0], expected, atol=1e-5, rtol=0)
    encoded = encoder.encode(pictures(1))
    assert encoded.shape == (1, 24, 24, 16)
    assert float((encoded[0, 0, 0] - encoded[0, 12, 12]).abs().max()) > 1e-3


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip])
def test_other_grids_are_interpolated(make: Callable[..., str], tmp_path: Path) -> None:
    """A tower of 6 x 6 patches of 16 pixels, trained at 100 pixels: position table and features are."""
    encoder = ClipEncoder(make(tmp_path, image_size=100, patch_size=16))
    assert encoder.image_size == 96
    frames = pictures(1, size=96)
    features = encoder.encode(frames)
    torch.testing.assert_close(features.norm(dim=-1), torch.ones(1, 24, 24))
    encoder._grid = 24  # the tower's own tokens, where nothing is done to them
    with torch.no_grad():
        tokens = encoder._patch_tokens(input_of(frames))[0].view(6, 6, -1)
    corner = functional.normalize(tokens[0, 0], dim=-1)  # the border is repeated
    torch.testing.assert_close(features[0, 0, 0], corner, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        features[0, 23, 23], functional.normalize(tokens[5, 5], dim=-1), atol=1e-5, rtol=0
    )
    larger = ClipEncoder(str(tmp_path), image_size=144)
    assert larger.encode(pictures(1, size=144)).shape == features.shape


def test_a_patch_is_seen_where_it_is(tmp_path: Path) -> None:
    encoder = ClipEncoder(tiny_clip(tmp_path))
    frames = pictures(1)
    assert frames.rgb is not None
    changed = frames.rgb.copy()
    changed[0, 5 * 14 : 6 * 14, 17 * 14 : 18 * 14] = 0
    difference = (encoder.encode(Frames(rgb=changed)) - encoder.encode(frames)).norm(dim=-1)[0]
    assert divmod(int(difference.argmax()), 24) == (5, 17)


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip])
def test_a_frame_depends_on_itself_alone(make: Callable[..., str], tmp_path: Path) -> None:
    encoder = ClipEncoder(make(tmp_path))
    frames = pictures(5)
    assert frames.rgb is not None
    together = encoder.encode(frames)
    for i in range(5):
        assert torch.equal(encoder.encode(Frames(rgb=frames.rgb[i : i + 1]))[0], together[i])
    assert encoder.encode(Frames(rgb=frames.rgb[:0])).shape == (0, 24, 24, encoder.dim)


def test_pictures_of_another_size_are_scaled(tmp_path: Path) -> None:
    encoder = ClipEncoder(tiny_clip(tmp_path))
    flat = [
        Frames(rgb=np.full((1, size, size, 3), (200, 30, 255), dtype=np.uint8)) for size in (96, 336, 480)
    ]
    small, own, large = (encoder.encode(each) for each in flat)
    torch.testing.assert_close(small, own, atol=1e-4, rtol=0)
    torch.testing.assert_close(large, own, atol=1e-4, rtol=0)


@pytest.mark.parametrize("make", [tiny_clip, tiny_siglip])
def test_text_lies_among_the_features(make: Callable[..., str], tmp_path: Path) -> None:
    encoder = ClipEncoder(make(tmp_path))
    texts = encoder.embed_text(["a red sofa", "a photo of a lamp of a lamp of a lamp of a lamp", "sofa"])
    assert texts.shape == (3, encoder.dim)
    assert texts.dtype == torch.float32
    torch.testing.assert_close(texts.norm(dim=-1), torch.ones(3))
    torch.testing.assert_close(encoder.embed_text(["sofa"])[0], texts[2], atol=1e-5, rtol=0)
    assert float((texts[0] - texts[2]).abs().max()) > 1e-3
    assert encoder.embed_text([]).shape == (0, encoder.dim)
    from transformers import AutoModel

    model = AutoModel.from_pretrained(tmp_path).eval()
    ids = torch.tensor([[1, 3, 6, 7, 2, 0, 0, 0]])  # [BOS] a red sofa [EOS], padded
    mask = (ids > 0).long() if make is tiny_clip else None
    with torch.no_grad():
        embeds = model(input_ids=ids, attention_mask=mask, pixel_values=input_of(pictures(1))).text_embeds
    torch.testing.assert_close(texts[:1], embeds, atol=1e-5, rtol=0)


def test_half_precision_gives_nearly_the_same(tmp_path: Path) -> None:
    model = tiny_clip(tmp_path)
    half = ClipEncoder(model, dtype=torch.bfloat16)
    assert half._network.dtype == torch.bfloat16
    features, exact = half.encode(pictures(1)), ClipEncoder(model).encode(pictures(1))
    assert features.dtype == torch.float32
    assert float((features * exact).sum(dim=-1).min()) > 0.99
    assert half.embed_text(["sofa"]).dtype == torch.float32


def test_the_name_says_which_model(tmp_path: Path) -> None:
    folder = tiny_clip(tmp_path)
    encoder = make_encoder(f"clip:{folder}")
    assert isinstance(encoder, ClipEncoder)
    assert encoder.name == f"clip:{folder}"
    with pytest.raises(ValueError, match="'semantic:x'"):
        make_encoder("semantic:x")


@pytest.mark.parametrize(
    ("trained", "patch", "fits"),
    [(336, 14, 336), (224, 14, 168), (224, 16, 240), (224, 32, 192), (384, 14, 336), (512, 16, 528)],
)
def test_the_nearest_size_that_fits_is_taken(trained: int, patch: int, fits: int) -> None:
    assert _image_size(trained, patch, None) == fits
    assert _image_size(trained, patch, 24 * patch) == 24 * patch
    with pytest.raises(ValueError, match=f"patches of {patch} pixels, got 100; try"):
        _image_size(trained, patch, 100)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers", reason="needs transformers (extra clip)")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    for model in ("nobody/no-such-clip", str(tmp_path)):
        with pytest.raises(FileNotFoundError, match=r"hf download .* --local-dir"):
            ClipEncoder(model)


def test_a_folder_with_parts_missing_says_which(tmp_path: Path) -> None:
    folder = Path(tiny_clip(tmp_path))
    encoder = ClipEncoder(str(folder))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match="no tokenizer"):
        encoder.embed_text(["sofa"])
    with pytest.raises(ValueError, match='"rgb"'):
        encoder.encode(Frames())
    numbers = folder / "preprocessor_config.json"
    numbers.write_text("{}")
    with pytest.raises(ValueError, match="image_mean"):
        ClipEncoder(str(folder))
    numbers.unlink()
    with pytest.raises(FileNotFoundError, match=r"preprocessor_config\.json"):
        ClipEncoder(str(folder))


def test_another_family_is_refused(tmp_path: Path) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="needs transformers (extra clip)")
    transformers.BertConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="CLIP model type 'bert'"):
        ClipEncoder(str(tmp_path))


def test_without_transformers_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"vlnenv\[clip\]"):
        make_encoder("clip")
