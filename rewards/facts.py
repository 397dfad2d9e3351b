"""What one step of an episode achieved: the only input of every reward."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StepFacts:
    """Facts of one environment step, from the state before it to the state after it. Distances in metres."""

    route_completion_before: float
    """Fraction of the reference route completed before the step, [0, 1]; see `route_completion`."""
    route_completion: float
    """The same after the step; never less."""
    geodesic_before_m: float | None
    """Walking distance to the goal before the step. None where the goal is not public (a test split)."""
    geodesic_m: float | None
    """Walking distance to the goal after the step, or None."""
    start_geodesic_m: float | None
    """Walking distance from the start of the episode to the goal, or None."""
    path_length_m: float
    """Length of the path walked since the start."""
    is_success: bool
    """STOP was called within the success distance."""
    spl: float
    """Success weighted by path length so far, [0, 1]; 0 without success."""
    ndtw: float
    """Normalised dynamic time warping of the path so far with the reference, [0, 1]."""
    sdtw: float
    """`ndtw` with success, else 0."""
    collided: bool
    """The step was blocked by an obstacle, wholly or in part."""
    off_route_m: float
    """Straight-line distance from the agent to the reference route after the step."""
    has_stopped: bool
    """STOP was called."""
    is_over: bool
    """The episode ended with this step, for whatever reason."""

    @property
    def is_goal_known(self) -> bool:
        """Whether the goal is public; where it is not, every reward is 0."""
        return self.geodesic_m is not None
