"""The board's sign-in: password, second factor, recovery codes, proof again before what is grave."""

import base64
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.signin import Doorkeeper
from dispatch.domain.identity import FREE_FAILURES, totp_code, totp_matches
from dispatch.domain.policy import POLICY, PUBLIC, STEP_UP, STEP_UP_ENDINGS
from tests.builders import PASSWORD
from tests.house import Product, Town, ok, refused


@pytest.fixture
def ahead(product: Product) -> Iterator[dict[str, timedelta]]:
    """Real time as the doorkeeper sees it, moved by hand."""
    doors: Doorkeeper = product.app.state.doorkeeper
    real, moved = doors.wall, {"by": timedelta()}
    doors.wall = lambda: real() + moved["by"]
    yield moved
    doors.wall = real


def sign_in(town: Town, password: str = PASSWORD, name: str = "Dora", **more: str) -> Any:
    body = {"signin_id": town.made.signin_id(name), "password": password, **more}
    reply = town.product.client.post("/dispatcher/v1/signin", json=body)
    town.product.client.cookies.clear()
    return reply


def ask(town: Town, path: str, body: Any = None, who: str = "Dora") -> Any:
    return town.product.client.post(f"/dispatcher/v1/{path}", json=body, headers=town.board(who))


def enrol(town: Town) -> tuple[bytes, list[str]]:
    started = ok(ask(town, "totp/start"))
    secret = base64.b32decode(started["secret"])
    assert started["uri"].startswith("otpauth://totp/Paidan:")
    assert started["qr"].startswith("data:image/svg+xml")
    return secret, ok(ask(town, "totp/confirm", {"code": code_now(town, secret)}))["recovery_codes"]


