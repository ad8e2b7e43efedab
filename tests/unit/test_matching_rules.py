"""Each rule of the match refuses with its numbers and lets pass what is right; each score moves the right way."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from dispatch.domain.errors import NotReady
from dispatch.domain.matching import EngineerSeen, WorkWanted, judge, match
from dispatch.domain.matching_policy import Policy, choose_policy
from dispatch.domain.matching_rules import RULES
from dispatch.domain.pools import PoolSeen, next_turn, ring_at
from dispatch.domain.receipts import computes_again, receipt_body
from dispatch.domain.tenancy import TenantRules

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
NORTH, SOUTH = UUID(int=1), UUID(int=2)
RULES_OF = TenantRules(zone="Asia/Shanghai")
WORK = WorkWanted(
    ticket_id=UUID(int=9),
    skills={"hvac": 2},
    duration_min=60,
    territory_id=NORTH,
    window_from=NOW,
    window_to=NOW + timedelta(hours=2),
    due_at=NOW + timedelta(hours=2),
    day=date(2026, 6, 1),
    parts={"fuse": 2.0},
)
ANA = EngineerSeen(
    engineer_id=UUID(int=3),
    name="Ana",
    skills={"hvac": 2},
    certified_until={"hvac": date(2026, 6, 1)},
    territory_id=NORTH,
    shift=(NOW - timedelta(hours=1), NOW + timedelta(hours=8)),
    absent=False,
    planned_min=420,
    limit_min=480,
    under_way=False,
    travel_s=1200,
    distance_m=6000,
    position_age_s=30,
    refused=None,
    excluded_by_customer=False,
    trainee=False,
    active=True,
    van={"fuse": 2.0},
    contractor_visits=3,
    contractor_quota=4,
)
BREAKS: tuple[tuple[dict[str, Any], dict[str, object]], ...] = (
    ({"active": False}, {"rule": "inactive"}),
    ({"trainee": True}, {"rule": "trainee"}),
    ({"skills": {"hvac": 1}}, {"rule": "skill", "skill": "hvac", "needs": 2, "has": 1}),
    (
        {"certified_until": {"hvac": date(2026, 5, 31)}},
        {"rule": "certificate", "skill": "hvac", "until": "2026-05-31", "day": "2026-06-01"},
    ),
    ({"absent": True}, {"rule": "absent", "day": "2026-06-01"}),
    ({"shift": None}, {"rule": "off_shift", "day": "2026-06-01"}),
    ({"on_call": True}, {"rule": "on_call_only", "priority": "normal"}),
    ({"territory_id": SOUTH}, {"rule": "territory", "needs": str(NORTH), "has": str(SOUTH)}),
    ({"planned_min": 421}, {"rule": "workload", "planned_min": 421, "visit_min": 60, "limit_min": 480}),
    ({"travel_s": None}, {"rule": "position_unknown"}),
    ({"travel_s": 7201}, {"rule": "too_far", "travel_s": 7201, "limit_s": 7200}),
    ({"refused": "no_skill"}, {"rule": "refused_before", "reason": "no_skill"}),
    ({"excluded_by_customer": True}, {"rule": "excluded_by_customer"}),
    ({"van": {"fuse": 1.0}}, {"rule": "parts", "part": "fuse", "needs": 2.0, "has": 1.0}),
    ({"contractor_visits": 4}, {"rule": "contractor_quota", "visits": 4, "quota": 4}),
    ({"consents": False}, {"rule": "no_consent"}),
)


def test_who_fits_breaks_no_rule() -> None:
    assert judge(WORK, ANA, RULES_OF, NOW).refusals == ()


@pytest.mark.parametrize(("change", "refusal"), BREAKS, ids=[str(refusal["rule"]) for _, refusal in BREAKS])
def test_a_broken_rule_is_named_with_its_numbers(change: dict[str, Any], refusal: dict[str, object]) -> None:
    found = [r.as_json() for r in judge(WORK, replace(ANA, **change), RULES_OF, NOW).refusals]
    assert found == [refusal]


def test_arriving_after_the_window_is_refused_with_the_delay() -> None:
    work = replace(WORK, window_to=NOW + timedelta(minutes=15))
    (refusal,) = judge(work, ANA, RULES_OF, NOW).refusals
    assert refusal.as_json() == {"rule": "arrives_late", "late_s": 300, "travel_s": 1200}


def test_every_rule_is_broken_by_some_case_here() -> None:
    """Sabotage's other half: a rule nobody breaks would be a rule nobody tests."""
    broken = set()
    for change, _ in BREAKS:
        engineer = replace(ANA, **change)
        broken |= {rule for rule in RULES if rule(WORK, engineer, RULES_OF, NOW) is not None}
    assert broken == set(RULES)


