"""Simulated customers and the systems behind them: they ask for repairs, and answer by their links."""

import asyncio
from datetime import timedelta
from typing import Any

from api.command_line.simulation_dispatcher import Dispatcher
from api.command_line.simulation_many import call_back
from api.command_line.simulation_pictures import site_photo
from api.command_line.simulation_stories import (
    COMPLAINT,
    PLOTS,
    PRAISE,
    UNFINDABLE,
    Story,
    fault,
    tell,
)
from api.command_line.simulation_world import ZONE, World, command_id
from mobile_contract.simulated_phone import uuid7

#: Tickets an hour at each local hour of the day.
PER_HOUR = (2, 1, 1, 1, 1, 2, 6, 18, 36, 48, 45, 36, 22, 28, 40, 40, 34, 26, 18, 14, 12, 8, 5, 3)
OPENING_EVERY_S = 40.0  # business seconds between the first ones
MOST_OPEN = 80
WORKING = ("open", "offered", "assigned", "en_route", "on_site", "on_hold")
LOOK_EVERY_S = 1.0  # real seconds


class TicketSource:
    """Repairs asked for by another system, at the dispatcher's desk, or in the customer's own form."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world = world
        self.dispatcher = dispatcher
        self.rnd = world.random_for("source")
        self._stories = tell(self.rnd, world.places)
        self._number = 0

    async def live(self) -> None:
        """The opening's stories first, then the day's curve; never more than MOST_OPEN at work."""
        while True:
            if sum(t["status"] in WORKING for t in self.world.board.values()) < MOST_OPEN:
                await self.world.attempt(self.next_one(), "source")
            if self._number <= len(PLOTS):
                await self.world.sleep(OPENING_EVERY_S)
            else:
                hour = self.world.now().astimezone(ZONE).hour
                await self.world.sleep(self.rnd.expovariate(PER_HOUR[hour] / 3600))

    async def next_one(self) -> None:
        story = next(self._stories)
        self._number += 1
        made = await self.create(story)
        if story.plot == "twin":
            again = Story("twin", story.work_type, story.place, story.language, "api")
            again.twin_of = made["ticket_id"]
            await self.create(again)

    async def create(self, story: Story) -> dict[str, Any]:
        """Sends it through its channel, and remembers the story by its number."""
        if story.channel == "dispatcher" and not self.dispatcher.at_desk:
            story.channel = "api"
        body = self._body(story)
        if story.channel == "form":
            made = await self._by_form(story, body)
        elif story.channel == "dispatcher":
            made = await self.dispatcher.create(body)
        else:
            headers = {"Authorization": f"Bearer {self.world.cast['key']}"}
            made = await self.world.ask("POST", "/api/v1/tickets", headers, body)
        self.world.acted["create"] += 1
        story.ticket_no, story.ticket_id = made["ticket_no"], made.get("ticket_id")
        story.link = made["customer_link"]
        self.world.stories[story.ticket_no] = story
        return dict(made)

    def _body(self, story: Story) -> dict[str, Any]:
        place, language, rnd = story.place, story.language, self.rnd
        name = f"{'示例客户' if language == 'zh' else 'Demo Customer'} {rnd.randrange(1, 400)}"
        body: dict[str, Any] = {
            "command_id": command_id(),
            "work_type": story.work_type,
            "description": fault(rnd, story),
            "address": place[language],
            "door": f"{rnd.randrange(1, 9)}-{rnd.randrange(1, 30):02d}01",
            "contact_name": name,
            "contact_phone": f"139{rnd.randrange(10**8):08d}",
            "language": language,
        }
        if story.channel == "form":
            return body
        if story.plot == "no_place":
            body["address"] = UNFINDABLE[language]
        else:
            body["site"] = {"lon": place["lon"], "lat": place["lat"]}
        urgent = story.work_type == "lift_stopped" or story.plot == "preempt"
        body["priority"] = "urgent" if urgent else rnd.choices(("normal", "high", "low"), (80, 12, 8))[0]
        body["due_at"] = (self.world.now() + timedelta(hours=4)).isoformat()
        return body

    async def _by_form(self, story: Story, body: dict[str, Any]) -> dict[str, Any]:
        """The public form, and a photo by the link that comes back."""
        path = f"/customer/v1/{self.world.cast['slug']}/tickets"
        made = await self.world.ask("POST", path, body=body)
        if self.rnd.random() < 0.5:
            headers = {"Authorization": f"Bearer {made['customer_link'].rpartition('/')[2]}"}
            photo = site_photo(self.rnd.getrandbits(32))
            path = f"/customer/v1/photos/{uuid7()}?kind=intake"
            await self.world.attempt(self.world.ask("PUT", path, headers, content=photo), "customer")
        return dict(made)


class Customers:
    """Every ticket's customer. They are told by what the board shows, and act by their own link."""

    def __init__(self, world: World, dispatcher: Dispatcher) -> None:
        self.world = world
        self.dispatcher = dispatcher
        self.rnd = world.random_for("customers")
        self._told: dict[str, tuple[str, str]] = {}
        self._managers = 0

    async def live(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for ticket in list(self.world.board.values()):
                number, version = ticket["ticket_no"], (ticket["status"], str(ticket["visit_id"]))
                if self._told.get(number) != version:
                    self._told[number] = version
                    self.world.spawn(self._react(ticket), "customer")
            if len(self._told) > 5_000:
                self._told = {n: v for n, v in self._told.items() if n in self.world.board}

    async def _react(self, ticket: dict[str, Any]) -> None:
        """To a ticket that has just come to a status."""
        story = self.world.story_of(ticket["ticket_no"])
        status = ticket["status"]
        if status == "awaiting_acceptance":
            await self._accept(ticket, story)
        elif status == "on_site":
            await self._answer_quote(ticket, story)
        elif status == "en_route" and self.rnd.random() < 0.15:
            await self.dispatcher.name_machines(ticket["ticket_id"], self.rnd.getrandbits(24))
        elif story is not None and status in ("open", "offered", "assigned"):
            await self._press(ticket, story)

    async def _press(self, ticket: dict[str, Any], story: Story) -> None:
        """Chases, moves or calls off."""
        if story.plot not in ("urged", "rebooked", "customer_cancels") or not story.once(story.plot):
            return
        await self.world.sleep(self.rnd.uniform(30, 100) if story.plot != "urged" else 10)
        if story.plot == "urged":
            await self._act(story.link, "urge", text="什么时候能来？ When will somebody come?")
        elif story.plot == "rebooked":
            start = self.world.now() + timedelta(minutes=self.rnd.randrange(5, 20))
            await self._act(
                story.link, "rebook", window_from=start.isoformat(),
                window_to=(start + timedelta(hours=2)).isoformat(),
            )  # fmt: skip
        else:
            await self._act(story.link, "cancel", reason="no_longer_needed")

    async def _answer_quote(self, ticket: dict[str, Any], story: Story | None) -> None:
        """Looks at the link now and then while somebody works; a price gets a yes or a no."""
        link = await self._link(ticket, story)
        while link and self._status(ticket) == "on_site":
            await self.world.sleep(300)
            seen = await self._read(link)
            if "approve_quote" in seen["allowed_actions"]:
                no = story.plot == "quote_no" if story is not None else self.rnd.random() < 0.2
                await self._act(link, "refuse_quote" if no else "approve_quote")
                return

    async def _accept(self, ticket: dict[str, Any], story: Story | None) -> None:
        """Signs off, sends back, or says nothing and lets the days pass."""
        plot = story.plot if story is not None else "plain"
        silent = plot in ("silent", "proof") or (plot == "plain" and self.rnd.random() < 0.15)
        since = self.world.ago(ticket["updated_at"])
        if (silent and since < timedelta(hours=2)) or since > timedelta(hours=12):
            return  # who has said nothing since yesterday says nothing today
        await self.world.sleep(self.rnd.uniform(120, 500) + 400 * (plot == "witnessed"))
        link = await self._link(ticket, story)
        if link is None or self._status(ticket) != "awaiting_acceptance":
            return
        seen = await self._read(link)
        language = seen["language"]
        if story is not None and story.turns("rejected"):
            photo = str(uuid7())
            picture = site_photo(self.rnd.getrandbits(32))
            path = f"/customer/v1/photos/{photo}?kind=reject"
            await self.world.ask("PUT", path, self._door(link), content=picture)
            await self._act(link, "reject", reason="not_fixed", text=COMPLAINT[language], photo_ids=[photo])
            return
        if story is None or story.plot == "plain":
            if (not self._managers or self.rnd.random() < 0.1) and await self.dispatcher.accept_as_manager(
                ticket["ticket_id"]
            ):
                self._managers += 1
                return
        rating = self.rnd.choices((5, 4, 3, 2), (60, 28, 9, 3))[0]
        words = self.rnd.choice(PRAISE[language]) if rating > 3 else None
        await self._act(link, "sign_off", rating=rating, text=words)
        if self.rnd.random() < 0.15:
            await self.world.send("GET", f"/c/{link.rpartition('/')[2]}/certificate.pdf")
        if story is not None and story.turns("reopened"):
            await self.world.sleep(self.rnd.uniform(200, 400))
            await self._act(link, "reopen", reason="fault_returned", text=COMPLAINT[language])
        elif story is not None and story.turns("called_back"):
            await call_back(self.dispatcher, ticket["ticket_id"])

    # the link

    def _status(self, ticket: dict[str, Any]) -> str | None:
        now = self.world.board.get(ticket["ticket_no"])
        return now["status"] if now else None

    async def _link(self, ticket: dict[str, Any], story: Story | None) -> str | None:
        if story is not None:
            return story.link
        return await self.dispatcher.customer_link(ticket["ticket_id"])

    @staticmethod
    def _door(link: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {(link or '').rpartition('/')[2]}"}

    async def _read(self, link: str) -> Any:
        return await self.world.ask("GET", "/customer/v1/ticket", self._door(link))

    async def _act(self, link: str | None, action: str, **facts: Any) -> None:
        kept = {name: value for name, value in facts.items() if value is not None}
        body = {"command_id": command_id(), "action": action, "facts": kept}
        with self.world.doing(action):
            await self.world.ask("POST", "/customer/v1/actions", self._door(link), body)
