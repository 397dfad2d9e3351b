"""Settings of the recurrent baselines; loads nothing heavy, so that `vlnenv --help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.config import Perception
from vlnenv.errors import unknown_name

NETWORKS = ("seq2seq", "cma")
"""Seq2Seq keeps the instruction's last state; CMA looks into instruction and view with attention."""
BASELINE_LEVELS = ("view", "depth")
"""What a baseline observes, see `agents.environments.make_env`: the view's features, and its depth."""


def current_view() -> Perception:
    """Senses of an agent without a 3D memory: the default encoder, no instances and zones."""
    return Perception(segmenter=None)


@dataclass(frozen=True)
class SequenceConfig:
    """Which episodes are walked through to be learned from, and how."""

    dataset: str = "houses"
    """Data set, as the environment takes it."""
    splits: tuple[str, ...] = ("train",)
    """Its splits; the built-in houses have "train_large", too."""
    scenes: int | None = None
    """Only episodes in the first so many scenes of each split; None takes all."""
    routes: int | None = None
    """How many routes of each split, evenly spread over those; None takes all. A route is walked once a
    round, whatever the number of its instructions."""
    perception: Perception = field(default_factory=current_view)
    wrong_turn: float = 0.1
    """Chance at each decision of a random turn and walk, to come back from."""
    jitter: float = 0.5
    """Chance at each decision of the expert's that it is carried out badly, see `DecisionConfig`."""
    stop_m: float = 1.5
    """The expert stops within this walking distance of the goal."""
    by_route: bool = False
    """Whether the expert returns to the reference route before it goes on to the goal."""
    look_around: bool = True
    """Whether an episode begins with a whole turn, which nothing is decided on; states read all of it."""
    max_decisions: int = 40
    """An episode ends after so many."""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.splits:
            raise ValueError("splits must name at least one split, got none")
        for name in ("wrong_turn", "jitter"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
        for name in ("scenes", "routes", "max_decisions"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")


@dataclass(frozen=True)
class BaselineConfig:
    """Settings of `vlnenv train baseline`."""

    out: str = "runs/baseline"
    """Folder for weights, curves and TensorBoard logs; a run that is there goes on where it stopped. DAgger's
    rounds are in folders inside."""
    network: str = "cma"
    """"cma" or "seq2seq"."""
    data: SequenceConfig = field(default_factory=SequenceConfig)
    dagger: tuple[float, ...] = ()
    """One number a round of DAgger after the first training: the expert's chance to decide in its roll-in.
    Each round adds its sequences, and goes on from the best weights before it."""
    width: int = 256
    """Length of each recurrent state."""
    dropout: float = 0.1
    history_dropout: float = 0.5
    """Chance that a look's previous action is left out, see `NetworkConfig`."""
    updates: int = 6000
    """In each round."""
    batch_size: int = 32
    """Episodes an update."""
    learning_rate: float = 1e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.02
    grad_norm: float = 1.0
    stop_weight: float = 1.0
    """Weight of decisions to stop, for 1 of the others."""
    turn_weight: float = 2.0
    """Weight of the choice of a turn or stop, for 1 of how far to walk."""
    inflection_weight: float = 1.0
    """Weight of decisions of another kind (stop, ahead, left, right) than the action before; VLN-CE has 3.2
    for its single steps, where repeats are the rule."""
    progress_loss: float = 1.0
    """Weight of the progress monitor's error; 0 leaves it out."""
    mirror: float = 0.5
    """Chance that left and right change places in an episode: in view, words and actions."""
    cell_dropout: float = 0.15
    """Mean part of the view's cells that is blanked; an episode's own part is drawn from 0 to twice that."""
    word_dropout: float = 0.05
    """Part of the words that training replaces by "unknown"."""
    text_table: bool = True
    """Start the words from the text table whose space the encoders' features lie in."""
    eval_every: int = 1000
    """Updates between closed-loop validations; the best weights by success rate are kept."""
    eval_dataset: str = "houses"
    eval_split: str = "val_seen"
    """Never the split that results are reported on."""
    eval_episodes: int = 100
    num_envs: int = 16
    """Episodes side by side."""
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(unknown_name("network", self.network, NETWORKS))
        for name in ("updates", "batch_size", "eval_every", "eval_episodes", "num_envs", "threads"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not all(0.0 <= chance <= 1.0 for chance in self.dagger):
            raise ValueError(f"dagger must be chances in [0, 1], got {self.dagger}")
        if self.eval_split == "val_unseen":
            raise ValueError("eval_split chooses the weights, so it must not be val_unseen: use val_seen")
