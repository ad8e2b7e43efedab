"""Paid work: a price on site, the customer's yes or no."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from dispatch.actions import money_settlement
from dispatch.actions.cases import Case
from dispatch.actions.evidence import attach, check_photos
from dispatch.actions.step import Step
from dispatch.domain.commands import QuoteLine, Role
from dispatch.domain.errors import Conflict, NotReady
from dispatch.domain.lifecycle import Actor, Need
from dispatch.domain.money import discounted, held_to_list, quote_total_minor
from dispatch.store.ids import new_id
from dispatch.store.queries.price_lists import standing_prices
from dispatch.store.queries.requests import approved_discount
from dispatch.store.tables.money import Quote

#: So long a quote may wait on a phone without reception and keep the prices of then.
QUOTE_WAITS = timedelta(days=1)


def _quote_of(step: Step, case: Case, status: str) -> Quote | None:
    return step.db.scalars(
        select(Quote)
        .where(
            Quote.tenant_id == step.tenant_id,
            Quote.visit_id == case.visit.id,
            Quote.status == status,
        )
        .order_by(Quote.version.desc())
        .limit(1)
    ).one_or_none()


def quote_blocks(step: Step, case: Case) -> bool:
    """Paid work needs an approved quote; an open one blocks whoever pays."""
    if _quote_of(step, case, "open") is not None:
        return True
    return case.ticket.coverage == "paid" and _quote_of(step, case, "approved") is None


def approved(step: Step, case: Case) -> UUID | None:
    quote = _quote_of(step, case, "approved")
    return quote.id if quote else None


def _quote_met(step: Step, case: Case) -> set[Need]:
    if case.actor is Actor.ENGINEER and case.visit.engineer_id != case.engineer_id:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))
    return {Need.QUOTE_LINES} if case.facts.quote_lines else set()


def _listed(step: Step, case: Case) -> tuple[QuoteLine, ...]:
    """The lines held to the price list, unless a dispatcher wrote them. A price of the day the phone quoted stands
    where the quote waited for reception. Raises NotReady as `held_to_list`."""
    if step.principal.role in (Role.ADMIN, Role.DISPATCHER):
        return case.facts.quote_lines
    since = max(min(step.device_at or step.now, step.now), step.now - QUOTE_WAITS)
    prices = standing_prices(step.db, step.tenant_id, since, step.now)
    currency = case.facts.currency or step.rules.currency
    return held_to_list(case.facts.quote_lines, prices, currency, step.rules.currency)


def _quote(step: Step, case: Case) -> dict[str, object]:
    quoted = _listed(step, case)
    step.db.execute(
        update(Quote)
        .where(
            Quote.tenant_id == step.tenant_id,
            Quote.visit_id == case.visit.id,
            Quote.status.in_(("open", "approved")),
        )
        .values(status="superseded")
    )
    version = len(
        step.db.scalars(
            select(Quote.id).where(Quote.tenant_id == step.tenant_id, Quote.visit_id == case.visit.id)
        ).all()
    )
    percent = approved_discount(step.db, step.tenant_id, case.ticket.id)
    lines = discounted(quoted, percent)
    quote = Quote(
        tenant_id=step.tenant_id,
        id=new_id(),
        ticket_id=case.ticket.id,
        visit_id=case.visit.id,
        version=version + 1,
        status="open",
        currency=case.facts.currency or step.rules.currency,
        total_minor=quote_total_minor(lines),
        lines=[
            {
                "kind": line.kind,
                "text": line.text,
                "quantity": str(line.quantity),
                "unit_price_minor": line.unit_price_minor,
                "part": line.part,
                "price": line.price,
            }
            for line in lines
        ],
        quoted_by=case.engineer_id or step.principal.id,
        quoted_at=step.now,
    )
    step.db.add(quote)
    step.db.flush()
    facts: dict[str, object] = {"quote": str(quote.id), "total_minor": quote.total_minor}
    return {**facts, "currency": quote.currency, **({"discount_percent": percent} if percent else {})}


def _answer_met(step: Step, case: Case) -> set[Need]:
    return {Need.OPEN_QUOTE} if _quote_of(step, case, "open") is not None else set()


def _approve_met(step: Step, case: Case) -> set[Need]:
    """On the engineer's phone the customer says yes with a signature. Raises NotReady `action_not_ready`."""
    check_witness(case)
    check_photos(step, case, "signature")
    if case.witnessed_by is not None and not case.facts.photo_ids and not case.facts.photo_pending:
        raise NotReady("action_not_ready", action="approve_quote", missing=["signature"])
    return _answer_met(step, case)


def _refuse_met(step: Step, case: Case) -> set[Need]:
    check_witness(case)
    return _answer_met(step, case)


def check_witness(case: Case) -> None:
    """Only the visit's lead lends the phone. Raises Conflict `not_the_lead`."""
    if case.witnessed_by is not None and case.visit.engineer_id != case.witnessed_by:
        raise Conflict("not_the_lead", ticket_id=str(case.ticket.id))


def _answer(step: Step, case: Case, status: str) -> dict[str, object]:
    quote = _quote_of(step, case, "open")
    assert quote is not None
    quote.status = status
    quote.answered_at = step.now
    return {"quote": str(quote.id), "total_minor": quote.total_minor, "currency": quote.currency}


def _approve(step: Step, case: Case) -> dict[str, object]:
    photos = attach(step, case, "signature")
    return {**_answer(step, case, "approved"), **({"photos": photos} if photos else {})}


def _refuse(step: Step, case: Case) -> dict[str, object]:
    return _answer(step, case, "refused")


HANDLERS = {
    "quote": (_quote_met, _quote),
    "approve_quote": (_approve_met, _approve),
    "refuse_quote": (_refuse_met, _refuse),
    **money_settlement.HANDLERS,
}
