"""Tenants do not see each other: row-level security on every table, forced, and proven by looking."""

import os
import subprocess
import sys
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from dispatch.store.tables import Base
from tests.builders import new_ticket
from tests.databases import Database
from tests.house import Product, Town

OUTSIDE = {"directory", "signin_attempts"}
TABLES = sorted(set(Base.metadata.tables) - OUTSIDE)


def test_row_level_security_is_enabled_and_forced_on_every_table(database: Database) -> None:
    with psycopg.connect(database.superuser_url, row_factory=dict_row) as db:
        rows = db.execute("select relname, relrowsecurity, relforcerowsecurity from pg_class").fetchall()
    state = {r["relname"]: (r["relrowsecurity"], r["relforcerowsecurity"]) for r in rows}
    assert {name: state[name] for name in TABLES} == dict.fromkeys(TABLES, (True, True))


def test_the_application_is_no_owner_and_cannot_step_around(database: Database) -> None:
    with psycopg.connect(database.superuser_url, row_factory=dict_row) as db:
        roles = db.execute(
            "select rolname, rolsuper, rolbypassrls from pg_roles where rolname in ('paidan_app', 'paidan_relay')"
        ).fetchall()
        owned = db.execute(
            "select relname from pg_class where pg_get_userbyid(relowner) in ('paidan_app', 'paidan_relay')"
        ).fetchall()
    assert [(r["rolsuper"], r["rolbypassrls"]) for r in roles] == [(False, False)] * 2
    assert owned == []


def visible(url: str, tenant: Any, table: str) -> int:
    key = "id" if table == "tenants" else "tenant_id"
    with psycopg.connect(url) as db:
        db.execute("select set_config('app.tenant', %s, true)", [str(tenant) if tenant else ""])
        (foreign,) = db.execute(
            f"select count(*) from {table} where {key} is distinct from %s", [tenant]
        ).fetchone() or (0,)
    return int(foreign)


@pytest.fixture(scope="module")
def two_towns(product: Product) -> tuple[Town, Town]:
    """Two companies, each with a ticket that went some way."""
    towns = product.company(), product.company()
    for town in towns:
        town.create(new_ticket("ac_direct"))
        town.create(new_ticket())
        town.settle()
    return towns


def test_a_tenant_sees_no_foreign_row_in_any_table(two_towns: tuple[Town, Town], database: Database) -> None:
    tenant = two_towns[0].made.tenant_id
    assert {name: visible(database.app_url, tenant, name) for name in TABLES} == dict.fromkeys(TABLES, 0)


def test_without_a_tenant_nothing_is_seen(two_towns: tuple[Town, Town], database: Database) -> None:
    assert {name: visible(database.app_url, None, name) for name in TABLES} == dict.fromkeys(TABLES, 0)


def test_with_security_off_on_one_table_the_look_turns_red(
    two_towns: tuple[Town, Town], database: Database
) -> None:
    """Sabotage: the same look, one table unprotected."""
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        db.execute("alter table tickets disable row level security")
        try:
            assert visible(database.app_url, two_towns[0].made.tenant_id, "tickets") > 0
        finally:
            db.execute("alter table tickets enable row level security")


def test_a_row_cannot_be_written_into_another_tenant(
    two_towns: tuple[Town, Town], database: Database
) -> None:
    mine, theirs = (town.made.tenant_id for town in two_towns)
    with psycopg.connect(database.app_url) as db:
        db.execute("select set_config('app.tenant', %s, true)", [str(mine)])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("insert into skills (tenant_id, code, name) values (%s, 'intruder', '{}')", [theirs])


def test_the_relay_reads_the_outbox_and_nothing_else(
    two_towns: tuple[Town, Town], database: Database
) -> None:
    with psycopg.connect(database.relay_url, autocommit=True) as db:
        db.execute("select count(*) from outbox")
        for table in ("tickets", "ticket_events", "customers", "directory"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(f"select count(*) from {table}")


def test_a_pooled_connection_does_not_carry_the_tenant_on(
    product: Product, two_towns: tuple[Town, Town]
) -> None:
    store = product.house.database
    for town in two_towns * 3:
        with store.transaction(town.made.tenant_id) as db:
            db.connection()
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("select current_setting('app.tenant', true)").scalar() in ("", None)


def test_the_migrations_say_what_the_tables_say(database: Database) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "check"],
        env={**os.environ, **database.environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_words_are_found_by_the_index_under_row_level_security(product: Product, database: Database) -> None:
    """Thousands of tickets of one tenant; the search must not read them all."""
    town = product.company()
    with psycopg.connect(database.superuser_url, autocommit=True) as db:
        db.execute(
            """
            insert into tickets (tenant_id, id, ticket_no, status, version, priority, work_type, source,
                description, address, language, search, created_at, updated_at)
            select %s, gen_random_uuid(), 'N' || n, 'open', 1, 'normal', 'survey', 'api', '', '', 'en',
                array['w' || n, 'w' || n %% 7], now(), now()
            from generate_series(1, 8000) n
            """,
            [town.made.tenant_id],
        )
        db.execute("analyze tickets")
    with psycopg.connect(database.app_url) as db:
        db.execute("select set_config('app.tenant', %s, true)", [str(town.made.tenant_id)])
        (plan,) = db.execute(
            "explain (format json) select t.id from tickets t where t.tenant_id = %s and t.search @> array['w77']",
            [town.made.tenant_id],
        ).fetchone() or ([],)
    assert "ix_tickets_search" in str(plan), plan
