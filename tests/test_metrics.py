from __future__ import annotations

import dataclasses
import itertools
import math
import time

import numpy as np
import pytest

from rewards import resample_route, route_completion
from tests.shared_data import shared_data
from vlnenv import metrics
from vlnenv.episodes import Episode, read_r2r_ce
from vlnenv.metrics import EpisodeMetrics

REAL = "r2r_ce/R2R_VLNCE_v1-3_preprocessed/val_seen/val_seen.json.gz"


def make_episode(**changes: object) -> Episode:
    episode = Episode(
        episode_id="1",
        trajectory_id="1",
        scene_id="toy",
        start_position_m=(0.0, 0.0, 0.0),
        start_rotation_xyzw=(0.0, 0.0, 0.0, 1.0),
        instruction="Go.",
        goal_position_m=(6.0, 0.0, 0.0),
        reference_path_m=((0.0, 0.0, 0.0), (6.0, 0.0, 0.0)),
        geodesic_distance_m=6.0,
    )
    return dataclasses.replace(episode, **changes)  # type: ignore[arg-type]


def follow(path_m: np.ndarray, *, stop: bool = True, episode: Episode | None = None) -> EpisodeMetrics:
    """Metrics after walking the path in free space, where walking distance is straight-line distance."""
    episode = episode or make_episode()
    goal = np.array(episode.goal_position_m)
    result = EpisodeMetrics(episode, float(np.linalg.norm(path_m[0] - goal)), path_m[0])
    for point in path_m[1:]:
        result.update(point, float(np.linalg.norm(point - goal)), False, False, False)
    if stop:
        result.update(path_m[-1], float(np.linalg.norm(path_m[-1] - goal)), False, True, True)
    return result


def straight(end_x: float) -> np.ndarray:
    return resample_route(np.array([[0.0, 0.0, 0.0], [end_x, 0.0, 0.0]]))


def brute_force_dtw(path: np.ndarray, reference: np.ndarray) -> float:
    cost = np.full((len(path) + 1, len(reference) + 1), np.inf)
    cost[0, 0] = 0.0
    for i, j in itertools.product(range(len(path)), range(len(reference))):
        step = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
        cost[i + 1, j + 1] = math.dist(path[i], reference[j]) + step
    return float(cost[-1, -1])


def test_dtw_is_exact() -> None:
    rng = np.random.default_rng(0)
    for _ in range(30):
        path = rng.normal(size=(int(rng.integers(1, 30)), 3))
        reference = rng.normal(size=(int(rng.integers(1, 30)), 3))
        assert metrics.dtw(path, reference) == pytest.approx(brute_force_dtw(path, reference), rel=1e-12)
        assert metrics.dtw(path, reference) == pytest.approx(metrics.dtw(reference, path), rel=1e-12)
        assert 0.0 < metrics.ndtw(path, reference) <= 1.0
        assert 0.0 <= metrics.cls(path, reference) <= 1.0


def test_ndtw_and_cls_by_hand() -> None:
    path = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    reference = path + np.array([0.0, 0.0, 3.0])
    assert metrics.ndtw(path, reference) == pytest.approx(math.exp(-1.0))
    coverage = math.exp(-1.0)
    expected_length = coverage * 1.0
    assert metrics.path_coverage(path, reference) == pytest.approx(coverage)
    score = expected_length / (expected_length + 1.0 - expected_length)
    assert metrics.cls(path, reference) == pytest.approx(coverage * score)
    assert metrics.cls(reference, reference) == metrics.ndtw(reference, reference) == 1.0


def test_spl_by_hand() -> None:
    assert metrics.spl(True, 6.0, 8.0) == 0.75
    assert metrics.spl(True, 6.0, 3.0) == 1.0
    assert metrics.spl(False, 6.0, 6.0) == 0.0
    assert metrics.spl(True, 0.0, 0.0) == 1.0


