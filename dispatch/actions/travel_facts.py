"""What the match sees of travel and of the length of the work: by road and by experience where there is any."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from dispatch.actions.cases import Case
from dispatch.actions.step import Step
from dispatch.actions.travelling import foretell, learned_body
from dispatch.domain.matching_facts import EngineerSeen
from dispatch.store.queries.travel import positions_of
from dispatch.store.tables.tenants import Asset
from geo.durations import Durations, predict_duration
from geo.points import Point


def travel_times(
    step: Step, seen: Sequence[EngineerSeen], site: Point | None, at: datetime
) -> list[EngineerSeen]:
    """The same engineers with their travel to `site` for a departure at `at`, and how long each takes for the
    work where that is known. Those without a position keep what they have."""
    if site is None or not seen:
        return list(seen)
    where = positions_of(step.db, step.tenant_id, [e.engineer_id for e in seen])
    asked = [e for e in seen if e.engineer_id in where]
    told = foretell(step, {e.engineer_id: where[e.engineer_id] for e in asked}, site, at)
    return [
        e
        if (drive := told.get(e.engineer_id)) is None
        else replace(e, travel_s=drive.p50_s, distance_m=drive.metres, travel_source=drive.source)
        for e in seen
    ]


def learned_minutes(step: Step, case: Case, engineers: Sequence[EngineerSeen]) -> list[EngineerSeen]:
    """The same engineers with the minutes each takes for this work type and kind of asset, where jobs have shown
    it and nobody has set another length for the visit."""
    if case.visit.duration_min != case.work_type.duration_min or not engineers:
        return list(engineers)
    body = learned_body(step, "durations")
    if body is None:
        return list(engineers)
    known = Durations.from_json(body)
    if case.ticket.work_type not in known.work_types:
        return list(engineers)
    asset = None
    if case.ticket.asset_id is not None:
        asset = step.db.scalar(
            select(Asset.kind).where(Asset.tenant_id == step.tenant_id, Asset.id == case.ticket.asset_id)
        )
    planned_s = case.work_type.duration_min * 60.0

    def minutes(engineer: EngineerSeen) -> int:
        took = predict_duration(known, planned_s, case.ticket.work_type, str(engineer.engineer_id), asset)
        return max(1, round(took.p50_s / 60))

    return [replace(e, duration_min=minutes(e)) for e in engineers]
