"""trl's own scoring code, which calls the backbone and the head apart, on our model."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from agents.vlm import Dynam3DForCausalLM
from agents.vlm.backbones import tiny_model
from agents.vlm.model import FROZEN_OUT
from agents.vlm.processor import Dynam3DProcessor
from agents.vlm.prompt import make_prompt
from agents.vlm.tokenizer import make_tokenizer
from tests.agents.vlm.models import (
    ACTIONS,
    EOS,
    PAD,
    TOKEN_DIM,
    collate,
    log_probs,
    of_logits,
    samples,
    small_model,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    pytest.importorskip("trl")
    import accelerate
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer
    from trl.trainer.utils import add_fused_lm_head, create_model_from_path

STEPS = 5


@pytest.fixture(scope="module")
def accelerator():
    return accelerate.Accelerator(cpu=True, mixed_precision="no")


def completions(batch):
    """The batch with sampled answers of different lengths, padded on the right as trl does."""
    lengths = [STEPS, 3, 4]
    answers = torch.full((3, STEPS), PAD)
    mask = torch.zeros_like(answers)
    for k, length in enumerate(lengths):
        answers[k, :length] = torch.tensor([*ACTIONS[2 + 3 * k : 1 + 3 * k + length], EOS])
        mask[k, :length] = 1
    return {
        **batch,
        "input_ids": torch.cat([batch["input_ids"], answers], dim=1),
        "attention_mask": torch.cat([batch["attention_mask"], mask], dim=1),
    }, mask


def trl_scores(model, accelerator, whole, **kwargs):
    """Log-probabilities and entropies of the completions (b, STEPS) by trl."""
    trainer = SimpleNamespace(accelerator=accelerator)
    scores, entropies, _ = GRPOTrainer._get_per_token_logps_and_entropies(
        trainer,
        model,
        whole["input_ids"],
        whole["attention_mask"],
        STEPS,
        compute_entropy=True,
        pixel_values=whole["pixel_values"],
        num_images=[1] * len(whole["input_ids"]),
        **kwargs,
    )
    return scores, entropies


@pytest.mark.parametrize("attention", ["full", "memory", "causal"])
@pytest.mark.parametrize("queries", [0, 3])
def test_trl_scores_equal_forward_and_generate(tmp_path, accelerator, attention, queries):
    saved = small_model(prompt_attention=attention, queries=queries)
    saved.save_pretrained(tmp_path)
    model = Dynam3DForCausalLM.from_pretrained(tmp_path).eval()
    batch = collate(samples(3, queries=queries))
    whole, mask = completions(batch)
    plain = log_probs(saved, whole)[:, -STEPS - 1 : -1]
    expected = plain.gather(2, whole["input_ids"][:, -STEPS:, None]).squeeze(2) * mask

    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    scores, entropies = trl_scores(model, accelerator, whole)
    torch.testing.assert_close(scores, expected, atol=1e-4, rtol=0)
    entropy = -(plain.exp() * plain).sum(dim=-1) * mask
    torch.testing.assert_close(entropies, entropy, atol=1e-4, rtol=0)
    by_chunks, _ = trl_scores(model, accelerator, whole, batch_size=2)
    torch.testing.assert_close(by_chunks, expected, atol=1e-4, rtol=0)

    # `generate` of the model with the fused head, forced along the same answers.
    def force(row, ids):
        step = len(ids) - batch["input_ids"].shape[1]
        return [int(whole["input_ids"][row, batch["input_ids"].shape[1] + step])]

    out = model.generate(
        **batch,
        max_new_tokens=STEPS,
        do_sample=False,
        eos_token_id=-1,
        prefix_allowed_tokens_fn=force,
        output_logits=True,
        return_dict_in_generate=True,
    )
    assert torch.equal(out.sequences, whole["input_ids"])
    steps = of_logits(torch.stack(out.logits, dim=1))
    generated = steps.gather(2, whole["input_ids"][:, -STEPS:, None]).squeeze(2) * mask
    torch.testing.assert_close(generated, expected, atol=1e-4, rtol=0)
    # A memory that is not read would go unnoticed by all of the above.
    moved = {**whole, "pixel_values": whole["pixel_values"].clone()}
    moved["pixel_values"][..., 1:] += 1.0
    assert (trl_scores(model, accelerator, moved)[0] - scores).abs().max() > 1e-2


def test_trl_s_gradient_reaches_the_memory(accelerator):
    model = small_model().train()
    whole, mask = completions(collate(samples(3)))
    labels = whole["input_ids"].masked_fill(whole["attention_mask"] == 0, -100)
    labels[:, :-STEPS] = -100
    model(**whole, labels=labels, num_items_in_batch=1).loss.backward()
    expected = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    scores, _ = trl_scores(model, accelerator, whole)
    (-(scores * mask).sum()).backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-3, rtol=1e-3, msg=name)
    assert model.lm_head.bias.grad is None


def test_sampled_and_scored_distributions_are_equal(accelerator):
    model = small_model()
    batch = collate(samples(3))
    torch.manual_seed(0)
    sampled = model.generate(**batch, max_new_tokens=STEPS, do_sample=True, top_k=0, eos_token_id=-1)
    answers = sampled[:, -STEPS:]
    assert set(answers.flatten().tolist()) <= set(ACTIONS)
    add_fused_lm_head(model, outputs=("log_probs", "entropy"))
    whole = {**batch, "input_ids": sampled}
    whole["attention_mask"] = torch.cat([batch["attention_mask"], torch.ones_like(answers)], dim=1)
    scores, _ = trl_scores(model, accelerator, whole)
    assert scores.min() > FROZEN_OUT / 100


def test_trl_loads_the_folder_of_a_saved_model(tmp_path, accelerator):
    model = small_model()
    model.save_pretrained(tmp_path)
    again = create_model_from_path(str(tmp_path)).eval()
    assert type(again) is Dynam3DForCausalLM
    batch = collate(samples(3))
    torch.testing.assert_close(log_probs(again, batch), log_probs(model, batch), atol=1e-4, rtol=0)


# Warnings of trl, accelerate and peft about each other.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("beta", [0.0, 0.04])
def test_grpo_trains_every_part(tmp_path, beta):
    torch.manual_seed(0)
    tokenizer = make_tokenizer(["walk", "past", "the", "sofa"])
    tiny_model(tokenizer, TOKEN_DIM, hidden_size=32, layers=1).save_pretrained(tmp_path / "model")
    text = make_prompt("walk past the sofa", [[-1, -1, -1]] * 4, {"patch": 2, "instance": 1, "zone": 1})
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2, 4, 4 + TOKEN_DIM))
    rows[..., 0] = [1, 1, 2, 3]
    prompt = [{"role": "user", "content": text}]
    trainer = GRPOTrainer(
        model=str(tmp_path / "model"),
        reward_funcs=lambda completions, **_: [float("left" in c[0]["content"]) for c in completions],
        args=GRPOConfig(
            output_dir=str(tmp_path / "run"),
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            per_device_train_batch_size=16,
            num_generations=8,
            max_completion_length=2,
            learning_rate=1e-2,
            max_steps=2,
            beta=beta,
            report_to=[],
        ),
        train_dataset=Dataset.from_list([{"prompt": prompt, "images": [row.tolist()]} for row in rows]),
        processing_class=Dynam3DProcessor(tokenizer, token_dim=TOKEN_DIM),
    )
    before = {name: parameter.detach().clone() for name, parameter in trainer.model.named_parameters()}
    trainer.train()
    for name, parameter in trainer.model.named_parameters():
        assert not torch.equal(parameter, before[name]), name
    assert trainer.state.log_history[-1]["train_loss"] == pytest.approx(0.0, abs=1.0)
