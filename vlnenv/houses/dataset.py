"""The built-in data set: which houses, routes and instructions a split has, and the files that hold them.

The files are made by `python -m vlnenv.houses.dataset` and shipped, so that loading takes no time. A split is
generated house by house, and what a house gets does not depend on the others: `generate_house` makes the
episodes of any one.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tqdm import tqdm

from vlnenv.episodes import Episode, EpisodeDataset, read_r2r_ce, write_r2r_ce
from vlnenv.episodes.vocabulary import split_words
from vlnenv.errors import unknown_name
from vlnenv.houses.house import VERSION, house_of
from vlnenv.houses.instructions import STYLES
from vlnenv.sim.simulator import Simulator

NAME = VERSION
"""Name of the data set in `info["dataset"]` and in results; other styles than R2R's add theirs to it."""
EPISODES_DIR = Path(__file__).with_name("episodes")
"""Where the shipped files lie: `{style}/{split}.json.gz`."""
PARAPHRASES = 3
"""Instructions a route and style: episodes of one trajectory id."""

_ROLLOUTS = "r2r"
"""The style whose folder holds the `_gt` files: routes, and so rollouts, are the same in all styles."""
_IDS_PER_HOUSE = 100


@dataclass(frozen=True)
class Split:
    """What a split is made of."""

    group: str
    """House group: "houses/<group>/<number>"."""
    houses: int
    """So many houses of the group, in a row."""
    routes_per_house: int
    first_id: int
    """Trajectory id of house 0's first route; house n's begin at first_id + 100 n. Episode ids are 10 times
    the trajectory's, plus the number of the paraphrase."""
    first_house: int = 0
    """Number of the first house."""
    styles: tuple[str, ...] = STYLES
    """Styles that it has texts in."""
    has_rollouts: bool = True
    """Whether the ground-truth rollouts are written, too."""

    @property
    def numbers(self) -> range:
        """Numbers of its houses in the group."""
        return range(self.first_house, self.first_house + self.houses)


SPLITS: dict[str, Split] = {
    "train": Split("train", 200, 14, 1),
    "train_large": Split("train", 700, 14, 1_000_001, 200, ("r2r",), has_rollouts=False),
    "val_seen": Split("train", 50, 4, 100_001),
    "val_unseen": Split("val_unseen", 40, 5, 200_001),
    "test": Split("test", 40, 5, 300_001),
}
"""val_seen has other routes in houses of train; all others have houses of their own. train_large is for
learners that train's 200 houses are too few for: its scenes take 7 GB of the cache once they were used."""


@dataclass(frozen=True)
class HouseEpisodes:
    """What one house adds to a split."""

    episodes: dict[str, list[Episode]]
    """Style -> episodes, a route's paraphrases one after the other; the same routes in every style."""
    rejections: Counter[str]
    """Routes that were drawn and dropped, by reason."""


def load(split: str, style: str = "r2r") -> EpisodeDataset:
    """The shipped episodes of a split.

    Args:
        split: A key of `SPLITS`.
        style: "r2r" tells the way; "reverie" an object to find; "navrag" a person's wish.

    Raises:
        ValueError: If there is no such split or style.
        FileNotFoundError: If the package was installed without its episode files.
    """
    return _load(_checked(split), _checked_style(style, split))


@lru_cache(maxsize=len(SPLITS) * len(STYLES))
def _load(split: str, style: str) -> EpisodeDataset:
    path = _file(EPISODES_DIR, style, split)
    has_rollouts = SPLITS[split].has_rollouts
    rollouts = EPISODES_DIR / _ROLLOUTS / f"{split}_gt.json.gz" if has_rollouts else None
    for each in (path, rollouts):
        if each is not None and not each.is_file():
            raise FileNotFoundError(
                f"the episode file {each} is missing from the installed package; make it again with "
                "`python -m vlnenv.houses.dataset`"
            )
    return read_r2r_ce(path, gt_path=rollouts, name=_name(style), split=split)


def generate_house(split: str, number: int, simulator: Simulator | None = None) -> HouseEpisodes:
    """The episodes of one house of a split, in all styles.

    Args:
        split: A key of `SPLITS`.
        number: The house, one of the split's `numbers`.
        simulator: Has to load built-in houses; by default one is made.

    Raises:
        ValueError: If there is no such split or it has no such house.
    """
    from vlnenv.houses.routes.routes import describe_routes, episode_of

    spec = SPLITS[_checked(split)]
    if number not in spec.numbers:
        raise ValueError(f"split {split!r} has houses {spec.numbers[0]} to {spec.numbers[-1]}, got {number}")
    simulator = _simulator() if simulator is None else simulator
    scene_id = f"houses/{spec.group}/{number:04d}"
    rejections: Counter[str] = Counter()
    described = describe_routes(
        simulator,
        simulator.load(scene_id),
        spec.routes_per_house,
        f"{VERSION}/{split}",
        house=house_of(scene_id),
        styles=spec.styles,
        paraphrases=PARAPHRASES,
        rejections=rejections,
    )
    episodes: dict[str, list[Episode]] = {style: [] for style in spec.styles}
    for trajectory_id, each in enumerate(described, spec.first_id + _IDS_PER_HOUSE * number):
        for style in spec.styles:
            for paraphrase, text in enumerate(each.texts[style]):
                episodes[style].append(
                    episode_of(each.route, text, 10 * trajectory_id + paraphrase, trajectory_id)
                )
    return HouseEpisodes(episodes, rejections)


