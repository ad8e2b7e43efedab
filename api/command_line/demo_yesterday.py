"""Yesterday's work that its customers have not accepted yet: so that a day in the demo begins with reminders, and
closes by itself what nobody answers."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from dispatch.actions.intake import TicketWanted, create_ticket
from dispatch.actions.step import House, Step, run_step
from dispatch.actions.take_action import apply_action
from dispatch.domain.commands import Command, Facts, Principal, Role
from dispatch.store.ids import new_id
from geo.points import Point

#: How long before the demo begins each was done, hours: with one day to answer, the oldest close soonest.
DONE_BEFORE_H = (23.6, 23.2, 22.5, 21.0, 18.0, 16.0)


def seed_yesterday(house: House, tenant_id: UUID, dispatcher_id: UUID, places: list[dict[str, Any]]) -> None:
    """Tickets solved by phone, one for each of DONE_BEFORE_H; their deadlines lie in the day that begins."""
    rnd = random.Random(0)
    dispatcher = Principal(tenant_id, Role.DISPATCHER, dispatcher_id)
    for number, hours in enumerate(DONE_BEFORE_H):
        at = house.now() - timedelta(hours=hours)
        place = rnd.choice(places)
        then = replace(house, now=_standing(at))
        run_step(then, dispatcher, _solved(run_step(then, dispatcher, _asked_for(place, number))))


def _standing(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def _asked_for(place: dict[str, Any], number: int) -> Callable[[Step], UUID]:
    def work(step: Step) -> UUID:
        wanted = TicketWanted(
            work_type="network_down",
            description="光猫亮红灯，电话指导后恢复 Red light, solved by phone",
            address=place["zh"],
            source="dispatcher",
            site=Point(place["lon"], place["lat"]),
            contact_name=f"示例客户 {900 + number}",
            contact_phone=f"139009000{number:02d}",
            language="zh",
        )
        return UUID(create_ticket(step, wanted)["ticket_id"])

    return work


def _solved(ticket_id: UUID) -> Callable[[Step], dict[str, Any]]:
    facts = Facts(text="电话指导客户重启，已恢复 Restarted by phone, works again")
    return lambda step: apply_action(step, Command(new_id(), ticket_id, "resolve_remotely", facts))
