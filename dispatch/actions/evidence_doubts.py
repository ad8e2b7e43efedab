"""A job's second look at photos and check-ins: shown before on another ticket? How much is left to doubt?"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import as_point
from dispatch.actions.step import Step
from dispatch.domain.evidence_doubts import (
    ANOTHERS_PHOTO,
    OWN_PHOTO,
    ArrivalFacts,
    Likeness,
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
  select id, bits, gradient_bits, mirrored from (
    select distinct on (e.id) e.id, e.received_at, x.bits, x.gradient_bits, x.mirrored
    from (
      select b.sha256, o.bits, o.gradient_bits, o.mirrored
      from (select sha256, phash, dhash from blobs where tenant_id = %(tenant)s and phash is not null
          and stored_at > %(since)s order by stored_at desc limit %(most)s) b,
        lateral (values
          (bit_count(('x' || b.phash)::bit(64) # ('x' || %(phash)s)::bit(64)),
            bit_count(('x' || b.dhash)::bit(64) # ('x' || %(dhash)s)::bit(64)), false),
          (bit_count(('x' || b.phash)::bit(64) # ('x' || %(mirror)s)::bit(64)),
            bit_count(('x' || b.dhash)::bit(64) # ('x' || %(mirror_dhash)s)::bit(64)), true)
        ) o (bits, gradient_bits, mirrored)
      where o.bits <= greatest(%(own_bits)s, %(own_alone)s)) x
    join evidence e on e.tenant_id = %(tenant)s and e.sha256 = x.sha256 and e.ticket_id <> %(ticket)s
      and e.kind <> 'signature' and not e.pending and e.received_at < %(before)s
    where case when e.actor_id = %(actor)s
      then (x.bits <= %(own_bits)s and x.gradient_bits <= %(own_gradient)s)
        or (x.gradient_bits is null and x.bits <= %(own_alone)s)
      else (x.bits <= %(far_bits)s and x.gradient_bits <= %(far_gradient)s)
        or (x.gradient_bits is null and x.bits <= %(far_alone)s) end
    order by e.id, x.bits, x.gradient_bits) alike
  order by bits, received_at limit %(alike)s
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
        "dhash": blob.dhash,
        "mirror_dhash": blob.mirror_dhash,
        "since": step.now - LOOKED_BACK,
        "before": photo.received_at,
        "actor": photo.actor_id,
        **_limits("own", OWN_PHOTO),
        **_limits("far", ANOTHERS_PHOTO),
        "most": MOST_COMPARED,
        "alike": MOST_ALIKE,
    }
    return [
        {
            "photo_id": str(row["id"]),
            "bits": row["bits"],
            "gradient_bits": row["gradient_bits"],
            "mirrored": row["mirrored"],
        }
        for row in fetch(step.db, _LIKE, values)
    ]


def _limits(name: str, most: Likeness) -> dict[str, int]:
    return {
        f"{name}_bits": most.bits,
        f"{name}_gradient": most.gradient_bits,
        f"{name}_alone": most.alone_bits,
    }


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
