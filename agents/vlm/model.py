"""The 3D-VLM: a causal language model whose backbone takes the token memory in among its tokens.

The memory is merged inside the backbone, not in front of it: `generate`, PEFT and trl's scoring, which calls
the backbone and the head apart, all see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers import initialization as init
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast
from transformers.utils import can_return_tuple

from agents.vlm.attention import block_mask, for_attention, placeholder_codes, prefix_mask, set_positions
from agents.vlm.config import LEVEL_CODES, Dynam3DConfig, query_placeholder
from agents.vlm.embedding import MemoryEmbedding, TokenNorm, check_counts, row_codes
from agents.vlm.querying import QueryingTransformer, read_out

FROZEN_OUT = -1e4
"""Bias of a token that no answer may hold: its probability is 0 in float32, and nothing overflows."""


class AnswerHead(nn.Linear):
    """The language-model head with a fixed bias that rules tokens out.

    The bias is a part of the head, so all who score (trl reads `weight` and `bias`) see the distribution that
    is sampled from; it is a buffer, so nothing trains it.
    """

    def __init__(self, width: int, vocabulary: int, device: Any = None) -> None:
        super().__init__(width, vocabulary, bias=False, device=device)
        del self.bias
        self.register_buffer("bias", torch.zeros(vocabulary, device=device))


@dataclass
class Dynam3DOutput(CausalLMOutputWithPast):
    """What `Dynam3DForCausalLM` returns: transformers' fields, and the backbone's output."""

    last_hidden_state: Tensor | None = None
    """Float (b, t, width)."""


class Dynam3DPreTrainedModel(PreTrainedModel):
    """Loading, saving and initialisation that the backbone and the whole model share."""

    config: Dynam3DConfig
    config_class = Dynam3DConfig
    base_model_prefix = "model"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _supports_flash_attn = True
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    input_modalities = ["image", "text"]  # noqa: RUF012

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        scale = getattr(self.config.text, "initializer_range", 0.02)
        if isinstance(module, (MemoryEmbedding, QueryingTransformer)):
            for part in module.modules():
                if isinstance(part, nn.Linear):
                    init.normal_(part.weight, std=part.in_features**-0.5)
            if isinstance(module, QueryingTransformer):
                init.normal_(module.queries, std=scale)
            else:
                # A unit feature's entries are small: its projection is to weigh as much as its place.
                init.normal_(module.feature.weight)
                init.normal_(module.level.weight, std=0.5)
        elif isinstance(module, TokenNorm):
            init.constant_(module.weight, scale)
            init.zeros_(module.bias)
        elif isinstance(module, AnswerHead):
            init.copy_(module.bias, answer_bias(self.config))


def answer_bias(config: Dynam3DConfig) -> Tensor:
    """The head's bias, float32 (vocabulary,): 0 on tokens that may be generated, -1e4 on all others."""
    assert config.level_token_ids is not None
    if config.action_token_ids is None:
        bias = torch.zeros(config.text.vocab_size)
        bias[list(config.level_token_ids.values())] = FROZEN_OUT
    else:
        bias = torch.full((config.text.vocab_size,), FROZEN_OUT)
        bias[config.action_token_ids] = 0.0
    return bias


