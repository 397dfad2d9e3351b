"""Where the real files lie that some tests read in place; such a test skips, and says so, without them."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("VLNENV_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(relative: str) -> Path:
    """Path of a shared file, or skip the calling test."""
    path = ROOT / relative
    if not path.exists():
        pytest.skip(f"needs the real file {relative} of the shared data folder, which is not here")
    return path
