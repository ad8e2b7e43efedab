"""Receipts against the database as it was: 200 decisions on a changing company, computed again by other code."""

import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.builders import SITE, add_engineer, new_ticket
from tests.house import Product, Town, ok

DECISIONS = 200
EARTH_M = 6_371_008.8
DETOUR = 1.3


def people(town: Town, count: int, dice: random.Random) -> list[UUID]:
    made, found = town.made, []
    with made.house.database.transaction(made.tenant_id) as db:
        for number in range(count):
            skills = {"hvac": dice.randint(1, 3)} | ({"plumbing": dice.randint(1, 2)} if number % 3 else {})
            east_m = dice.randint(100, 9000)
            found.append(add_engineer(made, db, f"E{number:02}", skills, east_m, made.house.now()))
    return found


def change_something(town: Town, engineers: list[UUID], dice: random.Random) -> None:
    """The company a moment later: fuller days, absences, costs, consents, wishes, moved vans."""
    tenant, engineer = town.made.tenant_id, dice.choice(engineers)
    now = town.product.clock.now()
    sql = dice.choice(
        (
            """insert into engineer_days (tenant_id, engineer_id, day, planned_min)
                values (%(tenant)s, %(e)s, (%(now)s at time zone 'Asia/Shanghai')::date, %(n)s)
                on conflict (tenant_id, engineer_id, day) do update set planned_min = %(n)s returning 1""",
            """insert into absences (tenant_id, id, engineer_id, reason, starts_at, ends_at)
                values (%(tenant)s, gen_random_uuid(), %(e)s, 'leave', %(now)s, %(now)s + interval '20 min')
                returning 1""",
            "update engineers set hour_cost_minor = %(n)s * 20 where id = %(e)s returning 1",
            """update engineers set position_consent_at = case when position_consent_at is null then %(now)s end
                where id = %(e)s and %(n)s < 150 returning 1""",
            """update engineers set position = st_setsrid(st_makepoint(%(lon)s + %(n)s / 9000.0, %(lat)s), 4326)
                where id = %(e)s returning 1""",
            """insert into customer_preferences (tenant_id, customer_id, engineer_id, at)
                select tenant_id, id, %(e)s, %(now)s from customers where tenant_id = %(tenant)s limit 1
                on conflict do nothing returning 1""",
        )
    )
    values = {"e": engineer, "n": dice.randint(0, 480), "now": now, "lon": SITE.lon, "lat": SITE.lat}
    town.product.rows(sql, tenant, **values)


def as_it_is(town: Town, ticket_id: str) -> list[dict[str, Any]]:
    """Everybody's facts, read by other statements than the product's."""
    return town.product.rows(
        """
        select e.id, e.daily_limit_min as limit_min, e.hour_cost_minor, e.position_consent_at is not null as consents,
          st_x(e.position::geometry) as lon, st_y(e.position::geometry) as lat,
          coalesce((select planned_min from engineer_days d where d.engineer_id = e.id
            and d.day = (%(now)s at time zone 'Asia/Shanghai')::date), 0) as planned_min,
          (select max(s.level) from engineer_skills s where s.engineer_id = e.id and s.skill = 'hvac') as level,
          exists (select from absences a where a.engineer_id = e.id
            and tstzrange(a.starts_at, a.ends_at) && tstzrange(%(now)s, %(now)s + interval '60 min')) as absent,
          exists (select from customer_preferences p join tickets t on t.customer_id = p.customer_id
            where t.id = %(ticket)s and p.engineer_id = e.id) as preferred
        from engineers e where e.tenant_id = %(tenant)s and e.active
        """,
        town.made.tenant_id,
        ticket=ticket_id,
        now=town.product.clock.now(),
    )


def driven_m(lon: float, lat: float) -> float:
    """Haversine times the detour of streets."""
    a = math.sin(math.radians(lat - SITE.lat) / 2) ** 2 + math.cos(math.radians(lat)) * math.cos(
        math.radians(SITE.lat)
    ) * (math.sin(math.radians(lon - SITE.lon) / 2) ** 2)
    return DETOUR * 2 * EARTH_M * math.asin(math.sqrt(a))


