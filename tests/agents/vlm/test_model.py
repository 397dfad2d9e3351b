import pytest
import torch
from torch.nn import functional as F
from transformers import AutoModel, AutoModelForCausalLM

from agents.policy import position_features
from agents.vlm import Dynam3DForCausalLM, Dynam3DModel
from agents.vlm.config import LEVEL_CODES
from agents.vlm.embedding import TokenNorm
from tests.agents.vlm.models import (
    ACTIONS,
    EOS,
    LEVEL_IDS,
    PAD,
    TOKEN_DIM,
    VOCABULARY,
    collate,
    log_probs,
    of_logits,
    sample,
    samples,
    small_config,
    small_model,
)

ATTENTIONS = ("full", "memory", "causal")


def generated(model, batch, steps=4):
    out = model.generate(
        **batch, max_new_tokens=steps, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    return out.sequences, of_logits(torch.stack(out.logits, dim=1))


def continued(batch, sequences):
    """The batch with what was generated, whose length the mask follows."""
    new = sequences.shape[1] - batch["input_ids"].shape[1]
    mask = torch.cat([batch["attention_mask"], torch.ones(len(sequences), new, dtype=torch.long)], dim=1)
    return {**batch, "input_ids": sequences, "attention_mask": mask}


def embeddings(model, batch):
    """What goes into the first layer."""
    seen = []
    hook = model.model.language_model.register_forward_pre_hook(
        lambda _, args, kwargs: seen.append(kwargs["inputs_embeds"]), with_kwargs=True
    )
    with torch.no_grad():
        model(**batch)
    hook.remove()
    return seen[0]


def test_merged_embeddings_equal_a_hand_computation():
    model = small_model()
    batch = collate(samples(3))
    merged = embeddings(model, batch)
    weights = dict(model.model.memory_embedding.named_parameters())
    table = model.get_input_embeddings().weight
    for b in range(3):
        rows = [row for row in batch["pixel_values"][b] if row[0] != 0]
        taken = dict.fromkeys(LEVEL_IDS, 0)
        for token, vector in zip(batch["input_ids"][b].tolist(), merged[b], strict=True):
            level = next((name for name, i in LEVEL_IDS.items() if i == token), None)
            if level is None:
                expected = table[token]
            else:
                of_level = [row for row in rows if int(row[0]) == LEVEL_CODES[level]]
                row = of_level[taken[level]]
                taken[level] += 1

                def linear(x, name):
                    return weights[f"{name}.weight"] @ x + weights[f"{name}.bias"]

                place = linear(F.gelu(linear(position_features(row[1:4]), "place.0")), "place.2")
                size = row[4:].square().sum().sqrt()
                looks = linear(torch.cat([row[4:] / size, torch.log(1 + size)[None]]), "feature")
                looks = linear(F.gelu(looks), "deeper.1")
                out = looks + place + weights["level.weight"][LEVEL_CODES[level]]
                out = (out - out.mean()) / (out.var(unbiased=False) + 1e-5).sqrt()
                expected = out * weights["norm.weight"]
            torch.testing.assert_close(vector, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_generation_and_forward_agree(attention):
    model = small_model(prompt_attention=attention)
    batch = collate(samples(3))
    sequences, by_step = generated(model, batch)
    scored = log_probs(model, continued(batch, sequences))
    start = batch["input_ids"].shape[1]
    torch.testing.assert_close(scored[:, start - 1 : -1], by_step, atol=1e-4, rtol=0)
    assert by_step.exp()[..., ACTIONS].max() < 0.999
    without, by_step_without = generated_without_cache(model, batch)
    assert torch.equal(without, sequences)
    torch.testing.assert_close(by_step_without, by_step, atol=1e-4, rtol=0)


def generated_without_cache(model, batch):
    out = model.generate(
        **batch,
        max_new_tokens=4,
        do_sample=False,
        use_cache=False,
        output_logits=True,
        return_dict_in_generate=True,
    )
    return out.sequences, of_logits(torch.stack(out.logits, dim=1))


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_several_tokens_go_through_the_cache_at_once(attention):
    model = small_model(prompt_attention=attention)
    batch = collate(samples(3))
    tail = torch.tensor([[21, 22, 23], [24, 25, 26], [27, 28, 29]])
    whole = continued(batch, torch.cat([batch["input_ids"], tail], dim=1))
    expected = log_probs(model, whole)[:, -3:]
    with torch.no_grad():
        first = model(**batch, use_cache=True)
        rest = model(
            input_ids=tail, attention_mask=whole["attention_mask"], past_key_values=first.past_key_values
        )
    torch.testing.assert_close(of_logits(rest.logits), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("implementation", ["sdpa", "eager"])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_batch_equals_single_calls(attention, implementation):
    model = small_model(prompt_attention=attention)
    model.set_attn_implementation(implementation)
    prompts = samples(8)
    together = log_probs(model, collate(prompts))[:, -1]
    apart = torch.cat([log_probs(model, collate([prompt]))[:, -1] for prompt in prompts])
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=0)
    assert (together[1:] - together[:1]).abs().amax() > 0.1


def trained(implementation, bfloat16=False):
    """Loss and gradients of one batch."""
    model = small_model(heads=4).train()
    model.set_attn_implementation(implementation)
    batch = collate(samples(3))
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -1] = ACTIONS[3]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        loss = model(**batch, labels=labels).loss
    loss.backward()
    return loss.detach(), {name: parameter.grad for name, parameter in model.named_parameters()}


def test_eager_attention_is_the_fused_one():
    loss, gradients = trained("sdpa")
    eager_loss, eager_gradients = trained("eager")
    torch.testing.assert_close(eager_loss, loss, atol=1e-5, rtol=0)
    for name, gradient in gradients.items():
        torch.testing.assert_close(eager_gradients[name], gradient, atol=1e-4, rtol=1e-3, msg=name)
    rough, _ = trained("eager", bfloat16=True)
    torch.testing.assert_close(rough, loss, atol=0.05, rtol=0.05)

    model = small_model()
    sequences, by_step = generated(model, collate(samples(3)))
    model.set_attn_implementation("eager")
    eager_sequences, eager_by_step = generated(model, collate(samples(3)))
    assert torch.equal(eager_sequences, sequences)
    torch.testing.assert_close(eager_by_step, by_step, atol=1e-4, rtol=0)


def test_padding_on_the_right_changes_nothing():
    model = small_model()
    batch = collate(samples(3))
    plain = log_probs(model, batch)
    padded = {**batch, "input_ids": F.pad(batch["input_ids"], (0, 3), value=PAD)}
    padded["attention_mask"] = F.pad(batch["attention_mask"], (0, 3))
    torch.testing.assert_close(log_probs(model, padded)[:, :-3], plain, atol=1e-4, rtol=0)


@pytest.mark.parametrize("attention", ["full", "memory"])
def test_the_order_of_instances_changes_nothing(attention):
    model = small_model(prompt_attention=attention)
    ids, rows = sample(3, 4, 5, 2, 2, 5)
    order = torch.tensor([3, 0, 2, 1, 7, 4, 8, 6, 5, 10, 9, 12, 11])
    assert bool((rows[order, 0] == rows[:, 0]).all())
    before = log_probs(model, collate([(ids, rows)]))[:, -1]
    after = log_probs(model, collate([(ids, rows[order])]))[:, -1]
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)
    moved = rows.clone()
    moved[5, 1] += 1.0
    changed = log_probs(model, collate([(ids, moved)]))[:, -1]
    assert (changed - before).abs().max() > 1e-3


