"""Settings of the 3D-VLM's training; loads nothing heavy, so that `vlnenv --help` is quick."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.config import Perception

VLM_LEVELS = ("patch", "instance", "zone", "path")
"""Token levels that the 3D-VLM reads by default."""
BLIND = ("", "instruction", "vision")
"""What a 3D-VLM may be without, for comparison."""


@dataclass(frozen=True)
class DecisionConfig:
    """Which episodes are walked through, and how, to note decisions (`vlnenv train decisions`)."""

    out: str = "runs/decisions"
    """Folder for the decisions; one that is complete is left as it is."""
    dataset: str = "houses"
    """Data set, as the environment takes it."""
    split: str = "train"
    scenes: int | None = None
    """Only episodes in so many scenes of the split, from `first_scene` on; None takes all from there."""
    first_scene: int = 0
    """How many scenes of the split are left out before."""
    routes: int | None = None
    """How many routes, evenly spread over those; None takes all. A route is walked once, whatever the number
    of its instructions (a learner reads another of them in each round)."""
    perception: Perception = field(default_factory=Perception)
    """What the memory is made with; a learner's own must be the same."""
    levels: tuple[str, ...] = VLM_LEVELS
    patch_pool: tuple[int, int] = (4, 2)
    """Rows and columns of the 12 x 48 panorama that become one memory row."""
    learner: str | None = None
    """Folder of the model that decides where the expert doesn't; None for the expert alone."""
    expert: float = 1.0
    """Chance at each decision that the expert's is carried out: DAgger's beta."""
    wrong_turn: float = 0.1
    """Chance at each decision of a random turn and walk, to come back from."""
    jitter: float = 0.5
    """Chance at each decision of the expert's that it is carried out badly: a little off, too far, or not far
    enough."""
    stop_m: float = 1.5
    """The expert stops within this walking distance of the goal."""
    by_route: bool = False
    """Whether the expert returns to the reference route before it goes on to the goal."""
    look_around: bool = True
    """Whether an episode begins with a whole turn: it fills the memory before the first decision."""
    paraphrase: int = 0
    """Which of a route's instructions the learner reads, modulo their number."""
    num_envs: int = 16
    """Episodes side by side."""
    threads: int = 1
    seed: int = 0


