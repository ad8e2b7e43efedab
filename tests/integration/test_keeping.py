"""Old answers, positions and sign-ins go; young ones stay."""

from dispatch.actions.keeping import purge_old
from dispatch.actions.step import run_step
from dispatch.domain.commands import system
from tests.builders import new_ticket
from tests.house import Town


def counts(town: Town) -> dict[str, int]:
    (row,) = town.product.rows(
        "select (select count(*) from commands where tenant_id = %(tenant)s)::int as commands, "
        "(select count(*) from engineer_positions where tenant_id = %(tenant)s)::int as positions",
        town.made.tenant_id,
    )
    return row


def test_after_thirty_days_answers_go_and_after_ninety_positions(town: Town) -> None:
    town.create(new_ticket("survey"))
    body = {"positions": [town.at_site()]}
    reply = town.product.client.post("/engineer/v1/positions", json=body, headers=town.phone("Ana"))
    assert reply.json() == {"taken": 1, "refused": 0}
    purge = lambda: run_step(town.made.house, system(town.made.tenant_id), purge_old)  # noqa: E731
    purge()
    assert counts(town) == {"commands": 1, "positions": 1}
    town.product.clock.move(days=31)
    purge()
    assert counts(town) == {"commands": 0, "positions": 1}
    town.product.clock.move(days=60)
    purge()
    assert counts(town) == {"commands": 0, "positions": 0}
    town.product.clock.move(days=-91)


def test_the_day_after_founding_it_runs_by_itself_and_again(town: Town) -> None:
    town.product.clock.move(days=1, minutes=1)
    town.settle()
    rows = town.product.rows(
        "select due_at from timers where tenant_id = %(tenant)s and kind = 'purge_by'", town.made.tenant_id
    )
    assert len(rows) == 1
    assert rows[0]["due_at"] > town.product.clock.now()
    town.product.clock.move(days=-1, minutes=-1)
