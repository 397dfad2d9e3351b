"""The field's metrics of a path: NE, TL, SR, OSR, SPL, nDTW, SDTW, CLS, collisions; DTW is exact.

Symbols: P the path (the start, then every position that differs from the one before), R the reference, d_th
the success distance. The reference of nDTW, SDTW and CLS is the dense ground-truth rollout where the episode
has one (as in VLN-CE), else the reference path resampled at 0.25 m.
"""

from __future__ import annotations

import copy
import math

import numpy as np
from numba import njit

from rewards import (
    StepFacts,
    advance_route,
    distance_to_route,
    resample_route,
    route_progress,
    start_pointer,
)
from vlnenv.episodes.episode import Episode

REFERENCE_SPACING_M = 0.25


def path_length(path_m: np.ndarray) -> float:
    """Length of a path (t, 3) in metres (TL); 0 for a single point."""
    path_m = _points(path_m, "path_m")
    return float(np.linalg.norm(np.diff(path_m, axis=0), axis=1).sum())


def dtw(path_m: np.ndarray, reference_m: np.ndarray) -> float:
    """Exact dynamic-time-warping cost of two paths (t, 3) and (r, 3), Euclidean, metres."""
    path_m, reference_m = _points(path_m, "path_m"), _points(reference_m, "reference_m")
    row = _first_row(len(reference_m))
    for point_m in path_m:
        row, _ = _dtw_row(row, reference_m, point_m)
    return float(row[-1])


def ndtw(path_m: np.ndarray, reference_m: np.ndarray, success_distance_m: float = 3.0) -> float:
    """Normalised DTW, exp(-DTW(P, R) / (|R| d_th)), in (0, 1]; 1 for the reference itself.

    Source: Ilharco et al. 2019, eq. 5. VLN-CE approximates the DTW (fastdtw, never smaller); this one is
        exact.
    """
    return math.exp(-dtw(path_m, reference_m) / (len(reference_m) * success_distance_m))


def path_coverage(path_m: np.ndarray, reference_m: np.ndarray, success_distance_m: float = 3.0) -> float:
    """How near the path comes to each point of the reference: mean of exp(-distance / d_th), in (0, 1]."""
    path_m, reference_m = _points(path_m, "path_m"), _points(reference_m, "reference_m")
    distance_m = np.linalg.norm(reference_m[:, None] - path_m[None], axis=2).min(axis=1)
    return float(np.exp(-distance_m / success_distance_m).mean())


def cls(path_m: np.ndarray, reference_m: np.ndarray, success_distance_m: float = 3.0) -> float:
    """Coverage weighted by length score, in [0, 1]; 1 for the reference itself.

    Source: Jain et al. 2019, eq. 3-6.
    """
    coverage = path_coverage(path_m, reference_m, success_distance_m)
    return coverage * length_score(coverage, path_length(path_m), path_length(reference_m))


def length_score(coverage: float, path_length_m: float, reference_length_m: float) -> float:
    """CLS's length score EPL / (EPL + |EPL - TL|), EPL = coverage * reference length; 1 if both are 0."""
    expected_m = coverage * reference_length_m
    total_m = expected_m + abs(expected_m - path_length_m)
    return expected_m / total_m if total_m > 0.0 else 1.0


def spl(is_success: bool, start_distance_m: float, path_length_m: float) -> float:
    """Success weighted by path length, SR * l / max(l, TL), in [0, 1]; 1 for a success without a step.

    Source: Anderson et al. 2018.
    """
    if not is_success:
        return 0.0
    longest_m = max(start_distance_m, path_length_m)
    return start_distance_m / longest_m if longest_m > 0.0 else 1.0


def reference_of(episode: Episode) -> np.ndarray:
    """The reference (r, 3) of nDTW and CLS: the ground-truth rollout, else the reference path at 0.25 m.

    Raises:
        ValueError: If the episode has neither.
    """
    if episode.gt_locations_m:
        return np.array(episode.gt_locations_m, dtype=np.float64)
    if not episode.reference_path_m:
        raise ValueError(
            f"episode {episode.episode_id!r} has a goal but neither reference_path_m nor gt_locations_m; "
            "give it a reference path from its start to its goal"
        )
    return resample_route(np.array(episode.reference_path_m), REFERENCE_SPACING_M)


