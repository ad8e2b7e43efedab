"""Every row × source × actor of the transition table, allowed or refused through HTTP."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from api.customer.views import CustomerFacts
from dispatch.domain.lifecycle import ACTIONS, TRANSITIONS, Actor, TicketStatus, allowed_actions
from dispatch.store.ids import new_id
from mobile_contract.v1 import ActionFacts
from tests.builders import new_ticket
from tests.house import Town, ok

DOORS = (Actor.DISPATCHER, Actor.ENGINEER, Actor.CUSTOMER)
LEAD = "Ana"


class Scene:
    """A ticket in a wanted status whose lead, where there is one, is Ana."""

    def __init__(self, town: Town, status: TicketStatus, action: str) -> None:
        self.town = town
        made = town.create(new_ticket("leak" if action == "grab" else "survey"))
        self.ticket_id: str = made["ticket_id"]
        self.link: str = made["customer_link"]
        if action != "grab":
            town.settle()
        self._bring_to(status)

    def _bring_to(self, status: TicketStatus) -> None:
        town, ticket_id = self.town, self.ticket_id
        ana = str(town.made.engineers[LEAD])
        if status is TicketStatus.OPEN:
            return
        if status is TicketStatus.OFFERED:
            ok(town.direct(ticket_id, "offer", engineer_ids=[ana]))
            return
        if status is TicketStatus.CANCELLED:
            ok(town.direct(ticket_id, "cancel", reason="by_customer"))
            return
        town.assign_by_hand(ticket_id, LEAD, reason="emergency")
        if status is TicketStatus.EN_ROUTE:
            ok(town.act(LEAD, ticket_id, "set_off"))
        if status is TicketStatus.ON_HOLD:
            ok(town.act(LEAD, ticket_id, "hold", reason="parts", keep_engineer=True))
        if status in (TicketStatus.ON_SITE, TicketStatus.AWAITING_ACCEPTANCE, TicketStatus.CLOSED):
            town.arrive(LEAD, ticket_id)
        if status in (TicketStatus.AWAITING_ACCEPTANCE, TicketStatus.CLOSED):
            town.complete(LEAD, ticket_id)
        if status is TicketStatus.CLOSED:
            ok(town.answer(self.link, "sign_off"))

    def prepare(self, action: str) -> None:
        """What an action needs besides its own facts."""
        if action == "accept_hand_over":
            colleague = str(self.town.made.engineers["Ben"])
            self.town.act(LEAD, self.ticket_id, "hand_over", colleague_id=colleague)
        if action in ("approve_quote", "refuse_quote"):
            self.town.act(LEAD, self.ticket_id, "quote", **self.facts("quote"))
        if action == "pay":
            self.town.product.rows(
                "insert into quotes (tenant_id, id, ticket_id, visit_id, version, status, currency, total_minor, "
                "lines, quoted_by, quoted_at) select tenant_id, gen_random_uuid(), ticket_id, id, 1, 'approved', "
                "'CNY', 10000, '[]', tenant_id, now() from visits where ticket_id = %(ticket)s limit 1 "
                "returning id",
                ticket=self.ticket_id,
            )

    def facts(self, action: str) -> dict[str, Any]:
        """Facts with which the action lacks nothing."""
        town = self.town
        now = town.product.clock.now()
        window = {
            "window_from": (now + timedelta(hours=2)).isoformat(),
            "window_to": (now + timedelta(hours=4)).isoformat(),
        }
        engineers = {name: str(i) for name, i in town.made.engineers.items()}
        line = {"kind": "labour", "text": "work", "quantity": "1", "unit_price_minor": 10000}
        makers: dict[str, Callable[[], dict[str, Any]]] = {
            "offer": lambda: {"engineer_ids": [engineers["Eve"]]},
            "assign": lambda: {
                "engineer_id": engineers["Ben"],
                "confirm_broken_rules": True,
                "reason": "emergency",
            },
            "hand_over": lambda: {"colleague_id": engineers["Ben"]},
            "hand_back": lambda: {"reason": "no_part"},
            "check_in": lambda: {"photo_pending": ["ab" * 32], "position": town.at_site()},
            "quote": lambda: {"quote_lines": [line]},
            "complete": lambda: {"outcome": "fixed", "photo_pending": ["cd" * 32]},
            "resolve_remotely": lambda: {"text": "reset by phone"},
            "hold": lambda: {"reason": "weather"},
            "sign_off": lambda: {"text": "agreed"},
            "reject": lambda: {"reason": "not_fixed"},
            "reopen": lambda: {"reason": "fault_returned"},
            "cancel": lambda: {"reason": "by_customer" if action == "cancel" else "other"},
            "mark_duplicate": lambda: {"duplicate_of": town.create(new_ticket("survey"))["ticket_id"]},
            "amend": lambda: {"description": "amended"},
            "rebook": lambda: window,
            "contact": lambda: {"text": "called"},
            "note": lambda: {"text": "a note"},
            "pay": lambda: {"method": "cash", "amount_minor": 100},
        }
        return makers.get(action, dict)()

    def send(self, actor: Actor, action: str) -> Any:
        facts = self.facts(action)
        if actor is Actor.CUSTOMER:
            return self.town.answer(self.link, action, **known(CustomerFacts, facts))
        if actor is Actor.DISPATCHER:
            return self.town.direct(self.ticket_id, action, **facts)
        name = "Ben" if action == "accept_hand_over" else LEAD
        return self.town.act(name, self.ticket_id, action, **known(ActionFacts, facts))


def known(shape: type[BaseModel], facts: dict[str, Any]) -> dict[str, Any]:
    """The facts this door's shape knows: the others cannot even be said there."""
    return {k: v for k, v in facts.items() if k in shape.model_fields}


