"""Seq2Seq and CMA of VLN-CE (Krantz et al. 2020, arXiv 2004.02857), deciding on macro actions.

Both differ from the paper in the same ways, so that they can be compared with the 3D-VLM: a view is the 6 x 6
cells of the memory's own patch encoder and of the depth in place of two ResNets' feature maps, words start
from the encoders' text table and not from GloVe, and decisions are [stop, turn, moves] by two heads, the walk
given the turn. The states go on with every look, those in the pieces of a long turn too, as a 3D memory does.
The vectors of a view and of its depth keep their cells apart: their mean, which the paper takes of its colour
features, would not tell left from right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from agents.baselines.config import NETWORKS, current_view
from agents.baselines.senses import VIEW_CELLS
from agents.config import Perception
from vlnenv.actions import MacroActions
from vlnenv.episodes.vocabulary import PAD, Vocabulary, split_words
from vlnenv.errors import unknown_name

HEADINGS = 24
TURNS = 1 + HEADINGS
"""Choices of the first head: 0 to stop, else 1 + the macro's turn."""
MOVES = MacroActions.MAX_MOVES + 1
"""Choices of the second head: steps ahead."""
_DEPTH_FEATURES = 3
_CELL_PLACE = 16


@dataclass(frozen=True)
class NetworkConfig:
    """All that rebuilds a network."""

    network: str
    """"seq2seq" or "cma"."""
    words: tuple[str, ...]
    """The vocabulary."""
    perception: Perception = field(default_factory=current_view)
    """What it sees with."""
    token_dim: int = 64
    """Length of a cell's feature."""
    width: int = 256
    """Length of each recurrent state."""
    word_dim: int = 64
    instruction_width: int = 128
    """Length of the instruction's states, both directions together."""
    view_width: int = 128
    depth_width: int = 64
    action_width: int = 32
    dropout: float = 0.1
    history_dropout: float = 0.5
    """Chance in training that a look's previous action is left out: who always has it learns to repeat it."""
    look_around: bool = True
    """Whether its episodes begin with a whole turn, as in training."""

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ValueError(unknown_name("network", self.network, NETWORKS))
        if self.instruction_width % 2:
            raise ValueError(f"instruction_width must be even, got {self.instruction_width}")


@dataclass(frozen=True)
class Instruction:
    """Instructions as the network has read them."""

    words: Tensor
    """(b, w, instruction_width), a state a word."""
    mask: Tensor
    """bool (b, w), where there is a word; the first is always taken for one."""
    last: Tensor
    """(b, instruction_width), each direction's last state."""


@dataclass(frozen=True)
class Decided:
    """What a network makes of t decisions of b episodes."""

    features: Tensor
    """(b, t, width), what the heads read."""
    turn_logits: Tensor
    """float32 (b, t, 25), see `TURNS`."""
    progress: Tensor
    """float32 (b, t) in [0, 1], the part of the route that is done."""
    state: Tensor
    """float32 (b, states, width) after the last."""


