import json
import math
from dataclasses import replace

import numpy as np
import pytest

from geo.durations import Durations, Job, learn_durations, predict_duration
from geo.points import GeoError

TYPES = {"boiler service": (3_600, 0.25, 0.2), "leak": (2_700, 0.0, 0.45), "filter change": (900, -0.2, 0.1)}
ENGINEERS = {"Ana": -0.2, "Ben": 0.15, "Chu": 0.0}
ASSETS = {"old": 0.2, "new": -0.1}


def jobs(count, seed=1):
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        work_type, engineer, asset = (str(random.choice(list(d))) for d in (TYPES, ENGINEERS, ASSETS))
        planned_s, effect, noise = TYPES[work_type]
        total = effect + ENGINEERS[engineer] + ASSETS[asset] + random.normal(0, noise)
        found.append(
            Job(planned_s, planned_s * math.exp(total), work_type, engineer, asset, random.uniform(0, 60))
        )
    return found


def test_durations_by_type_engineer_and_asset_come_out_as_they_went_in():
    known = learn_durations(jobs(1_500), 60)
    for work_type, (planned_s, effect, noise) in TYPES.items():
        for engineer, personal in ENGINEERS.items():
            for asset, made in ASSETS.items():
                median_s = planned_s * math.exp(effect + personal + made)
                answer = predict_duration(known, planned_s, work_type, engineer, asset)
                assert answer.p50_s == pytest.approx(median_s, rel=0.1)
                assert answer.p90_s == pytest.approx(median_s * math.exp(1.2816 * noise), rel=0.16)
                assert answer.learned


def test_each_work_type_has_its_own_ninetieth_percentile():
    known, later = learn_durations(jobs(1_500), 60), jobs(3_000, seed=2)
    for work_type in TYPES:
        mine = [job for job in later if job.work_type == work_type]
        within = [
            job.observed_s <= predict_duration(known, job.planned_s, work_type, job.engineer, job.asset).p90_s
            for job in mine
        ]
        assert 0.87 < np.mean(within) < 0.93


def test_nothing_learned_gives_the_plan_and_says_so():
    known = learn_durations(jobs(10), 60)
    answer = predict_duration(known, 1_800, "leak", "Ana", "old")
    assert (answer.p50_s, answer.learned, answer.jobs) == (1_800, False, 0)
    assert answer.p90_s > 3_000
    assert not predict_duration(learn_durations(jobs(100), 60), 1_800, "lift", None, None).learned


def test_forgotten_check_outs_do_not_count():
    good = jobs(200)
    night = [replace(job, observed_s=14 * 3_600) for job in good if job.work_type == "filter change"][:20]
    dirty = learn_durations(good + night, 60)
    assert dirty.rejected == len(night)
    assert replace(dirty, rejected=0) == learn_durations(good, 60)


def test_what_was_learned_survives_json_and_a_broken_one_is_named():
    known = learn_durations(jobs(100), 60)
    assert Durations.from_json(json.loads(json.dumps(known.as_json()))) == known
    with pytest.raises(GeoError, match="durations_unreadable"):
        Durations.from_json({"v": 1, "jobs": "many"})


@pytest.mark.parametrize("planned_s", [0, -1, math.nan])
def test_a_plan_that_is_none_is_refused(planned_s):
    with pytest.raises(GeoError, match="planned_invalid"):
        predict_duration(learn_durations([], 0), planned_s, "leak")
