"""Migrations only add: a process of the former version works on with the new schema until its turn to be replaced."""

import re
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import event
from sqlalchemy.engine import Engine

from api.command_line.environment import HOME
from tests.databases import Database

#: The last migration before the first one that a running product may meet.
SINCE = "0006"

#: What a former version does not survive, tried on each statement that touches a table it knows.
HARM = (
    (r"drop table|drop view|drop schema", "it reads what is dropped"),
    (r"drop column", "it names that column"),
    (r"rename (to|column|constraint)", "it knows the old name only"),
    (r"alter column \S+ (set data )?type", "it sends the old type, and every row is rewritten under a lock"),
    (r"alter column \S+ set not null", "it writes rows without"),
    (r"alter column \S+ drop default", "it leaves the column to its default"),
    (r"add column (?!.*\bdefault\b).*\bnot null", "it writes rows without, and those there have none"),
    (r"drop (constraint|index) (if exists )?\"?(uq_|pk_)", "it says ON CONFLICT by it"),
    (r"^revoke|disable row level|no force row level", "its rights, or everybody's rows"),
    (r"as restrictive", "it writes rows that this hides"),
    (r"alter type .* (rename|drop)", "it knows the old value"),
)
#: Looked at by somebody: how the statement begins, and why a former version survives it.
REVIEWED = {
    "create policy scope on engineers as restrictive": "hides by a contractor's scope, which it never sets",
}
_TABLE = re.compile(
    r"^(?:alter table|drop table|create (?:unique )?index \S+ on|create policy \S+ on|revoke .* on)"
    r"(?: if exists)?(?: only)? \"?(\w+)\"?"
)
_ADDED = re.compile(r"add column (?:if not exists )?\"?(\w+)\"?")
_UNIQUE = re.compile(
    r"(?:create unique index|add constraint \S+ unique|add constraint \S+ exclude).*\(([^)]*)\)"
)


def harm(statements: list[str]) -> list[str]:
    """Why these statements, in order, would hurt a former version; tables they make themselves are nobody's yet."""
    made, added, replaced, found = set[str](), set[str](), set[tuple[str, str]](), []
    for raw in statements:
        text = " ".join(raw.split()).lower().rstrip(";")
        if created := re.match(r"create table (?:if not exists )?\"?(\w+)", text):
            made.add(created[1])
            continue
        if text.startswith(tuple(REVIEWED)):
            continue
        if dropped := re.match(r"drop policy (?:if exists )?(\w+) on (\w+)", text):
            replaced.add((dropped[1], dropped[2]))
        policy = re.match(r"create policy (\w+) on (\w+)", text)
        if policy and (policy[1], policy[2]) in replaced:
            continue  # the same rule said anew: what it may narrow is asked for by settings a former version never sets
        touched = _TABLE.match(text)
        if touched and touched[1] in made:
            continue
        added |= set(_ADDED.findall(text))
        found += [f"{text[:100]}: {why}" for words, why in HARM if re.search(words, text)]
        columns = _UNIQUE.search(text)
        if columns and not {name.strip(' "') for name in columns[1].split(",")} & added:
            found.append(f"{text[:100]}: it writes rows that this refuses")
    return found


@pytest.fixture
def statements(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the migrations after SINCE say to PostgreSQL, on a database taken back to there first."""
    for name, value in fresh_database.environment.items():
        monkeypatch.setenv(name, value)
    config = Config(HOME / "alembic.ini")
    said: list[str] = []
    monkeypatch.chdir(HOME)

    def heard(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not re.match(
            r"\s*(select|show|insert into alembic|update alembic|set |begin|commit)", statement, re.I
        ):
            said.append(statement)

    command.downgrade(config, SINCE)
    event.listen(Engine, "before_cursor_execute", heard)
    try:
        command.upgrade(config, "head")
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    return said


def test_no_migration_hurts_a_process_of_the_former_version(statements: list[str]) -> None:
    assert any("trace" in statement for statement in statements), "the migrations were not heard"
    assert harm(statements) == []


@pytest.mark.parametrize(
    "sabotage",
    [
        "DROP TABLE offers",
        "ALTER TABLE tickets DROP COLUMN urged",
        "ALTER TABLE tickets RENAME COLUMN urged TO chased",
        "ALTER TABLE tickets RENAME TO orders",
        "ALTER TABLE tickets ALTER COLUMN urged TYPE bigint",
        "ALTER TABLE tickets ALTER COLUMN due_at SET NOT NULL",
        "ALTER TABLE tickets ALTER COLUMN urged DROP DEFAULT",
        "ALTER TABLE tickets ADD COLUMN colour VARCHAR NOT NULL",
        "CREATE UNIQUE INDEX ix_new ON tickets (tenant_id, description)",
        "ALTER TABLE tickets ADD CONSTRAINT c UNIQUE (tenant_id, description)",
        "ALTER TABLE offers DROP CONSTRAINT uq_offers_one_pending",
        "REVOKE UPDATE ON tickets FROM paidan_app",
        "CREATE POLICY more ON tickets AS RESTRICTIVE FOR SELECT TO paidan_app USING (false)",
        "ALTER TABLE tickets DISABLE ROW LEVEL SECURITY",
    ],
)
def test_what_would_hurt_is_seen(sabotage: str) -> None:
    assert len(harm(["CREATE TABLE other (id int)", sabotage])) == 1


@pytest.mark.parametrize(
    "harmless",
    [
        "ALTER TABLE tickets ADD COLUMN colour VARCHAR",
        "ALTER TABLE tickets ADD COLUMN colour VARCHAR DEFAULT 'red' NOT NULL",
        "ALTER TABLE tickets DROP CONSTRAINT ck_tickets_status",
        "CREATE INDEX ix_new ON tickets (tenant_id, colour)",
        "GRANT SELECT ON tickets TO paidan_app",
        "ALTER TABLE other ALTER COLUMN id SET NOT NULL",
    ],
)
def test_what_only_adds_is_let_through(harmless: str) -> None:
    assert harm(["CREATE TABLE other (id int)", harmless]) == []
