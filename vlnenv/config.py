"""The settings of an environment: what `gym.make` takes as keyword arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from vlnenv.errors import unknown_name
from vlnenv.noise import make_sensor_noise
from vlnenv.simulators import check_simulator

if TYPE_CHECKING:
    from vlnenv.memory import MemoryConfig

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
    """"auto" (the task's own where installed, else "houses"), "houses", "r2r_ce" or another name of
    `vlnenv.datasets`, or an episode file."""
    data_dir: str | None = None
    """Folder of data sets and scenes; None reads VLNENV_DATA, else ./data."""
    episodes: list[str] | None = None
    """Episode ids to draw from; None draws from the whole split."""
    languages: list[str] | None = None
    """Languages of the instructions to draw from, RxR's "en-US", "hi-IN"; "en" stands for every English. None
    takes all."""
    simulator: str = "embree"
    """"embree", "habitat", or "habitat:/path/to/python" for a habitat-sim of another Python."""
    observation: str = "tokens"
    """"tokens" (3D token memory), "rgbd" (camera images) or "all"."""
    action: str = "discrete"
    """"discrete", "macro" or "waypoint", see `vlnenv.actions`."""
    encoder: str = "mini"
    """Patch encoder of the memory, see `vlnenv.memory.make_encoder`: "mini" (shipped, sees RGB-D), "clip" (of
    transformers; "clip:FOLDER" for another) or "semantic" (privileged: the simulator's class names)."""
    segmenter: str | None = "patchgraph"
    """Cuts views into the segments that instances are made of, see `vlnenv.memory.segmenters`; None for no
    instances and no zones. "oracle" is privileged: it reads the simulator's instance ids."""
    levels: str = "auto"
    """What encodes and merges instances and zones: "learned" (shipped weights, for "mini"), "mean" (no
    parameters) or "auto" (learned where it fits)."""
    memory: dict[str, Any] | None = None
    """Fields of `vlnenv.memory.MemoryConfig` that are to differ from its defaults, but `patches`, which is a
    setting of its own."""
    patches: str = "panorama"
    """Patch tokens: the "panorama" around the agent out of the memory, or the "egocentric" current view."""
    reward: Any = "route_completion"
    """A preset of `rewards`, or a callable on `rewards.StepFacts`."""
    image_size: int | None = None
    """Width and height of `rgb` and `depth` in pixels, a square; None takes the task's."""
    max_steps: int | None = None
    """Primitive steps before truncation; None takes the task's."""
    sliding: bool | None = None
    """Whether blocked steps slide; None takes the task's."""
    device: str = "cpu"
    """Torch device of encoder, segmenter and memory."""
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
        check_simulator(self.simulator)
        if self.memory is not None:
            self.memory_config()
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
        for name, what in (("episodes", "episode id"), ("languages", "language")):
            value = getattr(self, name)
            if value is not None and len(value) == 0:
                raise ValueError(
                    f"{name} must name at least one {what}, got none; None means the whole split"
                )

    def memory_config(self) -> MemoryConfig:
        """The memory's limits and thresholds.

        Raises:
            TypeError: If `memory` is no mapping, or has a key or a type that is no field's.
            ValueError: If a value is out of range, or `memory` sets `patches`.
        """
        from vlnenv.memory.config import MemoryConfig  # loads torch, which images alone do without

        if self.memory is None:
            return MemoryConfig(patches=self.patches)
        if not isinstance(self.memory, Mapping):
            raise TypeError(f"memory must be None or a dict of MemoryConfig's fields, got {self.memory!r}")
        defaults = {field.name: field.default for field in fields(MemoryConfig)}
        for name, value in self.memory.items():
            if name not in defaults:
                raise TypeError(unknown_name("memory setting", name, defaults, limit=len(defaults)))
            kind = type(defaults[name])
            if isinstance(value, bool) or not isinstance(value, int | float if kind is float else kind):
                raise TypeError(f"memory setting {name} must be of type {kind.__name__}, got {value!r}")
        if "patches" in self.memory:
            raise ValueError("memory must not hold 'patches': set the environment's own argument patches")
        return MemoryConfig(patches=self.patches, **self.memory)

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
