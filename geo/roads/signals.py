"""Seconds lost at traffic signals: the many signalled nodes of one crossing are one wait, not one each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geo.points import EARTH_RADIUS_M
from geo.roads import profiles


def signal_ms(
    lon: NDArray[np.float64], lat: NDArray[np.float64], seconds: Mapping[int, float]
) -> dict[int, int]:
    """Milliseconds by node, for nodes (indices of lon, lat) that would each lose `seconds` alone.

    Nodes of which each lies within SIGNALS_TOGETHER_M of another are one crossing. A way through n nodes that
    lie about in a square passes √n of them, so each gets the longest wait among them divided by √n.
    """
    if not seconds:
        return {}
    node = np.array(sorted(seconds), np.int64)
    alone_s = np.array([seconds[n] for n in node.tolist()])
    x, y = np.radians(lon[node]), np.radians(lat[node])
    on_sphere = np.column_stack((np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)))
    chord = 2 * np.sin(profiles.SIGNALS_TOGETHER_M / (2 * EARTH_RADIUS_M))
    pairs = cKDTree(on_sphere).query_pairs(chord, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(node), len(node)))
    crossings, of_node = connected_components(links, directed=False)
    longest_s = np.zeros(crossings)
    np.maximum.at(longest_s, of_node, alone_s)
    shared_ms = 1000.0 * (longest_s / np.sqrt(np.bincount(of_node, minlength=crossings)))[of_node]
    return dict(zip(node.tolist(), np.rint(shared_ms).astype(np.int64).tolist(), strict=True))
