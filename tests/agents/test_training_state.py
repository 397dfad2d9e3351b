from pathlib import Path

import pytest
import torch
from torch import nn

from agents.training_state import load_state, save_state, warm_cosine


def _run() -> tuple[nn.Linear, torch.optim.Optimizer]:
    torch.manual_seed(0)
    module = nn.Linear(3, 2)
    return module, torch.optim.AdamW(module.parameters(), lr=0.1)


def _step(module: nn.Linear, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    module(torch.ones(4, 3)).square().sum().backward()
    optimizer.step()


def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    module, optimizer = _run()
    _step(module, optimizer)
    save_state(tmp_path / "state", {"net": module}, optimizer, {"settings": '{"lr": 0.1}', "update": "1"})
    _step(module, optimizer)
    other, other_optimizer = _run()
    metadata = load_state(tmp_path / "state", {"net": other}, other_optimizer, '{"lr": 0.1}')
    assert metadata["update"] == "1"
    _step(other, other_optimizer)
    assert torch.equal(other.weight, module.weight)


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    module, optimizer = _run()
    save_state(tmp_path / "state", {"net": module}, optimizer, {"settings": '{"lr": 0.1}'})
    with pytest.raises(ValueError, match=r"lr = 0\.1, now it is 0\.2"):
        load_state(tmp_path / "state", {"net": module}, optimizer, '{"lr": 0.2}')


def test_settings_that_are_newer_than_a_file_had_their_defaults(tmp_path: Path) -> None:
    module, optimizer = _run()
    save_state(tmp_path / "state", {"net": module}, optimizer, {"settings": '{"lr": 0.1}'})
    now = '{"lr": 0.1, "rank": 0}'
    load_state(tmp_path / "state", {"net": module}, optimizer, now, '{"rank": 0}')
    with pytest.raises(ValueError, match="rank = 4, now it is 0"):
        load_state(tmp_path / "state", {"net": module}, optimizer, now, '{"rank": 4}')


def test_frozen_parameters_are_left_out_on_request_alone(tmp_path: Path) -> None:
    module, optimizer = _run()
    module.bias.requires_grad_(False)
    tied = nn.Sequential(module, module)
    for name, omitted in (("whole", ()), ("part", ("net",))):
        save_state(tmp_path / name, {"net": tied}, optimizer, {"settings": "{}"}, omit_frozen=omitted)
    other = nn.Sequential(*[_run()[0].requires_grad_(False)] * 2)
    other[0].weight.requires_grad_(True)
    torch.nn.init.zeros_(other[0].weight)
    torch.nn.init.zeros_(other[0].bias)
    optimizer = torch.optim.AdamW([other[0].weight])
    load_state(tmp_path / "part", {"net": other}, optimizer, "{}")
    assert torch.equal(other[1].weight, module.weight)
    assert not other[1].bias.any()
    load_state(tmp_path / "whole", {"net": other}, optimizer, "{}")
    assert torch.equal(other[1].bias, module.bias)
    assert (tmp_path / "part").stat().st_size < (tmp_path / "whole").stat().st_size


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    course = [warm_cosine(update, 1000) for update in range(1000)]
    top = course.index(max(course))
    assert course[:top] == sorted(course[:top])
    assert course[top:] == sorted(course[top:], reverse=True)
    assert max(course) == 1.0
    assert 0.0 < course[-1] < 1e-4
