"""RxR-CE's episode files (RxR_VLNCE v0): guides and followers, in several languages, with `_gt` rollouts.

An episode's record is R2R-CE's; its instruction also has `instruction_id`, `language` ("en-US", "en-IN",
"hi-IN", "te-IN"), `annotator_id`, `edit_distance` and `timed_instruction`, and no tokens.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vlnenv.episodes.ce_records import stem
from vlnenv.episodes.dataset import EpisodeDataset
from vlnenv.episodes.episode import Episode
from vlnenv.episodes.r2r_ce import read_r2r_ce, write_r2r_ce


def read_rxr_ce(
    path: str | Path,
    *,
    gt_path: str | Path | None = None,
    name: str | None = None,
    split: str | None = None,
    timings: bool = True,
) -> EpisodeDataset:
    """Read one role of one split.

    Args:
        path: `{split}_guide.json.gz` or `{split}_follower.json.gz`.
        gt_path: As for `read_r2r_ce`.
        name: Name of the data set. None takes the folder's name (`NAME/{split}/{split}_{role}.json.gz`).
        split: None takes the file's name without its suffix and without "_guide".
        timings: Whether to keep `timed_instruction`, when each word was spoken: most of the memory that the
            train split takes. Without it a written file lacks the field.

    Returns:
        The episodes in file order; `Episode.language` says what they are in.

    Raises:
        FileNotFoundError: As for `read_r2r_ce`.
        EpisodeFileError: As for `read_r2r_ce`.
    """
    path = Path(path)
    split = stem(path).removesuffix("_guide") if split is None else split
    if name is None:
        parent = path.absolute().parent
        inside = stem(path).startswith(f"{parent.name}_")
        name = parent.parent.name if inside and parent.parent.name else parent.name
    dataset = read_r2r_ce(path, gt_path=gt_path, name=name, split=split)
    if timings:
        return dataset
    return replace(dataset, episodes=tuple(_without_timing(each) for each in dataset), hash="")


def write_rxr_ce(dataset: EpisodeDataset, path: str | Path) -> None:
    """Write one role of a split, and its `_gt` file beside it; see `write_r2r_ce`."""
    write_r2r_ce(dataset, path)


def speaks(language: str, wanted: Iterable[str]) -> bool:
    """Whether a language ("en-IN") is among those wanted, of which "en" stands for every English."""
    return any(language == each or language.startswith(f"{each}-") for each in wanted)


def text_features_path(folder: str | Path, split: str, episode: Episode) -> Path:
    """Where RxR's precomputed BERT features of an instruction lie.

    Args:
        folder: The data set's: it holds `text_features`.
        split: "train", "val_seen", "val_unseen" or "test_challenge", whatever the role.
        episode: Of RxR-CE.

    Raises:
        ValueError: If the episode has no instruction id.
    """
    number = episode.extra.get("instruction", {}).get("instruction_id")
    if number is None:
        raise ValueError(f"episode {episode.episode_id!r} has no instruction_id: it is none of RxR-CE's")
    language = episode.language.split("-")[0]
    return Path(folder) / "text_features" / f"rxr_{split}" / f"{int(number):06}_{language}_text_features.npz"


def _without_timing(episode: Episode) -> Episode:
    instruction = dict(episode.extra.get("instruction", {}))
    instruction.pop("timed_instruction", None)
    return replace(episode, extra={**episode.extra, "instruction": instruction})
