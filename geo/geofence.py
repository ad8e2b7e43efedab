"""Is somebody at the site? The phone's stated accuracy counts in their favour, up to a cap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from geo.points import GeoError, Point, distance_m

ACCURACY_CAP_M = 100.0
"""The most that a poor reading may widen the circle. Indoors and between towers a phone is off by 20–80 m;
a reading that admits to more proves nothing, and a forged one would simply claim a huge accuracy."""

AtSiteReason = Literal["within_radius", "within_accuracy", "accuracy_too_poor", "too_far"]


@dataclass(frozen=True, slots=True)
class AtSite:
    """`at_site` is the verdict; distance_m from the reading to the site, allowed_m the circle granted.

    accuracy_too_poor: the true place may lie inside, but the reading cannot show it. too_far: it does not.
    """

    at_site: bool
    distance_m: float
    allowed_m: float
    reason: AtSiteReason


def at_site(position: Point, accuracy_m: float | None, site: Point, radius_m: float) -> AtSite:
    """The verdict on one reading. `accuracy_m` is the phone's own (68%) radius, None when it gave none.

    Raises GeoError radius_invalid (not above 0) or accuracy_invalid (negative or not finite).
    """
    if not math.isfinite(radius_m) or radius_m <= 0:
        raise GeoError("radius_invalid", {"radius_m": repr(radius_m)})
    stated_m = 0.0 if accuracy_m is None else float(accuracy_m)
    if not math.isfinite(stated_m) or stated_m < 0:
        raise GeoError("accuracy_invalid", {"accuracy_m": repr(accuracy_m)})
    away_m = distance_m(position, site)
    allowed_m = radius_m + min(stated_m, ACCURACY_CAP_M)
    if away_m <= radius_m:
        return AtSite(True, away_m, allowed_m, "within_radius")
    if away_m <= allowed_m:
        return AtSite(True, away_m, allowed_m, "within_accuracy")
    if away_m <= radius_m + stated_m:
        return AtSite(False, away_m, allowed_m, "accuracy_too_poor")
    return AtSite(False, away_m, allowed_m, "too_far")
