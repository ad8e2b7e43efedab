"""The phone's sign-in: ten minutes of access, a refresh token bound to its device, codes, devices."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from api.signin import Doorkeeper
from dispatch.adapters.sms import KeptSms
from dispatch.domain import identity
from tests.builders import PASSWORD
from tests.house import Product, Town, ok, refused

DEVICE = "d" * 32
OTHER = "e" * 32


@pytest.fixture
def wall(product: Product) -> Iterator["Wall"]:
    """Real time as the doorkeeper sees it, moved by hand."""
    doors: Doorkeeper = product.app.state.doorkeeper
    moved = Wall(doors)
    yield moved
    doors.wall = moved.real


class Wall:
    def __init__(self, doors: Doorkeeper) -> None:
        self.real = doors.wall
        self.ahead = timedelta()
        doors.wall = lambda: self.real() + self.ahead

    def move(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@pytest.fixture
def sms(product: Product) -> KeptSms:
    product.sms.kept.clear()
    return product.sms


def post(town: Town, path: str, body: dict[str, Any], token: str | None = None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return town.product.client.post(f"/engineer/v1/{path}", json=body, headers=headers)


def sign_in(town: Town, name: str = "Ana", device: str = DEVICE, password: str = PASSWORD) -> Any:
    body = {"signin_id": town.made.signin_id(name), "password": password, "device": device[:3]}
    return post(town, "signin", body | {"device_id": device})


def refresh(town: Town, signed: dict[str, Any], device: str = DEVICE) -> Any:
    return post(town, "refresh", {"refresh_token": signed["refresh_token"], "device_id": device})


def today(town: Town, signed: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {signed['access_token']}"}
    return town.product.client.get("/engineer/v1/today", headers=headers)


def test_an_access_token_ends_after_ten_minutes_and_a_refresh_gives_the_next(town: Town, wall: Wall) -> None:
    signed = ok(sign_in(town))
    ok(today(town, signed))
    wall.move(minutes=9)
    ok(today(town, signed))
    wall.move(minutes=2)
    refused(today(town, signed), 401, "token_expired")
    ok(today(town, ok(refresh(town, signed))))


def test_a_lost_reply_is_answered_again_for_sixty_seconds(town: Town, wall: Wall) -> None:
    first = ok(sign_in(town))
    second = ok(refresh(town, first))
    wall.move(seconds=59)
    again = ok(refresh(town, first))
    assert again["refresh_token"] == second["refresh_token"]
    ok(refresh(town, again))


def test_an_old_token_after_the_grace_ends_the_whole_family(town: Town, wall: Wall) -> None:
    first = ok(sign_in(town))
    second = ok(refresh(town, first))
    wall.move(seconds=61)
    refused(refresh(town, first), 401, "signin_ended")
    refused(refresh(town, second), 401, "signin_ended")
    refused(today(town, second), 401, "signin_ended")


def test_a_token_two_steps_old_ends_the_family_at_once(town: Town) -> None:
    first = ok(sign_in(town))
    third = ok(refresh(town, ok(refresh(town, first))))
    refused(refresh(town, first), 401, "signin_ended")
    refused(refresh(town, third), 401, "signin_ended")


def test_a_refresh_token_on_another_device_ends_the_family(town: Town) -> None:
    signed = ok(sign_in(town))
    refused(refresh(town, signed, OTHER), 401, "signin_ended")
    refused(refresh(town, signed), 401, "signin_ended")


def test_without_the_judgement_a_copied_token_would_live_on(
    town: Town, wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sabotage: every token rotates, whatever its number; the copy is then as good as the original."""
    monkeypatch.setattr("dispatch.actions.identity.judge_refresh", lambda *_: identity.Refresh.ROTATE)
    first = ok(sign_in(town))
    ok(refresh(town, first))
    wall.move(seconds=61)
    assert refresh(town, first).status_code == 200


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(town: Town) -> None:
    signed = ok(sign_in(town))
    swapped = {"access_token": signed["refresh_token"], "refresh_token": signed["access_token"]}
    refused(refresh(town, swapped), 401, "signin_required")
    refused(today(town, swapped), 401, "signin_required")


def test_an_engineer_ends_a_lost_phone_from_another(town: Town) -> None:
    lost, mine = ok(sign_in(town)), ok(sign_in(town, device=OTHER))
    ok(today(town, lost))
    headers = {"Authorization": f"Bearer {mine['access_token']}"}
    devices = ok(town.product.client.get("/engineer/v1/devices", headers=headers))["devices"]
    assert {(d["device"], d["current"]) for d in devices} == {("ddd", False), ("eee", True)}
    (device_id,) = [d["device_id"] for d in devices if not d["current"]]
    assert post(town, f"devices/{device_id}/revoke", {}, mine["access_token"]).status_code == 204
    refused(today(town, lost), 401, "signin_ended")
    refused(refresh(town, lost), 401, "signin_ended")
    ok(today(town, mine))