def code_now(town: Town, secret: bytes, later_s: int = 0) -> str:
    wall = town.product.app.state.doorkeeper.wall()
    return totp_code(secret, (int(wall.timestamp()) + later_s) // 30)


def test_codes_are_those_of_rfc_6238() -> None:
    """Appendix B, SHA-1; the RFC prints eight digits, apps show the last six."""
    secret = b"12345678901234567890"
    for at, eight in ((59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")):
        assert totp_code(secret, at // 30) == eight[-6:]
        assert totp_matches(secret, eight[-6:], datetime.fromtimestamp(at, UTC), None) == at // 30
    assert struct.pack(">Q", 1)[-1] == 1


def test_with_a_second_factor_the_password_alone_is_not_enough(town: Town) -> None:
    secret, _ = enrol(town)
    refused(sign_in(town), 401, "second_factor_required")
    refused(sign_in(town, code="000000"), 401, "second_factor_wrong")
    refused(sign_in(town, "wrong", code=code_now(town, secret, 30)), 401, "signin_refused")
    assert ok(sign_in(town, code=code_now(town, secret, 30)))["totp"] is True


def test_a_code_lets_in_once(town: Town) -> None:
    secret, _ = enrol(town)
    code = code_now(town, secret, 30)
    ok(sign_in(town, code=code))
    refused(sign_in(town, code=code), 401, "second_factor_wrong")


def test_without_the_memory_of_used_steps_a_code_would_let_in_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: the step that was used is forgotten."""
    secret, _ = enrol(town)
    monkeypatch.setattr(
        "dispatch.actions.identity_totp.totp_matches",
        lambda secret, code, now, used: totp_matches(secret, code, now, None),
    )
    code = code_now(town, secret, 30)
    assert [sign_in(town, code=code).status_code for _ in range(2)] == [200, 200]


def test_a_recovery_code_lets_in_once_when_the_phone_is_gone(town: Town) -> None:
    _, recovery = enrol(town)
    assert len(recovery) == len(set(recovery)) == 10
    ok(sign_in(town, code=recovery[0].upper()))
    refused(sign_in(town, code=recovery[0]), 401, "second_factor_wrong")
    ok(sign_in(town, code=recovery[1]))


def test_the_secret_and_the_recovery_codes_are_not_readable_in_the_database(town: Town) -> None:
    secret, recovery = enrol(town)
    rows = town.product.rows(
        "select totp_enc, recovery_hashes::text as kept from dispatchers where tenant_id = %(tenant)s "
        "and totp_at is not null",
        town.made.tenant_id,
    )
    (row,) = rows
    assert base64.b32encode(secret) not in bytes(row["totp_enc"])
    assert not any(code in row["kept"] for code in recovery)


def test_what_is_grave_asks_for_proof_again_after_fifteen_minutes(
    town: Town, ahead: dict[str, timedelta]
) -> None:
    ok(ask(town, "totp/start"))
    ahead["by"] = timedelta(minutes=16)
    refused(ask(town, "totp/start"), 403, "proof_required")
    refused(ask(town, "proof", {"password": "wrong"}), 401, "proof_refused")
    assert ask(town, "proof", {"password": PASSWORD}).status_code == 204
    ok(ask(town, "totp/start"))


def test_proof_is_the_second_factor_where_there_is_one(town: Town, ahead: dict[str, timedelta]) -> None:
    secret, _ = enrol(town)
    ahead["by"] = timedelta(minutes=16)
    refused(ask(town, "proof", {"password": PASSWORD}), 401, "proof_refused")
    assert ask(town, "proof", {"code": code_now(town, secret)}).status_code == 204
    assert ask(town, "totp/remove").status_code == 204
    ok(sign_in(town))


def test_everything_that_takes_data_out_or_changes_much_asks_for_proof() -> None:
    named = {name for name in POLICY if name.endswith(STEP_UP_ENDINGS)}
    assert named <= STEP_UP <= set(POLICY)
    assert all(POLICY[name] != PUBLIC for name in STEP_UP)


def test_a_new_password_ends_the_other_sign_ins(town: Town) -> None:
    other = town.board("Ada")
    mine = sign_in(town, name="Ada").cookies
    headers = {"Authorization": f"Bearer {mine[town.product.app.state.doorkeeper.cookie]}"}
    body = {"old_password": PASSWORD, "new_password": "another long password"}
    reply = town.product.client.post("/dispatcher/v1/password", json=body, headers=headers)
    assert reply.status_code == 204
    town.product.app.state.doorkeeper.forget(None)
    refused(town.product.client.get("/dispatcher/v1/me", headers=other), 401, "signin_ended")
    ok(town.product.client.get("/dispatcher/v1/me", headers=headers))
    refused(sign_in(town, name="Ada"), 401, "signin_refused")
    ok(sign_in(town, "another long password", "Ada"))


def test_a_common_password_is_not_taken_at_any_door(town: Town) -> None:
    """One's own, an admin's for somebody, and for somebody new."""
    body = {"old_password": PASSWORD, "new_password": "Password2026!"}
    refused(ask(town, "password", body), 422, "password_common")
    refused(
        ask(town, "password", {**body, "new_password": f"{town.made.signin_id('Dora')}1"}),
        422,
        "password_common",
    )
    client, admin = town.product.client, town.board("Ada")
    url = f"/dispatcher/v1/admin/engineers/{town.made.engineers['Ana']}/password"
    refused(client.put(url, json={"password": "1234567890"}, headers=admin), 422, "password_common")
    for kind in ("engineers", "dispatchers"):
        added = {"name": "New", "signin_id": f"new-{town.made.slug}", "password": "qwertyuiop"}
        reply = client.post(f"/dispatcher/v1/admin/{kind}", json=added, headers=admin)
        refused(reply, 422, "password_common")


def test_guessing_a_password_is_slowed_down(town: Town) -> None:
    for _ in range(FREE_FAILURES):
        refused(sign_in(town, "guess"), 401, "signin_refused")
    refused(sign_in(town), 429, "too_many_requests")


def test_on_https_the_cookie_is_bound_to_this_host(town: Town) -> None:
    doors = Doorkeeper(town.product.house.database, b"k" * 31 + b"x", secure=True)
    assert doors.cookie.startswith("__Host-")
    here = town.product.app.state.rooms
    before, here.doorkeeper = here.doorkeeper, doors
    try:
        cookie = sign_in(town).headers["set-cookie"]
    finally:
        here.doorkeeper = before
    for word in ("__Host-paidan=", "HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in cookie, cookie
    assert "Domain" not in cookie
