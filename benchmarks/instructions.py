"""What the instruction writer writes, beside the real data sets, and sheets for reading it.

    python -m benchmarks.instructions [--houses 40]
    python -m benchmarks.instructions --sample 100 --out FOLDER

The first writes benchmarks/results/instructions.json and docs/instructions.md: lengths, vocabulary and route
lengths of every style, with those of R2R-CE's and REVERIE's val_seen where --real holds them, and how many
routes and drafts were dropped for which reason. The second writes sheets of instructions with their routes.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from tqdm import tqdm

from benchmarks.instruction_sheets import Reading, write_sheets
from benchmarks.record import RESULTS, save_result
from vlnenv.houses import house_of, load_scene
from vlnenv.houses.dice import Dice
from vlnenv.houses.instructions import STYLES
from vlnenv.houses.routes.routes import describe_routes
from vlnenv.sim.embree import EmbreeSimulator

PAGE = Path(__file__).parents[1] / "docs" / "instructions.md"
READINGS = RESULTS / "instruction_readings.json"
"""What came of reading sheets, written by hand."""
R2R_FILE = "r2r_ce/R2R_VLNCE_v1-3_preprocessed/val_seen/val_seen.json.gz"
REVERIE_FILE = "reverie/data_v2_REVERIE_val_seen.json"
_PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True)
class Args:
    """Instruction statistics and reading sheets."""

    houses: int = 40
    """The first so many houses of --group."""
    group: str = "val_unseen"
    """House group."""
    routes: int = 5
    """Routes a house."""
    paraphrases: int = 3
    """Instructions a route and style."""
    real: Path = Path("shared/data")
    """Folder with the real data sets; what is not there is left out."""
    sample: int = 0
    """Draw so many instructions for reading instead of writing the page."""
    out: Path = Path("sheets")
    """Folder of the sheets."""
    seed: int = 0
    """Seed of the routes."""


def statistics(texts: Sequence[str], lengths_m: Sequence[float]) -> dict[str, Any]:
    """Figures of a set of instructions.

    Args:
        texts: The instructions.
        lengths_m: Geodesic lengths of their routes; empty where they are not known.
    """
    words = [re.findall(r"[a-z']+", text.lower()) for text in texts]
    counts = Counter(word for each in words for word in each)
    thousand = words[:600]
    figures: dict[str, Any] = {
        "instructions": len(texts),
        "distinct": len(set(texts)),
        "words": [
            round(float(v)) for v in np.percentile([len(text.split()) for text in texts], _PERCENTILES)
        ],
        "sentences": round(float(np.mean([max(1, len(re.findall(r"[.?!]", text))) for text in texts])), 1),
        "vocabulary": len(counts),
        "vocabulary_of_600": len({word for each in thousand for word in each}),
        "common": [word for word, _ in counts.most_common(25)],
    }
    if len(lengths_m):
        figures["route_m"] = [round(float(v), 1) for v in np.percentile(lengths_m, _PERCENTILES)]
    return figures


def real_statistics(folder: Path) -> dict[str, dict[str, Any]]:
    """Figures of the real splits that a folder holds."""
    found = {}
    if (folder / R2R_FILE).is_file():
        with gzip.open(folder / R2R_FILE, "rt") as file:
            episodes = json.load(file)["episodes"]
        found["R2R-CE val_seen"] = statistics(
            [episode["instruction"]["instruction_text"] for episode in episodes],
            [episode["info"]["geodesic_distance"] for episode in episodes],
        )
    if (folder / REVERIE_FILE).is_file():
        paths = json.loads((folder / REVERIE_FILE).read_text())
        found["REVERIE val_seen"] = statistics([text for path in paths for text in path["instructions"]], [])
    return found


def page(figures: dict[str, dict[str, Any]], reasons: dict[str, int], routes: int) -> str:
    """The statistics page, in Markdown."""
    lines = [
        "# Instructions",
        "",
        "What `vlnenv.houses.instructions` writes for the built-in houses, beside the real data sets.",
        "Made by `python -m benchmarks.instructions`; percentiles are 5, 25, 50, 75, 95.",
        "",
        "| | instructions | distinct | words | sentences | vocabulary | of 600 texts | route, m |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, each in figures.items():
        lines.append(
            f"| {name} | {each['instructions']} | {each['distinct']} | {_list(each['words'])} | "
            f"{each['sentences']} | {each['vocabulary']} | {each['vocabulary_of_600']} | "
            f"{_list(each.get('route_m', ()))} |"
        )
    lines += ["", "Most frequent words:", ""]
    lines += [f"- {name}: {', '.join(each['common'])}" for name, each in figures.items()]
    lines += [
        "",
        "## What was dropped",
        "",
        f"For {routes} routes that were kept. A route is dropped when no expert walks it well, when its",
        "target is not in view at its end (information filter), or when no wording of it in one of the",
        'styles leads to its goal alone (ambiguity filter). "Redrawn" counts drafts that the filter refused',
        "and that another draft of the same route and style replaced.",
        "",
        "| reason | times |",
        "|---|---|",
    ]
    lines += [
        f"| {reason} | {count} |" for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1])
    ]
    lines += ["", "## What readers said", "", _verdicts(json.loads(READINGS.read_text()))]
    return "\n".join(lines) + "\n"


def _verdicts(read: dict[str, Any]) -> str:
    counts = ", ".join(f"{len(read[name])} {name}" for name in ("wrong", "ambiguous", "borderline", "odd"))
    before = "; ".join(f"{each['wrong']} wrong, {each['ambiguous']} ambiguous" for each in read["earlier"])
    return (
        f"Of {read['read']} instructions (`{read['command']}`), read with their maps by {read['readers']}: "
        f"{counts} (`benchmarks/results/{READINGS.name}`). In hundreds read before, after each of which the "
        f"writer was mended: {before}."
    )


def _list(values: Sequence[float]) -> str:
    return ", ".join(str(value) for value in values)


def main(args: Args) -> None:
    """Write the page or the sheets."""
    simulator = EmbreeSimulator(load_scene=load_scene)
    texts: dict[str, list[str]] = {style: [] for style in STYLES}
    lengths_m: list[float] = []
    readings: list[Reading] = []
    reasons: Counter[str] = Counter()
    for number in tqdm(range(args.houses), unit="house"):
        scene_id = f"houses/{args.group}/{number:04d}"
        scene, house = simulator.load(scene_id), house_of(scene_id)
        described = describe_routes(
            simulator,
            scene,
            args.routes,
            f"instructions/{args.seed}",
            house=house,
            styles=STYLES,
            paraphrases=args.paraphrases,
            rejections=reasons,
        )
        for each in described:
            lengths_m += [each.route.length_m] * args.paraphrases
            for style, written in each.texts.items():
                texts[style] += written
                readings += [Reading(0, style, text, each.route, scene, house) for text in written]
    if args.sample:
        # Most of them tell ways: those are the ones that can go wrong.
        dice = Dice("instructions to read", args.seed)
        shares = {"r2r": args.sample * 3 // 5, "reverie": args.sample // 5}
        shares["navrag"] = args.sample - sum(shares.values())
        chosen = [
            reading
            for style, share in shares.items()
            for reading in dice.shuffled([each for each in readings if each.style == style])[:share]
        ]
        numbered = [
            Reading(number + 1, each.style, each.text, each.route, each.scene, each.house)
            for number, each in enumerate(chosen)
        ]
        write_sheets(numbered, simulator, args.out)
        return
    figures = {f"houses-v1, {style}": statistics(texts[style], lengths_m) for style in STYLES}
    figures |= real_statistics(args.real)
    routes = args.houses * args.routes
    save_result(
        "instructions", {"figures": figures, "dropped": dict(reasons), "routes": routes}, seed=args.seed
    )
    PAGE.write_text(page(figures, dict(reasons), routes))


if __name__ == "__main__":
    main(tyro.cli(Args))
