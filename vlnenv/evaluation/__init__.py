"""Evaluation: the agent protocol, the runner, results on disk, intervals and tables."""

from vlnenv.evaluation.agent import Agent, PrivilegedAgent, PublicEpisode, is_privileged, public
from vlnenv.evaluation.manifest import make_manifest
from vlnenv.evaluation.results import ManifestMismatch, Record, ResultsFolder, read_results
from vlnenv.evaluation.runner import evaluate, run
from vlnenv.evaluation.statistics import (
    Interval,
    bootstrap_means,
    mean_interval,
    paired_difference,
    summarise,
)
from vlnenv.evaluation.table import comparison_table, results_table

__all__ = [
    "Agent",
    "Interval",
    "ManifestMismatch",
    "PrivilegedAgent",
    "PublicEpisode",
    "Record",
    "ResultsFolder",
    "bootstrap_means",
    "comparison_table",
    "evaluate",
    "is_privileged",
    "make_manifest",
    "mean_interval",
    "paired_difference",
    "public",
    "read_results",
    "results_table",
    "run",
    "summarise",
]
