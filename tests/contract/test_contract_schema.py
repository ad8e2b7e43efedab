"""mobile_contract/schema says what the code says, and its checks notice when it does not."""

import json
import subprocess
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest

from api.command_line import contract
from api.command_line.environment import HOME
from mobile_contract.compat import breaks
from mobile_contract.push import PushPayload
from mobile_contract.typescript import type_of
from tests.house import Product

TSC = HOME / "web" / "node_modules" / "typescript" / "bin" / "tsc"
ID = UUID("0198c0de-0000-7000-8000-000000000001")


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return contract.generated()


def test_the_committed_schema_is_what_the_code_generates(files: dict[str, str]) -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in contract.FOLDER.iterdir()}
    assert committed == files, "run ./paidan contract write and look at the difference"


def test_it_says_what_the_running_application_says(product: Product) -> None:
    served = product.app.openapi()
    mine = {path: item for path, item in served["paths"].items() if path.startswith("/engineer/v1/")}
    document = contract.openapi()
    assert document["paths"] == mine
    alone = {**served, "paths": mine}
    assert breaks(alone, document) == breaks(document, alone) == []


def test_check_notices_a_stale_file_and_a_broken_phone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(contract, "FOLDER", tmp_path / "schema")
    monkeypatch.setattr(contract, "generated", lambda: files)
    args = contract.argparse.Namespace(what="check", since=None)
    assert contract.run(args) == 1
    args.what = "write"
    assert contract.run(args) == 0
    (tmp_path / "schema" / "v1.ts").write_text("export type Today = never\n")
    args.what = "check"
    assert contract.run(args) == 1
    assert "v1.ts is not what the code says" in capsys.readouterr().err

    old = json.loads(files["openapi.json"])
    old["paths"]["/engineer/v1/today"]["put"] = old["paths"]["/engineer/v1/today"]["get"]
    args.what, args.since = "write", tmp_path / "old.json"
    args.since.write_text(json.dumps(old))
    assert contract.run(args) == 1
    assert "operation_removed: PUT /engineer/v1/today" in capsys.readouterr().err


def test_the_contract_does_not_break_itself(files: dict[str, str]) -> None:
    document = json.loads(files["openapi.json"])
    assert breaks(document, document) == []


def test_without_a_field_of_today_old_phones_break(files: dict[str, str]) -> None:
    old, new = json.loads(files["openapi.json"]), json.loads(files["openapi.json"])
    card = new["components"]["schemas"]["TicketCard"]
    del card["properties"]["door"]
    card["required"].remove("door")
    assert "response_field_required: GET /engineer/v1/today 200.tickets[].door" in map(str, breaks(old, new))


def push(**more: Any) -> dict[str, str]:
    fields = {"type": "assigned", "ticket_id": ID, "seq": 7, "exp": "2026-11-22T08:00:00Z", **more}
    return PushPayload.model_validate(fields).to_data()


def test_every_push_is_valid_by_its_schema(files: dict[str, str]) -> None:
    check = jsonschema_rs.Draft202012Validator(json.loads(files["push.schema.json"]))
    for kind in ("assigned", "ticket_changed"):
        check.validate(push(type=kind))
    for kind in ("offer", "offer_withdrawn"):
        check.validate(push(type=kind, offer_id=ID))
    check.validate(push(type="request_answered", request_id=ID))
    check.validate(push(type="request_answered", request_id=ID, ticket_id=None))


@pytest.mark.parametrize(
    "wrong", [{"type": "news"}, {"type": "offer"}, {"seq": "-1"}, {"name": "Chen"}, {"request_id": str(ID)}]
)
def test_anything_else_is_no_push(files: dict[str, str], wrong: dict[str, str]) -> None:
    check = jsonschema_rs.Draft202012Validator(json.loads(files["push.schema.json"]))
    assert not check.is_valid({**push(), **wrong})


def test_every_reference_of_the_asyncapi_leads_somewhere(files: dict[str, str]) -> None:
    document = json.loads(files["asyncapi.json"])

    def follow(node: Any) -> None:
        if isinstance(node, dict):
            target: Any = document
            for step in node.get("$ref", "#").split("/")[1:]:
                target = target[step]
            for inner in node.values():
                follow(inner)

    follow(document)
    assert set(document["channels"]["live"]["messages"]) == {"hello", "changed", "reload"}


GOOD = """
import type { ActionCommand, Operations } from './v1'
export const tap: ActionCommand = { command_id: 'c', ticket_id: 't', action: 'set_off', at: '2026-11-22T08:00:00Z' }
export const first = (today: Operations['engineer_today']['reply']): string | null => today.tickets[0]!.door
"""


@pytest.mark.usefixtures("pages")
def test_the_typescript_types_hold_a_client_to_the_contract(tmp_path: Path, files: dict[str, str]) -> None:
    (tmp_path / "v1.ts").write_text(files["v1.ts"])
    assert tsc(tmp_path, GOOD) == ""
    assert "'actoin' does not exist" in tsc(tmp_path, GOOD.replace("action:", "actoin:"))


def tsc(folder: Path, text: str) -> str:
    (folder / "client.ts").write_text(text)
    words = ["node", str(TSC), "--noEmit", "--strict", "--pretty", "false", "--types", "", "client.ts"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=120).stdout


def test_a_type_without_typescript_is_an_error_not_a_guess() -> None:
    with pytest.raises(ValueError, match="no TypeScript"):
        type_of({"type": "tuple"})
