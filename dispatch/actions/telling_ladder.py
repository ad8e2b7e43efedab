"""The ladder of an offer: each rung is a row, the next one is a timer, and every ladder gets an outcome."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from dispatch.actions import telling_people as people
from dispatch.actions.cases import Case, load_case
from dispatch.actions.matching import find_candidates
from dispatch.actions.matching_modes import offer_to
from dispatch.actions.offers import pending_offers
from dispatch.actions.step import Draft, Step
from dispatch.actions.telling_messages import Telling, tell
from dispatch.actions.telling_people import Person
from dispatch.adapters.channel import Channel
from dispatch.domain.commands import Facts
from dispatch.domain.errors import DispatchError
from dispatch.domain.ladder import BACKUP, Rung, Seen, ended, rungs, wait
from dispatch.store.ids import new_id
from dispatch.store.queries.reading import fetch
from dispatch.store.tables import telling as stored
from dispatch.store.tables.tickets import Offer

_CLIMBED = """
  select whom, channel from ladder_rungs where tenant_id = %(tenant)s and ladder_id = %(ladder)s order by number
"""
_PUSHED = (
    "select outcome from push_deliveries where tenant_id = %(tenant)s and subject_id = %(offer)s limit 1"
)


def start_ladders(step: Step, channels: Mapping[str, Channel], ticket_id: UUID) -> None:
    """A ladder for each pending offer of the ticket that has none yet; the first rung at once. One that ran out
    before anybody got here has its outcome kept too."""
    case = load_case(step, ticket_id, Facts())
    offers = step.db.scalars(
        select(Offer).where(
            Offer.tenant_id == step.tenant_id,
            Offer.ticket_id == ticket_id,
            Offer.status.in_(("pending", "expired")),
            Offer.engineer_id.is_not(None),
            ~select(stored.Ladder.id)
            .where(stored.Ladder.tenant_id == Offer.tenant_id, stored.Ladder.offer_id == Offer.id)
            .exists(),
        )
    )
    for offer in offers.all():
        assert offer.engineer_id is not None
        ladder = stored.Ladder(
            tenant_id=step.tenant_id,
            id=new_id(),
            offer_id=offer.id,
            ticket_id=ticket_id,
            engineer_id=offer.engineer_id,
            rung=0,
            started_at=step.now,
        )
        step.db.add(ladder)
        _climb(step, channels, case, ladder, offer)


def climb(step: Step, channels: Mapping[str, Channel], ladder_id: UUID) -> None:
    """A rung's time is over, or the offer was answered: the next rung, or the end."""
    ladder = step.db.get(stored.Ladder, {"tenant_id": step.tenant_id, "id": ladder_id})
    if ladder is None or ladder.ended_at is not None:
        return
    case = load_case(step, ladder.ticket_id, Facts())
    step.db.refresh(ladder)
    offer = step.db.get(Offer, {"tenant_id": step.tenant_id, "id": ladder.offer_id}, populate_existing=True)
    if offer is None or ladder.ended_at is not None:
        return
    if ladder.next_at is not None and ladder.next_at > step.now and offer.status == "pending":
        if offer.seen_at is None:
            step.set_timer("ladder_next", ladder.id, ladder.next_at)
            return
    _climb(step, channels, case, ladder, offer)


def end_ladders(step: Step, channels: Mapping[str, Channel], ticket_id: UUID) -> None:
    """An offer of the ticket was answered, withdrawn or ran out: its ladder ends now, not at its next rung."""
    open_ladders = step.db.scalars(
        select(stored.Ladder.id).where(
            stored.Ladder.tenant_id == step.tenant_id,
            stored.Ladder.ticket_id == ticket_id,
            stored.Ladder.ended_at.is_(None),
        )
    )
    for ladder_id in open_ladders.all():
        climb(step, channels, ladder_id)
        step.db.flush()  # the next one reads the ticket anew


def _climb(
    step: Step, channels: Mapping[str, Channel], case: Case, ladder: stored.Ladder, offer: Offer
) -> None:
    steps = _rungs(step, channels, ladder, offer)
    seen = Seen(offer.status, offer.seen_at, offer.offered_at, offer.expires_at, ladder.rung)
    outcome = ended(seen, steps, step.now)
    if outcome is not None:
        ladder.outcome, ladder.ended_at, ladder.next_at = outcome, step.now, None
        step.drop_timers(ladder.id, "ladder_next")
        _end_alert(case, ladder)
        return
    rung = steps[ladder.rung]
    ladder.rung += 1
    ladder.next_at = min(step.now + wait(seen, len(steps)), max(offer.expires_at, step.now))
    step.set_timer("ladder_next", ladder.id, ladder.next_at)
    outcome, code = _tell_rung(step, channels, case, offer, rung)
    step.db.add(
        stored.LadderRung(
            tenant_id=step.tenant_id,
            ladder_id=ladder.id,
            number=ladder.rung,
            whom=rung.whom,
            channel=rung.channel,
            at=step.now,
            outcome=outcome,
            code=code,
        )
    )