def test_perfect_episode() -> None:
    values = follow(straight(6.0)).scalars()
    assert values == {
        "steps": 25,
        "path_length": 6.0,
        "collisions": 0,
        "distance_to_goal": 0.0,
        "is_success": True,
        "oracle_success": True,
        "spl": 1.0,
        "oracle_spl": 1.0,
        "ndtw": 1.0,
        "sdtw": 1.0,
        "cls": 1.0,
        "route_completion": 1.0,
    }


def test_success_needs_stop_nearer_than_the_radius() -> None:
    near = follow(straight(3.25), stop=False).scalars()
    assert (near["is_success"], near["oracle_success"], near["spl"], near["sdtw"]) == (False, True, 0.0, 0.0)
    assert follow(straight(3.25)).scalars()["is_success"]
    assert not follow(straight(3.0)).scalars()["is_success"]  # at 3 m, and not below
    assert not follow(straight(3.0)).scalars()["oracle_success"]
    wider = make_episode(goal_radius_m=3.5)
    assert follow(straight(3.0), episode=wider).scalars()["is_success"]


def test_oracle_spl_is_that_of_the_best_time_to_stop() -> None:
    values = follow(np.concatenate([straight(6.0), straight(6.0)[::-1]])).scalars()
    assert values["spl"] == 0.0
    assert not values["is_success"]
    assert values["oracle_success"]
    assert values["oracle_spl"] == 1.0


def test_running_out_of_steps_is_no_success() -> None:
    result = follow(straight(6.0), stop=False)
    result.update(np.array([6.0, 0.0, 0.0]), 0.0, True, False, True)
    assert not result.is_success
    assert result.is_over
    assert result.scalars()["collisions"] == 1


def test_path_grows_only_on_change_and_starts_at_the_start() -> None:
    reference = straight(6.0)
    lingering = np.repeat(reference, 4, axis=0)
    episode = make_episode(gt_locations_m=tuple(map(tuple, reference)))
    assert follow(lingering, episode=episode).ndtw == 1.0
    values = follow(lingering[:3], stop=False, episode=episode).scalars()
    assert values["steps"] == 2
    assert values["ndtw"] == metrics.ndtw(reference[:1], reference)


def test_reference_is_the_rollout_else_the_dense_path() -> None:
    locations = ((0.0, 0.0, 0.0), (1.0, 0.0, 1.0))
    assert np.array_equal(metrics.reference_of(make_episode(gt_locations_m=locations)), locations)
    assert len(metrics.reference_of(make_episode())) == 25
    with pytest.raises(ValueError, match="neither reference_path_m nor gt_locations_m"):
        metrics.reference_of(make_episode(reference_path_m=()))


def test_incremental_metrics_equal_the_pure_functions() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        episode = make_episode(
            reference_path_m=tuple(map(tuple, np.cumsum(rng.normal(size=(5, 3)), axis=0))),
        )
        path = np.cumsum(rng.normal(size=(40, 3)) * 0.3, axis=0)
        values = follow(path, episode=episode).scalars()
        reference = metrics.reference_of(episode)
        assert values["ndtw"] == pytest.approx(metrics.ndtw(path, reference), rel=1e-12)
        assert values["cls"] == pytest.approx(metrics.cls(path, reference), rel=1e-12)
        assert values["path_length"] == pytest.approx(metrics.path_length(path), rel=1e-12)
        assert values["route_completion"] == route_completion(path, np.array(episode.reference_path_m))
        assert all(math.isfinite(value) for value in values.values())
        for value in values.values():
            assert type(value) in (int, float, bool)


def test_test_split_has_only_what_needs_no_goal() -> None:
    episode = make_episode(goal_position_m=None, reference_path_m=(), geodesic_distance_m=None)
    result = EpisodeMetrics(episode, None)
    result.update(np.array([0.25, 0.0, 0.0]), None, True, False, False)
    assert result.scalars() == {"steps": 1, "path_length": 0.25, "collisions": 1}
    facts = result.step_facts(EpisodeMetrics(episode, None))
    assert not facts.is_goal_known
    assert facts.collided


