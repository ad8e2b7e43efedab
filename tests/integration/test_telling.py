"""From the event to the person: messages once each, and ladders that always end."""

import base64
import os
import struct
import xml.sax.saxutils
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dispatch.actions import telling_messages
from dispatch.actions.telling_book import ChannelBook
from dispatch.adapters.channel import ACCEPTED, Message, Sent, gone, refused, retry
from dispatch.adapters.wecom import WeComAccount, callback_signature
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.house import Town, ok
from tests.house import refused as refused_reply


@dataclass
class Recorder:
    """A channel that keeps what it is given and answers by script, then well."""

    script: list[Sent] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> Sent:
        answer = self.script.pop(0) if self.script else ACCEPTED
        if answer is ACCEPTED:
            self.sent.append(message)
        return answer


@pytest.fixture
def wires(town: Town) -> Iterator[dict[str, Recorder]]:
    """Every channel of one kind, for this test's town; the clock is put back."""
    product = town.product
    before = product.clock.ahead
    made = {name: Recorder() for name in ("sms", "voice", "mail", "webpush")}
    product.book = ChannelBook(product.clock.now, made)
    yield made
    product.book = None
    product.clock.ahead = before


def put(town: Town, path: str, body: dict[str, Any], name: str = "Ada") -> Any:
    return town.product.client.put(f"/dispatcher/v1/{path}", json=body, headers=town.board(name))


def targets(town: Town, kind: str, person_id: UUID, *wanted: tuple[str, str]) -> None:
    body = {"targets": [{"channel": channel, "address": address} for channel, address in wanted]}
    assert put(town, f"people/{kind}/{person_id}/targets", body).status_code == 204


def log(town: Town, ticket_id: str) -> dict[str, Any]:
    reply = town.product.client.get(
        "/dispatcher/v1/messages", params={"ticket_id": ticket_id}, headers=town.board()
    )
    return ok(reply)


def mine(wire: Recorder, word: str) -> list[Message]:
    return [message for message in wire.sent if word in message.text]


# messages


def test_a_customer_is_told_once_in_their_language_with_their_link(
    town: Town, wires: dict[str, Recorder]
) -> None:
    made = town.create(new_ticket("survey", language="zh"))
    town.settle()
    town.settle()
    (message,) = mine(wires["sms"], made["ticket_no"])
    assert message.target == "13900001234"
    assert "已受理" in message.text
    assert message.url == made["customer_link"]
    for secret in ("Chen", "1390000", "3-201", "示例路"):
        assert secret not in message.text + message.title
    (line,) = log(town, made["ticket_id"])["messages"]
    assert (line["status"], line["channel"], line["language"]) == ("sent", "sms", "zh")


def test_a_job_that_runs_twice_plans_no_second_message(town: Town, wires: dict[str, Recorder]) -> None:
    made = town.create(new_ticket("survey"))
    town.settle()
    town.product.rows(
        "insert into procrastinate_jobs (queue_name, task_name, args) values ('default', "
        "'tell_customer_received', jsonb_build_object('tenant', %(t)s::text, 'subject', %(k)s::text, "
        "'ticket', %(k)s::text, 'seq', 1, 'depth', 0)) returning id",
        t=str(town.made.tenant_id),
        k=made["ticket_id"],
    )
    town.settle()
    assert len(mine(wires["sms"], made["ticket_no"])) == 1


