"""The tokenizer of the tiny agent: one id a word, split as `vlnenv.episodes.vocabulary` splits."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from agents.vlm.explanations import explanations
from agents.vlm.grammar import UNITS, Grammar
from agents.vlm.prompt import ANSWER, FRAME_WORDS, LEVEL_TOKENS, TRUNCATE
from vlnenv.episodes.vocabulary import split_words

PAD, UNKNOWN, END = "<pad>", "<unk>", "<eos>"
SPECIAL_TOKENS = (*LEVEL_TOKENS.values(), ANSWER, TRUNCATE)
"""What any backbone's tokenizer needs beside its own: placeholders, start and end of an answer."""

# Letters and digits as Python's \w has them: no combining marks, which the other library would count in.
_WORD = r"[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]"


def fixed_words(grammars: Iterable[Grammar] | None = None) -> tuple[str, ...]:
    """Words of prompts, answers and explanations, each once, in a fixed order.

    Args:
        grammars: Wordings of answers; None for the default one in all units.
    """
    if grammars is None:
        grammars = [Grammar(units=units) for units in UNITS]
    texts = [*FRAME_WORDS, *(answer for grammar in grammars for answer in grammar.answers()), *explanations()]
    return tuple(dict.fromkeys(word for text in texts for word in split_words(text)))


def phrases(grammars: Iterable[Grammar] | None = None) -> tuple[str, ...]:
    """What prompts, answers and explanations say again and again, cut into as few pieces as choices.

    `turn left 3 steps,` and `move 2 steps` are a token each: an answer takes two choices and two passes.
    """
    if grammars is None:
        grammars = [Grammar(units=units) for units in UNITS]
    answers = (answer.rstrip(".") for grammar in grammars for answer in grammar.answers())
    moving = (answer.partition(", ") for answer in answers if ", " in answer)
    said = (part for turn, comma, move in moving for part in (turn + comma.strip(), move))
    explained = (part for text in explanations() for part in re.findall(r"goal \w+ \d+|\w+ \d+", text))
    return tuple(dict.fromkeys((*said, *explained, "instruction:", "history:", "next action:")))


def make_tokenizer(
    words: Iterable[str], grammars: Iterable[Grammar] | None = None, by_phrase: bool = False
) -> Any:
    """A word-level tokenizer of transformers.

    Padding has the id 0, unknown words 1; the end of text, the placeholders, `<answer>` and `<trunc>` follow,
    then the words of prompts, answers and explanations, then the given ones. It pads on the left.

    Args:
        words: Words of instructions in the order of their ids, such as a `Vocabulary`'s `words`.
        grammars: Wordings of answers that it can spell; None for the default one in all units.
        by_phrase: Whether each of `phrases` is one token, behind all others: shorter prompts and answers.

    Returns:
        A `PreTrainedTokenizerFast`; `save_pretrained` writes it and `AutoTokenizer` reads it.

    Raises:
        ValueError: If one of the words is not a single lower-case word or punctuation mark.
        ImportError: If transformers is not installed.
    """
    try:
        from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
        from transformers import PreTrainedTokenizerFast
    except ImportError as error:
        raise ImportError(
            f"the vision-language agent needs transformers ({error}): pip install 'transformers>=5'"
        ) from error
    given = list(words)
    for word in given:
        if split_words(word) != [word]:
            raise ValueError(
                f"a vocabulary holds single lower-case words and punctuation marks, got {word!r}"
            )
    special = (PAD, UNKNOWN, END, *SPECIAL_TOKENS)
    listed = dict.fromkeys((*special, *fixed_words(grammars), *given))
    model = models.WordLevel({word: index for index, word in enumerate(listed)}, unk_token=UNKNOWN)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORD), behavior="removed", invert=True)
    # Of this decoder only the cleaning up is used: no space before punctuation.
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=True)
    if by_phrase:
        # Longer ones first: "move 12 steps" is not "move 1" and the rest.
        whole = sorted(phrases(grammars), key=len, reverse=True)
        tokenizer.add_tokens([AddedToken(each, single_word=True, normalized=True) for each in whole])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        extra_special_tokens=list(SPECIAL_TOKENS),
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
