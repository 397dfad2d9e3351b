"""Merging the nodes of a weighted graph into segments."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def _root(parent: np.ndarray, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@njit(cache=True)
def merge_graph(
    edges: np.ndarray, weight: np.ndarray, order: np.ndarray, nodes: int, scale: float
) -> np.ndarray:
    """Felzenszwalb and Huttenlocher's graph segmentation.

    Two segments are joined by their lightest edge if it is no heavier than the heaviest edge that either
    needed inside, plus scale / size.

    Args:
        edges: int64 (e, 2) nodes.
        weight: float64 (e,).
        order: int64 (k,) the edges to look at, lightest first.
        nodes: How many nodes there are.
        scale: Larger for larger segments, in units of the weight.

    Returns:
        int64 (nodes,) the root of each node's segment.

    Source: P. Felzenszwalb, D. Huttenlocher, Efficient Graph-Based Image Segmentation, IJCV 2004,
    algorithm 1.
    """
    parent = np.arange(nodes)
    size = np.ones(nodes)
    inside = np.zeros(nodes)
    for e in order:
        a, b = _root(parent, edges[e, 0]), _root(parent, edges[e, 1])
        if a == b:
            continue
        if weight[e] <= min(inside[a] + scale / size[a], inside[b] + scale / size[b]):
            if b < a:
                a, b = b, a
            parent[b] = a
            size[a] += size[b]
            inside[a] = weight[e]
    for node in range(nodes):
        parent[node] = _root(parent, node)
    return parent


@njit(cache=True)
def merge_boundaries(
    root: np.ndarray,
    edges: np.ndarray,
    weight: np.ndarray,
    order: np.ndarray,
    threshold: float,
    min_size: int,
) -> np.ndarray:
    """Join neighbouring segments whose common boundary is light on average, the lightest boundary first.

    Args:
        root: int64 (nodes,) segment of each node, as `merge_graph` gives it.
        edges: int64 (e, 2) nodes.
        weight: float64 (e,).
        order: int64 (k,) the edges that count.
        threshold: Boundaries whose mean weight is at most this go.
        min_size: Segments of fewer nodes join the neighbour across their lightest boundary, heavy or not.

    Returns:
        int64 (nodes,) the root of each node's segment.
    """
    nodes = len(root)
    number = np.full(nodes, -1)
    count = 0
    for node in range(nodes):
        if root[node] == node:
            number[node] = count
            count += 1
    total, length = np.zeros((count, count)), np.zeros((count, count))
    for e in order:
        a, b = number[root[edges[e, 0]]], number[root[edges[e, 1]]]
        if a != b:
            total[a, b] += weight[e]
            total[b, a] += weight[e]
            length[a, b] += 1.0
            length[b, a] += 1.0
    size = np.zeros(count)
    for node in range(nodes):
        size[number[root[node]]] += 1.0
    parent = np.arange(count)
    # The lightest boundary of each segment, kept up to date for those that a join touches.
    best, mean = np.full(count, -1), np.full(count, np.inf)
    for a in range(count):
        for b in range(count):
            if length[a, b] > 0.0 and total[a, b] / length[a, b] < mean[a]:
                best[a], mean[a] = b, total[a, b] / length[a, b]
    while True:
        pick = -1
        for a in range(count):
            is_due = best[a] >= 0 and (mean[a] <= threshold or size[a] < min_size)
            if is_due and (pick < 0 or mean[a] < mean[pick]):
                pick = a
        if pick < 0:
            break
        a, b = pick, best[pick]
        if b < a:
            a, b = b, a
        parent[b] = a
        size[a] += size[b]
        best[b], mean[b] = -1, np.inf
        for c in range(count):
            if c != a and length[b, c] > 0.0:
                total[a, c] += total[b, c]
                total[c, a] += total[b, c]
                length[a, c] += length[b, c]
                length[c, a] += length[b, c]
            length[b, c] = length[c, b] = 0.0
            total[b, c] = total[c, b] = 0.0
        for c in range(count):
            if c == a or (length[a, c] > 0.0):
                best[c], mean[c] = -1, np.inf
                for d in range(count):
                    if length[c, d] > 0.0 and total[c, d] / length[c, d] < mean[c]:
                        best[c], mean[c] = d, total[c, d] / length[c, d]
    first = np.full(count, -1)
    for node in range(nodes):
        segment = _root(parent, number[root[node]])
        if first[segment] < 0:
            first[segment] = node
    out = np.empty(nodes, dtype=np.int64)
    for node in range(nodes):
        out[node] = first[_root(parent, number[root[node]])]
    return out
