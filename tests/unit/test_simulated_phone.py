"""The reference client of the phone contract: one tap is one command, however often it has to be sent."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from mobile_contract import simulated_phone, v1
from mobile_contract.simulated_phone import OutOfReach, Refused, SimulatedPhone, sha256_of, uuid7

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ANA = {"access_token": "token-1", "expires_at": NOW.isoformat(), "engineer_id": str(uuid4()), "name": "Ana",
       "language": "en"}  # fmt: skip
TICKET = uuid4()


def today(seq: int = 7) -> dict[str, Any]:
    engineer = {"engineer_id": ANA["engineer_id"], "name": "Ana", "language": "en", "on_shift": True,
                "shift_from": None, "shift_to": None, "planned_min": 0, "limit_min": 480}  # fmt: skip
    return {"v": 1, "as_of_seq": seq, "now": NOW.isoformat(), "engineer": engineer, "tickets": [],
            "offers": [], "pool_count": 0}  # fmt: skip


def done(command: dict[str, Any]) -> dict[str, Any]:
    kept = {key: command[key] for key in ("command_id", "ticket_id", "action")}
    return {"result": {**kept, "status": "assigned", "version": 2, "seq": 7}, "today": today()}


def problem(status: int, code: str) -> httpx.Response:
    body = {"code": code, "title": code, "status": status, "facts": {}, "trace_id": "t"}
    return httpx.Response(status, json=body)


class Server:
    """Answers sign-ins; `answer` decides about everything else."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answer = answer
        self.signins = 0
        self.seen: list[httpx.Request] = []
        self.trouble: list[int] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/signin"):
            self.signins += 1
            return httpx.Response(200, json=ANA | {"access_token": f"token-{self.signins}"})
        self.seen.append(request)
        return self.answer(request)

    def run(self, work: Callable[[SimulatedPhone], Any], patience_s: float = 30.0) -> Any:
        async def play() -> Any:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as http:
                phone = SimulatedPhone(
                    "http://paidan.invalid/", "ana", "password", lambda: NOW, http, patience_s,
                    lambda status, *_: self.trouble.append(status),
                )  # fmt: skip
                return await work(phone)

        return asyncio.run(play())


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(seconds: float) -> None:
        return None

    monkeypatch.setattr(simulated_phone.asyncio, "sleep", at_once)


def in_turn(*replies: Any) -> Callable[[httpx.Request], httpx.Response]:
    left = list(replies)

    def answer(request: httpx.Request) -> httpx.Response:
        reply = left.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return reply(request) if callable(reply) else reply

    return answer


def accepted(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=done(json.loads(request.content)))


def test_a_tap_whose_reply_is_lost_is_sent_again_with_the_same_command_id() -> None:
    server = Server(in_turn(httpx.ReadError("cut"), problem(503, "unavailable"), accepted))
    reply = server.run(lambda phone: phone.act(TICKET, "set_off"))
    ids = {json.loads(request.content)["command_id"] for request in server.seen}
    assert len(server.seen) == 3
    assert ids == {str(reply.result.command_id)}
    assert server.trouble == [0, 503]


def test_a_refusal_is_an_answer_and_is_not_sent_again() -> None:
    server = Server(in_turn(problem(409, "offer_not_live")))
    with pytest.raises(Refused) as refusal:
        server.run(lambda phone: phone.act(TICKET, "accept_offer"))
    assert refusal.value.code == "offer_not_live"
    assert len(server.seen) == 1


def test_a_bug_of_the_server_is_tried_three_times_at_most() -> None:
    server = Server(lambda request: problem(500, "internal"))
    with pytest.raises(OutOfReach):
        server.run(lambda phone: phone.act(TICKET, "set_off"))
    assert len(server.seen) == simulated_phone.BUG_TRIES


def test_patience_ends() -> None:
    server = Server(lambda request: problem(503, "unavailable"))
    with pytest.raises(OutOfReach):
        server.run(lambda phone: phone.today(), patience_s=0.1)


def test_an_ended_sign_in_is_renewed_once_and_the_same_tap_goes_again() -> None:
    server = Server(in_turn(problem(401, "signin_ended"), accepted))
    server.run(lambda phone: phone.act(TICKET, "set_off"))
    first, second = server.seen
    assert server.signins == 2
    assert first.content == second.content
    assert second.headers["authorization"] == "Bearer token-2"


