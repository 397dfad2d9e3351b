"""Protocol cards: the named, hashed settings under which results of a task compare."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from vlnenv.errors import unknown_name
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import AgentBody

_NO_PROTOCOL = ("style", "not_modelled")
"""Fields of a card that move no number on the task's own data set: they are not hashed."""


@dataclass(frozen=True)
class Task:
    """All of a benchmark's protocol that moves its numbers; results compare if the hashes agree."""

    name: str
    dataset: str
    """The data set that the task is defined on; "houses" stands in where it is not installed."""
    style: str = "r2r"
    """What instructions the built-in houses stand in with: "r2r", "reverie" or "navrag"."""
    forward_m: float = 0.25
    """One forward step, metres."""
    turn_deg: float = 15.0
    """One turn step, degrees."""
    max_steps: int = 500
    """Primitive steps, STOP included, after which an episode is truncated."""
    success_distance_m: float = 3.0
    """An episode succeeds when STOP is called nearer to its goal than this, metres of walking distance."""
    target_distance_m: float | None = None
    """Success also needs the target object in view within this distance of the stop, metres, in whatever
    direction; None where the distance to the goal alone decides."""
    sliding: bool = True
    """Whether a blocked step slides along the obstacle."""
    camera: Camera = field(default_factory=Camera)
    """RGB-D camera of the protocol."""
    body: AgentBody = field(default_factory=AgentBody)
    not_modelled: tuple[str, ...] = ()
    """What the benchmark's own protocol has and this one has not."""

    @property
    def hash(self) -> str:
        """First 12 hexadecimal digits of the SHA-256 of the JSON of the card's protocol."""
        protocol = {name: value for name, value in asdict(self).items() if name not in _NO_PROTOCOL}
        text = json.dumps(protocol, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


_CARDS = (
    # VLN-CE's R2R configuration (Krantz et al., 2020): 0.25 m, 15 degrees, 500 steps, sliding on, camera at
    # 1.25 m with 90 degrees, depth up to 10 m, body of 0.1 x 1.5 m, success below 3 m and STOP called.
    Task(name="R2RCE", dataset="r2r_ce"),
    # VLN-CE's RxR configuration (rxr_vlnce_english_task.yaml), the RxR-Habitat Challenge's agent: no sliding,
    # turns of 30 degrees, 640 x 480 pixels with 79 degrees, depth 0.5 to 5 m, body and camera at 0.88 m.
    # Instructions are in English (en-US, en-IN), Hindi (hi-IN) and Telugu (te-IN).
    Task(
        name="RxRCE",
        dataset="rxr_ce",
        turn_deg=30.0,
        sliding=False,
        camera=Camera(640, 480, hfov_deg=79.0, height_m=0.88, min_depth_m=0.5, max_depth_m=5.0),
        body=AgentBody(radius_m=0.18, height_m=0.88),
        not_modelled=(
            "LOOK_UP and LOOK_DOWN by 30 degrees: the camera stays level",
            "the token memory sees a square image of the camera's horizontal field of view, taller than 4:3",
        ),
    ),
    # REVERIE made continuous (Dynam3D's discrete_to_CE) with R2R-CE's agent. The discrete task's success
    # asks for a viewpoint from which the target object is visible, whose lists end at 3 m; looked for all
    # around, as its panoramas are. Dynam3D counts the distance alone: `lenient_success`.
    Task(
        name="REVERIECE",
        dataset="reverie_ce",
        style="reverie",
        target_distance_m=3.0,
        not_modelled=("grounding: the agent names no object, so there is no RGS and no RGSPL",),
    ),
    # NavRAG made continuous with R2R-CE's agent; its own repository counts the distance alone, too.
    Task(name="NavRAGCE", dataset="navrag_ce", style="navrag"),
)

TASKS: dict[str, Task] = {card.name: card for card in _CARDS}
"""Every protocol card by name; `gym.make` knows each as "<name>-v0"."""


def get_task(name: str) -> Task:
    """The protocol card of that name.

    Raises:
        ValueError: If there is none; the message names the nearest one.
    """
    if name not in TASKS:
        raise ValueError(unknown_name("task", name, TASKS))
    return TASKS[name]
