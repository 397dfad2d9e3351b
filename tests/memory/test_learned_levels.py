import hashlib
import json

import pytest
import safetensors.torch
import torch
from torch.nn import functional as F

from vlnenv.memory.learned_levels import LearnedLevels, LevelsConfig
from vlnenv.memory.levels import LEVELS_FILE, make_levels


def shaken(config=None):
    torch.manual_seed(0)
    levels = LearnedLevels(config)
    with torch.no_grad():
        for parameter in levels.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return levels.eval().requires_grad_(False)


def instance_sets(count, dim=64):
    torch.manual_seed(1)
    features = F.normalize(torch.randn(count, 32, dim), dim=-1)
    mask = torch.arange(32) < torch.randint(1, 33, (count, 1))
    return features, torch.randn(count, 32, 7), mask


def test_a_saved_file_gives_the_same_levels(tmp_path):
    levels = shaken(LevelsConfig(encoder="semantic", dim=32, heads=2, ffn=32, merge_hidden=32))
    levels.save(tmp_path / "levels.safetensors", {"seed": "3"})
    again = LearnedLevels.load(tmp_path / "levels.safetensors")
    assert again.config == levels.config
    assert again.dim == 32
    assert not again.training
    assert not any(parameter.requires_grad for parameter in again.parameters())
    sets = instance_sets(5, 32)
    assert torch.equal(again.encode_instances(*sets), levels.encode_instances(*sets))
    zones = (sets[0], sets[1][..., :4], sets[2])
    assert torch.equal(again.encode_zones(*zones), levels.encode_zones(*zones))


def test_the_shipped_size_is_small(tmp_path):
    LearnedLevels().save(tmp_path / "levels.safetensors")
    assert (tmp_path / "levels.safetensors").stat().st_size <= 2_000_000


def test_probabilities_and_their_bits():
    levels = shaken()
    torch.manual_seed(2)
    f3d, f2d = (F.normalize(torch.randn(37, 64), dim=1) for _ in range(2))
    values = (f3d, f2d, torch.randn(37, 3), torch.rand(37, 2))
    with torch.no_grad():
        together = levels.same(*values)
        assert torch.allclose(together, torch.sigmoid(levels.merging(*values)))
        for size in (1, 3, 4, 16):
            parts = [levels.same(*(each[i : i + size] for each in values)) for i in range(0, 37, size)]
            assert torch.equal(torch.cat(parts), together)
        assert levels.same(*(each[:0] for each in values)).shape == (0,)
    assert together.min() >= 0
    assert together.max() <= 1


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="vlnenv train representation"):
        LearnedLevels.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("damage", ["format", "config", "tensor", "bytes"])
def test_a_damaged_file_is_named(tmp_path, damage):
    path = tmp_path / "levels.safetensors"
    levels = shaken(LevelsConfig(dim=32, ffn=32, merge_hidden=32))
    if damage == "bytes":
        path.write_bytes(b"not a safetensors file")
    else:
        levels.save(path)
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata()
        tensors = safetensors.torch.load_file(path)
        if damage == "format":
            metadata["format"] = "something-else"
        elif damage == "config":
            metadata["config"] = json.dumps({"dim": 32, "depth": 5})
        else:
            del tensors["merging.last.weight"]
        safetensors.torch.save_file(tensors, path, metadata)
    with pytest.raises(ValueError, match="holds no learned levels that this version can read"):
        LearnedLevels.load(path)


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match="ffn must be at least 1"):
        LevelsConfig(ffn=0)


def test_the_shipped_levels_are_those_that_auto_takes():
    levels = make_levels("auto", "mini", 64)
    assert isinstance(levels, LearnedLevels)
    assert levels.config.encoder == "mini"
    assert LEVELS_FILE.stat().st_size <= 2_000_000
    card = LEVELS_FILE.with_suffix(".md").read_text()
    assert hashlib.sha256(LEVELS_FILE.read_bytes()).hexdigest() in card


def test_the_shipped_levels_have_learned():
    """Not the mean, but near it; like and near is the same, unlike and far is not."""
    levels = LearnedLevels.load(LEVELS_FILE)
    features, position, mask = instance_sets(16)
    with torch.no_grad():
        encoded = levels.encode_instances(features, position, mask)
        thing, other = encoded[:1], encoded[1:2]
        near = levels.same(thing, thing, torch.full((1, 3), 0.05), torch.ones(1, 2))
        far = levels.same(thing, other, torch.full((1, 3), 2.0), torch.zeros(1, 2))
    mean = F.normalize((features * mask[..., None]).sum(1), dim=1)
    assert not torch.allclose(encoded, mean, atol=0.05)
    assert near > 0.9
    assert far < 0.1