def test_what_was_kept_without_reception_goes_in_order_and_stays_until_it_is_answered() -> None:
    def only_the_first(request: httpx.Request) -> httpx.Response:
        commands = json.loads(request.content)["commands"][:1]
        items = [{"command_id": c["command_id"], "status": 200} for c in commands]
        return httpx.Response(200, json={"items": items, "today": today()})

    server = Server(only_the_first)

    async def work(phone: SimulatedPhone) -> list[v1.BatchItem]:
        kept = [phone.keep(TICKET, action) for action in ("check_in", "complete")]
        items = await phone.drain()
        assert [item.command_id for item in items] == [command.command_id for command in kept]
        return items

    server.run(work)
    sent = [[c["action"] for c in json.loads(r.content)["commands"]] for r in server.seen]
    assert sent == [["check_in", "complete"], ["complete"]]


def test_a_photo_keeps_its_id_when_it_is_sent_again() -> None:
    server = Server(in_turn(httpx.ConnectError("down"), httpx.Response(201, json={})))
    photo_id = server.run(lambda phone: phone.put_photo(TICKET, "check_in", b"jpeg"))
    paths = {request.url.path for request in server.seen}
    assert paths == {f"/engineer/v1/photos/{photo_id}"}
    assert photo_id.version == 7


def test_a_page_of_a_proxy_is_told_apart_from_a_problem() -> None:
    server = Server(in_turn(httpx.Response(418, text="<html>")))
    with pytest.raises(Refused) as refusal:
        server.run(lambda phone: phone.today())
    assert refusal.value.code == "http_error"


def test_the_live_stream_gives_the_names_of_events() -> None:
    stream = "event: hello\ndata: {}\n\n: ping\n\nevent: changed\ndata: {}\n\n"
    server = Server(in_turn(httpx.Response(200, text=stream)))

    async def work(phone: SimulatedPhone) -> list[str]:
        return [name async for name in phone.live()]

    assert server.run(work) == ["hello", "changed"]


def test_pushes_that_are_not_of_the_contract_are_passed_over() -> None:
    offer = {"v": "1", "type": "offer", "offer_id": str(uuid4()), "ticket_id": str(TICKET), "seq": "5",
             "exp": "1772413200"}  # fmt: skip
    entries = [{"message": {"data": {"v": "9"}}}, {"message": {"data": offer}}]
    body = {"last": 2, "messages": entries}
    server = Server(in_turn(httpx.Response(200, json=body), httpx.ConnectError("gone")))

    async def work(phone: SimulatedPhone) -> list[int]:
        return [push.seq async for push in phone.pushes("http://push.invalid", "phone-1")]

    assert server.run(work) == [5]


def test_ids_are_ordered_by_time() -> None:
    ids = [uuid7() for _ in range(50)]
    assert len(set(ids)) == 50
    assert all(i.version == 7 and i.variant == "specified in RFC 4122" for i in ids)


def test_a_photo_still_on_the_phone_is_named_by_its_hash() -> None:
    v1.ActionFacts(photo_pending=[sha256_of(b"jpeg")])


def test_a_spent_token_is_renewed_once_however_many_taps_meet_it() -> None:
    """The refresh token does it, without the password; nobody above notices."""
    refreshed: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/refresh"):
            refreshed.append(json.loads(request.content))
            return httpx.Response(200, json=ANA | {"access_token": "fresh", "refresh_token": "r-2"})
        if request.headers["authorization"] != "Bearer fresh":
            return problem(401, "token_expired")
        return accepted(request)

    async def work(phone: SimulatedPhone) -> None:
        await phone.sign_in()
        phone._refresh_token = "r-1"
        await asyncio.gather(*(phone.act(TICKET, "note") for _ in range(5)))

    server = Server(answer)
    server.run(work)
    assert server.signins == 1
    assert [body["refresh_token"] for body in refreshed] == ["r-1"]
    assert refreshed[0]["device_id"]


def test_a_family_that_has_ended_means_the_password_again() -> None:
    replies = in_turn(problem(401, "token_expired"), problem(401, "signin_ended"), accepted)

    async def work(phone: SimulatedPhone) -> None:
        await phone.sign_in()
        phone._refresh_token = "r-1"
        await phone.act(TICKET, "note")

    server = Server(replies)
    server.run(work)
    assert server.signins == 2
