"""Single terms of a reward: pure functions of one step's facts, without their weights."""

from __future__ import annotations

from rewards.facts import StepFacts

FREE_OFF_ROUTE_M = 0.5
FADE_OFF_ROUTE_M = 2.0
COLLISION_FACTOR = 0.5


def route_gain(facts: StepFacts) -> float:
    """Route completed by this step, times soft penalties in [0, 1] for being off the route and for colliding.

    Sums to at most 1 over an episode. Source: CaRL (Jaeger et al. 2025), r = delta RC * product
    of soft penalties; the two penalties are ours, since CaRL's are of driving.
    """
    gain = facts.route_completion - facts.route_completion_before
    return gain * off_route_factor(facts.off_route_m) * (COLLISION_FACTOR if facts.collided else 1.0)


def off_route_factor(off_route_m: float) -> float:
    """Soft penalty: 1 within 0.5 m of the route, falling linearly to 0 at 2.5 m."""
    return min(1.0, max(0.0, 1.0 - (off_route_m - FREE_OFF_ROUTE_M) / FADE_OFF_ROUTE_M))


def failure(facts: StepFacts) -> float:
    """1 when the episode ends without success, by STOP away from the goal or by running out of steps; else 0.

    Source: CaRL's terminal penalty (Jaeger et al. 2025), with a wrong STOP as the
    hard infraction. Unlike CaRL, running out of time costs it too: an agent that never stops would go free.
    """
    return float(facts.is_over and not facts.is_success)


def geodesic_progress(facts: StepFacts) -> float:
    """Metres of walking distance to the goal gained by this step; negative when it grew.

    Source: VLN-CE waypoint models (Krantz et al. 2021), delta geodesic.
    """
    if facts.geodesic_before_m is None or facts.geodesic_m is None:
        return 0.0
    return facts.geodesic_before_m - facts.geodesic_m


def success(facts: StepFacts) -> float:
    """1 when the episode ends in success, else 0."""
    return float(facts.is_over and facts.is_success)


def spl(facts: StepFacts) -> float:
    """SPL when the episode ends, else 0."""
    return facts.spl if facts.is_over else 0.0


def ndtw(facts: StepFacts) -> float:
    """The nDTW of the path when the episode ends, else 0. Source: ETP-R1 on RxR."""
    return facts.ndtw if facts.is_over else 0.0


def sdtw(facts: StepFacts) -> float:
    """The SDTW of the path when the episode ends, else 0. Source: ETP-R1 on RxR."""
    return facts.sdtw if facts.is_over else 0.0


def near_goal(facts: StepFacts) -> float:
    """1 when the episode ends within 1.5 m of walking from the goal, else 0. Source: ETP-R1."""
    return float(facts.is_over and facts.geodesic_m is not None and facts.geodesic_m <= 1.5)


def goal_nearness(facts: StepFacts) -> float:
    """1 - d / 6 when the episode ends d metres of walking from the goal, else 0; falls below 0 beyond 6 m.

    Source: ETP-R1.
    """
    return 1.0 - facts.geodesic_m / 6.0 if facts.is_over and facts.geodesic_m is not None else 0.0


def collision(facts: StepFacts) -> float:
    """1 for a step that was blocked, else 0."""
    return float(facts.collided)


def slack(facts: StepFacts) -> float:
    """1 every step; give it a negative weight. Source: VLN-CE waypoint models (Krantz et al. 2021)."""
    return 1.0
