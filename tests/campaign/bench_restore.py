"""`./paidan bench restore`: `backup`, and `restore` with its verification, of 100,000 tickets with their histories.

Twenty tickets live whole lives through the product; SQL then repeats their rows under new ids, and their events are chained
as the product chains them, so that the restored histories verify. One photo for every ten tickets, 20 kB each.
`--seconds` does not apply.
"""

import argparse
import base64
import json
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from hashlib import md5, sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from api.command_line import backup, restore
from api.command_line.cluster import Cluster
from dispatch.domain.events import Event, chain_hash
from tests.builders import new_ticket
from tests.databases import Database, migrate
from tests.house import Product, Town, ok

TICKETS, TEMPLATES = 100_000, 20
PHOTO_EVERY, PHOTO_BYTES = 10, 20_000
TARGET_S = 15 * 60
CLUSTER = {"max_connections": "60", "max_wal_size": "2GB"}
#: What is repeated by SQL: everything of a ticket but its events, and what names it only once in the world.
TABLES = ("tickets", "visits", "visit_engineers", "offers", "evidence", "check_ins", "event_texts")
_EVENT = [
    "tenant_id", "seq", "subject_type", "subject_id", "ticket_id", "action", "actor", "actor_id", "acting_for",
    "command_id", "from_status", "to_status", "facts", "device_at", "at", "prev_hash", "hash",
]  # fmt: skip


