import os

# Before numba or torch load: two test workers share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
