"""The certificate: made once accepted, in both languages, and false as soon as anything below it is changed."""

import json
import re
from typing import Any

import pytest

from dispatch.actions import evidence_certificate
from dispatch.adapters.papers import PaperBroken, PaperPress
from tests.builders import new_ticket
from tests.house import Town, ok, refused


@pytest.fixture
def accepted(town: Town) -> tuple[Town, str, str]:
    """(town, ticket id, the link's path) of a ticket signed off on the engineer's phone."""
    made = town.create(new_ticket("ac_direct"))
    ticket_id = made["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    signature = town.photo(name, ticket_id, "signature")
    ok(town.act(name, ticket_id, "sign_off", photo_ids=[signature]))
    return town, ticket_id, f"/c/{made['customer_link'].rsplit('/', 1)[1]}"


def issued(town: Town, ticket_id: str) -> str:
    """The address the paper's code leads to, as path."""
    (row,) = town.product.rows(
        "select id, encode(content_hash, 'hex') as hash from certificates where ticket_id = %(ticket)s",
        ticket=ticket_id,
    )
    return f"/check/{row['id']}?lang=en&h={row['hash'][:32]}"


def says(town: Town, path: str) -> str:
    reply = town.product.client.get(path)
    assert reply.status_code == 200, reply.text
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", reply.text)
    assert found
    return found[1]


def changed(town: Town, sql: str, **values: Any) -> None:
    """A hand in the database, past every rule."""
    assert town.product.rows(sql, **values)


def test_a_certificate_is_made_once_accepted_and_its_code_says_that_it_matches(
    accepted: tuple[Town, str, str],
) -> None:
    town, ticket_id, link = accepted
    client = town.product.client
    for language in ("zh", "en"):
        paper = client.get(f"{link}/certificate.pdf?lang={language}")
        assert paper.status_code == 200
        assert paper.headers["content-type"] == "application/pdf"
        assert paper.content.startswith(b"%PDF-1.7")
    url = f"/dispatcher/v1/tickets/{ticket_id}/certificate.pdf"
    assert client.get(url, headers=town.board()).status_code == 200
    path = issued(town, ticket_id)
    assert says(town, path) == "It matches"
    assert "Chen" not in client.get(path).text
    assert says(town, path.replace("h=", "h=00")) == "It does not match"


def test_the_paper_says_who_came_when_what_was_used_and_shows_photos_and_signature(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = {"code": "valve", "name": {"zh": "电磁阀", "en": "Solenoid valve"}, "unit": "pc"}
    ok(town.product.client.put("/dispatcher/v1/parts", json={"lines": [part]}, headers=town.board("Ada")))
    ticket_id = town.create(new_ticket("ac_direct"))["ticket_id"]
    town.settle()
    name = town.view(ticket_id)["ticket"]["engineer_name"]
    town.arrive(name, ticket_id)
    done = {"outcome": "fixed", "photo_ids": [town.photo(name, ticket_id, "completion")]}
    ok(town.act(name, ticket_id, "complete", **done, parts_used=[{"part": "valve", "quantity": "2"}]))
    ok(town.act(name, ticket_id, "sign_off", photo_ids=[town.photo(name, ticket_id, "signature")]))
    pressed: list[tuple[str, set[str]]] = []
    honest = PaperPress.press

    def press(self: PaperPress, layout: str, texts: Any, pictures: Any) -> bytes:
        pressed.append((json.dumps(texts, ensure_ascii=False), set(pictures)))
        return honest(self, layout, texts, pictures)

    monkeypatch.setattr(PaperPress, "press", press)
    url = f"/dispatcher/v1/tickets/{ticket_id}/certificate.pdf"
    for language, words in (
        ("zh", ("电磁阀", "到达", "已修复")),
        ("en", ("Solenoid valve", "Arrived", "Fixed")),
    ):
        assert town.product.client.get(f"{url}?lang={language}", headers=town.board()).status_code == 200
        text, pictures = pressed[-1]
        assert all(word in text for word in (*words, name)), text
        assert len(pictures) == 4, "the code to scan, two photos, the signature"
    (row,) = town.product.rows(
        "select encode(chain_hash, 'hex') as chain from certificates where ticket_id = %(ticket)s",
        ticket=ticket_id,
    )
    assert row["chain"] in pressed[-1][0]


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("update completions set outcome = 'not_fixed' where ticket_id = %(t)s returning 1", "content"),
        (
            "update ticket_events set facts = facts || '{\"outcome\": \"no_fault\"}' "
            "where ticket_id = %(t)s and action = 'complete' returning 1",
            "chain",
        ),
    ],
)  # fmt: skip
def test_anything_changed_below_it_is_tampering(accepted: tuple[Town, str, str], sql: str, what: str) -> None:
    town, ticket_id, link = accepted
    assert town.product.client.get(f"{link}/certificate.pdf").status_code == 200
    path = issued(town, ticket_id)
    changed(town, sql, t=ticket_id)
    assert says(town, path) == "It does not match"
    words = {"content": "content was changed", "chain": "chain of events was changed"}
    assert words[what] in town.product.client.get(path).text


def test_what_comes_later_does_not_make_it_false(accepted: tuple[Town, str, str]) -> None:
    town, ticket_id, link = accepted
    assert town.product.client.get(f"{link}/certificate.pdf").status_code == 200
    path = issued(town, ticket_id)
    ok(town.direct(ticket_id, "reopen", reason="fault_returned"))
    assert says(town, path) == "It matches"


def test_before_acceptance_there_is_none_and_an_unknown_one_is_not_found(town: Town) -> None:
    made = town.create(new_ticket("survey"))
    url = f"/dispatcher/v1/tickets/{made['ticket_id']}/certificate.pdf"
    refused(town.product.client.get(url, headers=town.board()), 422, "certificate_not_ready")
    assert town.product.client.get(f"/check/{made['ticket_id']}").status_code == 404


def test_sabotage_without_the_chain_a_changed_event_goes_unseen(
    accepted: tuple[Town, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town, ticket_id, link = accepted
    assert town.product.client.get(f"{link}/certificate.pdf").status_code == 200
    sql = "update ticket_events set facts = '{}' where ticket_id = %(t)s and action = 'complete' returning 1"
    changed(town, sql, t=ticket_id)
    monkeypatch.setattr(evidence_certificate, "_chain_holds", lambda db, tenant_id, row: True)
    assert says(town, issued(town, ticket_id)) == "It matches"


def test_texts_are_never_markup_and_a_layout_that_is_not_there_is_told() -> None:
    press = PaperPress()
    with pytest.raises(PaperBroken):
        press.press("no_such_layout", {}, {})
    with pytest.raises(ValueError, match="plain file name"):
        press.press("certificate", {}, {"../x": b""})