class BaselineNetwork(nn.Module):
    """What the two networks share: words, eyes, the previous action, and the heads.

    A subclass sets `states` and says how its recurrent states go on in `remember`.
    """

    states: int
    """Recurrent states of an episode."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = Vocabulary(config.words)
        self.word = nn.Embedding(len(self.vocabulary), config.word_dim, padding_idx=PAD)
        half = config.instruction_width // 2
        self.reads_on = nn.LSTM(config.word_dim, half, batch_first=True)
        self.reads_back = nn.LSTM(config.word_dim, half, batch_first=True)
        self.view = nn.Linear(VIEW_CELLS * config.token_dim, config.view_width)
        self.depth = nn.Linear(VIEW_CELLS * _DEPTH_FEATURES, config.depth_width)
        # One more of each for "none", before the first action.
        self.turned = nn.Embedding(HEADINGS + 1, config.action_width)
        self.moved = nn.Embedding(MOVES + 1, config.action_width)
        self.dropout = nn.Dropout(config.dropout)
        self.turn_head = nn.Linear(config.width, TURNS)
        self.turn = nn.Embedding(TURNS, config.width)
        self.moves_head = nn.Sequential(
            nn.Linear(config.width, config.width), nn.ReLU(), nn.Linear(config.width, MOVES)
        )
        self.progress_head = nn.Linear(config.width, 1)

    def remember(
        self, instruction: Instruction, view: Tensor, depth: Tensor, seen: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Carry the recurrent states on.

        Args:
            instruction: Of b episodes.
            view: (b, t, 36, token_dim).
            depth: (b, t, 36, 3), see `depth_features`.
            seen: (b, t, `seen_width`): vectors of the view, its depth, and the action before.
            state: (b, states, width) before the first decision.

        Returns:
            Features (b, t, width), and the states after the last decision.
        """
        raise NotImplementedError

    @property
    def seen_width(self) -> int:
        """Length of what is seen at a decision, before any attention."""
        return self.config.view_width + self.config.depth_width + self.config.action_width

    def read(self, ids: Tensor) -> Instruction:
        """Read instructions.

        Args:
            ids: int64 (b, w) word ids, padded at the end with 0.
        """
        ids = ids[:, : max(1, int((ids != PAD).sum(dim=1).max()))]
        mask = ids != PAD
        mask[:, 0] = True
        lengths = mask.sum(dim=1)
        words = self.dropout(self.word(ids))
        on = _recurrent(self.reads_on, words)[0]
        # Each text reversed within its own length, so that padding is read last and changes nothing.
        back = _flipped(_recurrent(self.reads_back, _flipped(words, lengths))[0], lengths)
        ends = on[torch.arange(len(ids), device=ids.device), lengths - 1]
        return Instruction(torch.cat([on, back], dim=-1), mask, torch.cat([ends, back[:, 0]], dim=-1))

    def start(self, size: int) -> Tensor:
        """The states (size, states, width) that episodes begin with."""
        return self.turn_head.weight.new_zeros(size, self.states, self.config.width)

    def forward(
        self,
        instruction: Instruction,
        view: Tensor,
        depth: Tensor,
        previous: Tensor,
        state: Tensor | None = None,
    ) -> Decided:
        """Decide t times in a row in each of b episodes.

        Args:
            instruction: What `read` gave.
            view: (b, t, 36, token_dim), see `agents.baselines.senses.Looks`.
            depth: (b, t, 36) metres.
            previous: int64 (b, t, 3), the action before each decision; -1 for none.
            state: (b, states, width) after what came before; None begins.

        Raises:
            ValueError: If the features are not of this network's length.
        """
        if view.shape[-1] != self.config.token_dim:
            raise ValueError(
                f"this baseline reads tokens of length {self.config.token_dim}, the observation has length "
                f"{view.shape[-1]}: use the encoder that it was trained with"
            )
        measured = depth_features(depth)
        seen = torch.cat(
            [
                F.relu(self.view(view.flatten(2))),
                F.relu(self.depth(measured.flatten(2))),
                self._before(previous),
            ],
            dim=-1,
        )
        before = self.start(len(view)) if state is None else state
        features, after = self.remember(instruction, view, measured, self.dropout(seen), before)
        features = self.dropout(features)
        progress = torch.sigmoid(self.progress_head(features).float())[..., 0]
        return Decided(features, self.turn_head(features).float(), progress, after)

    def moves_logits(self, features: Tensor, turns: Tensor) -> Tensor:
        """Logits float32 (..., 13) of how far to walk, given features (..., width) and turns (...)."""
        return self.moves_head(F.relu(features + self.turn(turns))).float()

    def _before(self, previous: Tensor) -> Tensor:
        """A vector (b, t, action_width) of the previous action."""
        if self.training and self.config.history_dropout:
            kept = torch.rand(previous.shape[:2], device=previous.device) >= self.config.history_dropout
            previous = torch.where(kept[..., None], previous, -1)
        turn, moves = previous[..., 1], previous[..., 2]
        turn = torch.where(turn < 0, HEADINGS, turn)
        return self.turned(turn) + self.moved(torch.where(moves < 0, MOVES, moves))


