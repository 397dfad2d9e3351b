"""Navigation episodes: the record, the splits, and the readers and writers of their files."""

from vlnenv.episodes.dataset import EpisodeDataset, episodes_hash
from vlnenv.episodes.episode import Episode, Vector3
from vlnenv.episodes.r2r_ce import read_r2r_ce, write_r2r_ce
from vlnenv.episodes.records import EpisodeFileError

__all__ = [
    "Episode",
    "EpisodeDataset",
    "EpisodeFileError",
    "Vector3",
    "episodes_hash",
    "read_r2r_ce",
    "write_r2r_ce",
]