@dataclass(frozen=True)
class VLMConfig:
    """Settings of `vlnenv train vlm`: imitation on noted decisions."""

    out: str = "runs/vlm"
    """Folder for weights, curves and TensorBoard logs; a run that is there goes on where it stopped."""
    decisions: tuple[str, ...] = ("runs/decisions",)
    """Folders of decisions; DAgger's rounds add theirs."""
    start: str | None = None
    """Folder of a model to start from, whole or a LoRA adapter; None begins a new one on `backbone`."""
    backbone: str = "tiny"
    """Language model: "tiny", a new one of our own with the sizes below; "smollm2" (SmolLM2-135M); or a
    folder or hub name of a causal LM or a LLaVA. A pretrained one wants `optimizer` "adamw" and a smaller
    `learning_rate`, such as 2e-4 by LoRA, or 5e-5 whole."""
    lora_rank: int = 0
    """Rank of LoRA on the language model (alpha is twice that; the paper's are 128 and 256), with the
    memory's projectors trained whole; 0 trains all weights. An adapter to start from is trained on."""
    hidden_size: int = 128
    """Width of the tiny language model; like `layers` and `heads`, nothing to a pretrained one."""
    layers: int = 3
    heads: int = 2
    queries: int = 24
    """Tokens that the querying transformer makes of the memory; 0 gives every row a token of its own."""
    query_layers: int = 2
    levels: tuple[str, ...] = VLM_LEVELS
    blind: str = ""
    """"instruction" or "vision" leaves that out, for comparison, when it learns and when it acts; a blind
    model to start from stays so."""
    updates: int = 6000
    batch_size: int = 64
    accumulate: int = 1
    """Batches whose gradients one update adds up."""
    optimizer: str = "muon"
    """"muon" (Muon on matrices, AdamW on all else), which learns a new model from fewer samples; or
    "adamw", for pretrained language models and LoRA."""
    learning_rate: float = 3e-3
    """Peak; it rises for the first 3 % of the updates and falls to zero as a cosine."""
    weight_decay: float = 0.05
    grad_norm: float = 1.0
    explained: bool = True
    """Whether an explanation is learned behind each answer."""
    stop_weight: float = 1.0
    """Weight of answers that stop. Above 1 it buys stops that are due with others that are not."""
    first_weight: float = 2.0
    """Weight of an answer's first choice: which way to turn, or to stop."""
    explanation_weight: float = 0.3
    row_dropout: float = 0.15
    word_dropout: float = 0.05
    history_dropout: float = 0.5
    """Chance that a sample's last actions are left out, see `agents.vlm.samples.Augmentation`."""
    mirror: float = 0.5
    jepa_weight: float = 0.0
    """Weight of the auxiliary objective, which predicts the next decision's memory; 0 is without."""
    jepa_decay: float = 0.996
    """How much of the auxiliary targets' slow network stays at each update."""
    eval_every: int = 2000
    """Updates between closed-loop validations; the best weights by success rate are kept."""
    save_every: int = 500
    """Updates after which a run is saved, as it is where it is validated: from there one that was cut
    off goes on."""
    eval_dataset: str = "houses"
    eval_split: str = "val_seen"
    """Never the split that results are reported on."""
    eval_episodes: int = 100
    num_envs: int = 16
    threads: int = 1
    """Torch threads. More than the free cores makes training many times slower."""
    seed: int = 0

    def __post_init__(self) -> None:
        counts = (
            "updates",
            "batch_size",
            "accumulate",
            "eval_every",
            "save_every",
            "eval_episodes",
            "threads",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.optimizer not in ("muon", "adamw"):
            raise ValueError(f"optimizer must be 'muon' or 'adamw', got {self.optimizer!r}")
        if self.lora_rank < 0:
            raise ValueError(f"lora_rank must be at least 0 (all weights), got {self.lora_rank}")
        if self.lora_rank and self.backbone == "tiny" and self.start is None:
            raise ValueError("a new tiny model is trained whole: use lora_rank=0, or a pretrained backbone")
        if self.blind not in BLIND:
            raise ValueError(f"blind must be one of {BLIND}, got {self.blind!r}")
        if self.jepa_weight < 0.0 or not 0.0 <= self.jepa_decay <= 1.0:
            raise ValueError(
                "jepa_weight must be at least 0 and jepa_decay lie in [0, 1], got "
                f"{self.jepa_weight} and {self.jepa_decay}"
            )
        if self.jepa_weight and self.blind == "vision":
            raise ValueError(
                "jepa_weight > 0 predicts the memory from the memory, which blind='vision' hides"
            )
        if self.eval_split == "val_unseen":
            raise ValueError("eval_split chooses the weights, so it must not be val_unseen: use val_seen")


@dataclass(frozen=True)
class DaggerConfig:
    """Settings of `vlnenv train dagger`.

    Rounds of walking by the learner, and of learning what the expert would have done there.
    """

    start: str
    """Folder of a model, trained by imitation."""
    out: str = "runs/dagger"
    """Folder for the rounds; a run that is there goes on where it stopped."""
    decisions: tuple[str, ...] = ("runs/decisions",)
    """Folders of decisions to begin with: the expert's."""
    rounds: int = 3
    expert: float = 0.5
    """Chance that the expert's decision is carried out in the first round."""
    expert_decay: float = 0.5
    """What that chance is multiplied by from one round to the next."""
    walks: DecisionConfig = field(default_factory=lambda: DecisionConfig(wrong_turn=0.05))
    """How the rounds walk; its learner, chance of the expert, paraphrase, seed and folder are the round's.
    With `scenes`, each round walks through the next so many; without, all walk through the same ones."""
    training: VLMConfig = field(default_factory=VLMConfig)
    """How each round learns; its start, decisions and folder are the round's."""

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {self.rounds}")
        for name in ("expert", "expert_decay"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie in [0, 1], got {getattr(self, name)}")