def _rungs(step: Step, channels: Mapping[str, Channel], ladder: stored.Ladder, offer: Offer) -> list[Rung]:
    """The rungs already climbed stay as they were, though a device has gone since."""
    climbed = fetch(step.db, _CLIMBED, {"tenant": step.tenant_id, "ladder": ladder.id})
    done = [Rung(row["whom"], row["channel"]) for row in climbed]
    person = Person("engineer", ladder.engineer_id)
    own = [
        place.channel
        for place in people.places(step, person)
        if place.channel == "fcm" or place.channel in channels
    ]
    wanted = rungs(list(dict.fromkeys(own)), has_backup=offer.kind == "offer" and _has_backup(step))
    if any(rung.whom != "engineer" for rung in done):
        wanted = [rung for rung in wanted if rung.whom != "engineer"]
    return done + [rung for rung in wanted if rung not in done]


def _tell_rung(
    step: Step, channels: Mapping[str, Channel], case: Case, offer: Offer, rung: Rung
) -> tuple[str, str | None]:
    """(outcome, code) of climbing one rung; what a channel says later is in the message's own row."""
    if rung.channel == "fcm":
        return _pushed(step, offer)
    ticket_id = case.ticket.id
    if rung.whom == "engineer":
        assert offer.engineer_id is not None
        facts = {"offer_id": str(offer.id), "at": offer.expires_at.isoformat()}
        person = Person("engineer", offer.engineer_id)
        telling = Telling(_key(offer), ticket_id, "offer", person, facts, offer.expires_at)
        planned = tell(step, channels, telling, only=rung.channel)
        return ("told", None) if planned is not None else ("not_told", "no_address")
    if rung.whom == BACKUP:
        return _offer_backup(step, case, offer)
    _alert(step, case, offer)
    told = 0
    for person in people.audience(step, rung.whom):
        telling = Telling(_key(offer), ticket_id, "offer_unseen", person)
        told += tell(step, channels, telling) is not None
    return ("told", None) if told else ("not_told", "board_only")


def _key(offer: Offer) -> int:
    """One number an offer, negative so that no event has it: a ladder's messages are unique by offer."""
    return -(offer.id.int >> 66)


def _pushed(step: Step, offer: Offer) -> tuple[str, str | None]:
    """The job of pushes tells devices; this is what it knows by now."""
    rows = fetch(step.db, _PUSHED, {"tenant": step.tenant_id, "offer": offer.id})
    return "told", rows[0]["outcome"] if rows else None


def _offer_backup(step: Step, case: Case, offer: Offer) -> tuple[str, str | None]:
    """Ask the next best too, where there is one; the first may still accept."""
    asked = {one.engineer_id for one in pending_offers(step, case)}
    chosen = None
    if case.ticket.status == "offered" and case.site is not None:
        _, found = find_candidates(step, case)
        chosen = next((c for c in found.eligible if c.engineer.engineer_id not in asked), None)
    if chosen is None:
        return "not_told", "no_backup"
    try:
        offer_to(step, case, (chosen,), offer.round)
    except DispatchError as refusal:
        return "not_told", refusal.code
    return "told", None


def _has_backup(step: Step) -> bool:
    rules = step.db.get(stored.TellRules, {"tenant_id": step.tenant_id})
    return rules is not None and rules.ladder_backup


def _end_alert(case: Case, ladder: stored.Ladder) -> None:
    """Seen after all, or no longer asked: the dispatcher need not look for that."""
    if ladder.outcome != "escalated" and case.ticket.attention == "offer_unseen":
        case.ticket.attention = None


def _alert(step: Step, case: Case, offer: Offer) -> None:
    """The board says so, whoever else can be told."""
    if case.ticket.attention is None:
        case.ticket.attention = "offer_unseen"
    step.drafts.append(
        Draft(
            subject_type="offer",
            subject_id=offer.id,
            ticket_id=case.ticket.id,
            action="alert",
            facts={"attention": "offer_unseen"},
            territory_id=case.ticket.territory_id,
        )
    )