def test_tokens_after_the_answer_are_causal():
    model = small_model()
    batch = collate(samples(2))
    first = continued(batch, torch.cat([batch["input_ids"], torch.tensor([[21, 22], [23, 24]])], dim=1))
    other = continued(batch, torch.cat([batch["input_ids"], torch.tensor([[21, 30], [23, 31]])], dim=1))
    one, two = log_probs(model, first), log_probs(model, other)
    torch.testing.assert_close(one[:, :-1], two[:, :-1], atol=1e-6, rtol=0)
    # In front of the answer, a later word does matter.
    changed = dict(batch, input_ids=batch["input_ids"].clone())
    changed["input_ids"][:, -2] = 41
    assert (log_probs(model, changed)[:, -5] - log_probs(model, batch)[:, -5]).abs().max() > 1e-3


@pytest.mark.parametrize("auto", [Dynam3DForCausalLM, AutoModelForCausalLM])
def test_a_saved_model_loads_and_says_the_same(tmp_path, auto):
    model = small_model()
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
    }
    again = auto.from_pretrained(tmp_path).eval()
    assert type(again) is Dynam3DForCausalLM
    batch = collate(samples(3))
    sequences, by_step = generated(model, batch)
    sequences_again, by_step_again = generated(again, batch)
    assert torch.equal(sequences, sequences_again)
    torch.testing.assert_close(by_step_again, by_step, atol=1e-4, rtol=0)
    assert again.lm_head.weight is again.get_input_embeddings().weight
    assert again.config.to_dict() == {**model.config.to_dict(), "dtype": "float32"} or (
        again.config.level_token_ids == model.config.level_token_ids
    )
    backbone = AutoModel.from_pretrained(tmp_path)
    assert type(backbone) is Dynam3DModel


