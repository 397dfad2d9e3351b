from __future__ import annotations

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from agents.checkpoint import CheckpointError, file_hash, load_policy, save_policy
from agents.config import Perception
from tests.agents.fakes import random_batch, small_policy


def test_a_saved_policy_comes_back_exactly(tmp_path: Path) -> None:
    perception = Perception("semantic", None, "mean")
    policy = small_policy(levels=("patch", "zone"), perception=perception)
    file = tmp_path / "new" / "policy.safetensors"
    save_policy(file, policy, {"seed": 3})
    loaded = load_policy(file)
    assert loaded.config == policy.config
    assert not loaded.training
    for name, value in policy.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value), name
    assert torch.equal(loaded(random_batch()), policy(random_batch()))
    card = json.loads(file.with_suffix(".json").read_text())
    assert card == {"seed": 3, "sha256": file_hash(file)}


def test_another_token_length_is_refused_with_both_named(tmp_path: Path) -> None:
    save_policy(tmp_path / "p.safetensors", small_policy(token_dim=8))
    with pytest.raises(CheckpointError, match=r"length 8.*length 64"):
        load_policy(tmp_path / "p.safetensors", token_dim=64)


def test_bad_files_are_refused_with_their_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        load_policy(tmp_path / "missing.safetensors")
    broken = tmp_path / "broken.safetensors"
    save_policy(broken, small_policy())
    broken.write_bytes(broken.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="broken"):
        load_policy(broken)
    other = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, str(other))
    with pytest.raises(CheckpointError, match="expected format"):
        load_policy(other)
    config = {"format": "vlnenv-policy-2", "config": json.dumps({"words": ["go"], "width": 32})}
    safetensors.torch.save_file({"a": torch.zeros(1)}, str(other), metadata=config)
    with pytest.raises(CheckpointError, match="cannot rebuild"):
        load_policy(other)
