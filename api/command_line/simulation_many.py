"""What the simulated dispatcher does to many at once or beside the queue: answers requests, a sick engineer's day,
a storm's tickets, the roster, a delivery of parts, a warranty callback."""

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


async def a_delivery(me: "Dispatcher") -> bool:
    """A supplier brings valves: into the depot, some into a van, one back again, and the rest counted."""
    depots = (await me.get("/depots"))["depots"]
    if not depots or not me.world.engineers:
        return False
    depot_id, engineer_id = depots[0]["depot_id"], next(iter(me.world.engineers))
    door = f"/depots/{depot_id}"
    brought = {"reference": f"DN-{command_id()[-8:]}", "lines": [{"part": "valve", "quantity": "12"}]}
    moved = {"engineer_id": engineer_id}
    with me.world.doing("receive_parts"):
        await me.post(f"{door}/deliveries", {"command_id": command_id(), **brought})
    for what, quantity in (("van_loads", "3"), ("van_returns", "1")):
        lines = [{"part": "valve", "quantity": quantity}]
        with me.world.doing(what):
            await me.post(f"{door}/{what}", {"command_id": command_id(), **moved, "lines": lines})
    (held,) = [
        one for one in (await me.get(f"/stock?depot_id={depot_id}"))["stock"] if one["part"] == "valve"
    ]
    counted = [{"part": "valve", "counted": str(float(held["quantity"]) - 1)}]
    with me.world.doing("take_stock"):
        body = {"command_id": command_id(), "depot_id": depot_id, "reason": "counted", "lines": counted}
        await me.post("/stock_takes", body)
    return True


async def old_parts(me: "Dispatcher") -> bool:
    """What an engineer took from a customer is handed in and thrown away; False while nobody has any."""
    taken = [one for one in (await me.get("/old_parts"))["old_parts"] if one["engineer_id"] is not None]
    depots = (await me.get("/depots"))["depots"]
    if not taken or not depots:
        return False
    door, one = f"/depots/{depots[0]['depot_id']}", taken[0]
    lines = [{"part": one["part"], "quantity": "1"}]
    with me.world.doing("take_old_parts"):
        body = {"command_id": command_id(), "engineer_id": one["engineer_id"], "lines": lines}
        await me.post(f"{door}/old_parts_in", body)
    with me.world.doing("book_out_old_parts"):
        await me.post(f"{door}/old_parts_out", {"command_id": command_id(), "to": "scrapped", "lines": lines})
    return True


#: What happens once, and after how many looks of the dispatcher; tried again until it could.
Happening = Callable[["Dispatcher"], Awaitable[bool]]
ONCE: tuple[tuple[int, Happening], ...] = (
    (2, fill_roster),
    (12, a_delivery),
    (16, old_parts),
    (24, somebody_is_ill),
    (14, a_storm),
)


async def call_back(me: "Dispatcher", ticket_id: str) -> None:
    """The same fault again under warranty: a ticket of its own."""
    body = {"command_id": command_id(), "kind": "warranty_callback"}
    with me.world.doing("follow_up"):
        await me.post(f"/tickets/{ticket_id}/follow_up", body)
