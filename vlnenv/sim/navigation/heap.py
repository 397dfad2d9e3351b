"""A binary heap of node indices ordered by a key array, with decrease-key; plain functions for numba kernels.

`slot[i]` is the place of node i in the heap, -1 before its first push and -2 after its pop. Equal keys come
out in order of the index, so results never depend on the order of insertion.
"""

from __future__ import annotations

import numpy as np

from vlnenv.sim.navigation.leaf import leaf


@leaf
def _less(key: np.ndarray, a: int, b: int) -> bool:
    return key[a] < key[b] or (key[a] == key[b] and a < b)


@leaf
def push(heap: np.ndarray, size: int, slot: np.ndarray, key: np.ndarray, node: int) -> int:
    """Insert `node`, or move it up after its key became smaller; the new size of the heap."""
    at = slot[node]
    if at < 0:
        at = size
        size += 1
    while at > 0:
        parent = (at - 1) >> 1
        if not _less(key, node, heap[parent]):
            break
        heap[at] = heap[parent]
        slot[heap[at]] = at
        at = parent
    heap[at] = node
    slot[node] = at
    return size


@leaf
def pop(heap: np.ndarray, size: int, slot: np.ndarray, key: np.ndarray) -> int:
    """Remove and return the node of the smallest key; the heap's size becomes `size - 1`."""
    top = heap[0]
    slot[top] = -2
    size -= 1
    if size > 0:
        node = heap[size]
        at = 0
        while True:
            child = 2 * at + 1
            if child >= size:
                break
            if child + 1 < size and _less(key, heap[child + 1], heap[child]):
                child += 1
            if not _less(key, heap[child], node):
                break
            heap[at] = heap[child]
            slot[heap[at]] = at
            at = child
        heap[at] = node
        slot[node] = at
    return top
