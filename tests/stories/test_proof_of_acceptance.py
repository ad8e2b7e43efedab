"""A dispatcher accepts only with proof; two photos that are the same to the byte both stay."""

import pytest

from dispatch.actions import acceptance, take_action
from dispatch.domain.lifecycle import Need
from dispatch.store.ids import new_id
from tests.builders import new_ticket, picture
from tests.house import Town, ok, refused


def completed(town: Town) -> tuple[str, str]:
    """(ticket, engineer's name) of work that waits for the customer."""
    ticket_id = str(town.create(new_ticket("ac_direct"))["ticket_id"])
    town.settle()
    name = str(town.view(ticket_id)["ticket"]["engineer_name"])
    town.arrive(name, ticket_id)
    town.complete(name, ticket_id)
    return ticket_id, name


def test_a_dispatcher_signs_off_with_what_the_customer_said_or_a_photo_of_it(town: Town) -> None:
    ticket_id, _ = completed(town)
    facts = refused(town.direct(ticket_id, "sign_off"), 422, "action_not_ready")
    assert "proof" in facts["missing"]
    ok(town.direct(ticket_id, "sign_off", text="Agreed by telephone, 14:05"))
    (line,) = (one for one in town.view(ticket_id)["history"] if one["action"] == "sign_off")
    assert (line["actor"], line["to_status"]) == ("dispatcher", "closed")


def test_sabotage_without_the_need_of_proof_a_dispatchers_word_is_enough(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = acceptance.HANDLERS["sign_off"]
    always = take_action.Handler(lambda step, case: honest[0](step, case) | {Need.PROOF}, honest[1])
    monkeypatch.setitem(take_action.HANDLERS, "sign_off", always)
    ticket_id, _ = completed(town)
    ok(town.direct(ticket_id, "sign_off"))


def test_two_photos_the_same_to_the_byte_both_stay_and_their_bytes_are_kept_once(town: Town) -> None:
    ticket_id, name = completed(town)
    both = [town.photo(name, ticket_id, "completion", 77), town.photo(name, ticket_id, "completion", 77)]
    assert picture(77) == picture(77)
    shown = {str(line["photo"]["photo_id"]) for line in town.view(ticket_id)["evidence"]}
    assert set(both) <= shown
    rows = town.product.rows(
        "select count(*)::int as rows, count(distinct sha256)::int as files from evidence where id = any(%(both)s)",
        both=both,
    )
    assert rows == [{"rows": 2, "files": 1}]
    for photo_id in both:
        url = f"/dispatcher/v1/photos/{photo_id}"
        assert town.product.client.get(url, headers=town.board()).status_code == 200
    assert (
        town.product.client.get(f"/dispatcher/v1/photos/{new_id()}", headers=town.board()).status_code == 404
    )
