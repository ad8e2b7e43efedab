"""The phone predicts the next buttons while it is offline; its copy of the table must be the table."""

import json
import re
from pathlib import Path
from typing import Any

from dispatch.domain.evidence import PHOTOS_AT_MOST
from dispatch.domain.lifecycle import TRANSITIONS, Actor, TicketStatus, engineer_buttons
from dispatch.domain.reasons import REASONS
from mobile_contract import v1

PHONE = Path(__file__).parents[2] / "web" / "phone" / "src"
LEFT_TO_THE_SERVER = {"open", "closed", "cancelled"}
"""In these the engineer has no ticket any more: no buttons, whatever a note might still allow."""


def read_json(name: str) -> Any:
    return json.loads((PHONE / "core" / name).read_text())


def buttons() -> dict[str, list[str]]:
    return {
        str(status): [] if status in LEFT_TO_THE_SERVER else engineer_buttons(status, "lead")
        for status in TicketStatus
        if status is not TicketStatus.OFFERED
    }


def targets() -> dict[str, str]:
    """Where the engineer's own moves lead; sign_off and reject are the customer's, on this phone."""
    own = {a for actions in buttons().values() for a in actions}
    rows = [t for t in TRANSITIONS if t.action in own and t.target is not None]
    actors = {Actor.ENGINEER, Actor.CUSTOMER}
    return {t.action: str(t.target) for t in rows if t.actors & actors}


def wire_fields(name: str) -> set[str]:
    source = (PHONE / "core" / "wire.ts").read_text()
    body = re.search(rf"export interface {name} \{{\n(.*?)\n\}}", source, re.S)
    assert body, f"wire.ts has no {name}"
    return set(re.findall(r"^  (\w+)\??:", body[1], re.M))


def test_the_phone_offers_the_buttons_of_the_table() -> None:
    assert read_json("lifecycle.json")["actions"] == buttons()


def test_the_phone_expects_the_statuses_of_the_table() -> None:
    assert read_json("lifecycle.json")["targets"] == targets()


def test_a_row_changed_in_the_table_alone_is_noticed() -> None:
    changed = {**targets(), "set_off": "on_site"}
    assert read_json("lifecycle.json")["targets"] != changed


def test_the_phone_offers_the_reasons_of_the_list() -> None:
    for kind, codes in read_json("reasons.json").items():
        assert tuple(codes) == REASONS[kind], kind


def test_the_phone_asks_for_as_many_photos_as_the_server() -> None:
    source = (PHONE / "sheets" / "complete.tsx").read_text()
    table = re.search(r"PHOTOS_AT_MOST: Record<string, number> = \{ (.*?) \}", source)
    assert table
    said = {key: int(n) for key, n in re.findall(r"(\w+): (\d+)", table[1])}
    assert said == {str(outcome): n for outcome, n in PHOTOS_AT_MOST.items()}


def test_what_the_phone_reads_is_in_the_contract() -> None:
    replies = (
        v1.SignedIn, v1.WorkTypeCard, v1.PhotoCard, v1.QuoteCard, v1.TicketCard, v1.OfferCard,
        v1.EngineerCard, v1.Today, v1.Pool, v1.Problem, v1.BatchItem, v1.BatchReply, v1.EventCard,
        v1.TicketDetail, v1.Colleague,
    )  # fmt: skip
    for reply in replies:
        assert wire_fields(reply.__name__) <= set(reply.model_fields), reply.__name__


def test_what_the_phone_sends_is_in_the_contract() -> None:
    for request in (v1.PositionReading, v1.QuoteLine, v1.ActionFacts, v1.ActionCommand, v1.PhotoFacts):
        assert wire_fields(request.__name__) <= set(request.model_fields), request.__name__


def test_every_field_the_phone_must_send_is_sent() -> None:
    for request in (v1.PositionReading, v1.QuoteLine, v1.ActionCommand):
        required = {name for name, field in request.model_fields.items() if field.is_required()}
        assert required <= wire_fields(request.__name__), request.__name__