def run(source: Path | None, seconds: float | None, results: Path) -> dict[str, Any]:
    """Values: seconds of the backup and of the restore; `source` does not apply."""
    with tempfile.TemporaryDirectory(prefix="paidan-restore-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Cluster(folder / "cluster", CLUSTER).in_use() as cluster:
            cluster.ensure_database("paidan_restore")
            database = Database.of(cluster, "paidan_restore")
            migrate(database)
            figures = measure(database, folder)
    print(json.dumps(figures, indent=1))
    both = ("backup_s", "restore_s")
    return {
        "instances": [
            {"name": name, "value": figures[name], "best": TARGET_S, "gap": None, "seconds": None}
            for name in both
        ],
        "figures": figures,
    }


def measure(database: Database, folder: Path) -> dict[str, Any]:
    product = Product(database, folder / "state")
    began = time.monotonic()
    town = product.company()
    lives(town)
    with psycopg.connect(database.superuser_url) as db:
        multiply(db, town.made.tenant_id, TICKETS // TEMPLATES)
        photos(db, product, town.made.tenant_id)
        db.commit()
        db.autocommit = True
        db.execute("vacuum analyze")
        events, size = db.execute(
            "select (select count(*) from ticket_events), pg_database_size(current_database())"
        ).fetchone() or (0, 0)
    product.close()
    os.environ |= environment(product, database)
    figures: dict[str, Any] = {
        "tickets": TICKETS,
        "events": events,
        "database_mb": round(size / 1e6),
        "photos": TICKETS // PHOTO_EVERY,
        "made_s": round(time.monotonic() - began, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    place = folder / "kept"
    for name, words in (("backup", [str(place)]), ("restore", [str(place), "--replace"])):
        module = backup if name == "backup" else restore
        began, before = time.monotonic(), os.times()
        if (code := call(module, words)) != 0:
            raise AssertionError(f"{name} ended with {code}")
        after = os.times()
        figures[f"{name}_s"] = round(time.monotonic() - began, 1)
        figures[f"{name}_cpu_s"] = round(sum(after[:4]) - sum(before[:4]), 1)
    figures["backup_mb"] = round(sum(p.stat().st_size for p in place.rglob("*") if p.is_file()) / 1e6)
    return figures


def call(module: Any, words: list[str]) -> int:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    args = parser.parse_args(words)
    args.env_file = None
    return int(module.run(args))


def environment(product: Product, database: Database) -> dict[str, str]:
    settings = product.settings
    return {
        **database.environment,
        backup.BACKUP_URL: database.superuser_url,
        "PAIDAN_SECRET_KEY": base64.b64encode(settings.secret_key).decode(),
        "PAIDAN_DATA_KEY": base64.b64encode(settings.data_key).decode(),
        "PAIDAN_STATE": str(settings.state),
    }


def lives(town: Town) -> None:
    """The templates: half finished, half still open."""
    for n in range(TEMPLATES):
        made = town.create(new_ticket("survey"))
        ticket_id = made["ticket_id"]
        if n % 2:
            town.assign_by_hand(ticket_id, "Ana")
            town.arrive("Ana", ticket_id)
            town.complete("Ana", ticket_id)
            ok(town.answer(made["customer_link"], "sign_off", rating=5, text="thanks"))


def multiply(db: psycopg.Connection[Any], tenant_id: UUID, times: int) -> None:
    """`times` copies of what the templates are, the templates among them."""
    scoped = [
        str(row[0])
        for table in ("tickets", "visits", "offers", "evidence")
        for row in db.execute(f"select id from {table} where tenant_id = %s", [tenant_id]).fetchall()
    ]
    (last,) = db.execute("select seq from chain_heads where tenant_id = %s", [tenant_id]).fetchone() or (0,)
    for table in TABLES:
        columns = db.execute(
            "select column_name, data_type from information_schema.columns where table_name = %s "
            "and is_generated = 'NEVER' and is_identity = 'NO' order by ordinal_position",
            [table],
        ).fetchall()
        chosen = [_copied(name, kind, last) for name, kind in columns]
        names = ", ".join(f'"{name}"' for name, _ in columns)
        db.execute(
            f"insert into {table} ({names}) select {', '.join(chosen)} from {table} t, "
            "generate_series(1, %(times)s - 1) n where t.tenant_id = %(tenant)s",
            {"times": times, "tenant": tenant_id, "scoped": scoped},
        )
    chain(db, tenant_id, times, scoped, last)


def _copied(name: str, kind: str, last: int) -> str:
    if kind == "uuid":
        return (
            f't."{name}"' if name == "tenant_id"
            else f'case when t."{name}" = any(%(scoped)s::uuid[]) then md5(t."{name}"::text || n)::uuid else t."{name}" end'
        )  # fmt: skip
    if name == "ticket_no":
        return "t.ticket_no || '-' || n"
    return f"t.seq + n * {last}" if name == "seq" else f't."{name}"'


def chain(db: psycopg.Connection[Any], tenant_id: UUID, times: int, scoped: list[str], last: int) -> None:
    """The templates' events again for each copy, after those that are there."""
    with db.cursor(row_factory=dict_row) as cursor:
        cursor.execute("select * from ticket_events where tenant_id = %s order by seq", [tenant_id])
        events = cursor.fetchall()
    known = set(scoped)
    previous = bytes(events[-1]["hash"])
    names = [name for name in _EVENT if name not in ("tenant_id", "prev_hash", "hash")]

    def rows() -> Iterator[list[Any]]:
        nonlocal previous
        for n in range(1, times):
            fresh = {
                old: str(UUID(md5(f"{old}{n}".encode(), usedforsecurity=False).hexdigest())) for old in known
            }
            for row in events:
                copied = {**row, "seq": row["seq"] + n * last}
                for name in ("subject_id", "ticket_id"):
                    if row[name] is not None:
                        copied[name] = UUID(fresh.get(str(row[name]), str(row[name])))
                copied["facts"] = _renamed(row["facts"], fresh)
                digest = chain_hash(previous, Event(**{name: copied[name] for name in names}))
                copied |= {"prev_hash": previous, "hash": digest, "facts": Jsonb(copied["facts"])}
                previous = digest
                yield [copied[name] for name in _EVENT]

    with db.cursor() as cursor, cursor.copy(f"copy ticket_events ({', '.join(_EVENT)}) from stdin") as copy:
        for row in rows():
            copy.write_row(row)
    db.execute(
        "update chain_heads set seq = %s, hash = %s where tenant_id = %s", [last * times, previous, tenant_id]
    )


def _renamed(facts: Any, fresh: dict[str, str]) -> Any:
    if isinstance(facts, dict):
        return {key: _renamed(value, fresh) for key, value in facts.items()}
    if isinstance(facts, list):
        return [_renamed(value, fresh) for value in facts]
    return fresh.get(facts, facts) if isinstance(facts, str) else facts


def photos(db: psycopg.Connection[Any], product: Product, tenant_id: UUID) -> None:
    """Files in the store and their rows; no ticket shows them."""
    root = product.settings.photos_dir / str(tenant_id)
    with (
        db.cursor() as cursor,
        cursor.copy(
            "copy blobs (tenant_id, sha256, content_type, bytes_count, width, height, stored_at) from stdin"
        ) as copy,
    ):
        for _ in range(TICKETS // PHOTO_EVERY):
            content = secrets.token_bytes(PHOTO_BYTES)
            digest = sha256(content)
            path = root / digest.hexdigest()[:2] / f"{digest.hexdigest()}.original"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            now = product.clock.now()
            copy.write_row([tenant_id, digest.digest(), "image/jpeg", len(content), 10, 10, now])
