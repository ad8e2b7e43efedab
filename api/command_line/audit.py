"""`./paidan audit verify`: is the history whole, for every tenant?"""

import argparse
import time

import psycopg
from psycopg.rows import dict_row

from api.command_line.progress import say
from dispatch.actions.audit import verify
from dispatch.settings import read_settings
from dispatch.store.transactions import Database


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`verify`, of one tenant or all."""
    parser.add_argument("what", choices=["verify"])
    parser.add_argument("--tenant", help="the tenant's slug; all where absent")


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when anything is broken."""
    settings = read_settings()
    database = Database(settings.database_url, 1, "paidan-audit")
    broken = 0
    with psycopg.connect(settings.database_url, row_factory=dict_row) as db:
        tenants = db.execute(
            "select lookup, tenant_id from directory where kind = 'tenant' order by lookup"
        ).fetchall()
    for tenant in tenants:
        slug = tenant["lookup"].removeprefix("tenant:")
        if args.tenant not in (None, slug):
            continue
        began = time.monotonic()
        report = verify(database, tenant["tenant_id"])
        broken += report.broken
        say(
            f"{slug}: {report.events} events, {report.tickets} tickets, {report.broken} broken, "
            f"{time.monotonic() - began:.1f} s"
        )
        for why in report.breaks:
            say(f"  {why}")
    return 1 if broken else 0
