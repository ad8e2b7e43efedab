"""Money after the work: payments taken, what engineers and contractors earn, the tenant's lists of prices."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from dispatch.actions.cases import Case
from dispatch.actions.step import Draft, Step
from dispatch.domain.errors import Conflict, NotFound, NotReady
from dispatch.domain.evidence_checklist import check_checklist
from dispatch.domain.lifecycle import Need
from dispatch.domain.money import Rate, earned, inert
from dispatch.store.ids import new_id
from dispatch.store.queries.price_lists import rate_on
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.money import Part, Quote, SettlementLine
from dispatch.store.tables.people import Engineer
from dispatch.store.tables.proof import Payment, Price
from dispatch.store.tables.tenants import WorkType

MOST_LINES = 1_000
MOST_EXPORTED = 100_000


def _approved(step: Step, case: Case) -> Quote | None:
    """The newest quote of the ticket that its customer approved."""
    return step.db.scalars(
        select(Quote)
        .where(
            Quote.tenant_id == step.tenant_id,
            Quote.ticket_id == case.ticket.id,
            Quote.status == "approved",
        )
        .order_by(Quote.quoted_at.desc(), Quote.version.desc())
        .limit(1)
    ).one_or_none()


def _paid_minor(step: Step, quote: Quote) -> int:
    return int(
        step.db.execute(
            select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
                Payment.tenant_id == step.tenant_id, Payment.quote_id == quote.id
            )
        ).scalar_one()
    )


def _pay_met(step: Step, case: Case) -> set[Need]:
    """An approved quote, a method and an amount within what is owed. Raises NotReady `payment_too_high`."""
    quote = _approved(step, case)
    if quote is None:
        return set()
    met = {Need.QUOTE_APPROVED}
    if case.facts.method is not None and case.facts.amount_minor is not None:
        met.add(Need.PAYMENT)
        owed_minor = quote.total_minor - _paid_minor(step, quote)
        if case.facts.amount_minor > owed_minor:
            raise NotReady("payment_too_high", owed_minor=owed_minor, currency=quote.currency)
    return met


def _pay(step: Step, case: Case) -> dict[str, object]:
    quote = _approved(step, case)
    assert quote is not None
    assert case.facts.method is not None
    assert case.facts.amount_minor is not None
    payment = Payment(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        quote_id=quote.id,
        method=case.facts.method,
        currency=quote.currency,
        amount_minor=case.facts.amount_minor,
        reference=case.facts.reference,
        actor=str(step.principal.role),
        actor_id=case.engineer_id or step.principal.id,
        at=step.now,
    )
    step.db.add(payment)
    step.db.flush()
    return {
        "payment": str(payment.id),
        "method": payment.method,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "owed_minor": quote.total_minor - _paid_minor(step, quote),
    }


HANDLERS = {"pay": (_pay_met, _pay)}


def settle(step: Step, case: Case) -> list[dict[str, object]]:
    """What the accepted visit earns its engineer, the helpers who were there, and the contractor who lent the
    engineer: lines by the rates that stand on the day of the work. A visit the customer rejected earns nothing; its
    rework does."""
    visit = case.visit
    if visit.engineer_id is None or visit.completed_at is None:
        return []
    engineer = step.db.get(Engineer, {"tenant_id": step.tenant_id, "id": visit.engineer_id})
    contractor_id = visit.contractor_id or (engineer.contractor_id if engineer else None)
    payees = [("engineer", visit.engineer_id)]
    if contractor_id is not None:
        payees.append(("contractor", contractor_id))
    payees += [("helper", c.engineer_id) for c in case.crew if c.role == "helper" and c.checked_in_at]
    quote = _approved(step, case)
    quoted = (quote.total_minor, quote.currency) if quote else None
    facts: list[dict[str, object]] = []
    for kind, payee_id in payees:
        rate = rate_on(step.db, step.tenant_id, case.ticket.work_type, kind, visit.completed_at)
        if rate is None:
            continue
        for line in earned(Rate(*rate), step.rules.currency, quoted):
            step.db.add(
                SettlementLine(
                    tenant_id=step.tenant_id,
                    id=new_id(),
                    ticket_id=case.ticket.id,
                    visit_id=visit.id,
                    payee_kind=kind,
                    payee_id=payee_id,
                    currency=line.currency,
                    amount_minor=line.amount_minor,
                    reason=line.reason,
                    at=step.now,
                )
            )
            facts.append(
                {
                    "payee": kind,
                    "amount_minor": line.amount_minor,
                    "currency": line.currency,
                    "reason": line.reason,
                }
            )
    return facts


_STANDING = """
  select l.id, l.visit_id, l.payee_kind, l.payee_id, l.currency, l.amount_minor from settlement_lines l
  where l.tenant_id = %(tenant)s and l.ticket_id = %(ticket)s and l.reverses is null
    and not exists (select from settlement_lines r where r.tenant_id = l.tenant_id and r.reverses = l.id)
  order by l.at, l.id
