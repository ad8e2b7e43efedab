"""Points put on the nearest of a few segments."""

from __future__ import annotations

import numpy as np
import pytest

from geo.points import distances_m
from geo.roads.snap import MAX_CELLS, Snapper, build_grid


def snapper(lon: np.ndarray, lat: np.ndarray) -> Snapper:
    return Snapper(lon, lat, np.arange(len(lon)), build_grid(lon, lat))


def test_the_nearest_segment_is_found_as_by_looking_at_all_of_them():
    rng = np.random.default_rng(1)
    start = np.column_stack((113 + rng.random(3000) * 0.3, 28 + rng.random(3000) * 0.3))
    end = start + rng.normal(0, 0.002, start.shape)
    lon, lat = np.column_stack((start[:, 0], end[:, 0])), np.column_stack((start[:, 1], end[:, 1]))
    points = np.column_stack((113 + rng.random(200) * 0.3, 28 + rng.random(200) * 0.3))
    every = np.ones(3000, np.bool_)
    segment, share, metres = snapper(lon, lat).nearest(
        points[:, 0].copy(), points[:, 1].copy(), every, 5000.0, 3
    )
    for i, (x, y) in enumerate(points):
        scale = np.array([np.cos(np.radians(y)), 1.0])
        a, d = (start - [x, y]) * scale, (end - start) * scale
        along = np.clip(-(a * d).sum(axis=1) / (d * d).sum(axis=1), 0, 1)
        off = np.hypot(*(a + along[:, None] * d).T) * 111194.92664455873
        best = np.argsort(off)[:3]
        assert segment[i].tolist() == best.tolist()
        assert metres[i] == pytest.approx(off[best])
        assert share[i] == pytest.approx(along[best])


def test_the_place_on_the_segment_is_as_far_as_told():
    lon, lat = np.array([[113.0, 113.01]]), np.array([[28.0, 28.0]])
    found = snapper(lon, lat).snap([(113.004, 28.001)], np.ones(1, np.bool_), 500.0, "car")
    assert found.share[0] == pytest.approx(0.4)
    assert found.side[0] == 1
    assert found.metres[0] == pytest.approx(float(distances_m(113.004, 28.0, 113.004, 28.001)), rel=1e-3)


def test_two_cities_at_the_ends_of_a_country_do_not_fill_the_memory():
    lon, lat = np.array([[87.0, 87.001], [126.0, 126.001]]), np.array([[18.0, 18.001], [45.0, 45.001]])
    grid = build_grid(lon, lat)
    assert grid.columns * grid.rows <= 1.01 * MAX_CELLS
    found = snapper(lon, lat).snap([(126.0005, 45.0005)], np.ones(2, np.bool_), 500.0, "car")
    assert found.edge[0] == 1
