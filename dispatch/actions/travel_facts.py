"""What the match sees of travel and of the length of the work: by road and by experience where there is any."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from dispatch.actions.cases import Case
from dispatch.actions.step import House, Step, run_step
from dispatch.actions.travelling import foretell, kind_of_day, learned_body
from dispatch.adapters.roads import MOST_POINTS, RoadsAway, TableTimes
from dispatch.domain.commands import system
from dispatch.domain.matching_facts import EngineerSeen
from dispatch.store.queries.travel import entered_days, places_of_day, positions_of
from dispatch.store.tables.tenants import Asset
from geo.durations import Durations, predict_duration
from geo.points import Point
from geo.roads.conditions import Day


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


def with_table(house: House, tenant_id: UUID, ticket_ids: Sequence[UUID]) -> House:
    """The same house with a table of roads between these tickets' sites and the tenant's engineers, so that matching
    them all asks once; unchanged where there are no road times or too many places."""
    if house.roads is None:
        return house

    def gather(step: Step) -> tuple[list[Point], int, Day]:
        local = step.now.astimezone(step.rules.tzinfo)
        entered = entered_days(step.db, tenant_id, [local.date()])
        places = places_of_day(step.db, tenant_id, ticket_ids, MOST_POINTS + 1)
        return places, local.hour, kind_of_day(local.date(), entered)

    places, hour, day = run_step(house, system(tenant_id), gather)
    if not 0 < len(places) <= MOST_POINTS:
        return house
    try:
        table = house.roads.table(str(tenant_id), places, hour, day)
    except RoadsAway:
        return house
    return replace(house, roads=TableTimes(house.roads, table))


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
