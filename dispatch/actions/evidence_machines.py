"""Several machines in one ticket: each with its own answers and outcome, and each with its own history."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from dispatch.actions.cases import Case
from dispatch.actions.evidence_completion import photos_at_hand
from dispatch.actions.step import Draft, Step
from dispatch.domain.commands import MachineDone
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.evidence_checklist import Problem, judge_answers
from dispatch.domain.lifecycle import FINAL
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.proof import TicketAsset
from dispatch.store.tables.tenants import Asset

MOST_MACHINES = 50


def machines_of(step: Step, ticket_id: UUID) -> list[TicketAsset]:
    return list(
        step.db.scalars(
            select(TicketAsset)
            .where(TicketAsset.tenant_id == step.tenant_id, TicketAsset.ticket_id == ticket_id)
            .order_by(TicketAsset.asset_id)
        )
    )


def put_machines(step: Step, case: Case, asset_ids: Sequence[UUID]) -> None:
    """The machines a ticket is about, whole. Raises NotFound `asset_unknown`, Conflict `ticket_final`,
    `machine_done` for taking away one that was worked on."""
    if case.ticket.status in FINAL:
        raise Conflict("ticket_final", status=case.ticket.status)
    wanted = list(dict.fromkeys(asset_ids))
    for asset_id in wanted:
        if step.db.get(Asset, {"tenant_id": step.tenant_id, "id": asset_id}) is None:
            raise NotFound("asset_unknown", asset_id=str(asset_id))
    known = {row.asset_id: row for row in machines_of(step, case.ticket.id)}
    gone = [row for asset_id, row in known.items() if asset_id not in wanted]
    if any(row.outcome is not None for row in gone):
        raise Conflict("machine_done", asset_ids=[str(row.asset_id) for row in gone if row.outcome])
    if gone:
        step.db.execute(
            delete(TicketAsset).where(
                TicketAsset.tenant_id == step.tenant_id,
                TicketAsset.ticket_id == case.ticket.id,
                TicketAsset.asset_id.in_([row.asset_id for row in gone]),
            )
        )
    for asset_id in wanted:
        if asset_id not in known:
            step.db.add(TicketAsset(tenant_id=step.tenant_id, ticket_id=case.ticket.id, asset_id=asset_id))
    step.db.flush()
    step.drafts.append(
        Draft(
            "ticket_assets",
            case.ticket.id,
            case.ticket.id,
            "machines_named",
            facts={"assets": [str(asset_id) for asset_id in wanted]},
            territory_id=case.ticket.territory_id,
        )
    )


def machine_problems(step: Step, case: Case) -> list[Problem]:
    """Every machine of the ticket is told of, each with the checklist's answers. Raises NotReady `machine_unknown`."""
    rows = machines_of(step, case.ticket.id)
    told = {machine.asset_id: machine for machine in case.facts.machines}
    foreign = [str(asset_id) for asset_id in told if asset_id not in {row.asset_id for row in rows}]
    if foreign:
        raise NotReady("machine_unknown", asset_ids=foreign)
    problems = [Problem(str(row.asset_id), "missing") for row in rows if row.asset_id not in told]
    photos = photos_at_hand(step, case) if told else set()
    for machine in told.values():
        for problem in judge_answers(case.work_type.checklist, machine.outcome, _answers(machine), photos):
            problems.append(Problem(f"{machine.asset_id}/{problem.item}", problem.why))
    return problems


def _answers(machine: MachineDone) -> dict[str, object]:
    return {str(answer["item"]): answer["value"] for answer in machine.checklist}


def keep_machines(step: Step, case: Case) -> dict[str, object]:
    """What was done on each machine; the event's facts."""
    if not case.facts.machines:
        return {}
    rows = {row.asset_id: row for row in machines_of(step, case.ticket.id)}
    for machine in case.facts.machines:
        row = rows[machine.asset_id]
        row.visit_id = case.visit.id
        row.outcome = machine.outcome
        row.checklist = [dict(answer) for answer in machine.checklist]
        row.text = machine.text
        row.done_at = step.now
    return {"machines": {str(machine.asset_id): machine.outcome for machine in case.facts.machines}}


def add_asset(step: Step, wanted: dict[str, Any]) -> UUID:
    """A machine by kind and serial number; one that is known already keeps its id."""
    if wanted.get("serial"):
        known = step.db.scalars(
            select(Asset.id).where(
                Asset.tenant_id == step.tenant_id,
                Asset.kind == wanted["kind"],
                Asset.serial == wanted["serial"],
            )
        ).one_or_none()
        if known is not None:
            return known
    asset = Asset(tenant_id=step.tenant_id, id=new_id(), **wanted)
    step.db.add(asset)
    step.db.flush()
    return asset.id


_HISTORY = """
  select t.id as ticket_id, t.ticket_no, t.status, t.work_type, t.created_at, a.done_at,
    coalesce(a.outcome, t.outcome) as outcome, a.text, a.checklist, t.parent_id, t.parent_kind,
    coalesce((select jsonb_agg(jsonb_build_object('part', m.part, 'quantity', m.quantity::text))
      from part_movements m where m.tenant_id = t.tenant_id and m.ticket_id = t.id and m.to_kind = 'ticket'),
      '[]'::jsonb) as parts
  from tickets t
  left join ticket_assets a on a.tenant_id = t.tenant_id and a.ticket_id = t.id and a.asset_id = %(asset)s
  where t.tenant_id = %(tenant)s and (a.asset_id is not null or t.asset_id = %(asset)s)
  order by t.created_at desc limit 200
"""


def asset_history(step: Step, asset_id: UUID) -> dict[str, Any]:
    """The machine and every ticket it was part of, newest first. Raises NotFound `asset_unknown`."""
    asset = step.db.get(Asset, {"tenant_id": step.tenant_id, "id": asset_id})
    if asset is None:
        raise NotFound("asset_unknown", asset_id=str(asset_id))
    values = {"tenant": step.tenant_id, "asset": asset_id}
    return {
        "asset_id": asset.id,
        "kind": asset.kind,
        "serial": asset.serial,
        "name": asset.name,
        "installed_at": asset.installed_at,
        "warranty_until": asset.warranty_until,
        "tickets": list(fetch(step.db, _HISTORY, values)),
    }
