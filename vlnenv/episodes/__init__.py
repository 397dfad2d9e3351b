"""Navigation episodes: the record, the splits, and the readers and writers of their files."""

from vlnenv.episodes.dataset import EpisodeDataset, episodes_hash
from vlnenv.episodes.episode import Episode, Target, Vector3
from vlnenv.episodes.r2r_ce import read_r2r_ce, write_r2r_ce
from vlnenv.episodes.records import EpisodeFileError
from vlnenv.episodes.rxr_ce import read_rxr_ce, speaks, text_features_path, write_rxr_ce
from vlnenv.episodes.scene_lists import read_scene_lists, write_scene_lists

__all__ = [
    "Episode",
    "EpisodeDataset",
    "EpisodeFileError",
    "Target",
    "Vector3",
    "episodes_hash",
    "read_r2r_ce",
    "read_rxr_ce",
    "read_scene_lists",
    "speaks",
    "text_features_path",
    "write_r2r_ce",
    "write_rxr_ce",
    "write_scene_lists",
]
