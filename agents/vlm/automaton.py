"""A set of texts as an automaton over a tokenizer's ids: what may come next, and what must."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from agents.vlm.grammar import Grammar, Macro, format_action, parse_action
from agents.vlm.prompt import TRUNCATE


class Automaton:
    """Accepts the token ids of some texts, each followed by an end token, and nothing else.

    States are integers; the start is `Automaton.START`. It works for any tokenizer: each text is spelled as
    the tokenizer spells it on its own, and learning must spell it the same way (`ids`).
    """

    START = 0

    def __init__(self, tokenizer: Any, texts: Iterable[str], end_token: str) -> None:
        """Spell every text and join the spellings in a tree.

        Args:
            tokenizer: A tokenizer of transformers.
            texts: What may be said.
            end_token: The special token that follows a text.

        Raises:
            ValueError: If there is no text, the tokenizer lacks the end token, doesn't know a word, or spells
                two texts alike.
        """
        listed = list(texts)
        if not listed:
            raise ValueError("an automaton needs at least one text")
        self.end_id = special_id(tokenizer, end_token)
        self._next: list[dict[int, int]] = [{}]
        self._texts: dict[int, str] = {}
        self._ids: dict[str, tuple[int, ...]] = {}
        spelled = tokenizer(listed, add_special_tokens=False)["input_ids"]
        for text, ids in zip(listed, spelled, strict=True):
            if tokenizer.unk_token_id is not None and tokenizer.unk_token_id in ids:
                raise ValueError(f"the tokenizer does not know all words of {text!r}; it gives the ids {ids}")
            self._add(text, (*ids, self.end_id))
        self._runs = [self._run(state) for state in range(len(self._next))]

    def _add(self, text: str, ids: tuple[int, ...]) -> None:
        state = self.START
        for token in ids:
            if token not in self._next[state]:
                self._next[state][token] = len(self._next)
                self._next.append({})
            state = self._next[state][token]
        if self._texts.setdefault(state, text) != text:
            raise ValueError(f"the tokenizer spells {text!r} and {self._texts[state]!r} alike: {list(ids)}")
        self._ids[text] = ids

    def _run(self, state: int) -> tuple[int, ...]:
        run: list[int] = []
        while len(self._next[state]) == 1:
            ((token, state),) = self._next[state].items()
            run.append(token)
        return tuple(run)

    @property
    def texts(self) -> tuple[str, ...]:
        """What it accepts."""
        return tuple(self._ids)

    @property
    def token_ids(self) -> tuple[int, ...]:
        """Every id that an accepted text holds, the end's included, ascending."""
        return tuple(sorted({token for branches in self._next for token in branches}))

    @property
    def max_length(self) -> int:
        """Ids of the longest text, the end's included."""
        return max(len(ids) for ids in self._ids.values())

    def ids(self, text: str) -> tuple[int, ...]:
        """The ids of an accepted text, the end's included: what a model learns to say.

        Raises:
            ValueError: If it isn't one of the texts.
        """
        if text not in self._ids:
            raise ValueError(f"{text!r} is none of the {len(self._ids)} texts, such as {self.texts[-1]!r}")
        return self._ids[text]

    def choices(self, state: int) -> tuple[int, ...]:
        """The ids that may follow in a state; none where a text has ended."""
        return tuple(self._next[state])

    def run(self, state: int) -> tuple[int, ...]:
        """The ids that must follow, up to the next choice or the end; none where there is a choice."""
        return self._runs[state]

    def step(self, state: int, token: int) -> int:
        """The state after one more id.

        Raises:
            ValueError: If the id may not follow.
        """
        if token not in self._next[state]:
            raise ValueError(f"id {token} may not follow here; one of {list(self._next[state])} may")
        return self._next[state][token]

    def walk(self, ids: Iterable[int], state: int = START) -> int:
        """The state after some ids; see `step`."""
        for token in ids:
            state = self.step(state, int(token))
        return state

    def text(self, state: int) -> str | None:
        """The text that has ended in a state, None where it goes on."""
        return self._texts.get(state)

    def allowed(self, prefix: Sequence[int]) -> tuple[int, ...]:
        """The ids that may follow a prefix; see `walk`."""
        return self.choices(self.walk(prefix))

    def forced(self, prefix: Sequence[int]) -> tuple[int, ...]:
        """The ids that must follow a prefix; see `run`."""
        return self.run(self.walk(prefix))


class AnswerAutomaton(Automaton):
    """The automaton of a grammar's answers."""

    def __init__(self, tokenizer: Any, grammar: Grammar | None = None, end_token: str = TRUNCATE) -> None:
        """Spell every answer.

        Args:
            tokenizer: A tokenizer of transformers that has the end token.
            grammar: Wording; None for the default.
            end_token: `<trunc>` where explanations follow in training, else the tokenizer's end of text.
        """
        self.grammar = grammar or Grammar()
        super().__init__(tokenizer, self.grammar.answers(), end_token)
        self._macros = {text: parse_action(text, self.grammar) for text in self.texts}
        self._by_moves = [self._ordered_by_moves(state) for state in range(len(self._next))]
        self._stop = [self._stop_among(state) for state in range(len(self._next))]

    def _stop_among(self, state: int) -> int | None:
        for token, after in self._next[state].items():
            text = self.text(self.walk(self.run(after), after))
            if len(self._next[state]) > 1 and text is not None and self._macros[text][0]:
                return token
        return None

    def _ordered_by_moves(self, state: int) -> tuple[int, ...]:
        moves: dict[int, int] = {}
        turns = set()
        for token, after in self._next[state].items():
            text = self.text(self.walk(self.run(after), after))
            if text is None:
                return ()
            stop, turn, moves[token] = self._macros[text]
            turns.add((stop, turn))
        return tuple(sorted(moves, key=moves.__getitem__)) if len(moves) > 1 and len(turns) == 1 else ()

    def by_moves(self, state: int) -> tuple[int, ...]:
        """The ids that may follow in a state, from few moves to many; none if they decide on more."""
        return self._by_moves[state]

    def stop(self, state: int) -> int | None:
        """The id that decides to stop, of those that may follow in a state; None if none does."""
        return self._stop[state]

    def macro(self, text: str) -> Macro:
        """The macro action of one of its answers."""
        return self._macros[text]

    def action_ids(self, macro: Sequence[int] | np.ndarray) -> tuple[int, ...]:
        """The ids that say a macro action, the end's included; see `format_action`."""
        return self.ids(format_action(macro, self.grammar))


def special_id(tokenizer: Any, token: str) -> int:
    """The id of a special token.

    Raises:
        ValueError: If the tokenizer lacks it.
    """
    ids = tokenizer(token, add_special_tokens=False)["input_ids"]
    if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
        raise ValueError(
            f"the tokenizer has no token {token!r}, it gives the ids {ids}: add agents.vlm.tokenizer's "
            "SPECIAL_TOKENS to it"
        )
    return int(ids[0])
