"""Rows of docs/asvs.md that no other test proves: who signs out is out, what was changed on the way is not believed,
keys cannot be guessed, short passwords are taken nowhere."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.command_line.problems import CommandError
from api.command_line.tables import read_table
from tests.builders import PASSWORD, new_ticket
from tests.house import Town, ok, refused

DOORS: dict[str, tuple[Callable[[Town], dict[str, str]], str]] = {
    "engineer": (lambda town: signed_in(town, "engineer", "Ana"), "/engineer/v1/today"),
    "dispatcher": (lambda town: signed_in(town, "dispatcher", "Dora"), "/dispatcher/v1/me"),
}


def signed_in(town: Town, door: str, name: str) -> dict[str, str]:
    body = {"signin_id": town.made.signin_id(name), "password": PASSWORD}
    reply = town.product.client.post(f"/{door}/v1/signin", json=body)
    token = (
        reply.json()["access_token"]
        if door == "engineer"
        else reply.cookies[town.product.app.state.doorkeeper.cookie]
    )
    town.product.client.cookies.clear()
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("door", DOORS)
def test_who_signs_out_is_out(town: Town, door: str) -> None:
    sign, page = DOORS[door]
    mine, other = sign(town), sign(town)
    client = town.product.client
    ok(client.get(page, headers=mine))
    assert client.post(f"/{door}/v1/signout", headers=mine).status_code == 204
    refused(client.get(page, headers=mine), 401, "signin_ended")
    ok(client.get(page, headers=other))


@pytest.mark.parametrize("door", DOORS)
def test_a_token_changed_by_one_letter_is_refused(town: Town, door: str) -> None:
    sign, page = DOORS[door]
    mine = sign(town)
    kind, token = mine["Authorization"].split(" ")
    ok(town.product.client.get(page, headers=mine))
    for at in (0, len(token) // 4, len(token) // 2, len(token) * 3 // 4, len(token) - 3):
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        reply = town.product.client.get(page, headers={"Authorization": f"{kind} {changed}"})
        assert reply.status_code == 401, at


def test_a_session_is_another_at_each_sign_in(town: Town) -> None:
    assert signed_in(town, "dispatcher", "Dora") != signed_in(town, "dispatcher", "Dora")


def test_links_and_keys_cannot_be_guessed(town: Town) -> None:
    """At least 128 bits, six to each letter of base64."""
    links = [town.create(new_ticket("survey"))["customer_link"].rsplit("/", 1)[1] for _ in range(3)]
    assert len(set(links)) == 3
    assert min(len(link) for link in links) * 6 >= 160
    body = {"name": "probe", "scopes": ["tickets:read"]}
    reply = town.product.client.post("/dispatcher/v1/admin/keys", json=body, headers=town.board("Ada"))
    key = ok(reply)["key"]
    assert len(key.split("_", 1)[1]) * 6 >= 256


def test_a_short_password_is_taken_at_no_door(town: Town) -> None:
    client, admin, short = town.product.client, town.board("Ada"), "zq7!xv2"
    own = {"old_password": PASSWORD, "new_password": short}
    refused(client.post("/dispatcher/v1/password", json=own, headers=admin), 422, "request_invalid")
    for kind, name in (("engineers", "Ana"), ("dispatchers", "Dora")):
        people: dict[str, Any] = vars(town.made)[kind]
        url = f"/dispatcher/v1/admin/{kind}/{people[name]}/password"
        refused(client.put(url, json={"password": short}, headers=admin), 422, "request_invalid")
        body = {"name": "New", "signin_id": f"short-{town.made.slug}", "password": short}
        reply = client.post(f"/dispatcher/v1/admin/{kind}", json=body, headers=admin)
        refused(reply, 422, "request_invalid")


def test_a_password_is_changed_only_by_who_knows_the_present_one(town: Town) -> None:
    body = {"old_password": "not the present one", "new_password": "another long password"}
    reply = town.product.client.post("/dispatcher/v1/password", json=body, headers=town.board("Dora"))
    assert reply.status_code in (401, 403, 422), reply.text
    signed_in(town, "dispatcher", "Dora")


def test_a_workbook_reads_no_file_of_this_machine(tmp_path: Path) -> None:
    """An external entity in a sheet is refused or left empty, never filled in."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of this machine")
    book = openpyxl.Workbook()
    book.active.append(["code", "name"])
    book.active.append(["a", "PLACE"])
    plain, hostile = tmp_path / "plain.xlsx", tmp_path / "hostile.xlsx"
    book.save(plain)
    declared = f'<!DOCTYPE x [<!ENTITY stolen SYSTEM "file://{secret}">]>'.encode()
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(hostile, "w") as after:
        for item in before.namelist():
            raw = before.read(item)
            if b"PLACE" in raw:
                head = b"<?xml version='1.0' encoding='UTF-8'?>"
                body = raw.split(b"?>", 1)[1] if raw.startswith(b"<?xml") else raw
                raw = head + declared + body.replace(b"PLACE", b"&stolen;")
            after.writestr(item, raw)
    try:
        read = str(list(read_table(hostile)))
    except CommandError as refusal:
        read = str(refusal)
    assert "the secret of this machine" not in read
