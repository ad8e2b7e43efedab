"""How long the work on site takes, learned as a distribution by work type, engineer and kind of asset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from geo.additive import Floats, Group, Ints, fit, independent, weighted_quantile
from geo.points import GeoError

MIN_JOBS: Final = 20
MAX_JOBS: Final = 20_000
MEMORY_DAYS: Final = 90.0
"""A job counts half after this long: work changes more slowly than traffic."""
_UNLEARNED_SD: Final = 0.5
_NORMAL_90: Final = 1.2816


@dataclass(frozen=True, slots=True)
class Job:
    """One visit's work from check_in to complete; planned_s is what the work type says it takes."""

    planned_s: float
    observed_s: float
    work_type: str
    engineer: str
    asset: str
    day: float


@dataclass(frozen=True, slots=True)
class Duration:
    """Seconds on site: half of such jobs take at most p50_s, nine in ten at most p90_s; `jobs` of this
    work type."""

    p50_s: int
    p90_s: int
    learned: bool
    jobs: int


@dataclass(frozen=True, slots=True)
class Durations:
    """Effects on the logarithm of observed by planned; per work type also its 90th percentile and its
    jobs."""

    jobs: int
    rejected: int
    work_types: Mapping[str, tuple[float, float, int]]
    engineers: Mapping[str, float]
    assets: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values for a json column; from_json is the opposite."""
        return {
            "v": 1,
            "jobs": self.jobs,
            "rejected": self.rejected,
            "work_types": {key: list(values) for key, values in self.work_types.items()},
            "engineers": dict(self.engineers),
            "assets": dict(self.assets),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> Durations:
        """Raises GeoError durations_unreadable."""
        try:
            if stored["v"] != 1:
                raise ValueError(stored["v"])
            return Durations(
                jobs=int(stored["jobs"]),
                rejected=int(stored["rejected"]),
                work_types={
                    str(k): (float(a), float(b), int(n)) for k, (a, b, n) in stored["work_types"].items()
                },
                engineers={str(k): float(v) for k, v in stored["engineers"].items()},
                assets={str(k): float(v) for k, v in stored["assets"].items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise GeoError("durations_unreadable", {"reason": repr(error)}) from error


def learn_durations(jobs: Sequence[Job], today: float) -> Durations:
    """What finished jobs up to `today` say; at most the latest MAX_JOBS are used.

    Jobs whose times are no times, or ten times off the plan, are counted as rejected (a forgotten check-out).
    """
    believable = [job for job in jobs if _believable(job, today)]
    rejected = len(jobs) - len(believable)
    if len(believable) < MIN_JOBS:
        return Durations(len(believable), rejected, {}, {}, {})
    used = sorted(believable, key=lambda job: job.day)[-MAX_JOBS:]
    y = np.log([job.observed_s / job.planned_s for job in used])
    weight = 0.5 ** ((today - np.array([job.day for job in used])) / MEMORY_DAYS)
    types, type_codes = _coded([job.work_type for job in used])
    engineers, engineer_codes = _coded([job.engineer for job in used])
    assets, asset_codes = _coded([job.asset for job in used])
    fitted = fit(
        y,
        weight,
        [
            Group(type_codes, independent(len(types), 0.4)),
            Group(engineer_codes, independent(len(engineers), 0.15)),
            Group(asset_codes, independent(len(assets), 0.2)),
        ],
        observer=1,
    )
    above = _above_median(fitted.residuals, weight * fitted.trust, type_codes, fitted.sd)
    counts = np.bincount(type_codes)
    work_types = {
        name: (float(fitted.effects[0][code]), above[code], int(counts[code]))
        for code, name in enumerate(types)
    }
    return Durations(
        jobs=len(used),
        rejected=rejected,
        work_types=work_types,
        engineers={key: float(value) for key, value in zip(engineers, fitted.effects[1], strict=True)},
        assets={key: float(value) for key, value in zip(assets, fitted.effects[2], strict=True)},
    )


def predict_duration(
    known: Durations, planned_s: float, work_type: str, engineer: str | None = None, asset: str | None = None
) -> Duration:
    """The learned duration of a job; planned_s with a wide p90 while nothing is known of its work type.

    Raises GeoError planned_invalid.
    """
    if not math.isfinite(planned_s) or planned_s <= 0:
        raise GeoError("planned_invalid", {"planned_s": repr(planned_s)})
    effect, above, jobs = known.work_types.get(work_type, (0.0, _NORMAL_90 * _UNLEARNED_SD, 0))
    if engineer is not None:
        effect += known.engineers.get(engineer, 0.0)
    if asset is not None:
        effect += known.assets.get(asset, 0.0)
    p50_s = planned_s * math.exp(effect)
    return Duration(round(p50_s), round(p50_s * math.exp(above)), jobs > 0, jobs)


def _above_median(residuals: Floats, weight: Floats, type_codes: Ints, sd: float) -> list[float]:
    """Per work type, how far the 90th percentile lies above the median, shrunk as if by 20 ordinary jobs."""
    found = []
    for code in range(int(type_codes.max()) + 1):
        here = type_codes == code
        count = float(weight[here].sum())
        seen = weighted_quantile(residuals[here], weight[here], 0.9)
        found.append(max(0.02, (count * seen + 20 * _NORMAL_90 * sd) / (count + 20)))
    return found


def _believable(job: Job, today: float) -> bool:
    times = (job.planned_s, job.observed_s, job.day)
    if not all(math.isfinite(value) for value in times) or job.planned_s <= 0 or job.observed_s <= 0:
        return False
    return job.day <= today and 0.1 <= job.observed_s / job.planned_s <= 10.0


def _coded(labels: list[str]) -> tuple[list[str], Ints]:
    names = sorted(set(labels))
    place = {name: code for code, name in enumerate(names)}
    return names, np.array([place[label] for label in labels])
