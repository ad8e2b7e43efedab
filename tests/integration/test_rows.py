"""Mapped objects read and written by plain statements do what SQLAlchemy's own would."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import func, select

from dispatch.actions.cases import as_geography, as_point, load_case
from dispatch.actions.step import Step, run_step
from dispatch.domain.commands import Facts, Principal, Role
from dispatch.domain.lifecycle import TicketStatus
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch, fetch_all
from dispatch.store.rows import Shape, changes
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.tickets import Ticket, Visit, VisitEngineer
from geo.points import Point
from tests.builders import new_ticket
from tests.house import Product, Town

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def town(product: Product) -> Town:
    return product.company()


def _step(town: Town, work: object) -> object:
    asking = Principal(town.made.tenant_id, Role.SYSTEM, town.made.tenant_id)
    return run_step(town.product.house, asking, work)  # type: ignore[arg-type]  # each test's own work


def _ticket(town: Town) -> UUID:
    return UUID(town.create(new_ticket("survey"))["ticket_id"])


def _engineer(town: Town, name: str) -> dict[str, object]:
    return {"tenant": town.made.tenant_id, "engineer": town.made.engineers[name]}


_SHAPE = Shape(Engineer, "e")
_SQL = f"select {_SHAPE.sql} from engineers e where e.tenant_id = %(tenant)s and e.id = %(engineer)s"


def test_an_adopted_row_is_the_object_sqlalchemy_would_have_read(town: Town) -> None:
    def work(step: Step) -> None:
        (row,) = fetch(step.db, _SQL, _engineer(town, "Ana"))
        mine = _SHAPE.adopt(step.db, row)
        assert step.db.get(Engineer, {"tenant_id": mine.tenant_id, "id": mine.id}) is mine
        adopted = {c.key: getattr(mine, c.key) for c in Engineer.__table__.columns}
        step.db.expunge(mine)
        theirs = step.db.get(Engineer, {"tenant_id": mine.tenant_id, "id": mine.id})
        assert theirs is not mine
        for name, value in adopted.items():
            other = getattr(theirs, name)
            if name in ("position", "home"):
                assert as_point(value) == as_point(other), name
            else:
                assert value == other, name

    _step(town, work)


def test_a_row_adopted_again_takes_what_the_database_says_now(town: Town) -> None:
    def work(step: Step) -> None:
        (row,) = fetch(step.db, _SQL, _engineer(town, "Ben"))
        mine = _SHAPE.adopt(step.db, row)
        mine.name = "somebody else"
        assert _SHAPE.adopt(step.db, row) is mine
        assert mine.name == row["e_name"]
        assert changes(step.db) == []

    _step(town, work)


def test_changes_are_statements_that_write_what_a_flush_would(town: Town) -> None:
    ticket_id = _ticket(town)

    def work(step: Step) -> None:
        case = load_case(step, ticket_id, Facts())
        case.ticket.status, case.ticket.attention = TicketStatus.OPEN, "urged"
        case.ticket.attention = "no_match"
        case.visit.booked_day, case.visit.version = AT.date(), case.visit.version + 1
        lead = VisitEngineer(
            tenant_id=step.tenant_id,
            visit_id=case.visit.id,
            engineer_id=town.made.engineers["Ana"],
            role="lead",
        )
        step.db.add(lead)
        asked = changes(step.db)
        assert [sql.split(" set ")[0].split(" (")[0] for sql, _ in asked] == [
            "update tickets",
            "update visits",
            "insert into visit_engineers",
        ]
        assert "status" not in asked[0][0]  # as it was
        assert [len(rows) for rows in fetch_all(step.db, *asked)] == [1, 1, 0]
        assert not step.db.new
        assert not step.db.dirty
        key = {"tenant_id": step.tenant_id, "id": case.visit.id}
        assert step.db.get_one(Visit, key).booked_day == AT.date()
        ticket = step.db.get_one(Ticket, {"tenant_id": step.tenant_id, "id": ticket_id})
        assert (ticket.attention, ticket.status) == ("no_match", "open")
        crew = select(VisitEngineer).where(VisitEngineer.visit_id == case.visit.id)
        assert step.db.scalars(crew).one().role == "lead"

    _step(town, work)


@pytest.mark.parametrize("strange", ["json", "place", "expression", "default"])
def test_what_only_sqlalchemy_can_write_is_flushed(town: Town, strange: str) -> None:
    ticket_id = _ticket(town)

    def work(step: Step) -> None:
        ticket = load_case(step, ticket_id, Facts()).ticket
        if strange == "json":
            ticket.custom = {"floor": 3}
        elif strange == "place":
            ticket.site = as_geography(Point(1.5, 2.5))
        elif strange == "expression":
            ticket.description = func.upper("loud")
        else:
            visit = Visit(
                tenant_id=step.tenant_id, id=new_id(), ticket_id=ticket_id, number=2, duration_min=5,
                opened_at=AT, closed_at=AT,
            )  # fmt: skip
            step.db.add(visit)
        assert changes(step.db) == []
        assert not step.db.dirty
        assert not step.db.new
        if strange == "default":
            assert visit.version == 1

    _step(town, work)


def test_a_changed_row_that_is_gone_fails_the_whole_step(town: Town) -> None:
    """Sabotage: the row is deleted behind the session's back."""
    ticket_id = _ticket(town)

    def work(step: Step) -> None:
        case = load_case(step, ticket_id, Facts())
        case.visit.booked_day = AT.date()
        fetch(step.db, "delete from visits where id = %(id)s", {"id": case.visit.id})

    with pytest.raises(RuntimeError, match="0 rows changed"):
        _step(town, work)

    def still_there(step: Step) -> bool:
        return load_case(step, ticket_id, Facts()).visit.booked_day is None

    assert _step(town, still_there)
