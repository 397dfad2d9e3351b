"""Imitation on pretrained language models, whole and by LoRA: random ones of a few thousand weights."""

from __future__ import annotations

import dataclasses
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from agents.base import load, weights_path
from agents.vlm import Dynam3DForCausalLM
from agents.vlm.agent import VLMAgent
from agents.vlm.imitation import VLMImitation, train_vlm
from agents.vlm.loading import load_model
from agents.vlm.pretrained import load_to_train, make_pretrained
from agents.vlm_config import VLMConfig
from tests.agents.vlm.decisions import SETTINGS, TOKEN_DIM, make_decisions
from tests.agents.vlm.models import log_probs
from tests.agents.vlm.test_backbones import byte_tokenizer, write_backbone

__all__ = ["byte_tokenizer"]

# peft 0.21 asks transformers 5.23 by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("peft")


def settings(folder: Path, **fields) -> VLMConfig:
    return VLMConfig(
        decisions=(str(folder / "decisions"),),
        **{
            "backbone": str(folder / "lm"),
            "out": str(folder / "vlm"),
            "queries": 4,
            "query_layers": 1,
            "updates": 4,
            "batch_size": 8,
            "eval_every": 2,
            "optimizer": "adamw",
            "learning_rate": 1e-2,
            **fields,
        },
    )


@pytest.fixture(params=["llama", "llava"])
def folder(tmp_path: Path, byte_tokenizer, request: pytest.FixtureRequest) -> Path:
    write_backbone(request.param, byte_tokenizer, tmp_path / "lm")
    make_decisions(tmp_path / "decisions")
    return tmp_path


def succeed(agent: VLMAgent) -> dict[str, float]:
    return {"success": 0.5}


@pytest.mark.parametrize("rank", [0, 4])
def test_it_learns_and_loads_again(folder: Path, rank: int) -> None:
    config = settings(folder, lora_rank=rank, updates=20, eval_every=20)
    run = VLMImitation(config, make_decisions(folder / "d"))
    losses = [run.step()["loss"] for _ in range(20)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert run.processor.explained
    before = log_probs(run.model.eval(), first_batch(run))
    best = train_vlm(config, succeed)
    assert weights_path(best).name == ("adapter_model.safetensors" if rank else "model.safetensors")
    assert {"card.json", "README.md", "processor_config.json", "tokenizer.json"} <= {
        path.name for path in best.iterdir()
    }
    agent = load(str(best))
    assert isinstance(agent, VLMAgent)
    assert type(agent.model) is Dynam3DForCausalLM
    assert agent.config.prompt_attention == "memory"
    assert agent.config.look_around
    assert agent.perception.encoder == "semantic"
    torch.testing.assert_close(log_probs(agent.model, first_batch(run)), before, atol=2e-3, rtol=0)


def first_batch(run: VLMImitation) -> dict[str, torch.Tensor]:
    batch = run.batch(0)
    return {name: batch[name] for name in ("input_ids", "attention_mask", "pixel_values")}


@pytest.mark.parametrize("rank", [0, 4])
def test_a_run_that_was_cut_off_goes_on_to_the_same_weights(folder: Path, rank: int) -> None:
    config = settings(folder, lora_rank=rank)
    whole = load_model(train_vlm(config, succeed)).state_dict()
    other = dataclasses.replace(config, out=str(folder / "other"))

    class Cut(Exception):
        pass

    def cut(agent: VLMAgent) -> dict[str, float]:
        calls.append(1)
        if len(calls) == 2:
            raise Cut
        return succeed(agent)

    calls: list[int] = []
    with pytest.raises(Cut):
        train_vlm(other, cut)
    again = load_model(train_vlm(other, succeed)).state_dict()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    if rank:
        with safe_open(folder / "other/state.safetensors", framework="pt") as file:
            names = set(file.keys())
        assert any("lora_A" in name for name in names)
        assert not any("embed_tokens" in name or "base_layer" in name for name in names)
        assert not any(name.endswith("lm_head.weight") for name in names)


def test_an_adapter_is_trained_on(folder: Path) -> None:
    best = train_vlm(settings(folder, lora_rank=4), succeed)
    model, _ = load_to_train(best)
    trained = [name for name, each in model.named_parameters() if each.requires_grad]
    assert any("lora" in name for name in trained)
    assert not any("base_layer" in name for name in trained)
    more = settings(folder, start=str(best), updates=2, learning_rate=1e-3)
    again = train_vlm(dataclasses.replace(more, out=str(folder / "more")), succeed)
    assert weights_path(again).name == "adapter_model.safetensors"
    assert VLMAgent.from_pretrained(again).levels == ("patch", "instance", "zone", "path")
    with pytest.raises(ValueError, match="rank 4, lora_rank is 8"):
        load_to_train(best, 8)


def test_a_whole_model_gets_an_adapter(folder: Path) -> None:
    best = train_vlm(settings(folder, updates=2), succeed)
    more = settings(folder, start=str(best), lora_rank=2, updates=2, out=str(folder / "more"))
    again = train_vlm(more, succeed)
    assert weights_path(again).stat().st_size < 0.7 * weights_path(best).stat().st_size
    assert VLMAgent.from_pretrained(again).config.queries == 4


def test_prompts_are_no_longer_than_the_language_model_reads(tmp_path: Path, byte_tokenizer) -> None:
    write_backbone("gpt2", byte_tokenizer, tmp_path)
    fields = {name: SETTINGS[name] for name in ("perception", "levels", "patch_pool", "look_around")}
    _, processor = make_pretrained(tmp_path, TOKEN_DIM, **fields)
    assert processor.max_length == 256


def test_settings_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="lora_rank must be at least 0"):
        VLMConfig(backbone="smollm2", lora_rank=-1)
    with pytest.raises(ValueError, match="a new tiny model is trained whole"):
        VLMConfig(lora_rank=4)


@pytest.mark.slow
def test_smollm2_learns_by_lora(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    make_decisions(tmp_path / "decisions")
    config = settings(tmp_path, lora_rank=4, backbone="smollm2", updates=12, learning_rate=1e-3)
    try:
        run = VLMImitation(config, make_decisions(tmp_path / "d"))
    except ImportError as error:
        pytest.skip(str(error))
    losses = [run.step()["loss"] for _ in range(12)]
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])
    run.save(tmp_path / "state.safetensors")
    assert (tmp_path / "state.safetensors").stat().st_size < 100e6
