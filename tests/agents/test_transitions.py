from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents.decisions import Decisions, DecisionWriter, open_decisions
from agents.macros import pieces
from agents.transitions import carried_out, find_transitions
from tests.agents.vlm.decisions import INSTRUCTIONS, SETTINGS
from vlnenv.cache import build_folder

NONE, LEFT = [-1, -1, -1], [0, 4, 0]


def told(macro: list[int], before: list[list[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`carried_out` of one decision, with the goal's bearing as the turn leaves it."""
    done = [list(each) for each in pieces(np.array(macro))]
    after = (before + done)[-4:]
    turned = sum(each[1] for each in done) * np.pi / 12
    return carried_out(np.array([before]), np.array([after]), np.array([turned]))


@pytest.mark.parametrize("before", [[NONE] * 4, [LEFT] * 4, [[0, 3, 2], [0, 20, 0], [0, 20, 0], [0, 0, 1]]])
@pytest.mark.parametrize("turn", range(24))
def test_every_decision_is_told_from_the_two_histories(before: list[list[int]], turn: int) -> None:
    left = turn if turn <= 12 else turn - 24
    for moves in (0, 1, 12):
        found = told([0, turn, moves], before)
        assert [each.item() for each in found] == [left, 0 if abs(left) >= 4 else moves, True]


def test_histories_that_do_not_follow_each_other_are_found_out() -> None:
    before, after = [[0, 1, 1], [0, 2, 2], [0, 3, 3], [0, 1, 4]], [[0, 9, 0]] * 4
    assert not carried_out(np.array([before]), np.array([after]), np.zeros(1))[2].any()
    assert not told([1, 0, 0], before)[2].any()


def walked(folder: Path) -> Decisions:
    """Two episodes that were noted in turns; in the first, what was done was not the label."""
    writer = DecisionWriter()
    steps = [([NONE] * 4, 0, 0), ([NONE] * 4, 1, 0), ([NONE] * 3 + [[0, 2, 3]], 0, 1)]
    steps += [([NONE] * 2 + [LEFT, [0, 1, 0]], 1, 1), ([[0, 9, 9]] * 4, 0, 2)]
    for count, (history, route, number) in enumerate(steps, start=1):
        rows = np.full((count, 12), count)
        writer.add(rows, np.array(history), np.array([0, 1, 1]), np.array([3, 2, 1, 0]), route, number)
    build_folder(folder, lambda building: writer.write(building, INSTRUCTIONS, SETTINGS))
    return open_decisions([folder])


def test_transitions_go_by_episode_and_by_what_was_carried_out(tmp_path: Path) -> None:
    found = find_transitions(walked(tmp_path / "d"))
    # The last of route 0 has a history that nothing leads to.
    assert found.following.tolist() == [2, 3, -1, -1, -1]
    assert found.turn.tolist() == [2, 5, 0, 0, 0]
    assert found.moves.tolist() == [3, 0, 0, 0, 0]
    twice = find_transitions(open_decisions([tmp_path / "d"] * 2))
    assert twice.following.tolist() == [2, 3, -1, -1, -1, 7, 8, -1, -1, -1]
