import os
from pathlib import Path

# Before numba or torch load: two test workers share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Scenes and fields that tests prepare stay out of the user's cache.
os.environ.setdefault("VLNENV_CACHE", str(Path(__file__).parents[1] / ".pytest_cache" / "vlnenv"))
