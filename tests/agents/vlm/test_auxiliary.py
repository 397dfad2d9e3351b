from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from agents.decisions import Decisions, DecisionWriter, open_decisions
from agents.vlm.auxiliary import NextMemory
from agents.vlm.checkpoint import save_agent
from agents.vlm.imitation import VLMImitation
from agents.vlm.samples import Augmentation
from agents.vlm_config import VLMConfig
from tests.agents.vlm.decisions import INSTRUCTIONS, SETTINGS, TOKEN_DIM
from vlnenv.cache import build_folder

EPISODES, LENGTH = 8, 3
SHORT = VLMConfig(
    hidden_size=32, layers=1, heads=2, queries=4, query_layers=1, updates=6, batch_size=8, jepa_weight=0.5
)
FIRST, LAST = np.arange(EPISODES), EPISODES * (LENGTH - 1) + np.arange(EPISODES)
"""The first and the last decision of each episode: they lie in turns."""
AS_IT_IS, SWAPPED = np.zeros(EPISODES, dtype=bool), np.ones(EPISODES, dtype=bool)


@pytest.fixture
def decisions(tmp_path: Path) -> Decisions:
    """An agent that turns and walks among things that stay where they are; its labels are wrong."""
    rng = np.random.default_rng(0)
    writer = DecisionWriter()
    things = rng.normal(size=(EPISODES, 8, 4 + TOKEN_DIM))
    things[..., 0] = np.sort(rng.integers(1, 5, (EPISODES, 8)))
    histories = np.full((EPISODES, 4, 3), -1)
    for number in range(LENGTH):
        for episode in range(EPISODES):
            goal = np.array([2.0, *things[episode, 0, 1:3], 0.5])
            label = np.array([0, 5, 1])
            writer.add(things[episode], histories[episode], label, goal, episode, number)
            turn, moves = rng.integers(-3, 4), rng.integers(0, 5)
            ahead, left = things[episode, :, 1].copy(), things[episode, :, 2].copy()
            cos, sin = np.cos(turn * np.pi / 12), np.sin(turn * np.pi / 12)
            things[episode, :, 1] = cos * ahead + sin * left - 0.25 * moves
            things[episode, :, 2] = cos * left - sin * ahead
            histories[episode] = [*histories[episode][1:], [0, turn % 24, moves]]
    texts = [INSTRUCTIONS[episode % 3] for episode in range(EPISODES)]
    build_folder(tmp_path / "d", lambda building: writer.write(building, texts, SETTINGS))
    return open_decisions([tmp_path / "d"])


def auxiliary_of(run: VLMImitation) -> NextMemory:
    assert run.auxiliary is not None
    return run.auxiliary


