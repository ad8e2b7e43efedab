"""`./paidan company add SLUG …`: a new company and its first admin; everything else is done on the board.
`./paidan company allow-passwords SLUG`: its dispatchers may sign in by password again, though the company has left its
own sign-in as the only one; for when that one is broken and nobody gets in.
"""

import argparse
import getpass
import os
import sys
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from api.command_line.problems import CommandError
from api.command_line.progress import say
from api.signin import hash_password
from dispatch.actions.identity_oidc import allow_passwords
from dispatch.actions.tenants import add_dispatcher, find_tenant, found_tenant
from dispatch.adapters.common_passwords import is_common
from dispatch.domain.errors import Conflict
from dispatch.settings import read_settings
from dispatch.store.transactions import Database

SLUG = "a slug has 1 to 60 letters a–z, digits or hyphens"
SHORTEST_PASSWORD = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Who, where, and who may sign in first."""
    parser.add_argument("what", choices=["add", "allow-passwords"])
    parser.add_argument("slug")
    parser.add_argument("--name", help="the company's name")
    parser.add_argument("--name-zh", help="its Chinese name, where it is another")
    parser.add_argument("--zone", help="IANA zone of its calendar, e.g. Asia/Shanghai")
    parser.add_argument("--language", choices=["zh", "en"], default="zh")
    parser.add_argument("--currency", default="CNY")
    parser.add_argument("--admin", help="sign-in id of the first admin")


def run(args: argparse.Namespace) -> int:
    """Raises CommandError where the slug or the sign-in is taken or unknown, or a word is wrong or missing."""
    if args.what == "allow-passwords":
        return let_passwords_in(args.slug)
    check(args)
    password = read_password()
    settings = read_settings()
    database = Database(settings.database_url, 1, "paidan-company")
    now = settings.clock.now()
    names = {"zh": args.name_zh or args.name, "en": args.name}
    try:
        if find_tenant(database, args.slug) is not None:
            raise CommandError(f"there is a company {args.slug!r} already")
        tenant_id = found_tenant(database, args.slug, names, args.zone, now, args.language, args.currency)
        with database.transaction(tenant_id) as db:
            add_dispatcher(
                db, tenant_id, args.admin, args.admin, hash_password(password), "admin", args.language
            )
    except Conflict as taken:
        raise CommandError(f"{taken.code}: {taken.facts}") from taken
    finally:
        database.close()
    say(f"company {args.slug} is made; {args.admin} signs in at {settings.public_url}/board/")
    return 0


def let_passwords_in(slug: str) -> int:
    """Raises CommandError where there is no such company."""
    database = Database(read_settings().database_url, 1, "paidan-company")
    try:
        tenant_id = find_tenant(database, slug)
        if tenant_id is None:
            raise CommandError(f"there is no company {slug!r}")
        changed = database.run(tenant_id, lambda db: allow_passwords(db, tenant_id))
    finally:
        database.close()
    say(f"dispatchers of {slug} sign in by password again" if changed else f"{slug} never refused passwords")
    return 0


def check(args: argparse.Namespace) -> None:
    """Raises CommandError naming what is wrong."""
    missing = [f"--{name}" for name in ("name", "zone", "admin") if not getattr(args, name)]
    if missing:
        raise CommandError(f"a new company needs {', '.join(missing)}")
    if not (0 < len(args.slug) <= 60 and args.slug.isascii() and args.slug.replace("-", "").isalnum()):
        raise CommandError(SLUG)
    if args.slug != args.slug.lower():
        raise CommandError(SLUG)
    try:
        ZoneInfo(args.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CommandError(f"{args.zone!r} is no IANA zone") from error
    if not (len(args.currency) == 3 and args.currency.isascii() and args.currency.isupper()):
        raise CommandError(f"{args.currency!r} is no currency code such as CNY")


def read_password() -> str:
    """From the terminal without showing it, from standard input otherwise, or PAIDAN_ADMIN_PASSWORD."""
    given = os.environ.get("PAIDAN_ADMIN_PASSWORD") or (
        getpass.getpass("password of the first admin: ")
        if sys.stdin.isatty()
        else sys.stdin.readline().strip()
    )
    if len(given) < SHORTEST_PASSWORD:
        raise CommandError(f"the password needs at least {SHORTEST_PASSWORD} characters")
    if is_common(given):
        raise CommandError("that password is among the first anybody tries; take another")
    return given
