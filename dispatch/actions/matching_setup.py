"""What decides how tickets find engineers, set by people: policies, customers' wishes, parts set aside."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.matching_policy import MODES, POLICY_SETTINGS, Policy
from dispatch.domain.tenancy import check_settings
from dispatch.store.tables.matching import CustomerPreference, MatchPolicy, PartWanted
from dispatch.store.tables.money import Part
from dispatch.store.tables.people import CustomerExclusion, Engineer
from dispatch.store.tables.tenants import Contractor, Territory, WorkType
from dispatch.store.tables.tickets import Ticket

WISHES = ("preferred", "excluded", "none")


def put_policy(step: Step, policy_id: UUID, wanted: Policy) -> None:
    """Keep this policy under its id, new or changed.

    Raises NotReady `mode_unknown`, `contractor_missing`, `tenant_setting_invalid`; NotFound `work_type_unknown`,
    `territory_unknown`, `contractor_unknown`; Conflict `policy_exists` where the kind and place have one already.
    """
    _check_policy(step, wanted)
    same = select(MatchPolicy.id).where(
        MatchPolicy.tenant_id == step.tenant_id,
        MatchPolicy.work_type.is_not_distinct_from(wanted.work_type),
        MatchPolicy.territory_id.is_not_distinct_from(wanted.territory_id),
        MatchPolicy.id != policy_id,
    )
    other = step.db.scalars(same).first()
    if other is not None:
        raise Conflict("policy_exists", policy_id=str(other))
    row = {
        "work_type": wanted.work_type,
        "territory_id": wanted.territory_id,
        "mode": wanted.mode,
        "contractor_id": wanted.contractor_id,
        "settings": dict(wanted.settings),
    }
    kept = insert(MatchPolicy).values(tenant_id=step.tenant_id, id=policy_id, **row)
    step.db.execute(kept.on_conflict_do_update(index_elements=["tenant_id", "id"], set_=row))
    _draft(step, "match_policy", policy_id, "set_match_policy", {"mode": wanted.mode})


def _check_policy(step: Step, wanted: Policy) -> None:
    if wanted.mode not in MODES:
        raise NotReady("mode_unknown", mode=wanted.mode, allowed=list(MODES))
    if (wanted.mode == "contractor") != (wanted.contractor_id is not None):
        raise NotReady("contractor_missing", mode=wanted.mode)
    check_settings(wanted.settings)
    for name in wanted.settings:
        if name not in POLICY_SETTINGS:
            raise NotReady("tenant_setting_invalid", setting=name)
    if wanted.work_type is not None:
        key = {"tenant_id": step.tenant_id, "code": wanted.work_type}
        if step.db.get(WorkType, key) is None:
            raise NotFound("work_type_unknown", work_type=wanted.work_type)
    _known(step, Territory, wanted.territory_id, "territory_unknown")
    _known(step, Contractor, wanted.contractor_id, "contractor_unknown")


def _known(step: Step, table: type[DeclarativeBase], row_id: UUID | None, code: str) -> None:
    if row_id is not None and step.db.get(table, {"tenant_id": step.tenant_id, "id": row_id}) is None:
        raise NotFound(code, id=str(row_id))


def drop_policy(step: Step, policy_id: UUID) -> None:
    """Raises NotFound `policy_unknown`."""
    gone = delete(MatchPolicy).where(MatchPolicy.tenant_id == step.tenant_id, MatchPolicy.id == policy_id)
    if not step.db.execute(gone.returning(MatchPolicy.id)).first():
        raise NotFound("policy_unknown", policy_id=str(policy_id))
    _draft(step, "match_policy", policy_id, "drop_match_policy", {})


def set_wish(step: Step, ticket_id: UUID, engineer_id: UUID, wish: str) -> None:
    """The ticket's customer would like this engineer back, never again, or has no wish.

    Raises NotFound `ticket_unknown`, `engineer_unknown`; NotReady `wish_unknown`, `customer_missing`.
    """
    ticket = _ticket(step, ticket_id)
    if wish not in WISHES:
        raise NotReady("wish_unknown", wish=wish, allowed=list(WISHES))
    if ticket.customer_id is None:
        raise NotReady("customer_missing", ticket_id=str(ticket_id))
    _known(step, Engineer, engineer_id, "engineer_unknown")
    key = {"tenant_id": step.tenant_id, "customer_id": ticket.customer_id, "engineer_id": engineer_id}
    for name, table in (("preferred", CustomerPreference), ("excluded", CustomerExclusion)):
        if wish == name:
            step.db.execute(insert(table).values(**key, at=step.now).on_conflict_do_nothing())
        else:
            step.db.execute(
                delete(table).where(
                    table.tenant_id == step.tenant_id,
                    table.customer_id == ticket.customer_id,
                    table.engineer_id == engineer_id,
                )
            )
    facts = {"engineer": str(engineer_id), "wish": wish}
    _draft(step, "customer", ticket.customer_id, "set_wish", facts, ticket)


def set_part_wanted(step: Step, ticket_id: UUID, part: str, quantity: Decimal) -> None:
    """Who comes must have so much of this part in the van; 0 is no longer wanted.

    Raises NotFound `ticket_unknown`, `part_unknown`.
    """
    ticket = _ticket(step, ticket_id)
    if step.db.get(Part, {"tenant_id": step.tenant_id, "code": part}) is None:
        raise NotFound("part_unknown", part=part)
    key = {"tenant_id": step.tenant_id, "ticket_id": ticket_id, "part": part}
    if quantity > 0:
        row = insert(PartWanted).values(**key, quantity=quantity)
        step.db.execute(
            row.on_conflict_do_update(
                index_elements=["tenant_id", "ticket_id", "part"], set_={"quantity": quantity}
            )
        )
    else:
        mine = (PartWanted.ticket_id == ticket_id, PartWanted.part == part)
        step.db.execute(delete(PartWanted).where(PartWanted.tenant_id == step.tenant_id, *mine))
    _draft(
        step, "ticket_part", ticket_id, "set_part_wanted", {"part": part, "quantity": str(quantity)}, ticket
    )


def _ticket(step: Step, ticket_id: UUID) -> Ticket:
    ticket = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": ticket_id})
    if ticket is None:
        raise NotFound("ticket_unknown", ticket_id=str(ticket_id))
    return ticket


def _draft(
    step: Step,
    subject_type: str,
    subject_id: UUID,
    action: str,
    facts: dict[str, Any],
    ticket: Ticket | None = None,
) -> None:
    step.drafts.append(
        Draft(
            subject_type=subject_type,
            subject_id=subject_id,
            ticket_id=ticket.id if ticket else None,
            action=action,
            facts=facts,
            territory_id=ticket.territory_id if ticket else None,
        )
    )
