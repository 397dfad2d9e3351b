import pytest
import torch

from agents.vlm.querying import QueryingTransformer, query_places, scale_gradient
from tests.agents.vlm.models import ACTIONS, EOS, collate, enlarge, log_probs, sample, samples, small_model


def test_the_gradient_that_flows_back_is_exactly_halved():
    x = torch.randn(3, 4, requires_grad=True)
    (scale_gradient(x, 0.5) ** 2).sum().backward()
    assert torch.equal(x.grad, x.detach())

    gradients = {}
    for factor in (1.0, 0.5):
        model = small_model(queries=3, query_gradient=factor).train()
        batch = collate(samples(3, queries=3))
        labels = torch.full_like(batch["input_ids"], -100)
        labels[:, -1] = torch.tensor(ACTIONS[2:5])
        model(**batch, labels=labels).loss.backward()
        gradients[factor] = {name: p.grad.clone() for name, p in model.model.named_parameters()}
    for name, gradient in gradients[1.0].items():
        share = 0.5 if name.startswith("memory_embedding") else 1.0
        assert gradient.abs().sum() > 0, name
        assert torch.equal(gradients[0.5][name], share * gradient), name


def test_the_order_of_patches_and_their_padding_change_nothing():
    torch.manual_seed(0)
    transformer = QueryingTransformer(4, 2, 16, 0.5).eval()
    enlarge(transformer)
    torch.nn.init.normal_(transformer.queries)
    places, patches = torch.randn(4, 16), torch.randn(2, 5, 16)
    valid = torch.ones(2, 5, dtype=torch.bool)
    found = transformer(places, patches, valid)
    assert found.shape == (2, 4, 16)
    torch.testing.assert_close(transformer(places, patches.flip(1), valid), found, atol=1e-5, rtol=0)
    padded = torch.cat([patches, torch.full((2, 2, 16), 7.0)], dim=1)
    longer = torch.cat([valid, torch.zeros(2, 2, dtype=torch.bool)], dim=1)
    torch.testing.assert_close(transformer(places, padded, longer), found, atol=1e-5, rtol=0)
    assert transformer(places, patches[:, :0], valid[:, :0]).isfinite().all()


def test_queries_stand_around_the_agent():
    places = query_places(4)
    torch.testing.assert_close(
        places[:, :2], torch.tensor([[2.0, 0], [0, 2], [-2, 0], [0, -2]]), atol=1e-5, rtol=0
    )
    assert query_places(24).shape == (24, 3)


def test_other_levels_can_be_compressed_too():
    model = small_model(queries=3, query_levels=("patch", "instance"))
    ids, rows = sample(0, 5, 2, 1, 1, 3, queries=3)
    placeholder = model.config.level_token_ids["instance"]
    kept = ids[ids != placeholder]
    first = log_probs(model, collate([(kept, rows)]))[:, -1]
    changed = rows.clone()
    changed[rows[:, 0] == 2, 4:] += 1.0
    assert (log_probs(model, collate([(kept, changed)]))[:, -1] - first).abs().max() > 1e-5
    with pytest.raises(ValueError, match=r"placeholders"):
        small_model(queries=3)(**collate([(kept, rows)]))


def test_a_batch_equals_single_calls():
    model = small_model(queries=3)
    prompts = samples(8, queries=3)
    together = log_probs(model, collate(prompts))[:, -1]
    apart = torch.cat([log_probs(model, collate([prompt]))[:, -1] for prompt in prompts])
    torch.testing.assert_close(together, apart, atol=1e-4, rtol=0)


def test_the_placeholders_of_patches_are_as_many_as_queries():
    model = small_model(queries=3)
    with pytest.raises(ValueError, match=r"5 <patch> placeholders.*5 patch rows.*3 placeholders if"):
        model(**collate([sample(0, 5, 1, 1, 1, 3)]))
    ids, rows = sample(0, 5, 1, 1, 1, 3, queries=3)
    with pytest.raises(ValueError, match=r"3 <patch> placeholders.*0 patch rows"):
        model(**collate([(ids, rows[5:])]))


def test_it_learns_in_bfloat16():
    model = small_model(queries=3).train()
    batch = collate(samples(3, queries=3))
    batch["input_ids"] = torch.cat([batch["input_ids"], torch.full((3, 1), EOS)], dim=1)
    batch["attention_mask"] = torch.cat([batch["attention_mask"], torch.ones(3, 1, dtype=torch.long)], dim=1)
    labels = torch.full_like(batch["input_ids"], -100)
    labels[:, -1] = EOS
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(**batch, labels=labels).loss
    loss.backward()
    assert model.model.query_transformer.queries.grad.abs().sum() > 0
