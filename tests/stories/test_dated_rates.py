"""A rate stands on its days: what is earned goes by the day of the work, not by the day it was accepted on."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from dispatch.actions import money_rates, money_settlement
from dispatch.store.ids import new_id
from dispatch.store.queries import price_lists
from tests.builders import new_ticket
from tests.house import Town, ok, refused


def put(town: Town, rate_id: UUID, **line: object) -> Any:
    body = {"work_type": "ac_direct", "payee_kind": "engineer", **line}
    url = f"/dispatcher/v1/dated_rates/{rate_id}"
    return town.product.client.put(url, json=body, headers=town.board("Ada"))


def dated(town: Town, rate_id: UUID, fixed_minor: int, begins: datetime, ends: datetime | None) -> None:
    until = ends.isoformat() if ends else None
    reply = put(town, rate_id, fixed_minor=fixed_minor, valid_from=begins.isoformat(), valid_until=until)
    assert reply.status_code == 204, reply.text


def standing(town: Town, fixed_minor: int) -> None:
    url = "/dispatcher/v1/rates/ac_direct/engineer"
    reply = town.product.client.put(url, json={"fixed_minor": fixed_minor}, headers=town.board("Ada"))
    assert reply.status_code == 204, reply.text


def done(town: Town) -> dict[str, Any]:
    made = town.create(new_ticket("ac_direct"))
    town.settle()
    name = town.view(made["ticket_id"])["ticket"]["engineer_name"]
    town.arrive(name, made["ticket_id"])
    town.complete(name, made["ticket_id"])
    return made


def earned(town: Town) -> list[int]:
    """What the settlement's export says, in minor units, oldest first."""
    now = town.product.clock.now()
    span = {"since": (now - timedelta(days=30)).isoformat(), "before": (now + timedelta(days=1)).isoformat()}
    reply = town.product.client.get("/dispatcher/v1/settlement.csv", params=span, headers=town.board("Ada"))
    rows = csv.DictReader(io.StringIO(reply.text.removeprefix("\ufeff")))
    return [int(row["amount_minor"]) for row in rows]


def settled_two_days_later(town: Town) -> list[int]:
    """5,000 stands; 8,000 from in a day on. Work is done today and accepted in two days."""
    now = town.product.clock.now()
    standing(town, 5_000)
    dated(town, new_id(), 8_000, now + timedelta(days=1), None)
    made = done(town)
    town.product.clock.move(days=2)
    ok(town.answer(made["customer_link"], "sign_off"))
    return earned(town)


def test_what_was_worked_before_the_new_rate_earns_the_old_one(town: Town) -> None:
    assert settled_two_days_later(town) == [5_000]
    ok(town.answer(done(town)["customer_link"], "sign_off"))
    assert earned(town) == [5_000, 8_000]


def test_sabotage_a_rate_by_the_day_of_acceptance_is_seen(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_acceptance(db: Any, tenant_id: UUID, work_type: str, payee_kind: str, at: datetime) -> Any:
        return price_lists.rate_on(db, tenant_id, work_type, payee_kind, town.product.clock.now())

    monkeypatch.setattr(money_settlement, "rate_on", by_acceptance)
    assert settled_two_days_later(town) == [8_000]


DAYS = [datetime(2031, 1, day, tzinfo=UTC) for day in range(1, 9)]


def test_rates_share_no_day_and_each_is_changed_and_dropped_by_itself(town: Town) -> None:
    first, second = new_id(), new_id()
    dated(town, first, 1, DAYS[1], DAYS[3])
    dated(town, second, 2, DAYS[3], None)
    inside = {"fixed_minor": 3, "valid_from": DAYS[2].isoformat(), "valid_until": DAYS[3].isoformat()}
    facts = refused(put(town, new_id(), **inside), 409, "rate_overlaps")
    assert facts["valid_from"].startswith("2031-01-02")
    refused(put(town, new_id(), fixed_minor=3, valid_from=DAYS[7].isoformat()), 409, "rate_overlaps")
    assert put(town, new_id(), **inside, payee_kind="helper").status_code == 204
    dated(town, first, 4, DAYS[2], DAYS[3])
    refused(put(town, first, fixed_minor=3), 422, "days_missing")
    backwards = {"valid_from": DAYS[3].isoformat(), "valid_until": DAYS[3].isoformat()}
    refused(put(town, first, fixed_minor=3, **backwards), 422, "days_backwards")
    refused(put(town, first, **{**inside, "work_type": "nothing"}), 404, "work_type_unknown")
    client, ada = town.product.client, town.board("Ada")
    standing(town, 9)
    lines = ok(client.get("/dispatcher/v1/rates", headers=ada))["rates"]
    assert [(one["fixed_minor"], one["payee_kind"]) for one in lines] == [
        (9, "engineer"), (4, "engineer"), (2, "engineer"), (3, "helper"),
    ]  # fmt: skip
    assert client.delete(f"/dispatcher/v1/dated_rates/{first}", headers=ada).status_code == 204
    refused(client.delete(f"/dispatcher/v1/dated_rates/{first}", headers=ada), 404, "rate_unknown")


def _at_once(town: Town) -> list[int]:
    """Four admins give the same days to four rates at once."""
    town.board("Ada")
    line = {"fixed_minor": 3, "valid_from": DAYS[0].isoformat()}
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: put(town, new_id(), **line), range(4)))
    return sorted(reply.status_code for reply in replies)


def test_of_those_who_take_the_same_days_at_once_one_gets_them(town: Town) -> None:
    assert _at_once(town) == [204, 409, 409, 409]


def test_sabotage_who_does_not_look_meets_the_database(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(money_rates, "overlapping_rate", lambda *asked: None)
    assert _at_once(town) == [204, 500, 500, 500]