def test_nobody_ends_a_colleagues_phone(town: Town) -> None:
    bens, mine = ok(sign_in(town, "Ben")), ok(sign_in(town))
    headers = {"Authorization": f"Bearer {bens['access_token']}"}
    (device,) = ok(town.product.client.get("/engineer/v1/devices", headers=headers))["devices"]
    reply = post(town, f"devices/{device['device_id']}/revoke", {}, mine["access_token"])
    refused(reply, 404, "device_unknown")
    ok(today(town, bens))


def test_a_code_by_text_message_signs_in_once(town: Town, sms: KeptSms) -> None:
    signin_id = town.made.signin_id("Ana")
    assert post(town, "signin/code", {"signin_id": signin_id}).status_code == 204
    code = digits(sms)
    body = {"signin_id": signin_id, "code": code, "device_id": DEVICE}
    ok(today(town, ok(post(town, "signin/by_code", body))))
    refused(post(town, "signin/by_code", body), 401, "code_refused")


def digits(sms: KeptSms) -> str:
    return "".join(c for c in sms.kept[-1].text.split("10 ")[0] if c.isdigit())[:6]


def test_a_code_ends_after_ten_minutes(town: Town, sms: KeptSms, wall: Wall) -> None:
    signin_id = town.made.signin_id("Ana")
    post(town, "signin/code", {"signin_id": signin_id})
    wall.move(minutes=10, seconds=1)
    reply = post(town, "signin/by_code", {"signin_id": signin_id, "code": digits(sms)})
    refused(reply, 401, "code_refused")


def test_five_wrong_codes_use_a_code_up(town: Town, sms: KeptSms, wall: Wall) -> None:
    signin_id = town.made.signin_id("Ana")
    post(town, "signin/code", {"signin_id": signin_id})
    code = digits(sms)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        refused(post(town, "signin/by_code", {"signin_id": signin_id, "code": wrong}), 401, "code_refused")
    wall.move(seconds=5)
    refused(post(town, "signin/by_code", {"signin_id": signin_id, "code": code}), 401, "code_refused")


def test_codes_go_out_once_a_minute_and_five_an_hour_for_one_phone(
    town: Town, sms: KeptSms, wall: Wall
) -> None:
    """Ana and Ben share a number in this town: the limit is the phone's, not only the name's."""
    for name in ("Ana", "Ben", "Ana"):
        assert post(town, "signin/code", {"signin_id": town.made.signin_id(name)}).status_code == 204
    assert len(sms.kept) == 1
    for _ in range(8):
        wall.move(seconds=61)
        post(town, "signin/code", {"signin_id": town.made.signin_id("Ben")})
    assert len(sms.kept) == 5


def test_nobody_learns_from_codes_who_exists(town: Town, sms: KeptSms) -> None:
    assert post(town, "signin/code", {"signin_id": "nobody-at-all"}).status_code == 204
    assert not sms.kept


def test_guesses_are_slowed_down_and_the_victims_own_phone_is_not(town: Town, wall: Wall) -> None:
    ok(sign_in(town))
    for _ in range(identity.FREE_FAILURES):
        refused(sign_in(town, device=OTHER, password="guess"), 401, "signin_refused")
    facts = refused(sign_in(town, device=OTHER), 429, "too_many_requests")
    assert 0 < facts["wait_s"] <= identity.LONGEST_WAIT.total_seconds()
    ok(sign_in(town))
    wall.move(seconds=2)
    ok(sign_in(town, device=OTHER))


def test_unknown_names_are_slowed_down_alike(town: Town) -> None:
    body = {"signin_id": f"nobody-{town.made.slug}", "password": "guess"}
    for _ in range(identity.FREE_FAILURES):
        refused(post(town, "signin", body), 401, "signin_refused")
    refused(post(town, "signin", body), 429, "too_many_requests")


def test_the_signing_key_changes_while_people_are_signed_in(town: Town, product: Product) -> None:
    """What the old key signed stays good as long as it is named as a previous one, and not a moment longer."""
    doors: Doorkeeper = product.app.state.doorkeeper
    signed = ok(sign_in(town))
    after = Doorkeeper(
        product.house.database, b"n" * 31 + b"x", False, previous_keys=(product.settings.secret_key,)
    )
    assert after._by_signature(signed["access_token"]).principal.id == town.made.engineers["Ana"]
    fresh = after.refresh(signed["refresh_token"], DEVICE)
    with pytest.raises(Exception, match="signin_required"):
        doors.refresh(fresh.refresh_token or "", DEVICE)
    forgotten = Doorkeeper(product.house.database, b"n" * 31 + b"x", False)
    with pytest.raises(Exception, match="signin_required"):
        forgotten._by_signature(signed["access_token"])
