import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.memory.box_world import BoxWorld, random_walk
from tests.memory.test_memory import DIM, SMALL, assert_same_points, same, stored, unit_features
from vlnenv.memory import MemoryConfig, TokenMemory


def walked(patches="panorama", steps=5):
    """A memory after a short walk, and its last pose."""
    rng = np.random.default_rng(1)
    memory = TokenMemory(2, DIM, MemoryConfig(patches=patches), SMALL)
    for position, heading in random_walk(rng, 2, steps):
        depth = BoxWorld().depth(position, heading, SMALL)
        memory.update([0, 1], unit_features(rng, 2), depth, position, heading)
    return memory, (position[:1], heading[:1])


@pytest.mark.parametrize("patches", ["panorama", "egocentric"])
def test_a_saved_memory_goes_on_in_another_run_bit_for_bit(patches, tmp_path):
    memory, pose = walked(patches)
    memory.save(1, tmp_path / "new" / "house.safetensors", {"scene_id": "a"})
    other = TokenMemory(3, DIM, MemoryConfig(patches=patches), SMALL)
    assert other.load(2, tmp_path / "new" / "house.safetensors") == {"scene_id": "a"}
    assert_same_points(stored(other, 2), stored(memory, 1))
    assert same(other.read([2], *pose), memory.read([1], *pose))
    # Ids go on where they were.
    features, depth = unit_features(np.random.default_rng(2), 1), np.full((1, 24, 24), 2.0, np.float32)
    other.update([2], features, depth, *pose)
    memory.update([1], features, depth, *pose)
    assert_same_points(stored(other, 2), stored(memory, 1))
    assert other.count()[:2].tolist() == [0, 0]


def test_an_empty_memory_can_be_saved(tmp_path):
    TokenMemory(1, DIM, camera=SMALL).save(0, tmp_path / "empty.safetensors")
    memory, _ = walked()
    memory.load(0, tmp_path / "empty.safetensors")
    assert memory.count()[0] == 0


@pytest.mark.parametrize(
    ("dim", "config", "message"),
    [
        (DIM + 1, MemoryConfig(), f"features of {DIM}, this memory of {DIM + 1}"),
        (DIM, MemoryConfig(max_patches=1000), "max_patches 32768 in the file and 1000 here"),
        (DIM, MemoryConfig(patches="egocentric"), "'panorama' in the file and 'egocentric' here"),
        (DIM, MemoryConfig(cull_far_m=2.0), "cull_far_m 3.0 in the file and 2.0 here"),
    ],
)
def test_a_memory_of_another_kind_is_refused_and_changes_nothing(dim, config, message, tmp_path):
    memory, _ = walked()
    memory.save(0, tmp_path / "m.safetensors")
    other = TokenMemory(1, dim, config, SMALL)
    with pytest.raises(ValueError, match=message):
        other.load(0, tmp_path / "m.safetensors")
    assert len(other) == 0


def test_a_setting_that_the_writer_did_not_know_counts_as_its_default(tmp_path):
    import json

    path = tmp_path / "m.safetensors"
    memory, _ = walked()
    memory.save(0, path)
    with_metadata(
        path, config=lambda old: json.dumps({k: v for k, v in json.loads(old).items() if k != "cull_far_m"})
    )
    memory.load(1, path)
    assert_same_points(stored(memory, 1), stored(memory, 0))
    with pytest.raises(ValueError, match=r"cull_far_m 3\.0 in the file and 2\.0 here"):
        TokenMemory(1, DIM, MemoryConfig(cull_far_m=2.0), SMALL).load(0, path)


def with_metadata(path, **changes):
    """Rewrite a file's metadata."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        metadata = dict(file.metadata())
    metadata.update({key: change(metadata[key]) for key, change in changes.items()})
    save_file(load_file(path), path, metadata)


def test_files_that_are_no_memory_are_refused(tmp_path):
    memory, _ = walked()
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        memory.load(0, tmp_path / "nowhere.safetensors")
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"not a memory")
    with pytest.raises(ValueError, match="damaged or no memory"):
        memory.load(0, path)
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=r"no memory: expected format 'vlnenv\.memory', got None"):
        memory.load(0, path)
    memory.save(0, path)
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ValueError, match="damaged"):
        memory.load(0, path)
    path.write_bytes(content)
    with_metadata(path, version=lambda _: "99")
    with pytest.raises(ValueError, match="version 99; this vlnenv reads version 2"):
        memory.load(0, path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    from vlnenv import cache

    memory, _ = walked()
    path = tmp_path / "m.safetensors"
    memory.save(0, path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(cache.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        memory.save(1, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_every_field_of_a_snapshot_is_in_the_file(tmp_path):
    memory, _ = walked("egocentric")
    memory.save(0, tmp_path / "m.safetensors")
    snapshot = memory.snapshot(0)
    tensors = load_file(tmp_path / "m.safetensors")
    fields = {field.name for field in dataclasses.fields(snapshot)}
    assert set(tensors) == fields - {"next_id", "next_instance_id"}
    for name, tensor in tensors.items():
        assert torch.equal(tensor, getattr(snapshot, name))
