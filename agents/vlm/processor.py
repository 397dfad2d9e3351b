"""From an observation, or from texts and memory rows, to a model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, ProcessorMixin

from agents.vlm.automaton import AnswerAutomaton, special_id
from agents.vlm.grammar import Grammar
from agents.vlm.prompt import LEVEL_TOKENS, TRUNCATE, make_prompt, placeholder_counts, placeholders
from agents.vlm.rows import count_levels, memory_rows, stack_rows
from agents.vlm_config import BLIND
from vlnenv.errors import unknown_name
from vlnenv.memory.panorama import PANORAMA_COLUMNS, PANORAMA_ROWS


class Dynam3DProcessor(ProcessorMixin):
    """A tokenizer, and how prompts and memory rows are made; saved and loaded as processors are.

    A sample's "image" is its memory rows, (n, 4 + token_dim), see `agents.vlm.rows`, empty if it has none.
    For trl, a prompt's message is the text of `prompts` and its one image the rows; placeholders that the
    text does not have are put in front.
    """

    def __init__(
        self,
        tokenizer: Any,
        token_dim: int = 64,
        levels: Sequence[str] = ("patch", "instance", "zone"),
        queries: int = 0,
        query_levels: Sequence[str] = ("patch",),
        patch_pool: Sequence[int] = (1, 1),
        patch_grid: Sequence[int] = (PANORAMA_ROWS, PANORAMA_COLUMNS),
        units: str = "steps",
        step_deg: float = 15.0,
        step_m: float = 0.25,
        explained: bool = True,
        max_length: int = 1024,
        blind: str = "",
        chat_template: str | None = None,
    ) -> None:
        """Keep the settings and check that the tokenizer has the special tokens.

        Args:
            tokenizer: A tokenizer of transformers with the placeholders, `<answer>` and `<trunc>`.
            token_dim: Length of a memory token's feature.
            levels: Levels to read.
            queries: Tokens that the model's querying transformer makes of the memory; 0 for none.
            query_levels: Levels that it reads.
            patch_pool: Rows and columns of patches that become one token, see `memory_rows`.
            patch_grid: Rows and columns of the patches.
            units: Wording of answers, see `Grammar`.
            step_deg: Degrees of a turn step.
            step_m: Metres of a step ahead.
            explained: Whether `<trunc>` and an explanation follow an answer, or the end of text.
            max_length: Most tokens of a prompt.
            blind: "instruction" or "vision" leaves that out of every prompt, for comparison.
            chat_template: Not used; transformers passes it.

        Raises:
            ValueError: If a setting is invalid.
        """
        super().__init__(tokenizer, chat_template=chat_template)
        for level in levels:
            if level not in LEVEL_TOKENS:
                raise ValueError(unknown_name("token level", level, LEVEL_TOKENS))
        if token_dim < 1 or max_length < 1 or queries < 0:
            raise ValueError(
                "token_dim and max_length must be at least 1 and queries at least 0, got "
                f"{token_dim}, {max_length} and {queries}"
            )
        if blind not in BLIND:
            raise ValueError(f"blind must be one of {BLIND}, got {blind!r}")
        if tokenizer.pad_token_id is None:
            raise ValueError("the tokenizer has no padding token: set its pad_token")
        self.token_dim = token_dim
        self.levels = list(levels)
        self.queries = queries
        self.query_levels = list(query_levels)
        self.patch_pool = list(patch_pool)
        self.patch_grid = list(patch_grid)
        self.units = units
        self.step_deg = step_deg
        self.step_m = step_m
        self.explained = explained
        self.max_length = max_length
        self.blind = blind
        # Answers follow prompts.
        self.tokenizer.padding_side = "left"
        self._level_ids = {level: special_id(tokenizer, token) for level, token in LEVEL_TOKENS.items()}
        _ = self.grammar

    @property
    def grammar(self) -> Grammar:
        """Wording of the answers."""
        return Grammar(units=self.units, turn_deg=self.step_deg, step_m=self.step_m)

    def automaton(self) -> AnswerAutomaton:
        """The answers over this tokenizer's ids; build it once."""
        return AnswerAutomaton(
            self.tokenizer, self.grammar, TRUNCATE if self.explained else self.tokenizer.eos_token
        )

    @property
    def model_input_names(self) -> list[str]:
        """What the calls return."""
        return ["input_ids", "attention_mask", "pixel_values"]

    def __call__(
        self,
        images: Sequence[Any] | np.ndarray | None = None,
        text: str | Sequence[str] | None = None,
        padding: bool | str = False,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Token ids of prompts, and their memory.

        Args:
            images: Memory rows (n_i, 4 + token_dim) a text, or, as trl has it, a list of one such array a
                text; None for texts without memory.
            text: Prompts with their placeholders.
            padding: Whether to pad the ids in front; "left" is the same as True.
            return_tensors: "pt" for tensors (with padding), None for lists of ids.
            kwargs: None is known; there for a clear error.

        Returns:
            `input_ids` and `attention_mask` (b, t), and with images `pixel_values` float32 (b, n, 4 +
            token_dim), a tensor, padded with zeros.

        Raises:
            ValueError: If rows and placeholders do not match, rows are of another length, or a prompt is
                longer than `max_length`.
        """
        if text is None:
            raise ValueError("expected texts, got None: rows alone are no model input")
        if kwargs:
            raise ValueError(
                f"unknown arguments {sorted(kwargs)}; known: images, text, padding, return_tensors"
            )
        if padding not in (True, False, "left", "longest"):
            raise ValueError(f"padding must be True, False or 'left', got {padding!r}")
        texts = [text] if isinstance(text, str) else list(text)
        samples = None if images is None else self._samples(images)
        if samples is not None and len(samples) != len(texts):
            raise ValueError(f"expected the memory rows of {len(texts)} texts, got {len(samples)}")
        ids = self.tokenizer(texts, add_special_tokens=self._begins)["input_ids"]
        longest = max(map(len, ids), default=0)
        if longest > self.max_length:
            raise ValueError(
                f"a prompt has {longest} tokens and at most {self.max_length} fit: make it by `prompts`, "
                "which cuts its history, or raise max_length"
            )
        self._check_placeholders(ids, samples)
        padded_to = longest if padding else 0
        data: dict[str, Any] = {
            "input_ids": [[self.tokenizer.pad_token_id] * (padded_to - len(row)) + row for row in ids],
            "attention_mask": [[0] * (padded_to - len(row)) + [1] * len(row) for row in ids],
        }
        if samples is not None:
            data["pixel_values"] = torch.from_numpy(stack_rows(samples, self.token_dim))
        return BatchFeature(data, tensor_type=return_tensors)

    @property
    def _begins(self) -> bool:
        """Whether prompts begin as the tokenizer's texts do: with its first token, if it has one."""
        return self.tokenizer.bos_token is not None

    def _samples(self, images: Sequence[Any] | np.ndarray) -> list[np.ndarray]:
        """One array of rows a text, of arrays or of lists of one array, which may have been made lists."""
        samples = []
        for image in images:
            if image is None:
                image = []
            array = image if isinstance(image, np.ndarray) else np.asarray(_plain(image), dtype=np.float32)
            if array.ndim == 3:
                if len(array) != 1:
                    raise ValueError(f"a sample has one array of memory rows, got {len(array)}")
                array = array[0]
            samples.append(array)
        # Checks the rows' length, before anything is counted.
        stack_rows(samples, self.token_dim)
        return [sample.reshape(-1, 4 + self.token_dim) for sample in samples]

    def _check_placeholders(self, ids: Sequence[Sequence[int]], samples: list[np.ndarray] | None) -> None:
        for index, row in enumerate(ids):
            counts = count_levels(samples[index]) if samples is not None else {}
            wanted = placeholder_counts(counts, self.queries, self.query_levels)
            found = np.asarray(row)
            for level, token in self._level_ids.items():
                number = int((found == token).sum())
                if number != wanted.get(level, 0):
                    raise ValueError(
                        f"text {index} has {number} {LEVEL_TOKENS[level]} placeholders, its memory needs "
                        f"{wanted.get(level, 0)} ({counts.get(level, 0)} rows, {self.queries} queries)"
                    )

    def prompts(
        self,
        instructions: Sequence[str],
        histories: np.ndarray | Sequence[Any],
        counts: Sequence[Mapping[str, int]],
        spatial_prompts: Sequence[str | None] | None = None,
    ) -> list[str]:
        """The prompts of a batch, with history cut where they would be too long; see `make_prompt`.

        Args:
            instructions: (b,) texts.
            histories: (b, n, 3) macro actions, oldest first, -1 for none.
            counts: (b,) rows of each level, as `memory_rows` returns.
            spatial_prompts: (b,) hints, or None.

        Raises:
            ValueError: If an instruction does not fit.
        """
        hints = [None] * len(instructions) if spatial_prompts is None else spatial_prompts
        if self.blind == "instruction":
            instructions = [""] * len(instructions)
        made = []
        for instruction, history, count, hint in zip(instructions, histories, counts, hints, strict=True):
            made.append(
                make_prompt(
                    instruction,
                    history,
                    count,
                    queries=self.queries,
                    query_levels=self.query_levels,
                    spatial_prompt=hint,
                    grammar=self.grammar,
                    max_length=self.max_length,
                    length_of=self._length,
                )
            )
        return made

    def visible(self, rows: np.ndarray) -> np.ndarray:
        """Of memory rows (n, 4 + token_dim) those that the model is given: all, or none if it is blind."""
        return rows[:0] if self.blind == "vision" else rows

    def _length(self, text: str) -> int:
        return len(self.tokenizer(text, add_special_tokens=self._begins)["input_ids"])

    def from_observation(
        self,
        observation: Mapping[str, Any],
        rows: Sequence[int] | np.ndarray,
        *,
        histories: np.ndarray | Sequence[Any] | None = None,
        instructions: Sequence[str] | None = None,
        spatial_prompts: Sequence[str | None] | None = None,
    ) -> BatchFeature:
        """A model's inputs for some rows of a batched token observation.

        Args:
            observation: What a vector environment with macro actions observes, see `memory_rows`.
            rows: (s,) which rows to take.
            histories: (s, n, 3) last actions; None for the observation's own.
            instructions: (s,) texts; None for the observation's own.
            spatial_prompts: (s,) hints, or None.

        Returns:
            Tensors `input_ids`, `attention_mask` (s, t), padded in front, and `pixel_values` (s, n, 4 +
            token_dim), on the CPU.

        Raises:
            KeyError: If the observation lacks a level that is read.
            ValueError: If its features are not of the model's length, or an instruction does not fit.
        """
        samples, _ = memory_rows(
            observation,
            rows,
            self.levels,
            patch_pool=(self.patch_pool[0], self.patch_pool[1]),
            patch_grid=(self.patch_grid[0], self.patch_grid[1]),
        )
        if instructions is None:
            instructions = [str(observation["instruction"][row]) for row in rows]
        if histories is None:
            histories = np.asarray(observation["action_history"])[np.asarray(rows, dtype=np.int64)]
        samples = [self.visible(sample) for sample in samples]
        texts = self.prompts(instructions, histories, list(map(count_levels, samples)), spatial_prompts)
        return self(images=samples, text=texts, padding=True, return_tensors="pt")

    def apply_chat_template(  # type: ignore[override]
        self,
        conversation: Sequence[Any],
        chat_template: str | None = None,
        tools: Any = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tokenize: bool = False,
        return_dict: bool = False,
        padding: bool | str = False,
        return_tensors: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """The text of a conversation, or its token ids and memory: what trl asks for.

        Nothing is put between messages: a prompt is `prompts`' text as the one user message, an answer may
        follow as the assistant's.

        Args:
            conversation: Messages with "role" and "content", which is a text or a list of {"type": "text",
                "text"} and {"type": "image", "image": rows}; or a list of such conversations.
            chat_template: Must be None; like `tools`.
            tools: Must be None.
            add_generation_prompt: No difference: a prompt ends with `<answer>` in any case.
            continue_final_message: No difference.
            tokenize: Whether to return ids instead of text.
            return_dict: With `tokenize`, whether to return all inputs, as a call does; else the ids alone.
            padding: See `__call__`.
            return_tensors: See `__call__`.
            kwargs: None is known; there for a clear error.

        Raises:
            ValueError: If an argument is unknown, a conversation has more than one array of rows, or what
                `__call__` refuses.
        """
        if chat_template is not None or tools or kwargs:
            raise ValueError(
                "expected no chat_template, tools or further arguments, got "
                f"{chat_template!r}, {tools!r} and {sorted(kwargs)}"
            )
        single = bool(conversation) and isinstance(conversation[0], Mapping)
        conversations = [conversation] if single else list(conversation)
        texts, images = zip(*(self._flatten(messages) for messages in conversations), strict=True)
        if not tokenize:
            return texts[0] if single else list(texts)
        given = None if all(image is None for image in images) else images
        inputs = self(images=given, text=texts, padding=padding, return_tensors=return_tensors)
        if return_dict:
            return inputs
        return inputs["input_ids"][0] if single else inputs["input_ids"]

    def _flatten(self, messages: Sequence[Mapping[str, Any]]) -> tuple[str, np.ndarray | None]:
        """Text and rows of a conversation."""
        text, images = "", []
        for message in messages:
            content = message["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            for part in parts:
                if part["type"] == "text":
                    text += part["text"]
                elif part["type"] == "image" and "image" in part:
                    images.append(part["image"])
                else:
                    raise ValueError(f"a message has texts and arrays of memory rows, got {sorted(part)}")
        if not images:
            return text, None
        (rows,) = self._samples([images])
        if not any(token in text for token in LEVEL_TOKENS.values()):
            text = placeholders(count_levels(rows), self.queries, self.query_levels) + text
        return text, rows


def _plain(image: Any) -> Any:
    """Lists and arrays of any nesting as something numpy makes an array of."""
    if isinstance(image, torch.Tensor):
        return image.detach().cpu().numpy()
    if isinstance(image, (list, tuple)):
        return [_plain(part) for part in image]
    return image