def cases() -> Iterator[Any]:
    for status in TicketStatus:
        for actor in DOORS:
            yield pytest.param(status, actor, id=f"{status}-{actor}")


@pytest.fixture(scope="module")
def shared(product: Any) -> Town:
    """One company with room for hundreds of visits."""
    town: Town = product.company()
    with town.made.house.database.transaction(town.made.tenant_id) as db:
        db.execute(text("update engineers set daily_limit_min = 1440"))
    return town


@pytest.mark.parametrize(("status", "actor"), list(cases()))
def test_every_action_from_this_status_by_this_actor_is_as_the_table_says(
    shared: Town, status: TicketStatus, actor: Actor
) -> None:
    allowed = set(allowed_actions(status, actor))
    for action in ACTIONS:
        if action in allowed and not (
            actor is Actor.ENGINEER and status in _NOT_MINE and action not in _OPEN_TO
        ):
            _allowed(shared, status, actor, action)
    scene = Scene(shared, status, "refusals")
    for action in ACTIONS:
        if action not in allowed and not (actor is Actor.ENGINEER and action in _CUSTOMERS):
            _refused(scene, status, actor, action)
    _free(shared)


#: On an engineer's phone these are the customer's own.
_CUSTOMERS = frozenset({"sign_off", "reject", "approve_quote", "refuse_quote"})
#: An open or cancelled ticket is no engineer's: not found, whatever the table says of engineers in general.
_NOT_MINE = frozenset({TicketStatus.OPEN, TicketStatus.OFFERED})
_OPEN_TO = frozenset({"accept_offer", "grab"})


def _allowed(town: Town, status: TicketStatus, actor: Actor, action: str) -> None:
    scene = Scene(town, status, action)
    scene.prepare(action)
    body = ok(scene.send(actor, action))
    row = next(t for t in TRANSITIONS if t.action == action and actor in t.actors and status in t.sources)
    expected = {row.target or status, row.without_engineer or row.target or status}
    assert body["result"]["status"] in {str(s) for s in expected}, (status, actor, action)
    _free(town)


def _refused(scene: Scene, status: TicketStatus, actor: Actor, action: str) -> None:
    reply = scene.send(actor, action)
    assert reply.status_code in (403, 404, 409), (status, actor, action, reply.text)
    assert reply.json()["code"] in _REFUSALS, reply.text
    if actor is not Actor.ENGINEER:
        mine = any(actor in t.actors for t in TRANSITIONS if t.action == action)
        assert reply.status_code == (409 if mine else 403), (status, actor, action, reply.text)
    assert scene.town.status(scene.ticket_id) == status


_REFUSALS = {"action_forbidden", "action_not_allowed", "ticket_unknown", "not_the_lead", "not_in_pool"}


def _free(town: Town) -> None:
    """Nobody stays under way between scenes."""
    town.product.rows(
        "update visit_engineers set left_at = now() where tenant_id = %(tenant)s and left_at is null "
        "and set_off_at is not null returning visit_id",
        town.made.tenant_id,
    )


def test_an_action_that_is_not_in_the_table_is_named_unknown(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    reply = town.direct(ticket_id, "teleport")
    assert (reply.status_code, reply.json()["code"]) == (422, "action_unknown")


def test_a_needed_fact_that_is_missing_is_named(town: Town) -> None:
    ticket_id = town.create(new_ticket("survey"))["ticket_id"]
    reply = town.direct(ticket_id, "hold")
    assert reply.json()["facts"]["missing"] == ["reason"]
    assert (
        town.product.client.get(f"/dispatcher/v1/tickets/{new_id()}", headers=town.board()).status_code == 404
    )
