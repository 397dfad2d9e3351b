"""Settings of evaluation and training; loads nothing heavy, so that `vlnenv --help` is quick."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

LEVELS = ("patch", "instance", "zone", "view")
"""Token levels that a policy can read: those of the memory, and "view", the 2D history of
`vlnenv.wrappers.ViewHistoryObservation`."""


@dataclass(frozen=True)
class Perception:
    """What a policy sees with: settings of the environment, the same in use as in training."""

    encoder: str = "mini"
    """Patch encoder; "semantic" is privileged, it reads the simulator's class names."""
    segmenter: str | None = "patchgraph"
    """Cuts views into instances; None for no instances and zones. "oracle" is privileged."""
    levels: str = "auto"
    """What encodes and merges instances and zones: "learned", "mean" or "auto"."""
    patches: str = "panorama"
    """Patches out of the memory around the agent, or the "egocentric" current view's alone."""
    memory: tyro.conf.Suppress[dict[str, Any] | None] = None
    """Fields of `vlnenv.memory.MemoryConfig` that differ from its defaults. Demonstrations, and what is
    trained on them, state them all: they mean the same when a default has changed."""

    def settings(self) -> dict[str, Any]:
        """Arguments of the environment."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class EvaluationConfig:
    """Settings of `vlnenv eval`."""

    agent: str = "random"
    """A shipped agent's name, a policy's .safetensors file, or module:attribute."""
    task: str = "R2RCE"
    """Protocol card: "R2RCE", "RxRCE", "REVERIECE" or "NavRAGCE"."""
    dataset: str = "houses"
    """"houses", "auto" (the task's own, if it is installed), its name, or the path of an episode file."""
    split: str = "val_unseen"
    languages: list[str] | None = None
    """Languages of the instructions; "en" is every English; None runs all."""
    episodes: int | None = None
    """How many episodes, evenly spread over the split; None runs all."""
    num_envs: int = 8
    """Episodes side by side; results do not depend on it."""
    out: str | None = None
    """Folder for the results; a run that was cut off goes on. None makes one below runs/eval."""
    encoder: str | None = None
    """Patch encoder; None takes what the agent was trained with, else the environment's default. "semantic"
    is privileged, it reads the simulator's class names."""
    memory_scope: str = "episode"
    """What a memory holds when an episode begins: "episode", "pre_exploration" or "lifelong". With the last
    one, a slot runs the episodes of a scene in a row, in their order."""
    temperature: float = 0.0
    """For trained policies: 0 takes the best action, else actions are drawn."""
    max_steps: int | None = None
    """Steps before an episode is cut; None takes the task's 500."""
    threads: int = 1
    """Torch threads. More than the free cores makes it many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("episodes", "num_envs", "max_steps", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")

    @property
    def folder(self) -> Path:
        """Where the results go."""
        if self.out is not None:
            return Path(self.out)
        agent, dataset = (Path(name).name.replace(":", ".") for name in (self.agent, self.dataset))
        of = [
            agent,
            *([] if self.task == "R2RCE" else [self.task]),
            dataset,
            self.split,
            *(self.languages or []),
        ]
        return Path("runs/eval") / "-".join([*of, str(self.episodes or "all"), str(self.seed)])


@dataclass(frozen=True)
class DemonstrationConfig:
    """Which episodes are demonstrated, and how."""

    dataset: str = "houses"
    """Data set, as the environment takes it."""
    split: str = "train"
    scenes: int | None = None
    """Only episodes in the first so many scenes of the split; None takes all."""
    episodes: int | None = None
    """How many episodes, evenly spread over those; None takes all."""
    passes: int = 1
    """Times that each episode is demonstrated, each time with other disturbances."""
    disturbance: float = 0.08
    """Chance at each step that a disturbance of a few equal, arbitrary actions begins."""
    keep: float = 0.5
    """Part of the steps that is kept (neighbours are nearly alike); steps that stop are always kept."""
    stop_m: float = 1.0
    """Steps within this walking distance of the goal are labelled STOP, though the expert walks on to the
    goal: one STOP an episode, within centimetres of the goal, is too little to learn from."""
    perception: Perception = field(default_factory=Perception)
    """What the demonstrations are seen with."""
    views: bool = True
    """Whether the last views are kept, too: a policy of level "view" can then learn from the same steps."""
    max_steps: int = 250
    """An episode that takes longer is cut."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("disturbance", "keep"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("scenes", "episodes", "passes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")


@dataclass(frozen=True)
class ImitationConfig:
    """Settings of `vlnenv train bc`."""

    out: str = "runs/bc"
    """Folder for weights, curves and TensorBoard logs; a run that is there goes on where it stopped."""
    data: DemonstrationConfig = field(default_factory=DemonstrationConfig)
    levels: tuple[str, ...] = ("patch", "instance", "zone")
    """Tokens that the policy reads: of "patch", "instance", "zone" (the 3D memory) and "view" (the last views
    without poses and depth: a 2D agent)."""
    updates: int = 6000
    batch_size: int = 256
    learning_rate: float = 1e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.02
    grad_norm: float = 1.0
    class_balance: float = 0.4
    """Labels weigh frequency ** -class_balance: 0 is not at all, 1 fully, which would overdo STOP."""
    goal_loss: float = 0.1
    """Weight of predicting where the goal is, which only helps the features to form."""
    word_dropout: float = 0.05
    """Part of the words that training replaces by "unknown"."""
    text_table: bool = True
    """Start the words from the text table whose space the encoders' features lie in, where sizes fit."""
    width: int = 64
    dropout: float = 0.1
    train_tokens: int = 192
    """Memory tokens read per sample in training."""
    eval_every: int = 1000
    """Updates between closed-loop validations; the best weights by success rate are kept."""
    eval_split: str = "val_seen"
    """Never the split that results are reported on."""
    eval_episodes: int = 40
    num_envs: int = 8
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("updates", "batch_size", "eval_every", "eval_episodes", "num_envs", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.eval_split == "val_unseen":
            raise ValueError("eval_split chooses the weights, so it must not be val_unseen: use val_seen")


@dataclass(frozen=True)
class PPOConfig:
    """Settings of `vlnenv train ppo`; the defaults are gentle, for a policy that already walks."""

    start: str = "bc_semantic"
    """Weights to start from, a file or a shipped agent's name; it sees with what it was trained with."""
    out: str = "runs/ppo"
    """Folder for weights, curves and TensorBoard logs; it must not hold a run."""
    dataset: str = "houses"
    split: str = "train"
    episodes: int | None = None
    """How many episodes to train on, evenly spread over the split; None takes all."""
    reward: str = "route_completion"
    """Reward preset."""
    steps: int = 60_000
    """Environment steps in all."""
    num_envs: int = 8
    rollout_steps: int = 128
    """Steps of each environment between updates."""
    batch_size: int = 256
    epochs: int = 3
    learning_rate: float = 5e-5
    critic_learning_rate: float = 1e-3
    clip: float = 0.1
    target_kl: float = 0.015
    entropy: float = 0.005
    gamma: float = 0.99
    gae_lambda: float = 0.95
    trains: str = "all"
    """What PPO moves: "all" weights, or the action "head" alone, which few samples suffice to improve."""
    value_warm_up: int = 5
    """Iterations that train the value alone, before the policy may move."""
    max_steps: int = 200
    """An episode is cut here in training, so that one that is lost does not eat the budget."""
    eval_every: int = 10
    """Iterations between closed-loop validations; the best weights by success rate are kept."""
    eval_split: str = "val_seen"
    eval_episodes: int = 60
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.eval_split == "val_unseen":
            raise ValueError("eval_split chooses the weights, so it must not be val_unseen: use val_seen")
        if self.trains not in ("all", "head"):
            raise ValueError(f"trains must be 'all' or 'head', got {self.trains!r}")
        if self.batch_size > self.num_envs * self.rollout_steps:
            raise ValueError(
                f"batch_size must be at most num_envs * rollout_steps = "
                f"{self.num_envs * self.rollout_steps}, got {self.batch_size}"
            )
