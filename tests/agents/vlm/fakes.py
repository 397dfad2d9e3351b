"""Small tokenizers for tests: words; pairs of bytes, as SmolLM2's; pieces, as Phi-3's."""

from __future__ import annotations

import functools
import string
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from agents.vlm.tokenizer import END, PAD, SPECIAL_TOKENS, UNKNOWN, make_tokenizer
from vlnenv.episodes.vocabulary import Vocabulary

TEXT = "Walk to the red sofa, then turn left."
PHRASE = "turn left 1 steps, move 10 steps. stop. turn right"
BEGIN = "<s>"
SPECIALS: dict[str, Any] = {
    "pad_token": PAD,
    "eos_token": END,
    "extra_special_tokens": list(SPECIAL_TOKENS),
    "padding_side": "left",
    "clean_up_tokenization_spaces": False,
}


@functools.cache
def word_tokenizer() -> Any:
    return make_tokenizer(Vocabulary.of([TEXT, "turn right at the bed"]).words)


@functools.cache
def pair_tokenizer() -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=290, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([PHRASE] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **SPECIALS)


@functools.cache
def piece_tokenizer() -> Any:
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=90,
        special_tokens=[UNKNOWN, BEGIN],
        initial_alphabet=list(string.ascii_letters + string.digits + ",.:;"),
        show_progress=False,
    )
    tokenizer.train_from_iterator([PHRASE] * 3, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        **{**SPECIALS, "padding_side": "right"},
    )


TOKENIZERS = {"words": word_tokenizer, "pairs": pair_tokenizer, "pieces": piece_tokenizer}
