"""A simulated dispatcher at the board: answers what asks for attention, and takes the turns of stories."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from api.command_line import simulation_many as many
from api.command_line.simulation_stories import Story
from api.command_line.simulation_world import World, command_id
from mobile_contract.simulated_phone import Refused

LOOK_EVERY_S = 1.5  # real seconds
PAGES_MOST = 5
MANY_EVERY = 4  # looks between two at what engineers ask for
#: What people in the demo are left to do themselves before the simulated dispatcher helps, business minutes.
OTHERS_MIN = 20
STALLED_MIN = 90
AGAIN_MIN = 4
HOLD_MIN = 15

Ticket = dict[str, Any]


class Dispatcher:
    """Looks at the board over and over; `world.board` and `world.engineers` are what it saw last."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rnd = world.random_for("dispatcher")
        self.simulated = {each["id"]: each for each in world.cast["engineers"]}
        self._headers: dict[str, str] = {}
        self._not_before: dict[str, Any] = {}
        self._looks = 0
        self._happened: set[many.Happening] = set()
        self._desks: dict[str, dict[str, str]] = {}

    async def live(self) -> None:
        await self.world.keep_going("dispatcher", self._look)

    async def _look(self) -> None:
        if not self._headers:
            self._headers = await self.sign_in(self.world.cast["dispatcher"])
        try:
            await self._read_board()
        except Refused as refusal:
            if refusal.problem.status == 401:
                self._headers = {}
            raise
        for ticket in list(self.world.board.values()):
            number = ticket["ticket_no"]
            if self._not_before.get(number, self.world.now()) > self.world.now():
                continue
            if not await self.world.attempt(self._handle(ticket), "dispatcher"):
                self._not_before[number] = self.world.now() + timedelta(minutes=AGAIN_MIN)
        if self._looks % MANY_EVERY == 0:
            await self.world.attempt(self._many(), "dispatcher")
        self._looks += 1
        await self.world.sleep(LOOK_EVERY_S * self.world.clock.speed)

    async def _many(self) -> None:
        """What engineers ask for is answered; what happens once in a day happens."""
        await many.answer_requests(self)
        for looks, happen in many.ONCE:
            if self._looks >= looks and happen not in self._happened and await happen(self):
                self._happened.add(happen)

    async def sign_in(self, signin_id: str) -> dict[str, str]:
        """The session's token as a header: a header needs no CSRF token, a cookie would."""
        body = {"signin_id": signin_id, "password": self.world.cast["password"]}
        reply = await self.world.send("POST", "/dispatcher/v1/signin", body=body)
        cookie = reply.headers.get("set-cookie", "")
        self.world.http.cookies.clear()
        return {"Authorization": f"Bearer {cookie.partition('=')[2].partition(';')[0]}"}

    async def _read_board(self) -> None:
        found: dict[str, Ticket] = {}
        page: str | None = ""
        for _ in range(PAGES_MOST):
            board = await self.get(f"/board?page={page}" if page else "/board")
            found |= {ticket["ticket_no"]: ticket for ticket in board["tickets"]}
            self.world.engineers = {e["engineer_id"]: e for e in board["engineers"]}
            page = board["next_page"]
            if page is None:
                break
        self.world.board = found

    # one ticket

    async def _handle(self, ticket: Ticket) -> None:
        story = self.world.story_of(ticket["ticket_no"])
        waited = self.world.ago(ticket["updated_at"])
        if story is None and waited < timedelta(minutes=OTHERS_MIN):
            return
        turn = self._attention().get(ticket["attention"])
        if turn is not None:
            await turn(ticket, story)
        elif story is not None:
            await self._take_turns(ticket, story)
        if ticket["status"] == "assigned" and waited > timedelta(minutes=STALLED_MIN):
            await self._assign_best(ticket)

    def _attention(self) -> dict[str, Callable[[Ticket, Story | None], Coroutine[Any, Any, None]]]:
        return {
            "needs_position": self._find_place,
            "manual": self._direct,
            "offers_ran_out": self._assign_by_hand,
            "no_candidate": self._assign_by_hand,
            "not_acknowledged": self._assign_by_hand,
            "contractor_unnamed": self._assign_by_hand,
            "urged": self._calm,
        }

    async def _find_place(self, ticket: Ticket, story: Story | None) -> None:
        """On the map by the address finder; where that is not sure, the customer is asked."""
        places = (await self.get(f"/places?q={quote(ticket['address'][:200])}"))["places"]
        sure = places[0] if places and places[0]["score"] > 0.9 else None
        place = sure or (story.place if story is not None else None)
        if place is None:
            self._wait(ticket, 30)
            return
        site = {"lon": place["lon"], "lat": place["lat"]}
        await self.act(ticket, "amend", site=site, text="已与客户确认位置 Position confirmed")

    async def _direct(self, ticket: Ticket, story: Story | None) -> None:
        """A ticket that waits for a dispatcher's choice."""
        plot = story.plot if story is not None else "plain"
        if plot == "remote":
            await self.act(ticket, "resolve_remotely", text="电话指导后恢复 Solved by phone")
        elif plot == "contractor" and story is not None and story.once("contractor"):
            await self._ask_contractor(ticket)
        elif plot == "preempt" and story is not None and story.once("preempt"):
            await self._pre_empt(ticket, story)
        elif plot == "crew":
            free = [e["engineer_id"] for e in self._on_shift(ticket, trainees=True) if e["status"] == "free"]
            await self._assign_best(ticket, helpers=free)
        else:
            await self._assign_best(ticket)

    async def _assign_by_hand(self, ticket: Ticket, story: Story | None) -> None:
        if ticket["attention"] == "not_acknowledged" and ticket["engineer_id"] not in self.simulated:
            if self.world.ago(ticket["updated_at"]) < timedelta(minutes=OTHERS_MIN):
                return
        await self._assign_best(ticket)

    async def _assign_best(self, ticket: Ticket, helpers: list[str] | None = None) -> None:
        """The best who fits; where nobody does, the one with the fewest broken rules, for a reason."""
        receipt = await self.get(f"/tickets/{ticket['ticket_id']}/candidates")
        known = [
            c for c in receipt["candidates"]
            if c["engineer_id"] in self.simulated and c["engineer_id"] != ticket["engineer_id"]
        ]  # fmt: skip
        hard = {"off_shift", "absent", "inactive", "skill", "trainee"}
        fit = [c for c in known if not hard & {r["rule"] for r in c["refusals"]}]
        if not fit:
            self._wait(ticket, 10)
            return
        best = min(fit, key=lambda c: (len(c["refusals"]), c["score"] if c["score"] is not None else 1e9))
        facts: dict[str, Any] = {"engineer_id": best["engineer_id"]}
        if helpers is not None:
            others = [h for h in helpers if h != best["engineer_id"]]
            trainees = [h for h in others if self.simulated[h]["trainee"]]
            facts["helper_ids"] = [h for h in others if h not in trainees][:1] + trainees[:1]
        if best["refusals"]:
            facts |= {"confirm_broken_rules": True, "reason": "only_one_near"}
        await self.act(ticket, "assign", **facts)

    def _on_shift(self, ticket: Ticket, trainees: bool = False) -> list[dict[str, Any]]:
        """Simulated engineers at work in the ticket's territory; trainees only where they are asked for too."""
        return [
            e for e in self.world.engineers.values()
            if e["on_shift"] and e["engineer_id"] in self.simulated
            and e["territory_id"] == ticket["territory_id"]
            and (trainees or not self.simulated[e["engineer_id"]]["trainee"])
        ]  # fmt: skip

    async def _pre_empt(self, ticket: Ticket, story: Story) -> None:
        """Somebody near is called back from the road for something worse."""
        near = [e for e in self._on_shift(ticket) if e["status"] == "en_route"]
        anywhere = [
            e for e in self.world.engineers.values()
            if e["status"] == "en_route" and e["engineer_id"] in self.simulated
        ]  # fmt: skip
        called = (near or anywhere)[:1]
        if not called:
            story.done.discard("preempt")
            self._wait(ticket, 2)
            return
        elsewhere = next(
            (t for t in self.world.board.values() if t["ticket_id"] == called[0]["ticket_id"]), None
        )
        if elsewhere is not None:
            await self.act(elsewhere, "turn_back", text="有紧急工单，先返回 An urgent one comes first")
        await self.act(
            ticket, "assign", engineer_id=called[0]["engineer_id"], confirm_broken_rules=True,
            reason="emergency",
        )  # fmt: skip

    async def _ask_contractor(self, ticket: Ticket) -> None:
        """An offer to a contractor, whose desk sends one of its people, or says so by phone."""
        lent = [e for e in self._on_shift(ticket) if self.simulated[e["engineer_id"]]["contractor"]]
        if not lent:
            await self._assign_best(ticket)
            return
        engineer = lent[0]["engineer_id"]
        contractor = self.simulated[engineer]["contractor"]
        await self.act(ticket, "offer", engineer_id=contractor)
        desk = next(c["signin_id"] for c in self.world.cast["contractors"] if c["id"] == contractor)
        if desk is None:
            await self.act(ticket, "accept_offer", acting_for=contractor, engineer_id=engineer)
            return
        if not self._desks.get(desk):
            self._desks[desk] = await self.sign_in(desk)
        await self.act(ticket, "accept_offer", headers=self._desks[desk], engineer_id=engineer)

    async def _ring_paper_contractor(self, ticket: Ticket, story: Story) -> None:
        """A contractor without a desk says yes on the phone, and rings back with a name."""
        paper = {c["id"] for c in self.world.cast["contractors"] if c["signin_id"] is None}
        if ticket["status"] == "offered" and story.once("rung"):
            offers = (await self.get(f"/tickets/{ticket['ticket_id']}"))["offers"]
            for offer in offers:
                if offer["status"] == "pending" and offer["contractor_id"] in paper:
                    await self.act(ticket, "accept_offer", acting_for=offer["contractor_id"])
        elif ticket["contractor_id"] in paper and story.plot == "lent" and story.once("rung back"):
            own = [e for e in self.simulated.values() if e["contractor"] == ticket["contractor_id"]]
            facts = {"acting_for": ticket["contractor_id"], "engineer_id": self.rnd.choice(own)["id"]}
            await self.act(ticket, "name_engineer", **facts)

    async def _calm(self, ticket: Ticket, story: Story | None) -> None:
        await self.act(ticket, "note", text="已回电客户，说明进度 Called the customer back")

    async def _take_turns(self, ticket: Ticket, story: Story) -> None:
        """What a story has in store for this ticket at the board."""
        status, plot = ticket["status"], story.plot
        on_the_way = status in ("open", "offered", "assigned")
        if plot == "held" and status == "assigned" and story.once("held"):
            until = self.world.now() + timedelta(minutes=10 * HOLD_MIN)
            words = "客户下午才有空 Customer is out"
            await self.act(ticket, "hold", reason="customer", until=until.isoformat(), text=words)
        elif plot == "held" and status == "on_hold" and self._waited(ticket, HOLD_MIN):
            await self.act(ticket, "resume", text="客户回来了 Customer is back")
        elif plot == "amended" and on_the_way and self._waited(ticket, 1) and story.once("amended"):
            await self.act(ticket, "amend", address=f"{ticket['address']} 后门 (back door)", priority="high",
                           text="客户更正地址 Address corrected")  # fmt: skip
        elif plot == "twin" and story.twin_of and status != "cancelled" and story.once("twin"):
            await self.act(ticket, "mark_duplicate", duplicate_of=story.twin_of)
        elif plot == "dispatcher_cancels" and on_the_way and self._waited(ticket, 4):
            await self.act(ticket, "cancel", reason="not_covered", text="不在服务范围 Not covered")
        elif plot in ("lent", "unnamed") and not ticket["engineer_id"] and self._waited(ticket, 3):
            await self._ring_paper_contractor(ticket, story)
        elif plot == "proof" and status == "awaiting_acceptance" and self._waited(ticket, 6):
            await self.act(ticket, "sign_off", text="客户电话确认 Customer confirmed by phone")

    def _waited(self, ticket: Ticket, minutes: float) -> bool:
        return self.world.ago(ticket["updated_at"]) >= timedelta(minutes=minutes)

    def _wait(self, ticket: Ticket, minutes: float) -> None:
        self._not_before[ticket["ticket_no"]] = self.world.now() + timedelta(minutes=minutes)

    # the wire

    async def get(self, path: str) -> Any:
        return await self.world.ask("GET", f"/dispatcher/v1{path}", self._headers)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return await self.world.ask("POST", f"/dispatcher/v1{path}", self._headers, body)

    async def customer_link(self, ticket_id: str) -> str | None:
        """The customer's door to a ticket whose making this process has not seen."""
        if not self._headers:
            return None
        view = await self.get(f"/tickets/{ticket_id}")
        link: str | None = view["customer_link"]
        return link

    async def name_machines(self, ticket_id: str, number: int) -> None:
        """Two machines, not one: the customer said so on the way."""
        if not self._headers:
            return
        ids = []
        for each in (number, number + 1):
            name = {"zh": f"示例设备 {each}", "en": f"Demo machine {each}"}
            body = {"kind": "machine", "serial": f"M{each:08d}", "name": name}
            found = await self.world.ask("POST", "/dispatcher/v1/assets", self._headers, body)
            ids.append(found["asset_id"])
        path = f"/dispatcher/v1/tickets/{ticket_id}/machines"
        with self.world.doing("machines"):
            await self.world.ask("PUT", path, self._headers, {"asset_ids": ids})

    async def accept_as_manager(self, ticket_id: str) -> bool:
        """A property manager's page, all that waits there accepted at once; False where there is none."""
        if not self._headers:
            return False
        path = f"/dispatcher/v1/tickets/{ticket_id}/manager_link"
        made = await self.world.ask("POST", path, self._headers)
        form = {"command_id": command_id(), "action": "sign_off", "ticket_id": ticket_id}
        token = made["url"].rpartition("/")[2]
        reply = await self.world.http.post(
            f"{self.world.url}/m/{token}", data=form, files={"photos": ("", b"")}
        )
        return reply.status_code == 303

    async def create(self, body: dict[str, Any]) -> Any:
        return await self.world.ask("POST", "/dispatcher/v1/tickets", self._headers, body)

    @property
    def at_desk(self) -> bool:
        return bool(self._headers)

    async def act(
        self, ticket: Ticket, action: str, headers: dict[str, str] | None = None, **facts: Any
    ) -> None:
        body = {"command_id": command_id(), "action": action, "facts": facts}
        path = f"/dispatcher/v1/tickets/{ticket['ticket_id']}/actions"
        with self.world.doing(action):
            await self.world.ask("POST", path, headers or self._headers, body)
