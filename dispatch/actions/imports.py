"""Understood rows become tickets, each in its own transaction, each once: its reference is its command."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.step import Draft, House, Step, Work, begin, read_rules, run_command
from dispatch.actions.tenants import WorkTypeWanted, add_skills, add_work_type
from dispatch.domain.commands import system
from dispatch.domain.errors import DispatchError
from dispatch.domain.imports import Mapping, RowTicket
from dispatch.store.savepoint import savepoint
from dispatch.store.tables.tenants import Skill, WorkType
from dispatch.store.tables.tickets import Ticket, Visit

#: Rows after which a dry run lets go of what it has made.
FORGET_AFTER = 500


def prepare_catalogue(house: House, tenant_id: UUID, mapping: Mapping) -> list[str]:
    """The mapping's work types and skills that the tenant lacks are made; their codes are returned."""
    with house.database.transaction(tenant_id) as db:
        return _prepare(db, tenant_id, mapping)


def _prepare(db: Session, tenant_id: UUID, mapping: Mapping) -> list[str]:
    made = []
    skills = set(db.scalars(select(Skill.code).where(Skill.tenant_id == tenant_id)))
    missing = {code: dict(name) for code, name in mapping.skills.items() if code not in skills}
    add_skills(db, tenant_id, missing)
    known = set(db.scalars(select(WorkType.code).where(WorkType.tenant_id == tenant_id)))
    for rule in mapping.work_types:
        if rule.code not in known:
            wanted = WorkTypeWanted(rule.code, dict(rule.name), rule.duration_min, rule.mode, rule.skills)
            add_work_type(db, tenant_id, wanted)
            made.append(rule.code)
    return made


def import_row(house: House, tenant_id: UUID, mapping: Mapping, row: RowTicket) -> tuple[str, dict[str, Any]]:
    """(outcome, body): created, needs_position, known, or refused with code and facts.

    A refusal is remembered with the row as it was read: mended, the same reference is tried anew.
    """
    command_id = uuid5(tenant_id, f"import:{mapping.name}:{row.external_ref}:{row.work_type}:{row.priority}")
    work = _work(mapping, row)
    answer = run_command(house, system(tenant_id), command_id, command_id.bytes, work)
    if answer.status >= 400:
        return _refused(answer.body["code"]), answer.body
    if answer.repeated:
        return "known", answer.body
    return _made(row), answer.body


def try_rows(
    house: House, tenant_id: UUID, mapping: Mapping, rows: Sequence[RowTicket]
) -> list[tuple[str, dict[str, Any]]]:
    """What `import_row` would answer to each row, by doing it and taking it back: a dry run tells the truth."""
    found: list[tuple[str, dict[str, Any]]] = []
    with suppress(_OnlyTried), house.database.transaction(tenant_id) as db:
        _prepare(db, tenant_id, mapping)
        rules = read_rules(db, tenant_id)
        for row in rows:
            try:
                with savepoint(db):
                    _work(mapping, row)(begin(db, house, system(tenant_id), rules))
                found.append((_made(row), {}))
            except DispatchError as refusal:
                found.append((_refused(refusal.code), {"code": refusal.code}))
            if len(found) % FORGET_AFTER == 0:
                db.expunge_all()
        raise _OnlyTried
    return found


def _made(row: RowTicket) -> str:
    return "created" if row.site else "needs_position"


def _refused(code: str) -> str:
    return "known" if code == "external_ref_known" else "refused"


class _OnlyTried(Exception):
    """Rolls a dry run back."""


def _work(mapping: Mapping, row: RowTicket) -> Work:
    wanted = TicketWanted(
        work_type=row.work_type,
        description=row.description,
        address=row.address,
        source=f"import:{mapping.name}",
        priority=row.priority,
        site=row.site,
        site_raw=dict(row.site_raw) if row.site_raw else None,
        contact_name=row.contact_name,
        contact_phone=row.contact_phone,
        due_at=row.due_at,
        external_ref=row.external_ref,
    )

    def work(step: Step) -> dict[str, Any]:
        made = create_ticket(step, wanted)
        _as_it_was(step, UUID(made["ticket_id"]), row)
        return {"ticket_id": made["ticket_id"], "ticket_no": made["ticket_no"]}

    return work


def _as_it_was(step: Step, ticket_id: UUID, row: RowTicket) -> None:
    """The row's own dates and its status; history begins with the import, and says so."""
    step.db.flush()
    ticket = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": ticket_id})
    assert ticket is not None
    ticket.created_at = row.created_at or step.now
    if row.status == "open":
        return
    before = ticket.status
    ticket.status = row.status
    ticket.attention = None
    facts: dict[str, object] = {"imported": True}
    if row.status == "on_hold":
        ticket.hold_reason = "other"
        ticket.hold_until = step.now + timedelta(days=1)
        step.set_timer("hold_until", ticket.id, ticket.hold_until)
    else:
        ticket.closed_at = row.closed_at or step.now
        visit = step.db.scalars(
            select(Visit).where(Visit.tenant_id == step.tenant_id, Visit.ticket_id == ticket_id)
        ).one()
        visit.closed_at = ticket.closed_at
        visit.close_reason = "imported"
    step.drafts.append(
        Draft(
            subject_type="ticket",
            subject_id=ticket.id,
            ticket_id=ticket.id,
            action="import",
            from_status=before,
            to_status=ticket.status,
            facts=facts,
            territory_id=ticket.territory_id,
        )
    )
