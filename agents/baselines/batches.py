"""Training batches of whole episodes, padded at the end, with what training changes about them by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from agents.baselines.networks import word_ids
from agents.baselines.senses import VIEW_CELLS
from agents.baselines.sequences import EpisodeLooks, Sequences
from agents.imitation import swapped_words
from agents.macros import mirror_macros
from vlnenv.episodes.vocabulary import PAD, UNKNOWN, Vocabulary
from vlnenv.view_history import CELLS

PAD_LABEL = -1
"""Label of looks that nothing is decided on, and of padding."""


@dataclass(frozen=True)
class Augmentation:
    """What training changes about an episode, by chance."""

    mirror: float = 0.5
    """Chance that left and right change places, in the view, the words and the actions."""
    cell_dropout: float = 0.15
    """Mean part of the cells that is blanked; each episode's own part is drawn from 0 to twice that."""
    word_dropout: float = 0.05
    """Part of the words that becomes "unknown"."""


NO_AUGMENTATION = Augmentation(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Batch:
    """b episodes of at most t looks."""

    ids: Tensor
    """int64 (b, w), see `agents.baselines.networks.word_ids`."""
    view: Tensor
    """float32 (b, t, 36, D)."""
    depth: Tensor
    """float32 (b, t, 36) metres."""
    previous: Tensor
    """int64 (b, t, 3)."""
    label: Tensor
    """int64 (b, t, 3); -1 where nothing is decided, and in the padding."""
    progress: Tensor
    """float32 (b, t), the part of the route that is done."""

    @property
    def decides(self) -> Tensor:
        """Bool (b, t), where there is a label."""
        return self.label[..., 0] != PAD_LABEL

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(**{name: value.to(device) for name, value in vars(self).items()})


class Batches:
    """Makes batches. What one holds follows from its indices and the random numbers alone.

    Args:
        sequences: The episodes.
        vocabulary: The network's.
        augmentation: What is changed by chance.
    """

    def __init__(self, sequences: Sequences, vocabulary: Vocabulary, augmentation: Augmentation) -> None:
        self.sequences = sequences
        self.vocabulary = vocabulary
        self.augmentation = augmentation
        self._swapped = swapped_words(vocabulary)

    def batch(
        self,
        indices: Sequence[int] | np.ndarray,
        paraphrases: Sequence[int] | np.ndarray,
        rng: np.random.Generator,
    ) -> Batch:
        """A batch of b episodes.

        Args:
            indices: (b,) which.
            paraphrases: (b,) which of its route's texts each takes (modulo their number).
            rng: Random numbers of the augmentation.
        """
        mirrored = rng.random(len(indices)) < self.augmentation.mirror
        episodes = [
            self._episode(int(index), bool(swap), rng) for index, swap in zip(indices, mirrored, strict=True)
        ]
        texts = []
        for index, paraphrase in zip(indices, paraphrases, strict=True):
            said = self.sequences.instructions[int(self.sequences.route[index])]
            texts.append(said[int(paraphrase) % len(said)])
        ids = word_ids(self.vocabulary, texts)
        ids = torch.where(torch.from_numpy(mirrored)[:, None], self._swapped[ids], ids)
        unknown = torch.from_numpy(rng.random(ids.shape) < self.augmentation.word_dropout)
        return Batch(
            ids=torch.where(unknown & (ids != PAD), UNKNOWN, ids),
            view=_padded([episode.view for episode in episodes], torch.float32),
            depth=_padded([episode.depth for episode in episodes], torch.float32),
            previous=_padded([episode.previous for episode in episodes], torch.int64, PAD_LABEL),
            label=_padded([episode.label for episode in episodes], torch.int64, PAD_LABEL),
            progress=_padded([episode.goal[:, 3] for episode in episodes], torch.float32),
        )

    def _episode(self, index: int, mirrored: bool, rng: np.random.Generator) -> EpisodeLooks:
        episode = self.sequences[index]
        if mirrored:
            episode = mirrored_looks(episode)
        dropped = rng.random() * 2.0 * self.augmentation.cell_dropout
        blank = rng.random((len(episode.view), VIEW_CELLS)) < dropped
        return EpisodeLooks(
            view=np.where(blank[..., None], np.float16(0.0), episode.view),
            depth=np.where(blank, np.float16(0.0), episode.depth),
            previous=episode.previous,
            label=episode.label,
            goal=episode.goal,
        )


def mirrored_looks(episode: EpisodeLooks) -> EpisodeLooks:
    """An episode in which left and right have changed places, but for its words."""
    return EpisodeLooks(
        view=_flipped_cells(episode.view),
        depth=_flipped_cells(episode.depth),
        previous=mirror_macros(episode.previous),
        label=mirror_macros(episode.label),
        goal=episode.goal * np.array([1.0, 1.0, -1.0, 1.0], dtype=np.float32),
    )


def _flipped_cells(cells: np.ndarray) -> np.ndarray:
    """(t, 36, ...) with the columns of the grid from right to left."""
    grid = cells.reshape(len(cells), CELLS, CELLS, *cells.shape[2:])
    return grid[:, :, ::-1].reshape(cells.shape)


def _padded(parts: Sequence[np.ndarray], dtype: torch.dtype, value: int = 0) -> Tensor:
    """Arrays (t_i, ...) as one (b, t, ...), padded at the end."""
    tensors = [torch.from_numpy(np.array(part)).to(dtype) for part in parts]
    return torch.nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=float(value))