class Dynam3DModel(Dynam3DPreTrainedModel):
    """The backbone: token embeddings, the memory in place of its placeholders, through the LM's layers."""

    def __init__(self, config: Dynam3DConfig) -> None:
        super().__init__(config)
        if config.level_token_ids is None:
            raise ValueError("this configuration has no level_token_ids: build it by agents.vlm.backbones")
        self.language_model = AutoModel.from_config(config.text)
        self.memory_embedding = MemoryEmbedding(
            config.levels,
            config.token_dim,
            config.position_width,
            config.text.hidden_size,
            config.projector_layers,
        )
        self.query_transformer = None
        if config.queries:
            self.query_transformer = QueryingTransformer(
                config.queries, config.query_layers, config.text.hidden_size, config.query_gradient
            )
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """The language model's."""
        embeddings: Any = self.language_model.get_input_embeddings()
        return embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the language model's."""
        self.language_model.set_input_embeddings(value)

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Hidden states of a prompt, or of the tokens that follow what is in the cache.

        Args:
            input_ids: int64 (b, t), padded at either side.
            attention_mask: (b, t), 0 on padding; with a cache (b, cached + t). A (b, 1, t, t) mask is taken
                as it is.
            position_ids: int64 (b, t); None computes them, see `agents.vlm.attention.set_positions`.
            past_key_values: The cache. The prompt, with all its placeholders, goes in in one call.
            inputs_embeds: Float (b, t, width) in place of `input_ids`: then nothing is merged.
            pixel_values: Float (b, n, 4 + D), the memory: rows of level code, x, y, z (metres, agent frame)
                and feature; rows of code 0 are padding. The k-th row of a level takes the k-th of its
                placeholders.
            use_cache: Whether to return a cache; None for yes, unless in training.
            kwargs: What else the language model takes.

        Raises:
            ValueError: If rows and placeholders do not match, or rows are not of this model's length.
        """
        past = 0 if past_key_values is None else int(past_key_values.get_seq_length())
        if input_ids is None:
            if inputs_embeds is None or pixel_values is not None:
                raise ValueError("expected input_ids, or inputs_embeds without pixel_values")
        else:
            if inputs_embeds is not None:
                raise ValueError("expected one of input_ids and inputs_embeds, got both")
            inputs_embeds = self.get_input_embeddings()(input_ids)
            if past == 0:
                inputs_embeds = self._merge(input_ids, inputs_embeds, pixel_values)
            elif pixel_values is not None:
                raise ValueError("pixel_values go in with the prompt, but the cache already holds one")
        mask, positions = self._see(input_ids, attention_mask, past, inputs_embeds)
        return self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=mask,
            position_ids=positions if position_ids is None else position_ids,
            past_key_values=past_key_values,
            use_cache=not self.training if use_cache is None else use_cache,
            **kwargs,
        )

    def _merge(self, input_ids: Tensor, embeds: Tensor, pixel_values: Tensor | None) -> Tensor:
        """Embeddings (b, t, width) with those of the memory in place of its placeholders."""
        batch = input_ids.shape[0]
        if pixel_values is None:
            pixel_values = embeds.new_zeros(batch, 0, 4 + self.config.token_dim)
        self.memory_embedding.check(pixel_values, batch)
        codes = row_codes(pixel_values)
        slots, vectors = [], []
        for level in self._own_levels:
            is_row, is_slot = codes == LEVEL_CODES[level], input_ids == self._token(level)
            check_counts(level, self._token(level), is_slot.sum(dim=1), is_row.sum(dim=1))
            # Samples in order, rows in order within: the same order as their placeholders.
            slots.append(is_slot.flatten().nonzero().squeeze(1))
            vectors.append(self.memory_embedding(pixel_values[is_row]))
        if self.query_transformer is not None:
            is_slot = input_ids == self._token(query_placeholder(self.config.query_levels))
            slots.append(is_slot.flatten().nonzero().squeeze(1))
            vectors.append(self._compressed(pixel_values, is_slot.sum(dim=1)))
        flat = embeds.flatten(0, 1).index_copy(0, torch.cat(slots), torch.cat(vectors).to(embeds.dtype))
        return flat.view_as(embeds)

    @property
    def _own_levels(self) -> list[str]:
        """Levels whose rows have placeholders of their own."""
        compressed = self.config.query_levels if self.config.queries else ()
        return [level for level in self.config.levels if level not in compressed]

    def _token(self, level: str) -> int:
        assert self.config.level_token_ids is not None
        return self.config.level_token_ids[level]

    def _compressed(self, pixel_values: Tensor, slots: Tensor) -> Tensor:
        """What the querying transformer makes of its levels, (m, width): of samples with any rows, in order.

        Args:
            pixel_values: The memory, (b, n, 4 + D).
            slots: Placeholders of each sample, (b,).
        """
        assert self.query_transformer is not None
        found, valid = read_out(
            self.memory_embedding, self.query_transformer, self.config.query_levels, pixel_values
        )
        level = query_placeholder(self.config.query_levels)
        check_counts(level, self._token(level), slots, valid.sum(dim=1), self.config.queries)
        return found[valid.any(dim=1)].flatten(0, 1)

    def _see(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, past: int, embeds: Tensor
    ) -> tuple[Tensor | None, Tensor]:
        """The language model's attention mask and position ids."""
        batch, length = embeds.shape[:2]
        if attention_mask is not None and attention_mask.dim() != 2:
            return attention_mask, torch.arange(past, past + length, device=embeds.device).expand(batch, -1)
        if attention_mask is None:
            valid = torch.ones(batch, past + length, dtype=torch.bool, device=embeds.device)
        else:
            valid = attention_mask.bool()
        if past or input_ids is None or self.config.prompt_attention == "causal":
            return attention_mask, (valid.long().cumsum(dim=1) - 1).clamp_min(0)[:, -length:]
        assert self.config.level_token_ids is not None
        codes = placeholder_codes(input_ids, self.config.level_token_ids)
        if self.config.prompt_attention == "full":
            assert self.config.answer_token_id is not None
            allowed = prefix_mask(input_ids, valid, self.config.answer_token_id)
        else:
            allowed = block_mask(codes, valid)
        implementation = self.language_model.config._attn_implementation
        return for_attention(allowed, implementation, embeds.dtype), set_positions(codes, valid)


