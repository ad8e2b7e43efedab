"""Positions: only of those who agreed, only while they work; the engineer reads who looked."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from dispatch.actions import positions
from tests.databases import Database
from tests.house import Town, ok, refused


def send(town: Town, name: str = "Ana", **more: Any) -> dict[str, int]:
    body = {"positions": [town.at_site(**more)]}
    return ok(town.product.client.post("/engineer/v1/positions", json=body, headers=town.phone(name)))


def agree(town: Town, agreed: bool, name: str = "Ana") -> None:
    headers = town.phone(name)
    reply = town.product.client.put("/engineer/v1/position_consent", json={"agreed": agreed}, headers=headers)
    assert reply.status_code == 204, reply.text


def use(town: Town, name: str = "Ana") -> dict[str, Any]:
    return ok(town.product.client.get("/engineer/v1/position_use", headers=town.phone(name)))


def stored(town: Town) -> int:
    sql = "select count(*) as n from engineer_positions where tenant_id = %(tenant)s"
    return int(town.product.rows(sql, town.made.tenant_id)[0]["n"])


def look(town: Town, who: str = "Dora") -> dict[str, Any]:
    board = ok(town.product.client.get("/dispatcher/v1/board", headers=town.board(who)))
    return {e["name"]: e for e in board["engineers"]}


def test_without_consent_nothing_is_stored_and_the_newest_goes_at_once(town: Town) -> None:
    assert send(town) == {"taken": 1, "refused": 0}
    agree(town, False)
    assert look(town)["Ana"]["position"] is None
    assert send(town) == {"taken": 0, "refused": 1}
    assert stored(town) == 1
    agree(town, True)
    assert send(town) == {"taken": 1, "refused": 0}


def test_what_was_read_off_shift_is_refused_however_late_it_is_sent(town: Town) -> None:
    """The queue of a phone may reach back before the shift: the reading's own time counts."""
    sql = "update shifts set starts_at = %(t)s where tenant_id = %(tenant)s and ends_at > %(t)s returning id"
    now = town.product.clock.now()
    town.product.rows(
        "delete from shifts where tenant_id = %(tenant)s and ends_at <= %(t)s returning id",
        town.made.tenant_id,
        t=now - timedelta(minutes=1),
    )
    town.product.rows(
        sql.replace("returning", "and starts_at <= %(t)s returning"), town.made.tenant_id, t=now
    )
    early = (now - timedelta(hours=2)).isoformat()
    assert send(town, at=early) == {"taken": 0, "refused": 1}
    assert send(town, at=now.isoformat()) == {"taken": 1, "refused": 0}
    assert stored(town) == 1


def test_without_the_look_at_shifts_a_free_evening_would_be_stored(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: everything is allowed."""
    town.product.rows("delete from shifts where tenant_id = %(tenant)s returning id", town.made.tenant_id)
    assert send(town)["taken"] == 0
    anything = positions._TAKE.replace(positions._ALLOWED, "select * from read")
    monkeypatch.setattr(positions, "_TAKE", anything)
    assert send(town)["taken"] == 1


def test_the_engineer_reads_who_looked_one_line_an_hour(town: Town) -> None:
    assert use(town)["views"] == []
    send(town)
    for _ in range(3):
        look(town)
    look(town, "Ada")
    views = use(town)["views"]
    assert sorted(view["name"] for view in views) == ["Ada", "Dora"]
    assert use(town)["kept_days"] == 90


def test_a_colleague_does_not_read_who_looked_at_me(town: Town) -> None:
    send(town)
    look(town)
    headers = town.board()
    reply = town.product.client.get("/engineer/v1/position_use", headers=headers)
    refused(reply, 403, "forbidden")


BEFORE_0009 = """
  create or replace function ensure_positions_partition(wanted date) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
  declare name text := 'engineer_positions_' || to_char(wanted, 'YYYYMMDD');
  begin
    if to_regclass(name) is not null then return; end if;
    perform pg_advisory_xact_lock(hashtext(name));
    if to_regclass(name) is null then
      execute format('create table %I partition of engineer_positions for values from (%L) to (%L)',
        name, wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
    end if;
  end $$
"""


@pytest.mark.parametrize("sabotage", ["", BEFORE_0009])
def test_the_first_positions_of_a_day_may_come_at_once(fresh_database: Database, sabotage: str) -> None:
    """Whoever waits while another makes the day's partition finds it made."""
    if sabotage:
        with psycopg.connect(fresh_database.owner_url) as db:
            db.execute(sabotage)
    wanted = "select ensure_positions_partition('2031-05-06')"
    urls = [fresh_database.app_url] * 2
    with ThreadPoolExecutor(1) as pool, psycopg.connect(urls[0]) as one, psycopg.connect(urls[1]) as other:
        other.execute("select to_regclass('engineer_positions_20310506')")
        one.execute(wanted)
        waiting = pool.submit(other.execute, wanted)
        with psycopg.connect(fresh_database.superuser_url, autocommit=True) as look:
            while (
                look.execute("select 1 from pg_locks where locktype = 'advisory' and not granted").fetchone()
                is None
            ):
                time.sleep(0.01)
        one.commit()
        if sabotage:
            with pytest.raises(psycopg.errors.DuplicateTable):
                waiting.result(10)
        else:
            waiting.result(10)


def test_a_board_that_cannot_show_everybody_shows_who_is_on_shift_and_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = look(town)
    first = min(everybody)
    town.product.rows(
        "delete from shifts where tenant_id = %(tenant)s and engineer_id = %(e)s returning id",
        town.made.tenant_id,
        e=town.made.engineers[first],
    )
    read = "/dispatcher/v1/board"
    assert ok(town.product.client.get(read, headers=town.board()))["more_engineers"] is False
    monkeypatch.setattr("dispatch.store.queries.board.MOST_ENGINEERS", len(everybody) - 1)
    board = ok(town.product.client.get(read, headers=town.board()))
    assert board["more_engineers"] is True
    assert {one["name"] for one in board["engineers"]} == set(everybody) - {first}