def test_without_its_key_a_second_message_would_be_seen(
    town: Town, wires: dict[str, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: each attempt looks like another event."""
    tell = telling_messages.tell

    def anew(step: Any, channels: Any, telling: Any, only: Any = None) -> Any:
        from dataclasses import replace

        return tell(step, channels, replace(telling, seq=-int.from_bytes(os.urandom(4))), only)

    monkeypatch.setattr(telling_messages, "tell", anew)
    with pytest.raises(AssertionError):
        test_a_job_that_runs_twice_plans_no_second_message(town, wires)


def test_a_message_whose_job_died_while_sending_is_not_sent_again(
    town: Town, wires: dict[str, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = town.create(new_ticket("survey"))

    def die(self: Recorder, message: Message) -> Sent:
        self.sent.append(message)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "send", die)
        with pytest.raises(KeyboardInterrupt):
            town.settle()
    town.product.rows(
        "insert into timers (tenant_id, kind, subject_id, due_at) select tenant_id, 'message_due', id, now() "
        "from messages where tenant_id = %(tenant)s "
        "on conflict (tenant_id, kind, subject_id) do update set due_at = excluded.due_at returning 1",
        town.made.tenant_id,
    )
    town.settle()
    assert len(mine(wires["sms"], made["ticket_no"])) == 1
    (line,) = log(town, made["ticket_id"])["messages"]
    assert (line["status"], line["code"]) == ("sent", "unconfirmed")


def test_patience_is_kept_and_a_dead_channel_gives_way_to_the_next(
    town: Town, wires: dict[str, Recorder]
) -> None:
    ada = town.made.dispatchers["Ada"]
    targets(town, "dispatcher", ada, ("mail", "ada@x.example"), ("sms", "13700000001"))
    body = {
        "name": {"zh": "a", "en": "a"},
        "resolution_min": 60,
        "steps": [{"pct": 100, "whom": "duty_manager"}],
    }
    ok(put(town, f"promise_policies/{new_id()}", body))
    made = town.create(new_ticket("survey"))
    town.settle()
    wires["mail"].script = [retry("mail_450", 60), gone("mail_550")]
    town.product.clock.move(minutes=61)
    town.settle()
    assert mine(wires["mail"], made["ticket_no"]) == []
    town.product.clock.move(seconds=61)
    town.settle()
    (message,) = [m for m in mine(wires["sms"], made["ticket_no"]) if m.target == "13700000001"]
    assert "over" in message.text
    lines = [m for m in log(town, made["ticket_id"])["messages"] if m["template"] == "promise_broken"]
    assert {(m["channel"], m["status"], m["code"]) for m in lines} == {
        ("mail", "gone", "mail_550"),
        ("sms", "sent", None),
    }


def test_quiet_hours_wait_for_the_morning_and_bursts_become_one(
    town: Town, wires: dict[str, Recorder]
) -> None:
    now = town.product.clock.now()
    local = now + timedelta(hours=8)
    minute = local.hour * 60 + local.minute
    rules = {"quiet_from_min": minute, "quiet_to_min": (minute + 120) % 1440, "debounce_s": 30}
    assert put(town, "tell_rules", rules).status_code == 204
    made = town.create(new_ticket("survey"))
    ticket_id = made["ticket_id"]
    for _ in range(3):
        ok(town.direct(ticket_id, "hold", reason="weather"))
        ok(town.direct(ticket_id, "resume"))
    town.settle()
    assert wires["sms"].sent == []
    town.product.clock.move(minutes=121)
    town.settle()
    texts = sorted(message.text.split(" ", 1)[0] for message in mine(wires["sms"], made["ticket_no"]))
    assert texts == ["The", "Ticket"]
    statuses = [m["status"] for m in log(town, ticket_id)["messages"] if m["template"] == "delayed"]
    assert sorted(statuses) == ["merged", "merged", "sent"]


# a company's own channels


def wecom_values() -> dict[str, str]:
    key = base64.b64encode(os.urandom(32)).decode()[:43]
    return {"corp_id": "corp", "agent_id": "7", "secret": "s", "callback_token": "t", "callback_key": key}


def test_keys_are_kept_encrypted_and_never_shown(town: Town) -> None:
    values = {"hook": "a-hook-of-ours", "secret": "a-secret-of-ours"}
    assert put(town, "channels/feishu", {"active": True, "values": values}).status_code == 204
    assert put(town, "channels/feishu", {"active": False}).status_code == 204
    facts = refused_reply(
        put(town, "channels/wecom", {"active": True, "values": {"corp_id": "x", "other": "y"}}),
        422,
        "channel_incomplete",
    )
    assert facts["missing"] == ["agent_id", "secret", "callback_token", "callback_key"]
    shown = town.product.client.get("/dispatcher/v1/tell_settings", headers=town.board("Ada"))
    assert "of-ours" not in shown.text
    assert ok(shown)["channels"][0]["active"] is False
    kept = town.product.rows(
        "select body_enc from channel_settings where tenant_id = %(tenant)s", town.made.tenant_id
    )
    assert b"of-ours" not in bytes(kept[0]["body_enc"])


def press(town: Town, values: dict[str, str], user: str, key: str, spoil: bool = False) -> Any:
    """The provider's callback for a pressed button."""
    account = WeComAccount(values["corp_id"], 7, "", values["callback_token"], values["callback_key"])
    said = {"FromUserName": user, "Event": "template_card_event", "TaskId": "task", "EventKey": key}
    inner = "".join(f"<{n}>{xml.sax.saxutils.escape(v)}</{n}>" for n, v in said.items())
    text = f"<xml>{inner}</xml>".encode()
    secret = base64.b64decode(account.callback_key + "=")
    body = os.urandom(16) + struct.pack("!I", len(text)) + text + account.corp_id.encode()
    pad = 32 - len(body) % 32
    sealer = Cipher(algorithms.AES(secret), modes.CBC(secret[:16])).encryptor()
    sealed = base64.b64encode(sealer.update(body + bytes([pad]) * pad) + sealer.finalize()).decode()
    signature = callback_signature("wrong" if spoil else account.callback_token, "1", "2", sealed)
    return town.product.client.post(
        f"/hooks/wecom/{town.made.tenant_id}",
        params={"msg_signature": signature, "timestamp": "1", "nonce": "2"},
        content=f"<xml><Encrypt>{sealed}</Encrypt></xml>",
    )


def test_the_button_in_the_message_accepts_the_offer_once_for_the_person_it_was_sent_to(town: Town) -> None:
    values = wecom_values()
    assert put(town, "channels/wecom", {"active": True, "values": values}).status_code == 204
    targets(town, "engineer", town.made.engineers["Ana"], ("wecom", "ana"))
    ticket_id = town.create(new_ticket())["ticket_id"]
    town.settle()
    (offer,) = town.view(ticket_id)["offers"]
    key = f"accept:{offer['offer_id']}"
    assert press(town, values, "ana", key, spoil=True).status_code == 403
    assert press(town, values, "ben", key).text == "success"
    assert press(town, values, "ana", "accept:nonsense").text == "success"
    assert town.status(ticket_id) == "offered"
    for _ in range(2):
        assert press(town, values, "ana", key).text == "success"
    view = town.view(ticket_id)
    assert (view["ticket"]["status"], view["ticket"]["engineer_name"]) == ("assigned", "Ana")
    assert [line["action"] for line in view["history"]].count("accept_offer") == 1


# the ladder


def climb(town: Town, *seconds: float) -> None:
    for span in seconds:
        town.product.clock.move(seconds=span)
        town.settle()


def ladder(town: Town, ticket_id: str) -> dict[str, Any]:
    found: dict[str, Any] = log(town, ticket_id)["ladders"][-1]
    return found


def test_unseen_an_offer_climbs_from_channel_to_channel_to_the_duty_manager(
    town: Town, wires: dict[str, Recorder]
) -> None:
    ana, ada, dora = (town.made.engineers["Ana"], town.made.dispatchers["Ada"], town.made.dispatchers["Dora"])
    targets(town, "engineer", ana, ("sms", "13700000001"), ("voice", "13700000001"))
    targets(town, "dispatcher", dora, ("mail", "dora@x.example"))
    targets(town, "dispatcher", ada, ("sms", "13700000009"))
    assert put(town, "tell_rules", {"ladder_backup": True}).status_code == 204
    made = town.create(new_ticket())
    town.settle()
    climb(town, 40, 40, 40, 40, 40)
    found = ladder(town, made["ticket_id"])
    assert [(r["whom"], r["channel"]) for r in found["rungs"]] == [
        ("engineer", "sms"), ("engineer", "voice"), ("backup", "offer"), ("dispatchers", "message"),
        ("duty_manager", "message"),
    ]  # fmt: skip
    assert found["outcome"] == "escalated"
    offers = {offer["engineer_name"] for offer in town.view(made["ticket_id"])["offers"]}
    assert {"Ana", "Ben"} <= offers
    assert "not been seen" in mine(wires["mail"], made["ticket_no"])[0].text
    assert len([m for m in mine(wires["voice"], made["ticket_no"]) if m.target == "13700000001"]) == 1


@pytest.mark.parametrize("answer", ["ack", "accept_offer", "decline_offer"])
def test_an_answer_ends_the_ladder_where_it_stands(
    town: Town, wires: dict[str, Recorder], answer: str
) -> None:
    made = town.create(new_ticket())
    town.settle()
    (offer,) = town.today("Ana")["offers"]
    if answer == "ack":
        body = {"offer_id": offer["offer_id"]}
        town.product.client.post("/engineer/v1/push_acks", json=body, headers=town.phone("Ana"))
    else:
        reason = {"reason": "busy"} if answer == "decline_offer" else {}
        ok(town.act("Ana", made["ticket_id"], answer, offer_id=offer["offer_id"], **reason))
    climb(town, 60)
    found = ladder(town, made["ticket_id"])
    assert found["outcome"] == ("declined" if answer == "decline_offer" else "acked")
    assert len(found["rungs"]) == 1


class Troubled(Recorder):
    """A provider of which three in ten fail, in turn by 429, 5xx, a device that is gone and silence."""

    def send(self, message: Message) -> Sent:
        kind = int(message.key[-2:], 16) % 20
        faults = {
            0: retry("busy_429", 5),
            1: retry("busy_503"),
            2: gone("unregistered"),
            3: refused("no"),
            4: retry("hangs"),
            5: retry("e500"),
        }
        return faults.get(kind) or super().send(message)


OFFERS = 21


def test_with_three_in_ten_sends_failing_every_offer_has_an_outcome(
    town: Town, wires: dict[str, Recorder]
) -> None:
    town.product.book = ChannelBook(
        town.product.clock.now, {"sms": Troubled(), "voice": Troubled(), "mail": Troubled()}
    )
    tickets = [town.create(new_ticket("survey"))["ticket_id"] for _ in range(OFFERS)]
    for n, ticket_id in enumerate(tickets):
        engineer = town.made.engineers[("Ana", "Ben", "Eve")[n % 3]]
        ok(town.direct(ticket_id, "offer", engineer_ids=[str(engineer)]))
    town.settle()
    for n, ticket_id in enumerate(tickets[::3]):
        name = "Ana"
        (offer,) = [o for o in town.view(ticket_id)["offers"] if o["engineer_name"] == name]
        action, more = ("accept_offer", {}) if n % 2 else ("decline_offer", {"reason": "busy"})
        town.act(name, ticket_id, action, offer_id=offer["offer_id"], **more)
    climb(town, 50, 50, 50, 50, 50)
    outcomes = outcomes_of(town)
    assert sum(outcomes.values()) >= OFFERS
    assert None not in outcomes
    assert {"acked", "declined", "escalated"} <= set(outcomes)


def outcomes_of(town: Town) -> dict[str | None, int]:
    """How the ladders of those offers ended whose time is over."""
    rows = town.product.rows(
        "select l.outcome, count(*)::int as n from offers o left join ladders l "
        "on l.tenant_id = o.tenant_id and l.offer_id = o.id "
        "where o.tenant_id = %(tenant)s and o.expires_at < %(now)s group by 1",
        town.made.tenant_id,
        now=town.product.clock.now(),
    )
    return {row["outcome"]: row["n"] for row in rows}


def test_a_ladder_that_is_not_armed_again_would_be_noticed(
    town: Town, wires: dict[str, Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: the next rung's timer is forgotten."""
    from dispatch.actions.step import Step

    set_timer = Step.set_timer

    def forgetful(self: Step, kind: str, subject_id: UUID, due_at: datetime) -> None:
        if kind != "ladder_next":
            set_timer(self, kind, subject_id, due_at)

    monkeypatch.setattr(Step, "set_timer", forgetful)
    made = town.create(new_ticket("survey"))
    ok(town.direct(made["ticket_id"], "offer", engineer_ids=[str(town.made.engineers["Ana"])]))
    climb(town, 60, 60, 70)
    assert "escalated" not in outcomes_of(town)
    assert len(ladder(town, made["ticket_id"])["rungs"]) == 1
