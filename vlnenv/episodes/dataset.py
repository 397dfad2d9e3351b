"""A split of a data set: its episodes in order, looked up by id, with a hash that names exactly them."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vlnenv.episodes.episode import Episode


@dataclass(frozen=True)
class EpisodeDataset:
    """The episodes of one split, immutable and in file order.

    Iterating yields the episodes; `len` counts them; `dataset[3]` is the fourth.

    Raises:
        ValueError: If two episodes share an id.
    """

    name: str
    """The data set, as it appears in `info["dataset"]` and in results: "R2R_VLNCE_v1-3_preprocessed"."""
    split: str
    episodes: tuple[Episode, ...]
    hash: str = ""
    """First 16 hex digits of `episodes_hash`; computed when left empty."""
    vocabulary: tuple[str, ...] | None = None
    """Word of each instruction token id, where the file has its own tokens."""
    integer_ids: tuple[str, ...] = ()
    """Which of "episode_id" and "trajectory_id" the file writes as JSON integers; kept for the writer."""
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)
    """Top-level JSON fields of the file besides its episodes (all of `instruction_vocab`); for the writer."""
    _index: Mapping[str, int] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "episodes", tuple(self.episodes))
        index: dict[str, int] = {}
        for position, episode in enumerate(self.episodes):
            if episode.episode_id in index:
                raise ValueError(
                    f"episode id {episode.episode_id!r} occurs twice in {self.name} {self.split}, at "
                    f"positions {index[episode.episode_id]} and {position}; ids must be unique"
                )
            index[episode.episode_id] = position
        object.__setattr__(self, "_index", index)
        if not self.hash:
            object.__setattr__(self, "hash", episodes_hash(self.episodes))

    def __len__(self) -> int:
        return len(self.episodes)

    def __iter__(self) -> Iterator[Episode]:
        return iter(self.episodes)

    def __getitem__(self, index: int) -> Episode:
        return self.episodes[index]

    def __contains__(self, episode_id: object) -> bool:
        return episode_id in self._index

    def index_of(self, episode_id: str) -> int:
        """Position of an episode in the split.

        Raises:
            KeyError: If there is no such episode; names the nearest ids.
        """
        index = self._index.get(episode_id)
        if index is None:
            nearest = difflib.get_close_matches(str(episode_id), self._index, n=3, cutoff=0.0)
            hint = f" Nearest: {', '.join(map(repr, nearest))}." if nearest else ""
            kind = "" if isinstance(episode_id, str) else " (ids are strings)"
            raise KeyError(
                f"no episode {episode_id!r}{kind} in {self.name} {self.split}, "
                f"which has {len(self.episodes)} episodes.{hint}"
            )
        return index

    def by_id(self, episode_id: str) -> Episode:
        """The episode of that id.

        Raises:
            KeyError: If there is no such episode; names the nearest ids.
        """
        return self.episodes[self.index_of(episode_id)]

    def select(self, episode_ids: Iterable[str]) -> EpisodeDataset:
        """The data set of these episodes alone, in the order given, with its own hash.

        Raises:
            KeyError: If one of them is not in the split.
            ValueError: If one is given twice.
        """
        chosen = tuple(self.by_id(episode_id) for episode_id in episode_ids)
        return dataclasses.replace(self, episodes=chosen, hash="")


def episodes_hash(episodes: Iterable[Episode]) -> str:
    """First 16 hex digits of the SHA-256 of the episodes' canonical JSON (sorted keys, exact numbers)."""
    digest = hashlib.sha256()
    names = [each.name for each in dataclasses.fields(Episode)]
    for episode in episodes:
        record = {name: getattr(episode, name) for name in names}
        record["extra"] = dict(episode.extra)
        line = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()[:16]