def one_batch(run: VLMImitation, indices: np.ndarray, mirrored: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Logits and loss of the answers, and the auxiliary loss."""
    run.samples.augmentation = Augmentation(float(mirrored[0]), 0.0, 0.0, 0.0)
    batch = run.samples.batch(indices, np.zeros(len(indices), dtype=int), np.random.default_rng(0))
    labels, weights = batch.pop("labels"), batch.pop("label_weights")
    loss = run.model(**batch, labels=labels, label_weights=weights).loss
    outputs = run.model(**batch)
    extra, _ = auxiliary_of(run)(outputs.last_hidden_state, batch["input_ids"], indices, mirrored)
    return outputs.logits, loss, extra


def test_the_policy_never_sees_the_future(decisions: Decisions) -> None:
    changed = decisions.rows[0].copy()
    changed[int(decisions.start[EPISODES]) :, 1:] *= -2.0  # all that comes after the first decisions
    other = dataclasses.replace(decisions, rows=(changed,))
    now, then = (VLMImitation(SHORT, each) for each in (decisions, other))
    logits, loss, extra = one_batch(now, FIRST, AS_IT_IS)
    same_logits, same_loss, other_extra = one_batch(then, FIRST, AS_IT_IS)
    assert torch.equal(logits, same_logits)
    assert torch.equal(loss, same_loss)
    assert not torch.isclose(extra, other_extra)


def test_nor_does_it_see_the_answer(decisions: Decisions) -> None:
    other = dataclasses.replace(decisions, label=np.broadcast_to([0, 20, 7], decisions.label.shape))
    losses = [one_batch(VLMImitation(SHORT, each), FIRST, AS_IT_IS) for each in (decisions, other)]
    assert torch.equal(losses[0][2], losses[1][2])
    assert not torch.isclose(losses[0][1], losses[1][1])


def test_gradients_reach_the_policy_and_the_predictor_but_not_the_target(decisions: Decisions) -> None:
    run = VLMImitation(SHORT, decisions)
    auxiliary = auxiliary_of(run)
    one_batch(run, FIRST, AS_IT_IS)[2].backward()
    assert all(each.grad is None and not each.requires_grad for each in auxiliary.target.parameters())
    assert all(each.grad is not None for each in auxiliary.predictor.parameters())
    transformer = run.model.model.query_transformer
    assert transformer is not None
    assert transformer.queries.grad is not None
    assert not set(map(id, auxiliary.target.parameters())) & set(map(id, run.learned))


def test_the_target_follows_slowly(decisions: Decisions) -> None:
    run = VLMImitation(dataclasses.replace(SHORT, jepa_decay=0.75), decisions)
    slow = auxiliary_of(run).target.transformer.queries
    before = slow.clone()
    run.step()
    fast = run.model.model.get_parameter("query_transformer.queries")
    assert not torch.equal(before, slow)
    kept = slow.clone()
    auxiliary_of(run).follow(run.model)
    torch.testing.assert_close(slow, 0.75 * kept + 0.25 * fast)


def test_what_was_carried_out_is_told_and_mirrored_with_the_rest(
    decisions: Decisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = VLMImitation(SHORT, decisions)
    auxiliary, told = auxiliary_of(run), []
    plain = auxiliary.predictor.forward

    def forward(hidden: Tensor, turn: Tensor, moves: Tensor) -> Tensor:
        told.append((turn, moves))
        return plain(hidden, turn, moves)

    monkeypatch.setattr(auxiliary.predictor, "forward", forward)
    for mirrored in (AS_IT_IS, SWAPPED):
        one_batch(run, FIRST, mirrored)
    done = decisions.history[EPISODES : 2 * EPISODES, -1].astype(int)
    left = torch.from_numpy(np.where(done[:, 1] > 12, done[:, 1] - 24, done[:, 1]))
    assert torch.equal(told[0][0], left)
    assert torch.equal(told[1][0], -left)
    assert all(torch.equal(moves, torch.from_numpy(done[:, 2])) for _, moves in told)
    as_it_is, swapped = (auxiliary.next_rows(FIRST, each) for each in (AS_IT_IS, SWAPPED))
    np.testing.assert_array_equal(as_it_is[0], decisions.rows_of(EPISODES))
    sign = torch.ones(4 + TOKEN_DIM)
    sign[2] = -1.0
    assert torch.equal(swapped, as_it_is * sign)


def test_samples_without_a_next_decision_or_without_memory_do_not_count(decisions: Decisions) -> None:
    run = VLMImitation(SHORT, decisions)
    auxiliary = auxiliary_of(run)
    logits, _, extra = one_batch(run, LAST, AS_IT_IS)
    assert extra.item() == 0.0
    (extra + logits.sum()).backward()
    run.model.zero_grad()
    run.processor.blind = "vision"
    assert one_batch(run, FIRST, AS_IT_IS)[2].item() == 0.0
    run.processor.blind = ""
    some, mixed = FIRST[:3], np.concatenate([FIRST[:3], LAST[:2]])
    alone, among = (one_batch(run, each, AS_IT_IS[: len(each)])[2].item() for each in (some, mixed))
    assert among == pytest.approx(alone, rel=1e-5)
    assert not auxiliary.next_rows(LAST, AS_IT_IS).any()


def test_it_learns_what_the_memory_will_be(decisions: Decisions) -> None:
    config = dataclasses.replace(SHORT, updates=80, batch_size=24, optimizer="adamw", learning_rate=2e-3)
    still = dataclasses.replace(config, mirror=0.0, row_dropout=0.0, history_dropout=0.0)
    run = VLMImitation(still, decisions)
    explained = [run.step()["jepa_explained"] for _ in range(80)]
    assert explained[0] < 0.0
    assert np.mean(explained[-10:]) > 0.3


def test_without_it_nothing_is_there_and_with_it_the_same_run_begins(decisions: Decisions) -> None:
    without = VLMImitation(dataclasses.replace(SHORT, jepa_weight=0.0), decisions)
    with_it = VLMImitation(SHORT, decisions)
    assert without.auxiliary is None
    assert list(without.modules) == ["model"]
    first, second = without.step(), with_it.step()
    assert set(first) == {"loss", "grad_norm"}
    assert set(second) == {"loss", "grad_norm", "jepa", "jepa_explained"}
    assert first["loss"] == second["loss"]


def test_a_run_goes_on_exactly_and_its_agent_holds_nothing_more(decisions: Decisions, tmp_path: Path) -> None:
    whole, cut, again = (VLMImitation(SHORT, decisions) for _ in range(3))
    for _ in range(4):
        whole.step()
    for _ in range(2):
        cut.step()
    cut.save(tmp_path / "state.safetensors")
    again.resume(tmp_path / "state.safetensors")
    for _ in range(2):
        again.step()
    for name, module in whole.modules.items():
        other = again.modules[name].state_dict()
        assert all(torch.equal(value, other[key]) for key, value in module.state_dict().items())
    without = VLMImitation(dataclasses.replace(SHORT, jepa_weight=0.0), decisions)
    with pytest.raises(ValueError, match=r"jepa_decay = 0\.996, now it is None"):
        without.resume(tmp_path / "state.safetensors")
    for name, run in (("with", again), ("without", without)):
        save_agent(tmp_path / name, run.model, run.processor, {})
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("with", "without")]
    assert sizes[0] == sizes[1]


def test_settings_that_leave_nothing_to_predict_from_are_refused(decisions: Decisions) -> None:
    with pytest.raises(ValueError, match="queries > 0, or jepa_weight 0"):
        VLMImitation(dataclasses.replace(SHORT, queries=0), decisions)
    with pytest.raises(ValueError, match="which blind='vision' hides"):
        dataclasses.replace(SHORT, blind="vision")
    with pytest.raises(ValueError, match="jepa_weight must be at least 0"):
        dataclasses.replace(SHORT, jepa_weight=-1.0)
