"""The built-in data set: which houses and episodes a split has, and the files in the package that hold them.

The files are made by `python -m vlnenv.houses.dataset` (about a second a house) and shipped, so that loading
takes no time. A split is generated house by house, and a house's episodes do not depend on the others.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vlnenv.episodes import Episode, EpisodeDataset, read_r2r_ce, write_r2r_ce
from vlnenv.errors import unknown_name
from vlnenv.houses.house import VERSION, house_of
from vlnenv.sim.simulator import Simulator

NAME = VERSION
"""Name of the data set in `info["dataset"]` and in results."""
EPISODES_DIR = Path(__file__).with_name("episodes")
"""Where the shipped files lie."""


@dataclass(frozen=True)
class Split:
    """What a split is made of."""

    group: str
    """House group: "houses/<group>/<number>"."""
    houses: int
    """The first so many houses of the group."""
    episodes_per_house: int
    first_id: int
    """Episode id of the first episode; house n's begin at first_id + 100 n."""


SPLITS: dict[str, Split] = {
    "train": Split("train", 60, 30, 1),
    "val_seen": Split("train", 60, 3, 10_001),
    "val_unseen": Split("val_unseen", 15, 12, 20_001),
}
"""val_seen has other episodes in the houses of train; val_unseen has houses of its own."""


def load(split: str) -> EpisodeDataset:
    """The shipped episodes of a split.

    Raises:
        ValueError: If there is no such split.
        FileNotFoundError: If the package was installed without its episode files.
    """
    return _load(_checked(split))


@lru_cache(maxsize=len(SPLITS))
def _load(split: str) -> EpisodeDataset:
    path = EPISODES_DIR / f"{split}.json.gz"
    if not path.is_file():
        raise FileNotFoundError(
            f"the episode file {path} is missing from the installed package; make it again with "
            "`python -m vlnenv.houses.dataset`"
        )
    return read_r2r_ce(path, name=NAME, split=split)


def generate_house(split: str, number: int, simulator: Simulator | None = None) -> list[Episode]:
    """The episodes of one house of a split.

    Args:
        split: A key of `SPLITS`.
        number: The house, below the split's count.
        simulator: Has to load built-in houses; by default one is made.
    """
    from vlnenv.houses.routes import generate_episodes

    spec = SPLITS[_checked(split)]
    simulator = _simulator() if simulator is None else simulator
    scene_id = f"houses/{spec.group}/{number:04d}"
    return generate_episodes(
        simulator,
        simulator.load(scene_id),
        spec.episodes_per_house,
        f"{VERSION}/{split}",
        house=house_of(scene_id),
        first_id=spec.first_id + 100 * number,
    )


def generate(split: str, houses: Sequence[int] | None = None) -> EpisodeDataset:
    """A split, made anew.

    Args:
        split: A key of `SPLITS`.
        houses: Numbers of the houses; all of the split by default. The vocabulary is that of their episodes.

    Returns:
        The same as `load` gives, for all houses.
    """
    spec = SPLITS[_checked(split)]
    simulator = _simulator()
    episodes: list[Episode] = []
    for number in range(spec.houses) if houses is None else houses:
        episodes += generate_house(split, number, simulator)
    return EpisodeDataset(
        name=NAME,
        split=split,
        episodes=tuple(episodes),
        vocabulary=vocabulary_of(episodes),
        integer_ids=("episode_id", "trajectory_id"),
    )


def words_of(instruction: str) -> list[str]:
    """Lower-case words and punctuation of an instruction, in order."""
    return re.findall(r"[a-z]+|[.,]", instruction.lower())


def vocabulary_of(episodes: Sequence[Episode]) -> tuple[str, ...]:
    """Every word of the instructions: padding, the unknown word, then the words in alphabetical order."""
    words = {word for episode in episodes for word in words_of(episode.instruction)}
    return ("<pad>", "<unk>", *sorted(words))


def _checked(split: str) -> str:
    if split not in SPLITS:
        raise ValueError(unknown_name("split of the built-in houses", split, list(SPLITS)))
    return split


def _simulator() -> Simulator:
    from vlnenv.houses import load_scene
    from vlnenv.sim.embree import EmbreeSimulator

    return EmbreeSimulator(load_scene=load_scene)


def main() -> None:
    """Write the episode files of the package."""
    parser = argparse.ArgumentParser(description="Make the episode files of the built-in houses.")
    parser.add_argument("--out", type=Path, default=EPISODES_DIR, help="folder for {split}.json.gz")
    parser.add_argument("--split", choices=list(SPLITS), action="append", help="default: all")
    options = parser.parse_args()
    for split in options.split or SPLITS:
        write_r2r_ce(generate(split), options.out / f"{split}.json.gz")


if __name__ == "__main__":
    main()