class Dynam3DForCausalLM(Dynam3DPreTrainedModel, GenerationMixin):
    """The backbone and the head: next-token logits, losses and `generate`."""

    def __init__(self, config: Dynam3DConfig) -> None:
        super().__init__(config)
        self.model = Dynam3DModel(config)
        self.lm_head = AnswerHead(config.text.hidden_size, config.text.vocab_size)
        embeddings = self.model.get_input_embeddings()
        name = next(name for name, module in self.named_modules() if module is embeddings)
        self._tied_weights_keys = {"lm_head.weight": f"{name}.weight"}
        self.post_init()

    def get_input_embeddings(self) -> nn.Embedding:
        """The language model's."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the language model's."""
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The head."""
        return self.lm_head

    def set_output_embeddings(self, new_embeddings: nn.Module) -> None:
        """Replace the head."""
        self.lm_head = new_embeddings

    def resize_token_embeddings(self, new_num_tokens: int | None = None, *args: Any, **kwargs: Any) -> Any:
        """The embeddings as they are.

        Raises:
            ValueError: If another number of tokens is asked for: a head of transformers would replace ours.
        """
        if new_num_tokens not in (None, self.config.text.vocab_size):
            raise ValueError(
                f"the model has {self.config.text.vocab_size} tokens and can't be resized to "
                f"{new_num_tokens}: add tokens to the tokenizer, then make the model by agents.vlm.backbones"
            )
        return self.get_input_embeddings()

    @can_return_tuple
    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        labels: Tensor | None = None,
        label_weights: Tensor | None = None,
        num_items_in_batch: Tensor | float | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> Dynam3DOutput:
        """Logits, or with `labels` the loss alone.

        Args:
            input_ids: As for `Dynam3DModel`, like all arguments that are not named here.
            attention_mask: See there.
            position_ids: See there.
            past_key_values: See there.
            inputs_embeds: See there.
            pixel_values: See there.
            labels: int64 (b, t), the token at each place, -100 where it does not count. Then only the places
                whose next token counts pass the head, and no logits are returned.
            label_weights: Float (b, t), the weight of each label in the loss; None for 1.
            num_items_in_batch: What the summed loss is divided by; None for the sum of the weights.
            use_cache: See there.
            logits_to_keep: Logits of the last so many places only (0 for all), or of these indices.
            kwargs: See there.
        """
        if labels is not None and use_cache is None:
            use_cache = False
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            pixel_values=pixel_values,
            use_cache=use_cache,
            **kwargs,
        )
        hidden = outputs.last_hidden_state
        loss = logits = None
        if labels is None:
            kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
            logits = self.lm_head(hidden[:, kept])
        else:
            loss = self._loss(hidden, labels, label_weights, num_items_in_batch)
        return Dynam3DOutput(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
            last_hidden_state=hidden,
        )

    def _loss(
        self, hidden: Tensor, labels: Tensor, weights: Tensor | None, items: Tensor | float | None
    ) -> Tensor:
        """Weighted mean cross-entropy of the labels, each by the place before it."""
        counts = labels[:, 1:] != -100
        logits = self.lm_head(hidden[:, :-1][counts]).float()
        losses = F.cross_entropy(logits, labels[:, 1:][counts], reduction="none")
        if weights is None:
            total, size = losses.sum(), counts.sum()
        else:
            kept = weights[:, 1:][counts].float()
            total, size = (losses * kept).sum(), kept.sum()
        # Without a label that counts the loss is 0, and still part of the graph.
        return total / (size.clamp_min(1e-8) if items is None else items)

    def prepare_inputs_for_generation(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Inputs of one step: transformers' own, which pass the memory with the prompt only.

        `generate` numbers tokens by the attention mask; here the backbone does, because placeholders share.
        """
        inputs = super().prepare_inputs_for_generation(*args, **kwargs)  # type: ignore[misc]
        inputs.pop("position_ids", None)
        return inputs
