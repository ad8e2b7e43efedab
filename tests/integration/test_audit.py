"""The chain sees what is changed behind its back."""

import psycopg
import pytest

from dispatch.actions.audit import verify
from tests.builders import new_ticket
from tests.house import Town, ok


@pytest.fixture
def lived(town: Town) -> Town:
    """A town with a ticket closed and one reassigned."""
    made = town.create(new_ticket("ac_direct"))
    town.settle()
    name = town.view(made["ticket_id"])["ticket"]["engineer_name"]
    town.arrive(name, made["ticket_id"])
    town.complete(name, made["ticket_id"])
    ok(town.answer(made["customer_link"], "sign_off"))
    other = town.create(new_ticket("survey"))["ticket_id"]
    ok(town.direct(other, "assign", engineer_id=str(town.made.engineers["Ben"])))
    return town


def test_an_honest_history_verifies(lived: Town) -> None:
    report = verify(lived.product.house.database, lived.made.tenant_id)
    assert (report.broken, report.tickets) == (0, 2), report.breaks
    assert report.events > 8


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (
            "update ticket_events set facts = facts || '{\"x\": 1}' where tenant_id = %(t)s and seq = 2",
            "hashed",
        ),
        ("update ticket_events set at = at + interval '1 s' where tenant_id = %(t)s and seq = 3", "hashed"),
        ("delete from ticket_events where tenant_id = %(t)s and seq = 2", "missing"),
        ("update tickets set status = 'cancelled' where tenant_id = %(t)s", "status"),
        ("update visits set engineer_id = null where tenant_id = %(t)s", "engineer_id"),
        ("update chain_heads set seq = seq + 1 where tenant_id = %(t)s", "head"),
    ],
)
def test_what_is_changed_behind_its_back_is_seen(lived: Town, harm: str, told: str) -> None:
    with psycopg.connect(lived.product.database.superuser_url) as db:
        db.execute(harm, {"t": lived.made.tenant_id})
    report = verify(lived.product.house.database, lived.made.tenant_id)
    assert report.broken
    assert any(told in why for why in report.breaks), report.breaks


def test_the_application_itself_cannot_change_an_event(lived: Town) -> None:
    with (
        psycopg.connect(lived.product.settings.database_url) as db,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        db.execute("update ticket_events set action = 'note'")