def expected(row: dict[str, Any], line: dict[str, Any]) -> tuple[set[str], dict[str, float]]:
    """The rules broken and the score parts by the book, from the facts as they were and the line's seconds."""
    broken = set()
    if (row["level"] or 0) < 2:
        broken.add("skill")
    if row["absent"]:
        broken.add("absent")
    if row["planned_min"] + 60 > row["limit_min"]:
        broken.add("workload")
    if not row["consents"]:
        broken.add("no_consent")
    if line["travel_s"] > 120 * 60:
        broken.add("too_far")
    minutes = line["travel_s"] / 60
    cost = 0.05 * (minutes + 60) / 60 * (row["hour_cost_minor"] or 0) / 100
    return broken, {
        "travel": minutes,
        "lateness": 0.0,
        "workload": 20 * row["planned_min"] / row["limit_min"],
        "overqualified": 5.0 * max(0, (row["level"] or 0) - 2),
        "preferred": -15.0 * row["preferred"],
        "cost": cost,
    }


def differences(receipt: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """Where a receipt and the facts as they were do not agree."""
    facts = {str(row["id"]): row for row in rows}
    wrong, totals = [], {}
    for line in receipt["candidates"]:
        row = facts[line["engineer_id"]]
        broken, parts = expected(row, line)
        if {r["rule"] for r in line["refusals"]} != broken:
            wrong.append(f"{line['name']}: {line['refusals']} but {broken}")
        if abs(line["distance_m"] - driven_m(row["lon"], row["lat"])) > 0.01 * line["distance_m"] + 5:
            wrong.append(f"{line['name']}: {line['distance_m']} m")
        for part, value in parts.items():
            if abs(line["parts"][part] - value) > 0.002:
                wrong.append(f"{line['name']}: {part} {line['parts'][part]} but {value}")
        if not broken:
            totals[line["engineer_id"]] = sum(parts.values())
    able = {str(r["id"]) for r in rows if not expected(r, {"travel_s": 0})[0]}
    if missing := able - {line["engineer_id"] for line in receipt["candidates"]}:
        wrong.append(f"left out: {missing}")
    if totals and totals[receipt["chosen_engineer_id"]] > min(totals.values()) + 0.01:
        wrong.append("not the best was chosen")
    if not totals and receipt["chosen_engineer_id"] is not None:
        wrong.append("somebody was chosen though nobody fits")
    return wrong


@pytest.fixture(scope="module")
def decided(product: Product) -> tuple[Town, list[tuple[str, list[dict[str, Any]]]]]:
    """A company of 15 on a day of 200 decisions, and the facts each decision saw."""
    dice = random.Random(7)
    town = product.company({"weight_cost": 0.05, "candidates": 100})
    engineers = [*people(town, 12, dice), *town.made.engineers.values()]
    seen = []
    for number in range(DECISIONS):
        change_something(town, engineers, dice)
        ticket_id = town.create(new_ticket(contact_phone=f"1390000{number % 5:04}"))["ticket_id"]
        rows = as_it_is(town, ticket_id)
        town.settle()
        seen.append((ticket_id, rows))
    return town, seen


def receipt_of(town: Town, ticket_id: str) -> dict[str, Any]:
    reply = town.product.client.get(f"/dispatcher/v1/tickets/{ticket_id}/receipts", headers=town.board())
    return dict(ok(reply)["receipts"][-1])


def test_two_hundred_receipts_agree_with_the_database_as_it_was(
    decided: tuple[Town, list[tuple[str, list[dict[str, Any]]]]],
) -> None:
    town, seen = decided
    wrong, chosen = [], 0
    for ticket_id, rows in seen:
        receipt = receipt_of(town, ticket_id)
        assert receipt["holds"] is True
        chosen += receipt["chosen_engineer_id"] is not None
        wrong += [f"{ticket_id}: {each}" for each in differences(receipt, rows)]
    assert wrong == []
    assert chosen > DECISIONS // 2


def test_another_fact_or_a_tampered_receipt_is_seen(
    decided: tuple[Town, list[tuple[str, list[dict[str, Any]]]]],
) -> None:
    """Sabotage: one fact changed on either side, and both checks turn red."""
    town, seen = decided
    ticket_id, rows = seen[0]
    assert differences(
        receipt_of(town, ticket_id), [{**r, "planned_min": r["planned_min"] + 30} for r in rows]
    )
    town.product.rows(
        """update receipts set body = jsonb_set(body, '{candidates,0,seen,planned_min}', '479')
        where ticket_id = %(ticket)s returning id""",
        ticket=ticket_id,
    )
    assert receipt_of(town, ticket_id)["holds"] is False


def test_an_engineer_reads_the_own_line_alone_and_a_dispatcher_who_came_second(town: Town) -> None:
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    receipt = receipt_of(town, ticket_id)
    names = {line["name"]: line for line in receipt["candidates"]}
    by_rank = sorted((line for line in receipt["candidates"] if line["eligible"]), key=lambda x: x["rank"])
    assert receipt["chosen_engineer_id"] == by_rank[0]["engineer_id"]
    assert receipt["runner_up_engineer_id"] == by_rank[1]["engineer_id"]
    assert receipt["as_of_seq"] > 0

    def own(name: str) -> Any:
        url = f"/engineer/v1/tickets/{ticket_id}/receipt"
        return town.product.client.get(url, headers=town.phone(name))

    for line in by_rank[:2]:
        mine = ok(own(line["name"]))
        assert (mine["rank"], mine["parts"]) == (line["rank"], line["parts"])
        others = {each["engineer_id"] for each in names.values()}
        assert not any(other in own(line["name"]).text for other in others)
    with town.made.house.database.transaction(town.made.tenant_id) as db:
        add_engineer(town.made, db, "Zoe", {"plumbing": 1}, 300_000, town.product.clock.now())
    assert own("Zoe").json()["code"] == "receipt_unknown"


def test_why_not_this_one_answers_for_anybody(town: Town) -> None:
    """Somebody far beyond the candidates, and somebody of another company."""
    made = town.made
    with made.house.database.transaction(made.tenant_id) as db:
        li = add_engineer(made, db, "Li", {"hvac": 1}, 300_000, made.house.now())
    ticket_id = town.create(new_ticket())["ticket_id"]
    client, path = town.product.client, f"/dispatcher/v1/tickets/{ticket_id}/candidates"
    line = ok(client.get(f"{path}/{li}", headers=town.board()))["candidate"]
    assert (line["name"], line["eligible"], line["rank"]) == ("Li", False, None)
    assert [r["rule"] for r in line["refusals"]] == ["skill", "too_far"]
    ben = ok(client.get(f"{path}/{made.engineers['Ben']}", headers=town.board()))["candidate"]
    assert (ben["eligible"], ben["rank"]) == (True, 2)
    stranger = town.product.company().made.engineers["Ana"]
    assert client.get(f"{path}/{stranger}", headers=town.board()).json()["code"] == "engineer_unknown"


def test_the_customers_wishes_and_the_parts_in_the_van_decide(town: Town) -> None:
    made, client = town.made, town.product.client
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    ana, ben = made.engineers["Ana"], made.engineers["Ben"]
    base = f"/dispatcher/v1/tickets/{ticket_id}"

    def best() -> tuple[str, dict[str, list[str]]]:
        view = ok(client.get(f"{base}/candidates", headers=town.board()))
        broken = {c["name"]: [r["rule"] for r in c["refusals"]] for c in view["candidates"]}
        return view["candidates"][0]["name"], broken

    assert best()[0] == "Ana"
    assert (
        client.put(f"{base}/wishes/{ben}", json={"wish": "preferred"}, headers=town.board()).status_code
        == 204
    )
    assert best()[0] == "Ben"
    client.put(f"{base}/wishes/{ben}", json={"wish": "excluded"}, headers=town.board())
    assert best()[1]["Ben"] == ["excluded_by_customer"]
    now = datetime.now(UTC) - timedelta(minutes=1)
    town.product.rows(
        "insert into parts (tenant_id, code, name, unit) values (%(tenant)s, 'fuse', '{}', 'piece') returning code",
        made.tenant_id,
    )
    town.product.rows(
        """insert into part_movements (tenant_id, part, quantity, from_kind, to_kind, to_id, at)
        values (%(tenant)s, 'fuse', 2, 'depot', 'van', %(e)s, %(now)s) returning id""",
        made.tenant_id,
        e=made.engineers["Eve"],
        now=now,
    )
    done = client.put(f"{base}/parts_wanted/fuse", json={"quantity": "2"}, headers=town.board())
    assert done.status_code == 204, done.text
    name, broken = best()
    assert (name, broken["Ana"]) == ("Eve", ["parts"])
    assert (
        client.put(f"{base}/parts_wanted/gold", json={"quantity": "2"}, headers=town.board()).status_code
        == 404
    )
    assert str(ana) != str(ben)
