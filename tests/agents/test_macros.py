import numpy as np
import pytest

from agents.macros import STOP_MACRO, TurnQueue, pieces, signed_turn


@pytest.mark.parametrize(("turn", "left"), [(0, 0), (3, 3), (12, 12), (13, -11), (23, -1)])
def test_more_than_half_a_circle_is_to_the_right(turn, left):
    assert signed_turn(turn) == left


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        (STOP_MACRO, [STOP_MACRO]),
        ((0, 3, 7), [(0, 3, 7)]),
        ((0, 21, 7), [(0, 21, 7)]),
        ((0, 4, 7), [(0, 4, 0)]),
        ((0, 10, 2), [(0, 4, 0), (0, 4, 0), (0, 2, 0)]),
        ((0, 15, 5), [(0, 20, 0), (0, 20, 0), (0, 23, 0)]),
    ],
)
def test_long_turns_run_in_pieces_and_drop_their_moves(macro, expected):
    assert [tuple(piece.tolist()) for piece in pieces(np.array(macro))] == expected


def test_a_queue_holds_what_is_left_of_each_slots_decision():
    queue = TurnQueue()
    assert queue.begin(0, np.array([0, 10, 2])).tolist() == [0, 4, 0]
    assert queue.begin(1, np.array([0, 1, 2])).tolist() == [0, 1, 2]
    assert queue.has(0)
    assert not queue.has(1)
    assert [queue.next(0).tolist() for _ in range(2)] == [[0, 4, 0], [0, 2, 0]]
    assert not queue.has(0)
    queue.begin(0, np.array([0, 10, 2]))
    queue.reset(0)
    assert not queue.has(0)
    assert queue.decisions == 3


def test_looking_around_is_a_whole_turn():
    queue = TurnQueue()
    queue.reset(0, look_around=True)
    turns = []
    while queue.has(0):
        turns.append(queue.next(0))
    assert sum(signed_turn(int(turn)) for _, turn, _ in turns) == 24
    assert not any(stop or moves for stop, _, moves in turns)