def test_only_actions_are_ever_likely():
    model = small_model()
    others = [token for token in range(VOCABULARY) if token not in ACTIONS]
    assert log_probs(model, collate(samples(3)))[..., others].max() <= -100.0
    assert not any("bias" in name for name, _ in model.lm_head.named_parameters())
    model = small_model(action_token_ids=None)
    bias = model.lm_head.bias
    assert sorted(bias.nonzero().squeeze(1).tolist()) == sorted(LEVEL_IDS.values())


def test_the_loss_is_the_weighted_mean_over_labels():
    model = small_model()
    batch = collate(samples(3))
    whole = continued(batch, torch.cat([batch["input_ids"], torch.tensor([[21, EOS]] * 3)], dim=1))
    labels = torch.full_like(whole["input_ids"], -100)
    labels[:, -2:] = whole["input_ids"][:, -2:]
    scores = log_probs(model, whole)[:, -3:-1]
    chosen = scores.gather(2, labels[:, -2:, None]).squeeze(2)
    out = model(**whole, labels=labels)
    assert out.logits is None
    torch.testing.assert_close(out.loss, -chosen.mean(), atol=1e-5, rtol=0)
    weights = torch.ones_like(labels, dtype=torch.float32)
    weights[:, -2] = 3.0
    weighted = model(**whole, labels=labels, label_weights=weights).loss
    expected = -(3 * chosen[:, 0] + chosen[:, 1]).sum() / 12
    torch.testing.assert_close(weighted, expected, atol=1e-5, rtol=0)
    summed = model(**whole, labels=labels, num_items_in_batch=2).loss
    torch.testing.assert_close(summed, -chosen.sum() / 2, atol=1e-5, rtol=0)
    nothing = model(**whole, labels=torch.full_like(labels, -100)).loss
    nothing.backward()
    assert nothing.item() == 0.0


def test_training_in_bfloat16_reaches_every_weight():
    model = small_model().train()
    batch = collate(samples(3))
    whole = continued(batch, torch.cat([batch["input_ids"], torch.tensor([[21, EOS]] * 3)], dim=1))
    labels = torch.full_like(whole["input_ids"], -100)
    labels[:, -2:] = whole["input_ids"][:, -2:]
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(**whole, labels=labels).loss
    loss.backward()
    assert loss.dtype == torch.float32
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
    plain = model(**whole, labels=labels).loss
    torch.testing.assert_close(loss, plain, rtol=0.05, atol=0.05)


