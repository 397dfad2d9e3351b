"""Configuration of the 3D-VLM: a causal language model's, and how the token memory enters it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from vlnenv.errors import unknown_name

LEVEL_CODES = {"patch": 1, "instance": 2, "zone": 3, "path": 4, "view": 5}
"""First number of a memory row; 0 is padding. "path" is where the agent has been, "view" the 2D history."""

ROW_HEADER = 4
"""Numbers of a memory row in front of its feature: level code, x, y, z."""

PROMPT_ATTENTIONS = ("full", "memory", "causal")
"""Who sees whom in the prompt, see `Dynam3DConfig.prompt_attention`."""


def compressed(levels: Sequence[str], queries: int) -> tuple[int, tuple[str, ...]]:
    """Query tokens of a new model, and the levels they read: all, if one with many rows is among them."""
    return (queries, tuple(levels)) if queries and {"patch", "view"} & set(levels) else (0, ("patch",))


def query_placeholder(query_levels: Sequence[str]) -> str:
    """The level whose placeholders query tokens take: the patches', if those are read, else the first."""
    return "patch" if "patch" in query_levels else query_levels[0]


@strict
class Dynam3DConfig(PreTrainedConfig):
    """Sizes, token ids and settings of a `Dynam3DForCausalLM`; saved as its folder's `config.json`.

    Attributes:
        text_config: The language model's configuration (any causal LM of transformers) or its dictionary.
        token_dim: Length D of a memory token's feature: the patch encoder's `dim`.
        levels: Levels of rows that the model reads, out of `LEVEL_CODES`.
        position_width: Hidden width of the MLP that embeds a row's place.
        projector_layers: 1 projects a row's feature linearly, 2 by an MLP.
        queries: Tokens that the querying transformer makes of the memory; 0 for none.
        query_levels: Levels that it reads; their rows have no placeholders of their own, its tokens take
            `<patch>`'s, or the first one's if no patches are read.
        query_layers: Layers of the querying transformer.
        query_gradient: Factor on the gradient that flows back out of the querying transformer's input.
        prompt_attention: "full": everything up to and including `<answer>` sees each other, the answer is
            causal. "memory": placeholders of one level that follow each other see each other, all else is
            causal. "causal": as the language model was trained. With the first two, such placeholders share
            a position: a memory is a set.
        level_token_ids: Placeholder token id of each level.
        image_token_id: The first level's placeholder (the patches', if they are read); trl asks for it.
        answer_token_id: Id of `<answer>`, the last token of a prompt.
        truncate_token_id: Id of `<trunc>`, between an answer and its explanation.
        action_token_ids: Ids that may be generated (the end of sequence among them); None for all that
            are no placeholder.
        perception: Fields of `agents.config.Perception` of the environments that the model was trained in.
        look_around: Whether the agent begins an episode with a whole turn, which fills its memory.
        step_deg: Degrees of a turn step in an answer.
        step_m: Metres of a move step in an answer.
        source: Where the language model's weights came from, see `agents.vlm.backbones`; None for nowhere.

    Raises:
        ValueError: On construction, if sizes, names or ids do not fit each other.
    """

    model_type = "dynam3d"
    sub_configs_defaults: ClassVar[dict[str, SubConfigSpec]] = {
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="llama")
    }

    # trl reads it from the configuration of any class that is not transformers' own.
    auto_map: ClassVar[dict[str, str]] = {}

    text_config: dict | PreTrainedConfig | None = None
    token_dim: int = 64
    levels: list[str] | tuple[str, ...] = ("patch", "instance", "zone")
    position_width: int = 64
    projector_layers: int = 2
    queries: int = 0
    query_levels: list[str] | tuple[str, ...] = ("patch",)
    query_layers: int = 2
    query_gradient: float = 0.5
    prompt_attention: str = "full"
    level_token_ids: dict[str, int] | None = None
    image_token_id: int | None = None
    answer_token_id: int | None = None
    truncate_token_id: int | None = None
    action_token_ids: list[int] | None = None
    perception: dict[str, Any] = field(default_factory=dict)
    look_around: bool = False
    step_deg: float = 15.0
    step_m: float = 0.25
    source: str | None = None
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        self.levels = list(self.levels)
        self.query_levels = list(self.query_levels)
        self.tie_word_embeddings = bool(self.text.tie_word_embeddings)
        # transformers makes an empty configuration of each class to compare with: nothing to check in it.
        if self.level_token_ids is not None:
            self._check()
            self.image_token_id = self.level_token_ids[self.levels[0]]

    @property
    def text(self) -> PreTrainedConfig:
        """The language model's configuration, always as an object."""
        assert isinstance(self.text_config, PreTrainedConfig)
        return self.text_config

    @classmethod
    def get_config_dict(cls, pretrained_model_name_or_path: Any, **kwargs: Any) -> tuple[dict, dict]:
        """What a folder's or a hub's `config.json` holds, and the arguments that are left.

        Raises:
            ValueError: If it is another architecture's.
        """
        fields, rest = super().get_config_dict(pretrained_model_name_or_path, **kwargs)
        found = fields.get("model_type")
        if found != cls.model_type:
            raise ValueError(
                f"{pretrained_model_name_or_path} holds a model of type {found!r}, expected "
                f"{cls.model_type!r}: load a 3D-VLM, or make one of a language model by "
                "agents.vlm.backbones.from_causal_lm"
            )
        return fields, rest

    def _check(self) -> None:
        """Refuse fields that do not fit each other."""
        assert self.level_token_ids is not None
        if not self.levels or len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels must name at least one level, and each once, got {self.levels}")
        for level in self.levels:
            if level not in LEVEL_CODES:
                raise ValueError(unknown_name("memory level", level, LEVEL_CODES))
            if level not in self.level_token_ids:
                raise ValueError(
                    f"level_token_ids must name a placeholder for each of {self.levels}, "
                    f"got {self.level_token_ids}"
                )
        if self.prompt_attention not in PROMPT_ATTENTIONS:
            raise ValueError(unknown_name("prompt attention", self.prompt_attention, PROMPT_ATTENTIONS))
        if self.prompt_attention == "full" and self.answer_token_id is None:
            raise ValueError("prompt_attention='full' needs answer_token_id: it tells where a prompt ends")
        if min(self.token_dim, self.position_width, self.query_layers) < 1 or self.queries < 0:
            raise ValueError(
                "token_dim, position_width and query_layers must be at least 1 and queries at least 0, got "
                f"{self.token_dim}, {self.position_width}, {self.query_layers} and {self.queries}"
            )
        if self.queries and not (self.query_levels and set(self.query_levels) <= set(self.levels)):
            raise ValueError(
                f"queries compress some of {self.levels}, got query_levels {self.query_levels}: name levels "
                "that are read, or use queries=0"
            )
        if not 0.0 <= self.query_gradient <= 1.0:
            raise ValueError(f"query_gradient must lie in [0, 1], got {self.query_gradient}")
        ids = [*self.level_token_ids.values(), *(self.action_token_ids or [])]
        ids += [i for i in (self.answer_token_id, self.truncate_token_id) if i is not None]
        size = self.text.vocab_size
        if min(ids) < 0 or max(ids) >= size:
            raise ValueError(f"token ids must lie in [0, {size}), the vocabulary, got {min(ids)}..{max(ids)}")
        if self.action_token_ids is not None:
            shared = set(self.action_token_ids) & set(self.level_token_ids.values())
            if shared or not self.action_token_ids:
                raise ValueError(
                    "action_token_ids must name at least one token and no placeholder of level_token_ids, "
                    f"got {sorted(shared) or 'none'}"
                )
