"""A job's second look at photos and check-ins: shown before on another ticket? How much is left to doubt?"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import as_point
from dispatch.actions.step import Step
from dispatch.domain.evidence_doubts import (
    SAME_PICTURE_BITS,
    SAME_SCENE_BITS,
    ArrivalFacts,
    PhotoFacts,
    doubt_score,
    judge_doubts,
)
from dispatch.store.queries.reading import fetch
from dispatch.store.tables.evidence import Blob, CheckIn, Evidence
from dispatch.store.tables.tickets import Ticket
from geo.points import Point

LOOKED_BACK = timedelta(days=180)
MOST_COMPARED = 50_000
MOST_ALIKE = 5

#: Earlier photos of other tickets that look alike, as taken or mirrored, nearest first.
_LIKE = """
  select e.id, least(x.bits, x.mirror_bits) as bits, x.mirror_bits < x.bits as mirrored
  from (
    select b.sha256, bit_count(('x' || b.phash)::bit(64) # ('x' || %(phash)s)::bit(64)) as bits,
      bit_count(('x' || b.phash)::bit(64) # ('x' || %(mirror)s)::bit(64)) as mirror_bits
    from (select sha256, phash from blobs where tenant_id = %(tenant)s and phash is not null
        and stored_at > %(since)s order by stored_at desc limit %(most)s) b) x
  join evidence e on e.tenant_id = %(tenant)s and e.sha256 = x.sha256 and e.ticket_id <> %(ticket)s
    and e.kind <> 'signature' and not e.pending and e.received_at < %(before)s
  where least(x.bits, x.mirror_bits) <= case when e.actor_id = %(actor)s then %(near)s else %(far)s end
  order by 2, e.received_at limit %(alike)s
"""
_SEEN_BEFORE = """
  select st_x(position::geometry) as lon, st_y(position::geometry) as lat, at from engineer_positions
  where tenant_id = %(tenant)s and engineer_id = %(engineer)s and at < %(before)s and at > %(since)s
  order by at desc limit 1
"""


def judge_evidence(step: Step, ticket_id: UUID) -> None:
    """Look at the ticket's photos that nobody has compared yet, then weigh its check-ins anew."""
    ticket = step.db.get(Ticket, {"tenant_id": step.tenant_id, "id": ticket_id})
    if ticket is None:
        return
    photos = list(
        step.db.scalars(
            select(Evidence).where(
                Evidence.tenant_id == step.tenant_id,
                Evidence.ticket_id == ticket_id,
                Evidence.kind != "signature",
                Evidence.pending.is_(False),
            )
        )
    )
    for photo in photos:
        if "like" not in photo.facts:
            photo.facts = {**photo.facts, "like": _like(step, photo)}
    for check_in in step.db.scalars(
        select(CheckIn).where(CheckIn.tenant_id == step.tenant_id, CheckIn.ticket_id == ticket_id)
    ):
        own = [
            photo
            for photo in photos
            if photo.kind == "check_in"
            and photo.visit_id == check_in.visit_id
            and photo.actor_id == check_in.engineer_id
        ]
        doubts = judge_doubts(_arrival(step, ticket, check_in, own))
        check_in.doubts = [doubt.as_json() for doubt in doubts]
        check_in.doubt_score = doubt_score(doubts)
    step.db.flush()


def _like(step: Step, photo: Evidence) -> list[dict[str, Any]]:
    blob = step.db.get(Blob, {"tenant_id": step.tenant_id, "sha256": photo.sha256})
    if blob is None or blob.phash is None or blob.mirror_phash is None:
        return []
    values = {
        "tenant": step.tenant_id,
        "ticket": photo.ticket_id,
        "phash": blob.phash,
        "mirror": blob.mirror_phash,
        "since": step.now - LOOKED_BACK,
        "before": photo.received_at,
        "actor": photo.actor_id,
        "near": SAME_SCENE_BITS,
        "far": SAME_PICTURE_BITS,
        "most": MOST_COMPARED,
        "alike": MOST_ALIKE,
    }
    return [
        {"photo_id": str(row["id"]), "bits": row["bits"], "mirrored": row["mirrored"]}
        for row in fetch(step.db, _LIKE, values)
    ]


def _arrival(step: Step, ticket: Ticket, check_in: CheckIn, photos: list[Evidence]) -> ArrivalFacts:
    raw = check_in.raw or {}
    position_at = _instant(raw.get("at"))
    return ArrivalFacts(
        flags=[str(flag) for flag in check_in.flags],
        at=check_in.at,
        device_at=check_in.device_at,
        position=as_point(check_in.position),
        position_at=position_at,
        accuracy_m=check_in.accuracy_m,
        speed_mps=raw.get("speed_mps"),
        site=as_point(ticket.site),
        last_seen=_seen_before(step, check_in.engineer_id, position_at),
        photos=[_photo(photo) for photo in photos],
    )


def _seen_before(step: Step, engineer_id: UUID, at: datetime | None) -> tuple[Point, datetime] | None:
    if at is None:
        return None
    values = {
        "tenant": step.tenant_id,
        "engineer": engineer_id,
        "before": at,
        "since": at - timedelta(hours=12),
    }
    rows = fetch(step.db, _SEEN_BEFORE, values)
    return (Point(rows[0]["lon"], rows[0]["lat"]), rows[0]["at"]) if rows else None


def _photo(photo: Evidence) -> PhotoFacts:
    facts = photo.facts
    exif, claimed = facts.get("exif_position"), facts.get("claimed_position")
    place = None
    if exif:
        place = Point(float(exif[1]), float(exif[0]))
    elif claimed:
        place = Point(float(claimed["lon"]), float(claimed["lat"]))
    return PhotoFacts(
        str(photo.id),
        _instant(facts.get("exif_taken_at")) or photo.taken_at,
        place,
        tuple((each["photo_id"], each["bits"], each["mirrored"]) for each in facts.get("like", [])),
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
