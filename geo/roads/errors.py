"""Refusals of the road network, each with a stable code and plain facts."""

from __future__ import annotations

from geo.points import GeoError


class RoadsError(GeoError):
    """Codes: mode_unknown, hour_out_of_range, day_unknown, matrix_empty, matrix_too_large, seconds_out_of_range,
    points_malformed, trace_too_short, trace_too_long,
    trace_not_on_roads, no_route, factors_malformed."""


class RoadsFileError(RoadsError):
    """A file that cannot be used. Codes: pbf_missing, pbf_unreadable, pbf_without_roads, roads_missing,
    roads_version_unknown, roads_damaged."""


class TooFarFromRoad(RoadsError):
    """Code too_far_from_road; facts name the point: index, lon, lat, mode, limit_m, nearest_m (None when no
    road lies within ten times the limit) and swapped, true where the same numbers as (lat, lon) would be in
    the area."""
