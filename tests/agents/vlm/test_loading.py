import json
import warnings

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from agents.checkpoint import CheckpointError
from agents.vlm import Dynam3DForCausalLM
from agents.vlm.backbones import from_causal_lm, tiny_model
from agents.vlm.loading import load_model, save_adapter, with_lora
from agents.vlm.tokenizer import make_tokenizer
from tests.agents.vlm.models import TOKEN_DIM, log_probs
from tests.agents.vlm.test_backbones import (
    LEVELS,
    byte_tokenizer,
    prompt_batch,
    word_tokenizer,
    write_backbone,
)

__all__ = ["byte_tokenizer"]

# peft 0.21 asks transformers 5.23 by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    peft = pytest.importorskip("peft")


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(["walk", "past", "the", "red", "sofa"])


@pytest.fixture
def saved(tmp_path, tokenizer):
    torch.manual_seed(0)
    model = tiny_model(tokenizer, TOKEN_DIM, LEVELS, hidden_size=32, layers=1)
    model.save_pretrained(tmp_path)
    return tmp_path


def test_a_fitting_model_loads(saved, tokenizer):
    model = load_model(saved, token_dim=TOKEN_DIM, levels=LEVELS, tokenizer=tokenizer)
    assert type(model) is Dynam3DForCausalLM
    assert not model.training


def test_a_model_that_does_not_fit_is_refused_with_both_sides(saved):
    with pytest.raises(CheckpointError, match=f"length {TOKEN_DIM}, the memory's have length 768"):
        load_model(saved, token_dim=768)
    with pytest.raises(CheckpointError, match=r"\['patch', 'instance', 'zone'\], it is given \['view'\]"):
        load_model(saved, levels=["view"])
    longer = make_tokenizer([f"word{k}" for k in range(500)])
    with pytest.raises(CheckpointError, match=rf"tokens, the tokenizer has {len(longer)}"):
        load_model(saved, tokenizer=longer)


def test_another_tokenizer_is_refused(saved):
    with pytest.raises(CheckpointError, match=r"'<\w+>' with the id \d+, but"):
        load_model(saved, tokenizer=word_tokenizer(50))


def test_shifted_ids_are_refused(saved, tokenizer):
    config = json.loads((saved / "config.json").read_text())
    config["answer_token_id"] += 1
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"'<answer>' with the id \d+, the tokenizer with the id \d+"):
        load_model(saved, tokenizer=tokenizer)


def test_another_architecture_is_refused(tmp_path):
    config = LlamaConfig(
        vocab_size=20, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1
    )
    LlamaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="type 'llama', expected 'dynam3d'"):
        load_model(tmp_path)
    with pytest.raises(ValueError, match="type 'llama', expected 'dynam3d'"):
        Dynam3DForCausalLM.from_pretrained(tmp_path)


def test_an_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"expected config\.json"):
        load_model(tmp_path)


def test_weights_of_another_size_are_refused(saved):
    config = json.loads((saved / "config.json").read_text())
    config["token_dim"] = 12
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"do not fit the sizes of its own config\.json"):
        load_model(saved)


def test_missing_weights_are_refused(saved):
    weights = load_file(saved / "model.safetensors")
    name = next(name for name in weights if "memory_embedding" in name)
    weights["model.other"] = weights.pop(name)
    save_file(weights, saved / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=r"expected also .*memory_embedding.* found .*other"):
        load_model(saved)


def lora_config():
    return peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0)


def train(model, tokenizer, steps=3):
    """A few large steps; the losses."""
    batch = prompt_batch(model, tokenizer)
    config = model.get_base_model().config
    tail = torch.tensor([[config.action_token_ids[5], config.truncate_token_id]])
    batch["input_ids"] = torch.cat([batch["input_ids"], tail], dim=1)
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -2:] = tail
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(steps):
        loss = model(**batch, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return losses, batch


@pytest.mark.parametrize("kind", ["llama", "llava"])
def test_lora_learns_and_loads_again(tmp_path, byte_tokenizer, kind):
    write_backbone(kind, byte_tokenizer, tmp_path / "lm")
    base, tokenizer = from_causal_lm(tmp_path / "lm", TOKEN_DIM, LEVELS, queries=3, query_layers=1)
    model = with_lora(base, lora_config())
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert any("language_model" in name and "lora_A" in name for name in trained)
    assert any("memory_embedding.modules_to_save" in name for name in trained)
    assert any("query_transformer.modules_to_save" in name for name in trained)
    assert not any("lora" in name and "memory_embedding" in name for name in trained)
    losses, batch = train(model, tokenizer, steps=6)
    assert losses[-1] < losses[0]

    model.eval()
    scores = log_probs(model, batch)
    save_adapter(model, tmp_path / "adapter")
    weights = sum(path.stat().st_size for path in (tmp_path / "adapter").glob("*.safetensors"))
    assert weights < 200_000
    torch.manual_seed(123)
    again = load_model(tmp_path / "adapter", token_dim=TOKEN_DIM, levels=LEVELS, tokenizer=tokenizer)
    torch.testing.assert_close(log_probs(again, batch), scores, atol=1e-4, rtol=0)
    with pytest.raises(CheckpointError, match="the memory's have length 64"):
        load_model(tmp_path / "adapter", token_dim=64)


def test_lora_on_a_saved_model(saved, tmp_path, tokenizer):
    model = with_lora(load_model(saved), lora_config())
    _, batch = train(model, tokenizer)
    model.eval()
    save_adapter(model, tmp_path / "adapter")
    again = load_model(tmp_path / "adapter")
    torch.testing.assert_close(log_probs(again, batch), log_probs(model, batch), atol=1e-4, rtol=0)
    trainable = load_model(tmp_path / "adapter", trainable=True)
    assert any(parameter.requires_grad for parameter in trainable.parameters())


def test_trl_scores_a_lora_model_as_forward_does(saved, tokenizer):
    utils = pytest.importorskip("trl.trainer.utils")
    model = with_lora(load_model(saved), lora_config())
    utils.add_fused_lm_head(model.get_base_model())
    _, batch = train(model, tokenizer)
    model.eval()
    labels = batch["input_ids"].clone()
    labels[:, :-2] = -100
    with torch.no_grad():
        scores = model(**batch, labels=labels, fused_lm_head=True).log_probs[:, -2:]
    plain = log_probs(model, batch)[:, -3:-1].gather(2, labels[:, -2:, None]).squeeze(2)
    torch.testing.assert_close(scores, plain, atol=1e-4, rtol=0)


def test_with_the_adapter_off_it_is_the_model_before(saved, tokenizer):
    base = load_model(saved)
    batch = prompt_batch(base, tokenizer)
    before = log_probs(base, batch)
    model = with_lora(base, lora_config())
    train(model, tokenizer)
    model.eval()
    with model.disable_adapter():
        torch.testing.assert_close(log_probs(model, batch), before, atol=1e-4, rtol=0)