def test_step_facts_span_from_the_earlier_copy() -> None:
    result = follow(straight(3.0), stop=False)
    before = result.copy()
    for x, collided in ((3.25, True), (3.5, False)):
        result.update(np.array([x, 0.0, 0.5]), 6.0 - x, collided, False, False)
    facts = result.step_facts(before)
    assert (facts.geodesic_before_m, facts.geodesic_m, facts.start_geodesic_m) == (3.0, 2.5, 6.0)
    assert facts.route_completion > facts.route_completion_before == before.route_completion
    assert facts.collided
    assert facts.off_route_m == 0.5
    assert (facts.is_over, facts.has_stopped, facts.is_success) == (False, False, False)
    result.update(np.array([3.5, 0.0, 0.5]), 2.5, False, True, False)
    facts = result.step_facts(result.copy())
    assert facts.is_over  # STOP ends the episode
    assert facts.has_stopped
    assert facts.is_success
    assert not facts.collided
    assert facts.sdtw == facts.ndtw > 0.0


def test_copies_are_independent() -> None:
    result = follow(straight(2.0), stop=False)
    saved, values = result.copy(), result.scalars()
    follow_on = [(np.array([2.0 + each / 4, 0.0, 0.0]), 4.0 - each / 4) for each in range(1, 9)]
    for position, distance in follow_on:
        result.update(position, distance, False, False, False)
    assert saved.scalars() == values != result.scalars()
    for position, distance in follow_on:
        saved.update(position, distance, False, False, False)
    assert saved.scalars() == result.scalars()


def test_callers_arrays_are_not_kept() -> None:
    position = np.zeros(3)
    result = EpisodeMetrics(make_episode(), 6.0, position)
    position[0] = 1.0
    result.update(position, 5.0, False, False, False)
    position[0] = 9.0
    assert result.path_length_m == 1.0


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="can't be reached"):
        EpisodeMetrics(make_episode(), math.inf)
    with pytest.raises(ValueError, match="if and only if it has a goal"):
        EpisodeMetrics(make_episode(), None)
    result = EpisodeMetrics(make_episode(), 6.0)
    with pytest.raises(ValueError, match="distance to the goal"):
        result.update(np.zeros(3), None, False, False, False)
    with pytest.raises(ValueError, match="three finite numbers"):
        result.update(np.array([math.nan, 0.0, 0.0]), 1.0, False, False, False)
    assert result.steps == 0


def test_unreachable_position_keeps_the_last_distance() -> None:
    result = EpisodeMetrics(make_episode(), 6.0)
    result.update(np.array([1.0, 0.0, 0.0]), 5.0, False, False, False)
    result.update(np.array([2.0, 0.0, 0.0]), math.inf, False, False, False)
    assert result.scalars()["distance_to_goal"] == 5.0


def test_real_ground_truth_against_itself() -> None:
    dataset = read_r2r_ce(shared_data(REAL))
    for episode in dataset:
        path = np.array(episode.gt_locations_m)
        values = follow(path, episode=episode).scalars()
        assert values["ndtw"] == 1.0
        assert values["sdtw"] == 1.0
        assert values["cls"] == pytest.approx(1.0, abs=1e-12)
        assert values["is_success"]  # all 778 end within 3 m of the goal as the crow flies
        assert values["spl"] > 0.0
        assert all(math.isfinite(value) for value in values.values())


def test_a_step_is_cheap() -> None:
    rng = np.random.default_rng(0)
    episode = make_episode(gt_locations_m=tuple(map(tuple, straight(30.0))))
    result = EpisodeMetrics(episode, 30.0)
    positions = np.cumsum(rng.normal(size=(500, 3)) * 0.25, axis=0)
    begin = time.perf_counter()
    for position in positions:
        before, result = result, result.copy()
        result.update(position, 10.0, False, False, False)
        result.step_facts(before)
        result.scalars()
    assert (time.perf_counter() - begin) / 500 < 1e-3  # about 0.05 ms on an idle core; loose for busy ones
