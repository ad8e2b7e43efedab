"""Each of the eight reactions, switched on and switched off."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from dispatch.actions import automations, reacting
from dispatch.actions.telling_book import ChannelBook
from dispatch.domain.automations import AUTOMATIONS
from dispatch.domain.reactions import REACTIONS
from dispatch.store.ids import new_id
from tests.builders import new_ticket
from tests.house import Town, ok, refused
from tests.integration.test_telling import Recorder, targets


@pytest.fixture
def wire(town: Town) -> Iterator[Recorder]:
    """Text messages to everybody, kept; the clock is put back."""
    product = town.product
    before = product.clock.ahead
    made = Recorder()
    product.book = ChannelBook(product.clock.now, {"sms": made})
    targets(town, "dispatcher", town.made.dispatchers["Dora"], ("sms", "13700000001"))
    yield made
    product.book = None
    product.clock.ahead = before


def switch(town: Town, kind: str, active: bool, **parameters: int) -> Any:
    body = {"active": active, "parameters": parameters}
    path = f"/dispatcher/v1/automations/{kind}"
    return town.product.client.put(path, json=body, headers=town.board("Ada"))


def texts(wire: Recorder, made: dict[str, Any]) -> str:
    return "\n".join(m.text for m in wire.sent if made["ticket_no"] in m.text)


def finished(town: Town, outcome: str = "fixed", work_type: str = "ac_direct") -> dict[str, Any]:
    made = town.create(new_ticket(work_type))
    town.settle()
    name = town.view(made["ticket_id"])["ticket"]["engineer_name"]
    town.arrive(name, made["ticket_id"])
    town.complete(name, made["ticket_id"], outcome)
    return made


def later(town: Town, **span: float) -> None:
    town.settle()
    town.product.clock.move(**span)
    town.settle()


# what each does: (how it is seen) → whether it was done


def assign_when_silent(town: Town, wire: Recorder) -> bool:
    made = town.create(new_ticket("survey"))
    later(town, minutes=16)
    return town.status(made["ticket_id"]) == "assigned"


def remind_window(town: Town, wire: Recorder) -> bool:
    begins = town.product.clock.now() + timedelta(hours=3)
    window = {"window_from": begins.isoformat(), "window_to": (begins + timedelta(hours=2)).isoformat()}
    made = town.create(new_ticket("ac_direct", **window))
    later(town, minutes=110)
    assert "booked for" not in texts(wire, made)
    later(town, minutes=15)
    later(town, minutes=15)
    return texts(wire, made).count("booked for") == 2


def escalate_at_risk(town: Town, wire: Recorder) -> bool:
    policy = {"name": {"zh": "a", "en": "a"}, "resolution_min": 100}
    reply = town.product.client.put(
        f"/dispatcher/v1/promise_policies/{new_id()}", json=policy, headers=town.board("Ada")
    )
    assert reply.status_code in (200, 409)
    made = town.create(new_ticket("ac_direct"))
    later(town, minutes=10)
    attention = town.view(made["ticket_id"])["ticket"]["attention"]
    ok(town.act(town.view(made["ticket_id"])["ticket"]["engineer_name"], made["ticket_id"], "acknowledge"))
    later(town, minutes=70)
    return (attention, town.view(made["ticket_id"])["ticket"]["attention"]) == (None, "at_risk")


def ask_rating(town: Town, wire: Recorder) -> bool:
    made = finished(town)
    ok(town.answer(made["customer_link"], "sign_off"))
    later(town, minutes=61)
    return "rate it" in texts(wire, made)


def call_back_unhappy(town: Town, wire: Recorder) -> bool:
    happy, unhappy = finished(town), finished(town)
    ok(town.answer(happy["customer_link"], "sign_off", rating=3))
    ok(town.answer(unhappy["customer_link"], "sign_off", rating=2))
    town.settle()
    assert "call back" not in texts(wire, happy)
    return "rated 2" in texts(wire, unhappy)


def follow_up_not_fixed(town: Town, wire: Recorder) -> bool:
    made = finished(town, "not_fixed")
    ok(town.answer(made["customer_link"], "sign_off"))
    later(town, minutes=1)
    rows = town.product.rows(
        "select priority, parent_kind from tickets where tenant_id = %(tenant)s and parent_id = %(id)s",
        town.made.tenant_id,
        id=made["ticket_id"],
    )
    assert rows in ([], [{"priority": "high", "parent_kind": "follow_up"}])
    return bool(rows)


def notify_on_urge(town: Town, wire: Recorder) -> bool:
    made = town.create(new_ticket("ac_direct"))
    town.settle()
    ok(town.answer(made["customer_link"], "urge"))
    later(town, minutes=1)
    return texts(wire, made).count("is asking for it") == 2


def close_when_unanswered(town: Town, wire: Recorder) -> bool:
    made = finished(town)
    later(town, days=2, minutes=5)
    warned = "closes on" in texts(wire, made)
    later(town, days=1)
    closed = town.status(made["ticket_id"]) == "closed"
    assert warned == closed
    return closed


SEEN: dict[str, Callable[[Town, Recorder], bool]] = {
    "assign_when_silent": assign_when_silent,
    "remind_window": remind_window,
    "escalate_at_risk": escalate_at_risk,
    "ask_rating": ask_rating,
    "call_back_unhappy": call_back_unhappy,
    "follow_up_not_fixed": follow_up_not_fixed,
    "notify_on_urge": notify_on_urge,
    "close_when_unanswered": close_when_unanswered,
}


def test_there_are_eight_and_each_is_woken_by_an_event_and_tried_here() -> None:
    assert list(SEEN) == list(AUTOMATIONS) == list(automations.WAKES)
    assert len(SEEN) == 8
    for known in AUTOMATIONS.values():
        for action in known.actions:
            assert "automate" in REACTIONS[action], action


@pytest.mark.parametrize("kind", SEEN)
def test_switched_on_it_happens_and_switched_off_it_does_not(town: Town, wire: Recorder, kind: str) -> None:
    assert switch(town, kind, False).status_code == 204
    before = town.product.clock.ahead
    assert SEEN[kind](town, wire) is False
    town.product.clock.ahead = before
    assert switch(town, kind, True).status_code == 204
    assert SEEN[kind](town, wire) is True


def test_a_switch_that_is_not_read_would_be_noticed(
    town: Town, wire: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sabotage: everything counts as switched on."""
    from dispatch.domain.automations import Setting

    setting_of = automations.setting_of
    for reads_it in (automations, reacting):
        monkeypatch.setattr(
            reads_it, "setting_of", lambda *given: Setting(True, setting_of(*given).parameters)
        )
    with pytest.raises(AssertionError):
        test_switched_on_it_happens_and_switched_off_it_does_not(town, wire, "notify_on_urge")


@pytest.mark.parametrize(
    ("kind", "parameters", "code"),
    [
        ("make_coffee", {}, "automation_unknown"),
        ("ask_rating", {"after_min": 0}, "automation_invalid"),
        ("ask_rating", {"after_min": 10_081}, "automation_invalid"),
        ("ask_rating", {"before_min": 60}, "automation_invalid"),
        ("call_back_unhappy", {"stars_at_most": 5}, "automation_invalid"),
    ],
)
def test_parameters_out_of_their_limits_are_refused(
    town: Town, kind: str, parameters: dict[str, int], code: str
) -> None:
    refused(switch(town, kind, True, **parameters), 422, code)


def test_settings_are_read_back_with_their_limits(town: Town) -> None:
    assert switch(town, "ask_rating", True, after_min=90).status_code == 204
    lines = ok(town.product.client.get("/dispatcher/v1/automations", headers=town.board("Ada")))[
        "automations"
    ]
    (line,) = [line for line in lines if line["kind"] == "ask_rating"]
    assert line == {
        "kind": "ask_rating",
        "active": True,
        "parameters": [{"name": "after_min", "value": 90, "least": 1, "most": 10_080}],
    }
