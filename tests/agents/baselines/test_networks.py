from __future__ import annotations

import pytest
import torch
from torch import Tensor

from agents.baselines.networks import MOVES, TURNS, BaselineNetwork, Decided, NetworkConfig, word_ids
from tests.agents.baselines.fakes import DIM, TEXTS, small_network

BOTH = pytest.mark.parametrize("name", ["seq2seq", "cma"])


def inputs(size: int = 3, times: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    previous = torch.stack(
        [
            torch.zeros(size, times, dtype=torch.long),
            torch.randint(24, (size, times), generator=generator),
            torch.randint(MOVES, (size, times), generator=generator),
        ],
        dim=-1,
    )
    previous[:, 0] = -1
    view = torch.randn(size, times, 36, DIM, generator=generator)
    return view, torch.rand(size, times, 36, generator=generator) * 5.0, previous


def decide(network: BaselineNetwork, texts: tuple[str, ...], parts: tuple[Tensor, ...]) -> Decided:
    with torch.no_grad():
        return network(network.read(word_ids(network.vocabulary, texts)), *parts)


@BOTH
def test_shapes(name: str) -> None:
    network = small_network(name)
    decided = decide(network, TEXTS, inputs())
    assert decided.turn_logits.shape == (3, 4, TURNS)
    assert decided.features.shape == (3, 4, 32)
    assert decided.progress.shape == (3, 4)
    assert decided.state.shape == (3, network.states, 32)
    moves = network.moves_logits(decided.features, torch.zeros(3, 4, dtype=torch.long))
    assert moves.shape == (3, 4, MOVES)
    other = network.moves_logits(decided.features, torch.ones(3, 4, dtype=torch.long))
    assert not torch.allclose(moves, other), "the walk depends on the turn"


@BOTH
def test_a_batch_decides_as_its_episodes_alone(name: str) -> None:
    network, parts = small_network(name), inputs()
    together = decide(network, TEXTS, parts)
    for row, text in enumerate(TEXTS):
        alone = decide(network, (text,), tuple(part[row : row + 1] for part in parts))
        for field in ("turn_logits", "progress", "state"):
            torch.testing.assert_close(getattr(alone, field)[0], getattr(together, field)[row])


@BOTH
def test_step_by_step_is_as_all_at_once(name: str) -> None:
    network, parts = small_network(name), inputs()
    whole = decide(network, TEXTS, parts)
    instruction, state = network.read(word_ids(network.vocabulary, TEXTS)), None
    for step in range(4):
        with torch.no_grad():
            one = network(instruction, *(part[:, step : step + 1] for part in parts), state)
        state = one.state
        torch.testing.assert_close(one.turn_logits[:, 0], whole.turn_logits[:, step])
    assert state is not None
    torch.testing.assert_close(state, whole.state)


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_last_actions_are_left_out_by_chance_in_training_alone(chance: float) -> None:
    network = small_network(dropout=0.0, history_dropout=chance)
    view, depth, previous = inputs()
    nothing = torch.full_like(previous, -1)
    in_use = decide(network, TEXTS, (view, depth, previous)).turn_logits
    without = decide(network, TEXTS, (view, depth, nothing)).turn_logits
    assert not torch.allclose(in_use, without)
    in_training = decide(network.train(), TEXTS, (view, depth, previous)).turn_logits
    torch.testing.assert_close(in_training, without if chance else in_use)


@BOTH
def test_what_comes_later_changes_nothing_before(name: str) -> None:
    network, (view, depth, previous) = small_network(name), inputs()
    before = decide(network, TEXTS, (view, depth, previous)).turn_logits[:, :2]
    view[:, 2:], depth[:, 2:], previous[:, 2:] = 9.0, 9.0, 0
    assert torch.equal(decide(network, TEXTS, (view, depth, previous)).turn_logits[:, :2], before)


@BOTH
@pytest.mark.parametrize("sense", ["instruction", "view", "depth", "previous", "state"])
def test_every_sense_counts(name: str, sense: str) -> None:
    network, (view, depth, previous) = small_network(name), inputs()
    texts, before = TEXTS, decide(network, TEXTS, (view, depth, previous)).turn_logits
    state = None
    if sense == "instruction":
        texts = TEXTS[::-1]
    elif sense == "view":
        view = view.flip(2)
    elif sense == "depth":
        depth = depth.flip(2)
    elif sense == "previous":
        previous = (previous + 1) % 12
    else:
        state = torch.ones(3, network.states, 32)
    with torch.no_grad():
        after = network(network.read(word_ids(network.vocabulary, texts)), view, depth, previous, state)
    changed = (after.turn_logits - before).abs().amax(dim=-1)[[0, 2]]
    assert (changed > 1e-6).all()


def test_both_directions_of_reading_end_where_the_text_does() -> None:
    network = small_network()
    read = network.read(word_ids(network.vocabulary, TEXTS))
    assert read.mask.sum(dim=1).tolist() == [10, 5, 2]
    ids = word_ids(network.vocabulary, TEXTS[1:2])
    words = network.word(ids)
    back, (ends, _) = network.reads_back(words.flip(1))
    torch.testing.assert_close(read.words[1, :5, 8:], back[0].flip(0))
    torch.testing.assert_close(read.last[1, 8:], ends[0, 0])
    torch.testing.assert_close(read.last[1, :8], network.reads_on(words)[0][0, -1])


@BOTH
def test_an_empty_instruction_works(name: str) -> None:
    decided = decide(small_network(name), ("",), tuple(part[:1] for part in inputs()))
    assert torch.isfinite(decided.turn_logits).all()


@BOTH
def test_every_weight_learns(name: str) -> None:
    network = small_network(name)
    decided = network(network.read(word_ids(network.vocabulary, TEXTS)), *inputs())
    moves = network.moves_logits(decided.features, decided.turn_logits.argmax(dim=-1))
    (decided.turn_logits.sum() + moves.square().sum() + decided.progress.sum()).backward()
    without = [name for name, weight in network.named_parameters() if weight.grad is None]
    assert without == []


def test_wrong_settings_are_refused() -> None:
    view, depth, previous = inputs()
    with pytest.raises(ValueError, match="tokens of length 8, the observation has length 5"):
        decide(small_network(), TEXTS, (view[..., :5], depth, previous))
    with pytest.raises(ValueError, match="Did you mean 'cma'"):
        NetworkConfig("cmaa", ())