def test_on_call_counts_for_urgent_work() -> None:
    assert judge(replace(WORK, priority="urgent"), replace(ANA, on_call=True), RULES_OF, NOW).eligible


@pytest.mark.parametrize(
    ("worse", "part"),
    [
        ({"travel_s": 1800}, "travel"),
        ({"travel_s": 9000}, "lateness"),
        ({"planned_min": 430}, "workload"),
        ({"skills": {"hvac": 3}}, "overqualified"),
        ({"preferred": False}, "preferred"),
        ({"hour_cost_minor": 9000}, "cost"),
    ],
)
def test_each_score_part_is_higher_for_the_worse(worse: dict[str, Any], part: str) -> None:
    rules = replace(RULES_OF, weight_cost=0.1)
    good = replace(ANA, preferred=True, hour_cost_minor=6000)
    better, other = judge(WORK, good, rules, NOW), judge(WORK, replace(good, **worse), rules, NOW)
    assert other.parts[part] > better.parts[part]


def test_a_weight_of_nothing_takes_its_part_out() -> None:
    rules = replace(RULES_OF, weight_travel_min=0.0)
    assert judge(WORK, ANA, rules, NOW).parts["travel"] == 0


def test_the_more_exact_policy_decides_and_the_work_type_before_the_territory() -> None:
    anywhere, typed = Policy("offer"), Policy("pool", work_type="leak")
    placed, exact = Policy("manual", territory_id=NORTH), Policy("direct", "leak", NORTH)
    rows = [anywhere, typed, placed, exact]
    assert choose_policy(rows, "leak", NORTH, "offer") is exact
    assert choose_policy(rows[:3], "leak", NORTH, "offer") is typed
    assert choose_policy(rows, "survey", NORTH, "offer") is placed
    assert choose_policy(rows, "survey", None, "direct") is anywhere
    assert choose_policy([], "survey", None, "direct").mode == "direct"


def test_a_policys_numbers_replace_the_tenants_and_wrong_ones_are_named() -> None:
    assert Policy("pool", settings={"ring_m": 800.0}).rules(RULES_OF).ring_m == 800
    for settings in ({"ring_m": 1}, {"ring_m": 800.5}, {"no_such": 1}, {"ring_m": True}):
        with pytest.raises(NotReady) as refusal:
            Policy("pool", settings=settings).rules(RULES_OF)
        assert refusal.value.code == "tenant_setting_invalid"


def test_rings_widen_and_the_pool_ends_before_the_promise_is_at_risk() -> None:
    rules = replace(RULES_OF, ring_m=1000, ring_min=5, pool_min=30, risk_min=60)
    pool = PoolSeen(NOW, 1000, None, NOW + timedelta(minutes=80))
    assert [ring_at(NOW, rules, NOW + timedelta(minutes=m)) for m in (0, 4, 5, 10, 15)] == [
        1000, 1000, 2000, 4000, 8000,
    ]  # fmt: skip
    assert next_turn(pool, rules, NOW).look_again_at == NOW + timedelta(minutes=5)
    assert next_turn(pool, rules, NOW + timedelta(minutes=16)).look_again_at == NOW + timedelta(minutes=20)
    assert next_turn(pool, rules, NOW + timedelta(minutes=20)).assign
    calm = replace(pool, promised_by=None)
    over = next_turn(calm, rules, NOW + timedelta(minutes=30))
    assert (over.assign, over.look_again_at) == (False, None)
    collecting = replace(calm, collect_until=NOW + timedelta(minutes=2))
    assert next_turn(collecting, rules, NOW).look_again_at == collecting.collect_until
    assert next_turn(collecting, rules, NOW + timedelta(minutes=2)).decide_bids


def test_a_receipt_computes_again_and_a_changed_number_is_seen() -> None:
    ben = replace(ANA, engineer_id=UUID(int=4), name="Ben", planned_min=100, hour_cost_minor=5000)
    body = receipt_body(match(WORK, [ANA, ben], RULES_OF, NOW), WORK, RULES_OF)
    assert computes_again(body, NOW)
    lines = body["candidates"]
    assert isinstance(lines, list)
    lines[0]["seen"]["planned_min"] += 1
    assert not computes_again(body, NOW)
