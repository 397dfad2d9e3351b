"""Action modes: what an agent says, and the primitive steps it stands for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from vlnenv.errors import unknown_name

STOP, FORWARD, LEFT, RIGHT = range(4)
"""The discrete actions of VLN-CE."""

HISTORY = 4
"""How many past actions an observation carries."""


class Primitive(NamedTuple):
    """One counted step: a turn, then a move ahead."""

    turn_rad: float
    """Counter-clockwise, so positive is left."""
    forward_m: float


Plan = tuple[Primitive, ...]
"""The primitive steps of one action; the empty plan is STOP."""


class ActionMode(ABC):
    """Translates the actions of one space into plans."""

    space: spaces.Space
    """Action space of one environment."""
    history_space: spaces.Box
    """Space of the last four actions, oldest first."""

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        self.forward_m = forward_m
        self.turn_rad = turn_rad

    @abstractmethod
    def plan(self, action: Any) -> Plan:
        """The primitive steps that `action` stands for.

        Raises:
            ValueError: If the action is not in the space (wrong shape, out of range, NaN or infinite).
        """

    def empty_history(self) -> np.ndarray:
        """History before the first action: every entry is the space's lowest value, kept for "none"."""
        return self.history_space.low.copy()

    def push(self, history: np.ndarray, action: Any) -> np.ndarray:
        """A new history with `action` as its last row; `history` is left alone."""
        entry = np.asarray(action, dtype=history.dtype).reshape(1, *history.shape[1:])
        return np.concatenate([history[1:], entry])


class DiscreteActions(ActionMode):
    """0 stop, 1 forward, 2 left, 3 right: VLN-CE's own."""

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        self.space = spaces.Discrete(4)
        self.history_space = spaces.Box(-1, 3, (HISTORY,), np.int64)
        self._plans: dict[int, Plan] = {
            STOP: (),
            FORWARD: (Primitive(0.0, forward_m),),
            LEFT: (Primitive(turn_rad, 0.0),),
            RIGHT: (Primitive(-turn_rad, 0.0),),
        }

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`."""
        value = np.asarray(action)
        if value.shape not in ((), (1,)) or not np.issubdtype(value.dtype, np.integer):
            raise ValueError(
                f"a discrete action is one integer 0 stop, 1 forward, 2 left or 3 right, got {action!r}"
            )
        code = int(value.reshape(()))
        if code not in self._plans:
            raise ValueError(f"a discrete action is 0 stop, 1 forward, 2 left or 3 right, got {code}")
        return self._plans[code]


class MacroActions(ActionMode):
    """[stop, turn, moves]: turn by a multiple of the turn step, then walk ahead a number of steps."""

    MAX_MOVES = 12

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        self.headings = round(2.0 * math.pi / turn_rad)
        self._choices = np.array([2, self.headings, self.MAX_MOVES + 1])
        self.space = spaces.MultiDiscrete(self._choices)
        high = np.tile(self._choices - 1, (HISTORY, 1)).astype(np.int64)
        self.history_space = spaces.Box(np.full_like(high, -1), high, dtype=np.int64)

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`."""
        value = np.asarray(action)
        if value.shape != (3,) or not np.issubdtype(value.dtype, np.integer):
            raise ValueError(f"a macro action is three integers [stop, turn, moves], got {action!r}")
        if (value < 0).any() or (value >= self._choices).any():
            raise ValueError(
                "a macro action [stop, turn, moves] must be at least 0 and below "
                f"{self._choices.tolist()}, got {value.tolist()}"
            )
        stop, turn, moves = (int(part) for part in value)
        if stop:
            return ()
        # 1..half turns left; above half the shorter way round is to the right.
        turns = turn if turn <= self.headings // 2 else turn - self.headings
        step = math.copysign(self.turn_rad, turns)
        plan = (Primitive(step, 0.0),) * abs(turns) + (Primitive(0.0, self.forward_m),) * moves
        return plan or (Primitive(0.0, 0.0),)


class WaypointActions(ActionMode):
    """[heading, distance], each scaled to [-1, 1] as learners want it.

    The agent turns by heading * pi (left positive), then walks (distance + 1) / 2 * 3 m. A walk below 0.1 m
    is STOP, so that a policy of two numbers needs no third. `waypoint` scales radians and metres.
    """

    MAX_DISTANCE_M = 3.0
    STOP_BELOW_M = 0.1

    def __init__(self, forward_m: float, turn_rad: float) -> None:
        super().__init__(forward_m, turn_rad)
        self.space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.history_space = spaces.Box(-1.0, 1.0, (HISTORY, 2), np.float32)

    def plan(self, action: Any) -> Plan:
        """See `ActionMode.plan`. Long turns and walks are cut into steps of the protocol's size."""
        value = np.asarray(action, dtype=np.float64)
        if value.shape != (2,):
            raise ValueError(f"a waypoint is [heading, distance], got an array of shape {value.shape}")
        if not (np.abs(value) <= 1.0).all():
            raise ValueError(f"a waypoint [heading, distance] must lie in [-1, 1], got {value.tolist()}")
        heading_rad = float(value[0]) * math.pi
        distance_m = (float(value[1]) + 1.0) / 2.0 * self.MAX_DISTANCE_M
        if distance_m < self.STOP_BELOW_M:
            return ()
        # A hair below the ratio, so that 0.25 m asked for in float32 is one step and not two.
        turns = math.ceil(abs(heading_rad) / self.turn_rad - 1e-5)
        moves = math.ceil(distance_m / self.forward_m - 1e-5)
        turn = tuple(Primitive(heading_rad / turns, 0.0) for _ in range(turns))
        return turn + tuple(Primitive(0.0, distance_m / moves) for _ in range(moves))


def waypoint(heading_rad: float, distance_m: float) -> np.ndarray:
    """The action of the waypoint mode for a turn in [-pi, pi] and a walk in [0, 3] metres, float32 (2,)."""
    scaled = [heading_rad / math.pi, 2.0 * distance_m / WaypointActions.MAX_DISTANCE_M - 1.0]
    return np.array(scaled, dtype=np.float32)


ACTION_MODES: dict[str, type[ActionMode]] = {
    "discrete": DiscreteActions,
    "macro": MacroActions,
    "waypoint": WaypointActions,
}


def make_action_mode(name: str, forward_m: float, turn_deg: float) -> ActionMode:
    """The action mode of that name, with the task's step sizes.

    Raises:
        ValueError: If there is none; the message names the nearest one.
    """
    if name not in ACTION_MODES:
        raise ValueError(unknown_name("action mode", name, ACTION_MODES))
    return ACTION_MODES[name](forward_m, math.radians(turn_deg))