"""


def take_back(step: Step, case: Case) -> list[dict[str, object]]:
    """The ticket is worked on again: what it earned is taken back by counter-lines, each once; nothing is deleted."""
    facts: list[dict[str, object]] = []
    for line in fetch(step.db, _STANDING, {"tenant": step.tenant_id, "ticket": case.ticket.id}):
        step.db.add(
            SettlementLine(
                tenant_id=step.tenant_id,
                id=new_id(),
                ticket_id=case.ticket.id,
                visit_id=line["visit_id"],
                payee_kind=line["payee_kind"],
                payee_id=line["payee_id"],
                currency=line["currency"],
                amount_minor=-line["amount_minor"],
                reason="reopened",
                at=step.now,
                reverses=line["id"],
            )
        )
        facts.append(
            {
                "payee": line["payee_kind"],
                "amount_minor": -line["amount_minor"],
                "currency": line["currency"],
                "reason": "reopened",
            }
        )
    return facts


# the tenant's lists


def put_checklist(step: Step, work_type: str, items: list[dict[str, Any]], photos: int | None) -> None:
    """The checklist of a work type, whole. Raises NotFound `work_type_unknown`, NotReady `checklist_invalid`."""
    check_checklist(items)
    row = work_type_of(step, work_type)
    row.checklist = items
    if photos is not None:
        row.completion_photos = photos
    row.version += 1
    changed(step, "checklist", {"work_type": work_type, "items": len(items)})


def put_price(step: Step, code: str, line: Mapping[str, Any]) -> None:
    """One line of the price list, added or changed; quotes made before keep their prices.

    Raises NotReady `part_unknown`, `days_backwards`.
    """
    if line.get("part") is not None and _part(step, line["part"]) is None:
        raise NotReady("part_unknown", part=line["part"])
    check_days(line.get("valid_from"), line.get("valid_until"))
    row = insert(Price).values(tenant_id=step.tenant_id, code=code, **line)
    step.db.execute(row.on_conflict_do_update(index_elements=["tenant_id", "code"], set_=dict(line)))
    changed(step, "price", {"code": code})


def check_days(valid_from: datetime | None, valid_until: datetime | None) -> None:
    """Raises NotReady `days_backwards` for what would end before it begins."""
    if valid_from is not None and valid_until is not None and valid_until <= valid_from:
        raise NotReady("days_backwards")


def drop_price(step: Step, code: str) -> None:
    """Off the list at once. Raises NotFound `price_unknown`."""
    row = step.db.get(Price, {"tenant_id": step.tenant_id, "code": code})
    if row is None:
        raise NotFound("price_unknown", code_wanted=code)
    step.db.delete(row)
    step.db.flush()
    changed(step, "price", {"code": code, "dropped": True})


def put_parts(step: Step, lines: Sequence[Mapping[str, Any]]) -> None:
    """Parts added or changed; a part once used is never taken off the list."""
    for line in lines:
        statement = insert(Part).values(tenant_id=step.tenant_id, **line)
        step.db.execute(
            statement.on_conflict_do_update(
                index_elements=["tenant_id", "code"], set_={k: v for k, v in line.items() if k != "code"}
            )
        )
    changed(step, "parts", {"lines": len(lines)})


def _part(step: Step, code: str) -> Part | None:
    return step.db.get(Part, {"tenant_id": step.tenant_id, "code": code})


def work_type_of(step: Step, code: str, lock: bool = False) -> WorkType:
    """`lock`: until the end nobody else who locks it changes what hangs on it. Raises NotFound `work_type_unknown`."""
    held = {"key_share": True} if lock else None
    row = step.db.get(WorkType, {"tenant_id": step.tenant_id, "code": code}, with_for_update=held)
    if row is None:
        raise NotFound("work_type_unknown", work_type=code)
    return row


def changed(step: Step, what: str, facts: dict[str, object]) -> None:
    """A change of the tenant's own lists is an event like any other."""
    step.drafts.append(Draft("tenant", step.tenant_id, None, f"{what}_changed", facts=facts))


# the export

_LINES = """
  select l.at, t.ticket_no, v.number as visit, l.payee_kind, coalesce(e.name, c.name ->> %(language)s) as payee,
    l.reason, l.currency, l.amount_minor, l.id as line, l.reverses
  from settlement_lines l
  join tickets t on t.tenant_id = l.tenant_id and t.id = l.ticket_id
  left join visits v on v.tenant_id = l.tenant_id and v.id = l.visit_id
  left join engineers e on e.tenant_id = l.tenant_id and e.id = l.payee_id and l.payee_kind in ('engineer', 'helper')
  left join contractors c on c.tenant_id = l.tenant_id and c.id = l.payee_id and l.payee_kind = 'contractor'
  where l.tenant_id = %(tenant)s and l.at >= %(since)s and l.at < %(before)s
  order by l.at, l.id limit %(most)s
"""
_HEAD = (
    "at",
    "ticket_no",
    "visit",
    "payee_kind",
    "payee",
    "reason",
    "currency",
    "amount_minor",
    "line",
    "reverses",
)


def export_settlement(step: Step, since: datetime, before: datetime) -> Iterator[str]:
    """CSV after RFC 4180 with a head line and a byte-order mark, amounts in minor units; no cell is a formula.

    Raises Conflict `export_too_large` above MOST_EXPORTED lines: ask for a shorter time.
    """
    values = {
        "tenant": step.tenant_id,
        "since": since,
        "before": before,
        "language": step.rules.language,
        "most": MOST_EXPORTED + 1,
    }
    rows = fetch(step.db, _LINES, values)
    if len(rows) > MOST_EXPORTED:
        raise Conflict("export_too_large", most=MOST_EXPORTED)
    return _written(rows)


def _written(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\ufeff" + ",".join(_HEAD) + "\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([inert(_cell(row[name])) for name in _HEAD])
        yield line.getvalue()


def _cell(value: object) -> object:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
