"""The settings of an environment: what `gym.make` takes as keyword arguments."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from vlnenv.errors import unknown_name
from vlnenv.noise import make_sensor_noise

OBSERVATIONS = ("tokens", "rgbd", "all")
PATCHES = ("panorama", "egocentric")
MEMORY_SCOPES = ("episode", "pre_exploration", "lifelong")


@dataclass(frozen=True)
class EnvConfig:
    """Settings of `VLNEnv` and `VLNVectorEnv`, all plain values, so that an `EnvSpec` survives JSON."""

    task: str = "R2RCE"
    """Protocol card, see `vlnenv.tasks`."""
    split: str = "train"
    """Split of the data set."""
    dataset: str = "auto"
    """"auto" (the task's own where installed, else "houses"), "houses", "r2r_ce", or an episode file."""
    data_dir: str | None = None
    """Folder of data sets and scenes; None reads VLNENV_DATA, else ./data."""
    episodes: list[str] | None = None
    """Episode ids to draw from; None draws from the whole split."""
    observation: str = "tokens"
    """"tokens" (3D token memory), "rgbd" (camera images) or "all"."""
    action: str = "discrete"
    """"discrete", "macro" or "waypoint", see `vlnenv.actions`."""
    encoder: str = "semantic"
    """Patch encoder of the memory. "semantic" is privileged: it reads the simulator's class names."""
    patches: str = "panorama"
    """Patch tokens: the "panorama" around the agent out of the memory, or the "egocentric" current view."""
    reward: Any = "route_completion"
    """A preset of `rewards`, or a callable on `rewards.StepFacts`."""
    image_size: int | None = None
    """Width and height of `rgb` and `depth` in pixels; None takes the task's."""
    max_steps: int | None = None
    """Primitive steps before truncation; None takes the task's."""
    sliding: bool | None = None
    """Whether blocked steps slide; None takes the task's."""
    device: str = "cpu"
    """Torch device of encoder and memory."""
    memory_scope: str = "episode"
    """What a memory holds when an episode begins: "episode" (nothing), "pre_exploration" (what a tour of the
    unedited scene saw: privileged set-up, see `vlnenv.sim.tour`) or "lifelong" (what the slot remembers from
    its last episode, if that was in the same scene)."""
    keep_edits: bool = False
    """Whether edits of a slot's scene stay when its next episode begins in the same scene."""
    sensor_noise: Any = None
    """Errors of the pose and the depth that agents are told: fields of `vlnenv.noise.SensorNoise` as a
    dictionary (`{}` takes its defaults: +-5 cm, +-3 degrees, a Kinect's depth); None for none."""

    def __post_init__(self) -> None:
        make_sensor_noise(self.sensor_noise)
        for name, known in (
            ("observation", OBSERVATIONS),
            ("patches", PATCHES),
            ("memory_scope", MEMORY_SCOPES),
        ):
            if getattr(self, name) not in known:
                raise ValueError(unknown_name(name, getattr(self, name), known))
        for name in ("image_size", "max_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.episodes is not None and len(self.episodes) == 0:
            raise ValueError(
                "episodes must name at least one episode id, got none; None means the whole split"
            )

    @property
    def uses_tokens(self) -> bool:
        """Whether the token memory runs."""
        return self.observation in ("tokens", "all")

    @property
    def uses_images(self) -> bool:
        """Whether camera images are observed."""
        return self.observation in ("rgbd", "all")


def make_config(settings: dict[str, Any]) -> EnvConfig:
    """An `EnvConfig` from keyword arguments.

    Raises:
        TypeError: If a keyword is not a setting; the message names the nearest one.
    """
    known = [field.name for field in fields(EnvConfig)]
    for name in settings:
        if name not in known:
            raise TypeError(unknown_name("environment setting", name, known, limit=len(known)))
    return EnvConfig(**settings)
