"""What the simulated dispatcher does to many at once or beside the queue: answers requests, a sick engineer's day,
a storm's tickets, the roster, a warranty callback."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from api.command_line.simulation_world import command_id

if TYPE_CHECKING:
    from api.command_line.simulation_dispatcher import Dispatcher

MOST_DISCOUNT = 20
MOVED_MOST = 5


async def answer_requests(me: "Dispatcher") -> None:
    """Yes to what costs little; no to a leave with visits in it, and to a price given away."""
    for request in (await me.get("/requests"))["requests"]:
        if request["status"] != "open":
            continue
        dear = request["kind"] == "discount" and request["facts"]["percent"] > MOST_DISCOUNT
        verdict = "refuse" if request["booked"] or dear else "approve"
        body = {"command_id": command_id(), "verdict": verdict}
        with me.world.doing(f"{verdict}_request"):
            await me.post(f"/requests/{request['request_id']}/answer", body)


async def fill_roster(me: "Dispatcher") -> bool:
    """Who works nights is on call until the evening: for what is urgent."""
    now = me.world.now()
    span = {
        "kind": "on_call",
        "starts_at": now.isoformat(),
        "ends_at": (now + timedelta(hours=9)).isoformat(),
    }
    for engineer in [e for e in me.world.engineers.values() if e["status"] == "off"]:
        if engineer["engineer_id"] in me.simulated:
            with me.world.doing("on_call"):
                await me.post(f"/engineers/{engineer['engineer_id']}/shifts", {"spans": [span]})
    return True


async def somebody_is_ill(me: "Dispatcher") -> bool:
    """Their day goes to others; False while nobody has work to give away."""
    ill = [
        e
        for e in me.world.engineers.values()
        if e["status"] == "assigned" and e["engineer_id"] in me.simulated
    ]
    if not ill:
        return False
    now = me.world.now()
    body = {
        "command_id": command_id(), "reason": "sick",
        "starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=2)).isoformat(),
    }  # fmt: skip
    with me.world.doing("bulk"):
        await me.post(f"/engineers/{ill[0]['engineer_id']}/out", body)
    return True


async def a_storm(me: "Dispatcher") -> bool:
    """Tickets with an appointment not begun yet are an hour later; False while there are none."""
    waiting = [
        t["ticket_id"] for t in me.world.board.values()
        if t["window"] is not None and t["status"] in ("open", "offered", "assigned")
    ]  # fmt: skip
    if not waiting:
        return False
    body: dict[str, Any] = {"command_id": command_id(), "ticket_ids": waiting[:MOVED_MOST], "later_min": 60}
    with me.world.doing("bulk_rebook"):
        await me.post("/bulk/rebook", body)
    return True


#: What happens once, and after how many looks of the dispatcher; tried again until it could.
Happening = Callable[["Dispatcher"], Awaitable[bool]]
ONCE: tuple[tuple[int, Happening], ...] = ((2, fill_roster), (24, somebody_is_ill), (40, a_storm))


async def call_back(me: "Dispatcher", ticket_id: str) -> None:
    """The same fault again under warranty: a ticket of its own."""
    body = {"command_id": command_id(), "kind": "warranty_callback"}
    with me.world.doing("follow_up"):
        await me.post(f"/tickets/{ticket_id}/follow_up", body)
