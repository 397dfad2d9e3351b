from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from rewards import PRESETS, Reward, StepFacts, Term, make_reward, terms

STEP = StepFacts(
    route_completion_before=0.25,
    route_completion=0.5,
    geodesic_before_m=5.0,
    geodesic_m=4.75,
    start_geodesic_m=8.0,
    path_length_m=3.25,
    is_success=False,
    spl=0.0,
    ndtw=0.5,
    sdtw=0.0,
    collided=False,
    off_route_m=0.0,
    has_stopped=False,
    is_over=False,
)


def step(**changes: object) -> StepFacts:
    return dataclasses.replace(STEP, **changes)  # type: ignore[arg-type]


SUCCESS = step(is_success=True, has_stopped=True, is_over=True, geodesic_m=1.2, spl=0.8, sdtw=0.5)
WRONG_STOP = step(has_stopped=True, is_over=True, geodesic_m=12.0)
OUT_OF_STEPS = step(is_over=True)


def test_route_gain_is_softly_penalised() -> None:
    assert terms.route_gain(STEP) == 0.25
    assert terms.route_gain(step(collided=True)) == 0.125
    assert terms.route_gain(step(off_route_m=1.5)) == 0.125
    assert terms.route_gain(step(off_route_m=9.0)) == 0.0
    factors = [terms.off_route_factor(each) for each in np.linspace(0, 4, 50)]
    assert all(0.0 <= later <= earlier <= 1.0 for earlier, later in itertools.pairwise(factors))


@pytest.mark.parametrize(("facts", "cost"), [(STEP, 0), (SUCCESS, 0), (WRONG_STOP, 1), (OUT_OF_STEPS, 1)])
def test_only_an_end_without_success_costs(facts: StepFacts, cost: int) -> None:
    assert terms.failure(facts) == cost


def test_presets_by_hand() -> None:
    def total(name: str, facts: StepFacts) -> float:
        return make_reward(name)(facts)[0]

    assert total("route_completion", STEP) == 0.25
    assert total("route_completion", WRONG_STOP) == -0.75
    assert total("progress", STEP) == pytest.approx(0.2)
    assert total("progress", SUCCESS) == pytest.approx(3.8 - 0.05 + 2.5)
    assert total("etp_r1", STEP) == 0.0
    assert total("etp_r1", SUCCESS) == pytest.approx(0.8 + 1.0 + 1.0 - 0.2)
    assert total("etp_r1", WRONG_STOP) == pytest.approx(-1.0)
    assert total("active_vln", SUCCESS) == 15.0
    assert total("active_vln", OUT_OF_STEPS) == 0.0


def test_terminal_terms_wait_for_the_end() -> None:
    for term in (terms.spl, terms.ndtw, terms.sdtw, terms.success, terms.near_goal, terms.goal_nearness):
        assert term(dataclasses.replace(SUCCESS, is_over=False)) == 0.0
        assert term(SUCCESS) != 0.0


def test_parts_sum_to_the_total() -> None:
    for name in PRESETS:
        for facts in (STEP, SUCCESS, WRONG_STOP, OUT_OF_STEPS):
            total, parts = make_reward(name)(facts)
            assert total == pytest.approx(sum(parts.values()))
            assert list(parts) == [term.name for term in make_reward(name).terms]


def test_unknown_goal_gives_nothing() -> None:
    blind = step(geodesic_before_m=None, geodesic_m=None, start_geodesic_m=None, is_over=True)
    for name in PRESETS:
        total, parts = make_reward(name)(blind)
        assert total == 0.0
        assert set(parts.values()) == {0.0}


def test_make_reward_takes_names_rewards_and_functions() -> None:
    own = Reward("own", (Term("a", terms.success, 2.0), Term("b", terms.collision, -1.0)))
    assert make_reward(own) is own
    assert own(dataclasses.replace(SUCCESS, collided=True)) == (1.0, {"a": 2.0, "b": -1.0})

    def near(facts: StepFacts) -> float:
        return 7.0

    assert make_reward(near)(STEP) == (7.0, {"near": 7.0})
    with pytest.raises(
        ValueError, match=r"no reward 'progres'\. Known: route_completion, .* Did you mean 'progress'"
    ):
        make_reward("progres")
    with pytest.raises(TypeError, match="got 3"):
        make_reward(3)  # type: ignore[arg-type]


def test_bad_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="used twice"):
        Reward("r", (Term("a", terms.slack), Term("a", terms.success)))
    with pytest.raises(ValueError, match="at least one term"):
        Reward("r", ())
    with pytest.raises(ValueError, match="must be finite"):
        Term("a", terms.slack, math.nan)
    with pytest.raises(TypeError, match="function of StepFacts"):
        Term("a", 3.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'bad' gave nan"):
        make_reward(Reward("r", (Term("bad", lambda facts: math.nan),)))(STEP)


def test_presets_survive_pickle() -> None:
    for name in PRESETS:
        reward = make_reward(name)
        assert pickle.loads(pickle.dumps(reward)) == reward


def test_rewards_need_numpy_alone() -> None:
    heavy = {"torch", "numba", "scipy", "gymnasium", "vlnenv"}
    code = f"import sys, rewards; print(sorted({heavy} & set(sys.modules)))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"
