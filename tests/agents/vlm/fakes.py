"""Small tokenizers for tests: words, and byte pairs that cut words and numbers in pieces."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from agents.vlm.tokenizer import END, PAD, SPECIAL_TOKENS, make_tokenizer
from vlnenv.episodes.vocabulary import Vocabulary

TEXT = "Walk to the red sofa, then turn left."


def word_tokenizer() -> Any:
    return make_tokenizer(Vocabulary.of([TEXT, "turn right at the bed"]).words)


def pair_tokenizer() -> Any:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=290, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(["turn left 1 steps, move 10 steps. stop. turn right"] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=list(SPECIAL_TOKENS),
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
