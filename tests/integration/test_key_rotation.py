"""The data key changes while the product runs: old values stay readable, are sealed again, and the old key may go."""

import secrets
from dataclasses import replace
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag

from dispatch.actions.catalogue import import_rows
from dispatch.actions.identity_keys import CHANNELS, SEALED, left, seal_again
from dispatch.actions.promise_settings import ContractWanted, put_contract
from dispatch.actions.step import Step, run_step
from dispatch.domain.commands import system
from dispatch.store.personal import PersonalData
from dispatch.store.tables import Base
from tests.builders import new_ticket
from tests.house import Town, ok


def test_every_encrypted_column_is_sealed_again() -> None:
    """A column added later without a row there would be lost with the old key."""
    columns = {
        (t.name, c.name) for t in Base.metadata.tables.values() for c in t.c if c.name.endswith("_enc")
    }
    assert columns == {(s.table, s.column) for s in SEALED} | {(CHANNELS, "body_enc")}


def test_the_data_key_changes_without_losing_anybody(town: Town) -> None:
    product, tenant_id = town.product, town.made.tenant_id
    ticket_id = town.create(new_ticket())["ticket_id"]
    fresh, before = secrets.token_bytes(32), product.house
    both = PersonalData(fresh, product.settings.data_key)
    product.app.state.rooms.house = replace(before, personal=both)
    try:
        assert ok_contact(town, ticket_id) == "13900001234"
        assert found(town) == {ticket_id}
        work = replace(before, personal=both)
        assert run_step(work, system(tenant_id), left) > 0
        while run_step(work, system(tenant_id), seal_again):
            pass
        assert run_step(work, system(tenant_id), left) == 0
        product.app.state.rooms.house = replace(before, personal=PersonalData(fresh))
        assert ok_contact(town, ticket_id) == "13900001234"
        assert found(town) == {ticket_id}
        again = town.create(new_ticket())["ticket_id"]
        customers = product.rows(
            "select distinct customer_id from tickets where id = any(%(ids)s)",
            ids=[UUID(ticket_id), UUID(again)],
        )
        assert len(customers) == 1
    finally:
        product.app.state.rooms.house = before


def test_during_the_change_who_is_known_by_the_old_key_is_known_and_not_doubled(town: Town) -> None:
    product, tenant_id = town.product, town.made.tenant_id
    town.create(new_ticket())
    both = replace(product.house, personal=PersonalData(secrets.token_bytes(32), product.settings.data_key))
    wanted = ContractWanted("139 0000 1234", "K-1", product.clock.now(), None)
    run_step(both, system(tenant_id), lambda step: put_contract(step, UUID(int=7), wanted))
    cells = {"name": "Chen", "phone": "13900001234", "language": "zh"}
    (done,) = import_rows(both, tenant_id, "customers", [(2, cells)], lambda _: "", dry_run=False)
    assert done.outcome != "created"
    counted = "select count(*)::int as n from customers where tenant_id = %(tenant)s"
    assert product.rows(counted, tenant_id)[0]["n"] == 1


def ok_contact(town: Town, ticket_id: str) -> str:
    return str(town.view(ticket_id)["contact"]["phone"])


def found(town: Town) -> set[str]:
    reply = town.product.client.get("/dispatcher/v1/tickets?q=13900001234", headers=town.board())
    return {line["ticket_id"] for line in ok(reply)["tickets"]}


def test_without_the_old_key_what_was_not_sealed_again_cannot_be_read(town: Town) -> None:
    """Sabotage: the old key is taken away too early."""
    town.create(new_ticket())
    early = replace(town.product.house, personal=PersonalData(secrets.token_bytes(32)))

    def work(step: Step) -> int:
        return seal_again(step)

    with pytest.raises(InvalidTag):
        run_step(early, system(town.made.tenant_id), work)


def test_values_of_the_first_version_name_no_key_and_are_read() -> None:
    old_key, row, tenant = secrets.token_bytes(32), UUID(int=2), UUID(int=1)
    old = PersonalData(old_key)
    sealed = old.encrypt("Chen", tenant, row, "name")
    assert sealed is not None
    unnamed = b"\x01" + sealed[5:]
    assert PersonalData(secrets.token_bytes(32), old_key).decrypt(unnamed, tenant, row, "name") == "Chen"
    with pytest.raises(InvalidTag):
        old.decrypt(sealed, tenant, UUID(int=3), "name")