def test_a_mismatch_names_both_counts():
    model = small_model()
    ids, rows = sample(0, 3, 2, 1, 1, 4)
    with pytest.raises(ValueError, match=r"2 <instance> placeholders.*1 instance rows"):
        model(**collate([(ids, torch.cat([rows[:3], rows[4:]]))]))
    with pytest.raises(ValueError, match=r"3 <patch> placeholders.*0 patch rows"):
        model(input_ids=ids[None])


def test_rows_of_another_shape_are_refused():
    model = small_model()
    batch = collate([sample(0, 3, 2, 1, 1, 4)])
    longer = {**batch, "pixel_values": F.pad(batch["pixel_values"], (0, 2))}
    with pytest.raises(ValueError, match=f"length {TOKEN_DIM} .*length {TOKEN_DIM + 2} "):
        model(**longer)
    with pytest.raises(ValueError, match="one memory a sample"):
        model(**{**batch, "pixel_values": batch["pixel_values"][0]})
    views = {**batch, "pixel_values": batch["pixel_values"].clone()}
    views["pixel_values"][0, 0, 0] = 5
    with pytest.raises(ValueError, match=r"rows of level \[5\]"):
        model(**views)
    with torch.no_grad():
        cache = model(**batch, use_cache=True).past_key_values
    with pytest.raises(ValueError, match="already holds"):
        model(input_ids=torch.tensor([[21]]), past_key_values=cache, pixel_values=batch["pixel_values"])


def test_a_prompt_without_any_memory():
    model = small_model()
    ids = torch.tensor([[21, 22, 9]])
    with torch.no_grad():
        one = model(input_ids=ids).logits
        two = model(input_ids=ids, pixel_values=torch.zeros(1, 4, 4 + TOKEN_DIM)).logits
    torch.testing.assert_close(one, two)


def test_several_answers_to_one_prompt():
    model = small_model()
    batch = collate(samples(3))
    torch.manual_seed(0)
    out = model.generate(
        **batch,
        max_new_tokens=3,
        do_sample=True,
        top_k=0,
        num_return_sequences=2,
        output_logits=True,
        return_dict_in_generate=True,
    )
    doubled = {name: value.repeat_interleave(2, dim=0) for name, value in batch.items()}
    scored = log_probs(model, continued(doubled, out.sequences))
    start = batch["input_ids"].shape[1]
    steps = of_logits(torch.stack(out.logits, dim=1))
    torch.testing.assert_close(scored[:, start - 1 : -1], steps, atol=1e-4, rtol=0)


def test_gradient_checkpointing_changes_no_gradient():
    model = small_model().train()
    batch = collate(samples(3))
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -1] = ACTIONS[3]
    model(**batch, labels=labels).loss.backward()
    expected = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    model.activation_checkpointing_enable()
    model(**batch, labels=labels).loss.backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name], atol=1e-5, rtol=1e-4, msg=name)


def test_the_vocabulary_is_not_resized():
    model = small_model()
    assert model.resize_token_embeddings() is model.get_input_embeddings()
    with pytest.raises(ValueError, match=f"has {VOCABULARY} tokens and can't be resized to {VOCABULARY + 1}"):
        model.resize_token_embeddings(VOCABULARY + 1)


@pytest.mark.parametrize("queries", [0, 3])
def test_memory_tokens_start_at_the_scale_of_words(queries):
    model = Dynam3DForCausalLM(small_config(queries=queries))
    norms = [part for part in model.modules() if isinstance(part, TokenNorm)]
    assert len(norms) == 1 + bool(queries)
    scale = model.config.text.initializer_range
    assert scale == pytest.approx(32**-0.5)
    assert all(torch.equal(norm.weight, torch.full_like(norm.weight, scale)) for norm in norms)
