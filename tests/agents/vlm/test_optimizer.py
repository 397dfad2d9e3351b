from pathlib import Path

import pytest
import torch
from torch import nn

from agents.training_state import load_state, save_state
from agents.vlm.model import AnswerHead
from agents.vlm.optimizer import MuonAdamW, make_optimizer


class _Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(20, 16)
        self.matrix = nn.Linear(16, 32)
        self.narrow = nn.Linear(32, 3)
        self.head = AnswerHead(16, 20)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        words = self.words(ids)
        return self.narrow(self.matrix(words).tanh()).sum() + self.head(words).sum()


def _run() -> tuple[_Net, MuonAdamW]:
    torch.manual_seed(0)
    net = _Net()
    return net, MuonAdamW([net], lr=0.01, weight_decay=0.1)


def _step(net: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    net(torch.arange(8)).backward()
    optimizer.step()


def test_only_matrices_between_features_take_muons_steps() -> None:
    net, optimizer = _run()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _step(net, optimizer)
    momentum = {name for name, p in net.named_parameters() if "momentum_buffer" in optimizer.state[p]}
    assert momentum == {"matrix.weight"}
    for name, parameter in net.named_parameters():
        assert not torch.equal(parameter, before[name]), name
    # An orthogonal step, of the size that Adam's has: 0.2 of the learning rate for each entry.
    moved = net.matrix.weight.detach() - before["matrix.weight"] * (1 - 0.01 * 0.1)
    assert moved.square().mean().sqrt() == pytest.approx(0.2 * 0.01, rel=0.5)


def test_both_parts_follow_the_learning_rate() -> None:
    net, optimizer = _run()
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _step(net, optimizer)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    net, optimizer = _run()
    _step(net, optimizer)
    save_state(tmp_path / "state", {"net": net}, optimizer, {"settings": "{}"})
    _step(net, optimizer)
    other, other_optimizer = _run()
    load_state(tmp_path / "state", {"net": other}, other_optimizer, "{}")
    _step(other, other_optimizer)
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name


def test_frozen_parameters_stay() -> None:
    net = _Net()
    net.narrow.weight.requires_grad_(False)
    for name in ("muon", "adamw"):
        optimizer = make_optimizer(name, [net], 0.01, 0.1)
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        assert id(net.narrow.weight) not in held
        assert id(net.words.weight) in held
