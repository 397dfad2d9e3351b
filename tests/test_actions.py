import math

import numpy as np
import pytest

from vlnenv.actions import FORWARD, LEFT, RIGHT, STOP, Primitive, make_action_mode, waypoint


@pytest.fixture(params=["discrete", "macro", "waypoint"])
def mode(request):
    return make_action_mode(request.param, 0.25, 15.0)


def test_every_action_of_the_space_has_a_plan(mode):
    mode.space.seed(0)
    for _ in range(200):
        for turn_rad, forward_m in mode.plan(mode.space.sample()):
            assert abs(turn_rad) <= math.radians(15.0) + 1e-9
            assert 0.0 <= forward_m <= 0.25 + 1e-9


def test_history_keeps_the_last_four_and_stays_in_its_space(mode):
    mode.space.seed(1)
    history = mode.empty_history()
    assert mode.history_space.contains(history)
    actions = [mode.space.sample() for _ in range(6)]
    for action in actions:
        before = history.copy()
        after = mode.push(history, action)
        np.testing.assert_array_equal(history, before)
        history = after
        assert mode.history_space.contains(history)
    np.testing.assert_array_equal(history, np.asarray(actions[-4:], dtype=history.dtype))


def test_discrete_actions_are_vlnces():
    mode = make_action_mode("discrete", 0.25, 15.0)
    assert mode.plan(STOP) == ()
    assert mode.plan(np.int64(FORWARD)) == (Primitive(0.0, 0.25),)
    assert mode.plan(LEFT) == (Primitive(math.radians(15.0), 0.0),)
    assert mode.plan(RIGHT) == (Primitive(-math.radians(15.0), 0.0),)


def test_macro_turns_the_shorter_way_then_walks():
    mode = make_action_mode("macro", 0.25, 15.0)
    step = math.radians(15.0)
    assert mode.plan(np.array([1, 5, 5])) == ()
    assert mode.plan(np.array([0, 2, 1])) == (Primitive(step, 0.0),) * 2 + (Primitive(0.0, 0.25),)
    assert mode.plan(np.array([0, 23, 0])) == (Primitive(-step, 0.0),)
    assert len(mode.plan(np.array([0, 12, 0]))) == 12
    assert mode.plan(np.array([0, 0, 0])) == (Primitive(0.0, 0.0),), "doing nothing costs a step"


def test_waypoint_adds_up_to_what_was_asked():
    mode = make_action_mode("waypoint", 0.25, 15.0)
    plan = mode.plan(waypoint(-0.6, 1.1))
    assert sum(turn for turn, _ in plan) == pytest.approx(-0.6, abs=1e-6)
    assert sum(forward for _, forward in plan) == pytest.approx(1.1, abs=1e-6)
    assert len(mode.plan(waypoint(math.radians(15), 0.25))) == 2
    assert mode.plan(waypoint(1.0, 0.05)) == ()


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("discrete", 4),
        ("discrete", -1),
        ("discrete", 1.0),
        ("discrete", [1, 2]),
        ("macro", [0, 24, 0]),
        ("macro", [0, 0]),
        ("macro", [0.0, 1.0, 2.0]),
        ("waypoint", [math.nan, 1.0]),
        ("waypoint", [0.0, math.inf]),
        ("waypoint", [0.0, 1.5]),
        ("waypoint", [0.0]),
    ],
)
def test_a_wrong_action_is_refused_and_shown(name, action):
    with pytest.raises(ValueError, match=r"discrete|macro|waypoint"):
        make_action_mode(name, 0.25, 15.0).plan(action)


def test_a_wrong_mode_names_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'waypoint'"):
        make_action_mode("waypoints", 0.25, 15.0)
