"""`./paidan export engineers|skills|… FILE`: a company's tables as CSV or XLSX, as `import` reads them back."""

import argparse
from pathlib import Path

from api.command_line.problems import CommandError
from api.command_line.progress import say
from api.command_line.tables import write_table
from dispatch.actions.catalogue_export import columns_of, export_rows
from dispatch.actions.step import House
from dispatch.actions.tenants import find_tenant
from dispatch.domain.catalogue import KINDS
from dispatch.settings import read_settings
from dispatch.store.personal import PersonalData
from dispatch.store.transactions import Database

PERSONAL = frozenset({"engineers", "customers", "assets"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, where to, and whose."""
    parser.add_argument("what", choices=list(KINDS))
    parser.add_argument("file", type=Path, help="ends in .csv or .xlsx; not there yet")
    parser.add_argument("--tenant", default="demo", help="the tenant's slug (demo)")


def run(args: argparse.Namespace) -> int:
    """Raises CommandError where the file is there already, or the tenant is not."""
    if args.file.exists():
        raise CommandError(f"{args.file} exists already")
    settings = read_settings()
    house = House(
        Database(settings.database_url, 1, "paidan-export"),
        settings.clock.now,
        PersonalData(settings.data_key, *settings.previous_data_keys),
    )
    tenant_id = find_tenant(house.database, args.tenant)
    if tenant_id is None:
        raise CommandError(f"there is no tenant {args.tenant!r}")
    rows = export_rows(house, tenant_id, args.what)
    args.file.touch(mode=0o600)
    write_table(args.file, columns_of(args.what), rows)
    kept = "; names and phones in it are readable: keep it safe" if args.what in PERSONAL else ""
    say(f"{args.file}: {len(rows)} rows{kept}")
    return 0