def generate(
    split: str, houses: Sequence[int] | None = None, jobs: int = 1
) -> tuple[dict[str, EpisodeDataset], Counter[str]]:
    """A split in all styles, made anew with a progress bar.

    Args:
        split: A key of `SPLITS`.
        houses: Numbers of the houses; all of the split by default. The vocabulary is that of their episodes.
        jobs: Processes at once. The result does not depend on it.

    Returns:
        Style -> the same as `load` gives, for all houses; and the rejections, by reason.
    """
    numbers = SPLITS[_checked(split)].numbers if houses is None else houses
    found = list(_each_house(split, numbers, jobs))
    datasets = {}
    for style in SPLITS[split].styles:
        episodes = tuple(episode for each in found for episode in each.episodes[style])
        datasets[style] = EpisodeDataset(
            name=_name(style),
            split=split,
            episodes=episodes,
            vocabulary=vocabulary_of(episodes),
            integer_ids=("episode_id", "trajectory_id"),
        )
    return datasets, sum((each.rejections for each in found), Counter())


def _each_house(split: str, numbers: Sequence[int], jobs: int) -> list[HouseEpisodes]:
    bar = tqdm(total=len(numbers), desc=split, unit="house")
    found = []
    with bar:
        if jobs == 1:
            simulator = _simulator()
            for number in numbers:
                found.append(generate_house(split, number, simulator))
                bar.update()
            return found
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for each in pool.map(generate_house, [split] * len(numbers), numbers):
                found.append(each)
                bar.update()
    return found


def save(dataset: EpisodeDataset, style: str, folder: Path = EPISODES_DIR) -> Path:
    """Write `{style}/{split}.json.gz`; R2R's style gets the rollouts of all beside it."""
    path = _file(folder, style, dataset.split)
    if style != _ROLLOUTS or not SPLITS[dataset.split].has_rollouts:
        bare = (dataclasses.replace(each, gt_locations_m=(), gt_actions=()) for each in dataset)
        dataset = dataclasses.replace(dataset, episodes=tuple(bare), hash="")
    write_r2r_ce(dataset, path)
    return path


def vocabulary_of(episodes: Sequence[Episode]) -> tuple[str, ...]:
    """Every word of the instructions: padding, the unknown word, then words and marks in order."""
    words = {word for episode in episodes for word in split_words(episode.instruction)}
    return ("<pad>", "<unk>", *sorted(words))


def _name(style: str) -> str:
    return NAME if style == "r2r" else f"{NAME}-{style}"


def _file(folder: Path, style: str, split: str) -> Path:
    return folder / style / f"{split}.json.gz"


def _checked(split: str) -> str:
    if split not in SPLITS:
        raise ValueError(unknown_name("split of the built-in houses", split, list(SPLITS)))
    return split


def _checked_style(style: str, split: str | None = None) -> str:
    styles = STYLES if split is None else SPLITS[split].styles
    if style not in styles:
        of = "" if split is None else f" of {split!r}"
        raise ValueError(unknown_name(f"style of instructions{of}", style, styles))
    return style


@lru_cache(maxsize=1)
def _simulator() -> Simulator:
    from vlnenv.houses import load_scene
    from vlnenv.sim.embree import EmbreeSimulator

    return EmbreeSimulator(load_scene=load_scene)


@dataclass(frozen=True)
class Options:
    """Make the episode files of the built-in houses."""

    split: tuple[str, ...] = tuple(SPLITS)
    """Splits to make."""
    style: tuple[str, ...] = STYLES
    """Styles whose files are written."""
    jobs: int = 2
    """Processes at once."""
    out: Path = EPISODES_DIR
    """Folder for `{style}/{split}.json.gz`."""


def main(options: Options) -> None:
    """Write the files; says which, with their hashes and what was dropped."""
    for style in options.style:
        _checked_style(style)
    for split in options.split:
        datasets, rejections = generate(split, jobs=options.jobs)
        for style in (each for each in options.style if each in SPLITS[split].styles):
            path = save(datasets[style], style, options.out)
            tqdm.write(f"{path}: {len(datasets[style])} episodes, hash {datasets[style].hash}")
        tqdm.write(f"dropped routes of {split}: {dict(rejections.most_common())}")


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Options))