class Seq2Seq(BaselineNetwork):
    """One recurrent state, which reads the instruction's last state beside what is seen."""

    states = 1

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        self.memory = nn.GRU(self.seen_width + config.instruction_width, config.width, batch_first=True)

    def remember(
        self, instruction: Instruction, view: Tensor, depth: Tensor, seen: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `BaselineNetwork.remember`."""
        said = instruction.last[:, None].expand(-1, seen.shape[1], -1)
        features, last = _recurrent(self.memory, torch.cat([seen, said.to(seen.dtype)], dim=-1), state)
        return features, last


class CMA(BaselineNetwork):
    """Cross-modal attention: a first state says where to look in the text, that where to look in the view.

    The second state reads all of it, and decides.
    """

    states = 2

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        width, said = config.width, config.instruction_width
        self.visual_memory = nn.GRU(self.seen_width, width, batch_first=True)
        self.text_query = nn.Linear(width, said // 2)
        self.text_key = nn.Linear(said, said // 2)
        self.place = nn.Parameter(torch.randn(VIEW_CELLS, _CELL_PLACE) * 0.02)
        self.cell_query = nn.Linear(said, said // 2)
        self.view_key = nn.Linear(config.token_dim + _CELL_PLACE, said // 2)
        self.view_value = nn.Linear(config.token_dim + _CELL_PLACE, config.view_width)
        self.depth_key = nn.Linear(_DEPTH_FEATURES + _CELL_PLACE, said // 2)
        self.depth_value = nn.Linear(_DEPTH_FEATURES + _CELL_PLACE, config.depth_width)
        together = width + said + config.view_width + config.depth_width + config.action_width
        self.mix = nn.Linear(together, width)
        self.decision_memory = nn.GRU(width, width, batch_first=True)

    def remember(
        self, instruction: Instruction, view: Tensor, depth: Tensor, seen: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `BaselineNetwork.remember`."""
        size, times = seen.shape[:2]
        visual, first = _recurrent(self.visual_memory, seen, state[:, :1])
        words = instruction.words
        said = _attend(self.text_query(visual), self.text_key(words), words, instruction.mask[:, None])
        query = self.cell_query(said).flatten(0, 1)[:, None]
        place = self.place.expand(size * times, -1, -1)
        looked = []
        for cells, key, value in (
            (view, self.view_key, self.view_value),
            (depth, self.depth_key, self.depth_value),
        ):
            placed = torch.cat([cells.flatten(0, 1), place.to(cells.dtype)], dim=-1)
            found = _attend(query, key(placed), value(placed))
            looked.append(found[:, 0].unflatten(0, (size, times)))
        before = seen[..., -self.config.action_width :]
        parts = [visual, said, *looked, before]
        mixed = F.relu(self.mix(torch.cat([part.to(seen.dtype) for part in parts], dim=-1)))
        features, second = _recurrent(self.decision_memory, mixed, state[:, 1:])
        return features, torch.cat([first, second], dim=1)


def make_network(config: NetworkConfig) -> BaselineNetwork:
    """A fresh network of a kind."""
    return CMA(config) if config.network == "cma" else Seq2Seq(config)


def depth_features(depth_m: Tensor) -> Tensor:
    """What a network reads of depths: (..., 3), from the whole range and finer near by."""
    return torch.stack([depth_m / 5.0 - 0.5, torch.log1p(depth_m) - 1.0, torch.exp(-depth_m / 0.75)], dim=-1)


def word_ids(vocabulary: Vocabulary, texts: Sequence[str]) -> Tensor:
    """Word ids int64 (b, w) of texts, padded to the longest, w at least 1."""
    length = max(1, *(len(split_words(text)) for text in texts))
    return torch.stack([torch.from_numpy(vocabulary.encode(text, length)[0]) for text in texts])


def _attend(query: Tensor, key: Tensor, value: Tensor, valid: Tensor | None = None) -> Tensor:
    """(b, q, d) of scaled dot products; `valid` is bool (b, 1, n)."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if valid is not None:
        scores = scores.masked_fill(~valid, -torch.inf)
    return scores.float().softmax(dim=-1).to(value.dtype) @ value


def _recurrent(module: nn.RNNBase, steps: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """A recurrent layer over (b, t, n) in full precision; returns its outputs, and a GRU's state (b, 1, n).

    Small sums of many steps are what a state is made of: 16 bits are too few for them.
    """
    with torch.autocast(steps.device.type, enabled=False):
        before = None if state is None else state.float().transpose(0, 1).contiguous()
        output, after = module(steps.float()) if before is None else module(steps.float(), before)
    last = after[0] if isinstance(after, tuple) else after
    return output, last.transpose(0, 1)


def _flipped(steps: Tensor, lengths: Tensor) -> Tensor:
    """(b, t, n) with the first `lengths` (b,) entries of each row in reverse; the rest stays."""
    index = torch.arange(steps.shape[1], device=steps.device).expand(len(steps), -1)
    index = torch.where(index < lengths[:, None], lengths[:, None] - 1 - index, index)
    return steps.gather(1, index[..., None].expand(-1, -1, steps.shape[-1]))
