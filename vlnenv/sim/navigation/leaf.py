"""The decorator of small kernels that other kernels call for every cell."""

from __future__ import annotations

from numba import njit

# Without numba's reference counts, which a function that allocates nothing does not need. Passing a tuple of
# arrays costs two atomic operations for each array and call: motion and marching were 8-12 times slower so.
leaf = njit(cache=True, _nrt=False)  # type: ignore[call-overload]
"""`njit` for functions that allocate no array."""