class EpisodeMetrics:
    """Metrics of one episode as it goes, updated once a primitive step at the cost of one DTW row.

    A copy is cheap (no array is ever written in place), so a snapshot is a copy.

    An infinite distance to the goal (a position that the navigation field does not reach) keeps the last
    finite one, so that no metric is ever NaN or infinite. That an episode's start reaches its goal is for
    the caller to
    check: the start distance has to be finite.
    """

    def __init__(
        self,
        episode: Episode,
        start_distance_m: float | None,
        start_position_m: np.ndarray | None = None,
        needs_target: bool = False,
    ) -> None:
        """Begin at the start, which is the first point of the path.

        Args:
            episode: Its goal, radius (success distance) and references are used.
            start_distance_m: Walking distance from start to goal; None for an episode without a goal.
            start_position_m: (3,) where the agent really starts; None takes the episode's own start.
            needs_target: Whether success also asks for the target object in view at the stop.

        Raises:
            ValueError: If the start distance and the goal don't go together, the distance is not finite, or
                the episode has a goal and no reference.
        """
        if (start_distance_m is None) != (episode.goal_position_m is None):
            raise ValueError(
                f"episode {episode.episode_id!r}: expected a start distance if and only if it has a goal, "
                f"got {start_distance_m} with goal {episode.goal_position_m}"
            )
        if start_distance_m is not None and not (math.isfinite(start_distance_m) and start_distance_m >= 0.0):
            raise ValueError(
                f"episode {episode.episode_id!r}: expected a finite walking distance from start to goal, got "
                f"{start_distance_m}; the goal can't be reached"
            )
        start = episode.start_position_m if start_position_m is None else start_position_m
        self._position_m = np.array(start, dtype=np.float64)
        self.success_distance_m = episode.goal_radius_m
        self.start_distance_m = start_distance_m
        self.distance_m = start_distance_m
        self.steps = 0
        """Primitive steps so far, STOP included."""
        self.collisions = 0
        """Steps that an obstacle blocked."""
        self.path_length_m = 0.0
        self.has_stopped = False
        self.needs_target = needs_target
        self.target_in_view = False
        """Whether the target object was in view at STOP."""
        self.is_over = False
        self.has_been_near = False
        self.oracle_spl = 0.0
        if start_distance_m is None:
            return
        self._reference_m = reference_of(episode)
        self._reference_length_m = path_length(self._reference_m)
        self._row, self._nearest_m = _dtw_row(
            _first_row(len(self._reference_m)), self._reference_m, self._position_m
        )
        self._route_m = np.array(episode.reference_path_m or episode.gt_locations_m, dtype=np.float64)
        self._route_points_m = resample_route(self._route_m)
        self._first_pointer = self._pointer = start_pointer(self._route_points_m, self._position_m)
        self._note_distance()

    def update(
        self,
        position_m: np.ndarray,
        distance_to_goal_m: float | None,
        collided: bool,
        has_stopped: bool,
        is_over: bool,
        target_in_view: bool = False,
    ) -> None:
        """Take in one primitive step.

        Args:
            position_m: (3,) the agent after the step.
            distance_to_goal_m: Walking distance from there; None for an episode without a goal. Infinite
                keeps the last finite one.
            collided: Whether the step was blocked.
            has_stopped: Whether the step was STOP.
            is_over: Whether the episode ended with it, by STOP or otherwise.
            target_in_view: Whether the target object is in view at this stop.

        Raises:
            ValueError: If the distance is missing or given against the episode's having a goal, or a position
                is not finite.
        """
        position_m = np.array(position_m, dtype=np.float64)
        if position_m.shape != (3,) or not np.isfinite(position_m).all():
            raise ValueError(f"position_m must be three finite numbers, got {position_m}")
        if (distance_to_goal_m is None) != (self.start_distance_m is None):
            raise ValueError(
                f"expected a distance to the goal just when the episode has one, got {distance_to_goal_m}"
            )
        self.steps += 1
        self.collisions += bool(collided)
        self.has_stopped = self.has_stopped or bool(has_stopped)
        self.target_in_view = self.target_in_view or bool(target_in_view)
        self.is_over = self.is_over or bool(is_over) or self.has_stopped
        has_moved = not np.array_equal(position_m, self._position_m)
        if has_moved:
            self.path_length_m += math.dist(position_m, self._position_m)
            self._position_m = position_m
        if self.start_distance_m is None:
            return
        if distance_to_goal_m is not None and math.isfinite(distance_to_goal_m):
            self.distance_m = float(distance_to_goal_m)
        if has_moved:
            self._row, nearest_m = _dtw_row(self._row, self._reference_m, position_m)
            self._nearest_m = np.minimum(self._nearest_m, nearest_m)
            self._pointer = advance_route(self._route_points_m, self._pointer, position_m)
        self._note_distance()

    def change_world(self, distance_to_goal_m: float | None) -> None:
        """Take in that the world changed around the agent: the distance is another, no step was made.

        Args:
            distance_to_goal_m: Walking distance as the world is now; infinite or None keeps the last one.
        """
        if self.start_distance_m is None or distance_to_goal_m is None:
            return
        if math.isfinite(distance_to_goal_m):
            self.distance_m = float(distance_to_goal_m)
        self._note_distance()

    def _note_distance(self) -> None:
        assert self.distance_m is not None
        assert self.start_distance_m is not None
        if self.distance_m < self.success_distance_m:
            self.has_been_near = True
            self.oracle_spl = max(self.oracle_spl, spl(True, self.start_distance_m, self.path_length_m))

    @property
    def lenient_success(self) -> bool:
        """STOP was called within the success distance of the goal, whatever was in view there."""
        return self.has_stopped and self.distance_m is not None and self.distance_m < self.success_distance_m

    @property
    def is_success(self) -> bool:
        """STOP was called within the success distance of the goal, the target in view if need be (SR)."""
        return self.lenient_success and (self.target_in_view or not self.needs_target)

    @property
    def spl(self) -> float:
        """SPL so far."""
        return spl(self.is_success, self.start_distance_m or 0.0, self.path_length_m)

    @property
    def ndtw(self) -> float:
        """The nDTW of the path so far; 0 without a goal."""
        if self.start_distance_m is None:
            return 0.0
        return math.exp(-float(self._row[-1]) / (len(self._reference_m) * self.success_distance_m))

    @property
    def cls(self) -> float:
        """CLS of the path so far; 0 without a goal."""
        if self.start_distance_m is None:
            return 0.0
        coverage = float(np.exp(self._nearest_m / -self.success_distance_m).mean())
        return coverage * length_score(coverage, self.path_length_m, self._reference_length_m)

    @property
    def route_completion(self) -> float:
        """Fraction of the reference route completed, `rewards.route_completion`; 0 without a goal."""
        if self.start_distance_m is None:
            return 0.0
        return route_progress(self._pointer, self._first_pointer, len(self._route_points_m))

    def scalars(self) -> dict[str, float | int | bool]:
        """The metrics by their `info` keys; for an episode without a goal those that need none.

        `oracle_spl` is the best SPL that stopping at any time so far would have given. (VLN-CE's maximum over
        time of the SPL with STOP called is the SPL itself.)
        """
        values: dict[str, float | int | bool] = {
            "steps": self.steps,
            "path_length": self.path_length_m,
            "collisions": self.collisions,
        }
        if self.distance_m is None:
            return values
        ndtw_value, is_success = self.ndtw, self.is_success
        values.update(
            distance_to_goal=self.distance_m,
            is_success=is_success,
            oracle_success=self.has_been_near,
            spl=self.spl,
            oracle_spl=self.oracle_spl,
            ndtw=ndtw_value,
            sdtw=ndtw_value if is_success else 0.0,
            cls=self.cls,
            route_completion=self.route_completion,
        )
        return values

    def step_facts(self, before: EpisodeMetrics) -> StepFacts:
        """What happened since `before`, an earlier copy of these metrics: the input of the rewards."""
        ndtw_value, is_success = self.ndtw, self.is_success
        has_goal = self.start_distance_m is not None
        return StepFacts(
            route_completion_before=before.route_completion,
            route_completion=self.route_completion,
            geodesic_before_m=before.distance_m,
            geodesic_m=self.distance_m,
            start_geodesic_m=self.start_distance_m,
            path_length_m=self.path_length_m,
            is_success=is_success,
            spl=self.spl,
            ndtw=ndtw_value,
            sdtw=ndtw_value if is_success else 0.0,
            collided=self.collisions > before.collisions,
            off_route_m=distance_to_route(self._position_m, self._route_m) if has_goal else 0.0,
            has_stopped=self.has_stopped,
            is_over=self.is_over,
        )

    def copy(self) -> EpisodeMetrics:
        """Independent metrics in the same state."""
        return copy.copy(self)


def _first_row(length: int) -> np.ndarray:
    """The DTW row before the first point: entering at the first reference point is free, elsewhere barred."""
    row = np.full(length + 1, np.inf)
    row[0] = 0.0
    return row


@njit(cache=True)
def _dtw_row(
    previous: np.ndarray, reference_m: np.ndarray, point_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # pragma: no cover (compiled)
    """The DTW row (r + 1,) after one more point of the path, and that point's distances (r,)."""
    count = len(reference_m)
    row = np.empty(count + 1)
    distance_m = np.empty(count)
    row[0] = np.inf
    for index in range(count):
        x = reference_m[index, 0] - point_m[0]
        y = reference_m[index, 1] - point_m[1]
        z = reference_m[index, 2] - point_m[2]
        distance_m[index] = math.sqrt(x * x + y * y + z * z)
        best = min(previous[index + 1], min(previous[index], row[index]))
        row[index + 1] = distance_m[index] + best
    return row, distance_m


def _points(value: np.ndarray, name: str) -> np.ndarray:
    points = np.ascontiguousarray(value, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"{name} must have shape (n, 3) with n >= 1, got {points.shape}")
    return points
