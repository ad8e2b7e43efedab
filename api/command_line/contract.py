"""`./paidan contract write|check`: mobile_contract/schema, generated from the engineer's door and the models."""

import argparse
import json
from pathlib import Path
from typing import Any

from api.command_line.environment import HOME
from api.command_line.problems import CommandError
from api.command_line.progress import say

FOLDER = HOME / "mobile_contract" / "schema"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and the released openapi.json that old phones were built from."""
    parser.add_argument("what", choices=["write", "check"])
    parser.add_argument(
        "--since", type=Path, metavar="OLD.json", help="name what breaks phones built from it"
    )


def run(args: argparse.Namespace) -> int:
    """Exit code 1 when a committed file is not what would be generated, or old phones would break."""
    files = generated()
    if args.what == "write":
        FOLDER.mkdir(exist_ok=True)
        for name, text in files.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    stale = [name for name, text in files.items() if _committed(name) != text]
    for name in stale:
        say(f"{name} is not what the code says; run ./paidan contract write and look at the difference")
    broken = _broken(args.since) if args.since else []
    for line in broken:
        say(line)
    return 1 if stale or broken else 0


def generated() -> dict[str, str]:
    """File name → text of everything in mobile_contract/schema."""
    from mobile_contract.asyncapi import asyncapi, push_schema
    from mobile_contract.typescript import typescript

    document = openapi()
    return {
        "openapi.json": _json(document),
        "push.schema.json": _json(push_schema()),
        "asyncapi.json": _json(asyncapi()),
        "v1.ts": typescript(document),
    }


def openapi() -> dict[str, Any]:
    """The engineer's operations alone, with the schemas they use."""
    from fastapi.openapi.utils import get_openapi

    from api.engineer.endpoints import endpoints

    return get_openapi(title="Paidan: the engineer's phone", version="1", routes=endpoints.routes)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _committed(name: str) -> str:
    path = FOLDER / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _broken(since: Path) -> list[str]:
    from mobile_contract.compat import breaks

    try:
        old = json.loads(since.read_text(encoding="utf-8"))
        return [str(each) for each in breaks(old, openapi())]
    except (OSError, ValueError) as error:
        raise CommandError(f"{since} cannot be read: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"{since} is no OpenAPI document of operations and schemas: {error!r}") from error
