"""The loop that trainers here run: updates with a progress bar, and noted closed-loop validations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from agents.training_state import append_point


class TrainingRun(Protocol):
    """What is trained, and how far it has come."""

    update: int
    """Updates so far; `step` counts it on."""

    def step(self) -> dict[str, float]:
        """One update; returns what is to be logged of it."""
        ...


class ImitationRun(TrainingRun, Protocol):
    """Training that is validated in the closed loop."""

    best_success: float
    """Success rate of the best validation so far; below 0 before the first."""


def remaining_updates(
    run: TrainingRun, total: int, writer: SummaryWriter, title: str, tag: str
) -> Iterator[dict[str, float]]:
    """Carry out the updates that a run still lacks, with a progress bar and logs.

    Args:
        run: Goes on from `run.update`.
        total: Updates of the whole run.
        writer: Gets every 20th update's values.
        title: Of the progress bar.
        tag: Group of the logged values.

    Yields:
        After each update, the smoothed values of `run.step`.
    """
    smooth: dict[str, float] = {}
    with tqdm(total=total, initial=run.update, desc=title, unit="update", smoothing=0.02) as progress:
        while run.update < total:
            for name, value in run.step().items():
                smooth[name] = value if name not in smooth else 0.98 * smooth[name] + 0.02 * value
            progress.update(1)
            if run.update % 20 == 0:
                progress.set_postfix({name: f"{value:.3f}" for name, value in smooth.items()})
                for name, value in smooth.items():
                    writer.add_scalar(f"{tag}/{name}", value, run.update)
            yield dict(smooth)


def note_validation(
    run: ImitationRun,
    folder: Path,
    split: str,
    losses: Mapping[str, float],
    closed_loop: Mapping[str, float],
    writer: SummaryWriter,
) -> bool:
    """Log a validation and add it to the run's curve.

    Args:
        run: Its best success rate is brought up to date.
        folder: Gets the point in `curve.jsonl`.
        split: That was validated on.
        losses: Smoothed values of the updates before.
        closed_loop: Metrics, "success" among them.
        writer: Gets the metrics.

    Returns:
        Whether none was better before, so that the weights are to be kept.
    """
    named = {f"{split}/{name}": value for name, value in closed_loop.items()}
    for name, value in named.items():
        writer.add_scalar(name, value, run.update)
    append_point(folder / "curve.jsonl", {"update": run.update, **losses, **named})
    if closed_loop["success"] < run.best_success:
        return False
    run.best_success = closed_loop["success"]
    return True
