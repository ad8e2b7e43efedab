"""Simulated engineers: each a real client of the mobile contract, over HTTP only."""

import asyncio
import math
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.command_line.simulation_visits import visit
from api.command_line.simulation_world import World
from mobile_contract import v1
from mobile_contract.simulated_phone import SimulatedPhone, uuid7

POLL_S = 15.0  # real seconds: truth is pulled even when nothing was told
PULL_GAP_S = 0.8  # real seconds between two pulls, however often the bell rings
IDLE_POSITION_S = 900.0
DRIVING_POSITION_S = 60.0
LEAST_BEAT_S = 1.0  # real seconds between two batches of positions
SPEED_MPS = 32 / 3.6 / 1.3
MOST_OPEN = 4
METRES_PER_DEGREE = 111_195.0
#: Who asks the dispatchers for what when the day begins.
ASKING = {"e02": "overtime", "e05": "leave", "e11": "overtime", "e13": "leave"}


class Engineer:
    """One engineer: an inbox that answers, and two hands that do one visit after the other."""

    def __init__(self, world: World, signin_id: str, contractor: str | None) -> None:
        self.world = world
        self.contractor = contractor
        self.rnd = world.random_for(signin_id)
        self.phone = SimulatedPhone(
            world.url, signin_id, world.cast["password"], world.now, world.http,
            on_trouble=world.trouble, turn=world.turn,
        )  # fmt: skip
        self.name = signin_id
        self.today: v1.Today | None = None
        self.at: tuple[float, float] | None = None
        self.left: set[UUID] = set()
        self._bell = asyncio.Event()
        self._changed = asyncio.Event()
        self._answered: set[UUID] = set()
        self._positions_from = world.now()

    async def live(self, start_after_s: float) -> None:
        """A working life: never ends."""
        await asyncio.sleep(start_after_s)
        while not await self.world.attempt(self._sign_in(), self.name):
            await asyncio.sleep(2)
        if self.name in ASKING:
            await self.world.attempt(self._ask_for_hours(), self.name)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.world.keep_going(self.name, self._inbox))
            group.create_task(self.world.keep_going(self.name, self._hands))
            group.create_task(self._listen())
            group.create_task(self._hear_pushes())

    async def _ask_for_hours(self) -> None:
        """Overtime tomorrow, or a day off in some weeks."""
        now = self.world.now()
        if ASKING[self.name] == "leave":
            starts_at = now + timedelta(days=20)
            await self.ask("leave", starts_at=starts_at, ends_at=starts_at + timedelta(hours=10))
        else:
            await self.ask("overtime", day=(now + timedelta(days=1)).date(), minutes=60)

    async def ask(self, kind: Any, **facts: Any) -> None:
        """Something of the dispatchers."""
        with self.world.doing("ask_request"):
            await self.phone.ask(v1.RequestWanted(command_id=uuid7(), kind=kind, **facts))

    async def is_unanswered(self, ticket_id: UUID) -> bool:
        """Whether something asked for at this ticket is still open."""
        asked = (await self.phone.requests()).requests
        return any(one.status == "open" and one.ticket_id == ticket_id for one in asked)

    async def _sign_in(self) -> None:
        await self.phone.sign_in()
        await self.phone.register_push(self.target)
        await self.pull()

    @property
    def target(self) -> str:
        return f"demo-phone-{self.name}"

    async def _listen(self) -> None:
        while True:
            with suppress(Exception):
                async for _ in self.phone.live():
                    self._bell.set()
            await asyncio.sleep(1)

    async def _hear_pushes(self) -> None:
        while True:
            async for push in self.phone.pushes(self.world.push_url, self.target):
                self._bell.set()
                if push.offer_id is not None and push.type == "offer":
                    await self.world.attempt(self.phone.acknowledge_push(push.offer_id), self.name)
            await asyncio.sleep(2)

    # what the phone shows

    async def pull(self) -> v1.Today:
        return self.take(await self.phone.today())

    def take(self, today: v1.Today) -> v1.Today:
        """The newest picture of the day; an older one that comes late is ignored."""
        if self.today is None or today.as_of_seq >= self.today.as_of_seq:
            self.today = today
            self._changed.set()
            self._changed = asyncio.Event()
        return self.today

    def card(self, ticket_id: UUID) -> v1.TicketCard | None:
        assert self.today is not None
        return next((card for card in self.today.tickets if card.ticket_id == ticket_id), None)

    async def act(self, card: Any, action: str, **facts: Any) -> v1.ActionReply:
        """One tap; the reply's picture of the day is taken over."""
        with self.world.doing(action):
            reply = await self.phone.act(card.ticket_id, action, v1.ActionFacts(**facts))
        self.take(reply.today)
        return reply

    # inbox

    async def _inbox(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), POLL_S)
        self._bell.clear()
        began = time.monotonic()
        today = await self.pull()
        for offer in today.offers:
            if offer.offer_id is not None and offer.offer_id not in self._answered:
                self._answered.add(offer.offer_id)
                self.world.spawn(self._answer(offer), self.name)
        for card in today.tickets:
            if card.status == "assigned" and not card.acknowledged and card.role == "lead":
                if card.visit_id not in self._answered:
                    self._answered.add(card.visit_id)
                    self.world.spawn(self._acknowledge(card), self.name)
        if today.pool_count and today.engineer.on_shift and len(today.tickets) < MOST_OPEN - 2:
            await self._look_into_pool()
        await asyncio.sleep(max(0.0, PULL_GAP_S - (time.monotonic() - began)))

    async def _answer(self, offer: v1.OfferCard) -> None:
        """Thinks for a while, then accepts, declines, or lets it pass."""
        assert offer.offer_id is not None
        assert self.today is not None
        story = self.world.story_of(offer.ticket_no)
        if story is not None and story.turns("ignored"):
            return
        await self.world.sleep(self.rnd.uniform(20, 120))
        if offer.kind == "hand_over":
            await self.act(offer, "accept_hand_over", offer_id=offer.offer_id)
            return
        busy = len(self.today.tickets) >= MOST_OPEN or not self.today.engineer.on_shift
        unwilling = story is None and self.rnd.random() < 0.1
        if story is not None and (story.plot == "ran_out" or story.turns("declined")):
            unwilling = True
        if busy or unwilling:
            reason = "busy" if busy else self.rnd.choice(("too_far", "no_part", "busy"))
            await self.act(offer, "decline_offer", offer_id=offer.offer_id, reason=reason)
        else:
            await self.act(offer, "accept_offer", offer_id=offer.offer_id)

    async def _acknowledge(self, card: v1.TicketCard) -> None:
        if self.world.tells(card.ticket_no, "unseen"):
            return
        await self.world.sleep(self.rnd.uniform(20, 90))
        await self.act(card, "acknowledge")

    async def _look_into_pool(self) -> None:
        """Grabs the nearest ticket of the pool, as others may do at the same moment."""
        found = await self.phone.pool()
        free = [t for t in found.tickets if self._may_take(t) and t.ticket_id not in self._answered]
        for ticket in sorted(free, key=lambda t: (t.distance_m or 0, t.ticket_no))[:1]:
            self._answered.add(ticket.ticket_id)
            self.world.spawn(self._grab(ticket), self.name)

    async def _grab(self, ticket: v1.OfferCard) -> None:
        await self.world.sleep(self.rnd.uniform(30, 90))
        await self.act(ticket, "grab")

    def _may_take(self, ticket: v1.OfferCard) -> bool:
        """Nobody wants some tickets until they are asked."""
        story = self.world.story_of(ticket.ticket_no)
        return story is None or story.plot != "unclaimed"

    # hands

    async def _hands(self) -> None:
        """The next visit, one after the other; without one, being somewhere."""
        assert self.today is not None
        card = self._next_card(self.today)
        if card is not None:
            await visit(self, card)
            return
        silent_s = (self.world.now() - self._positions_from).total_seconds()
        if self.at is not None and silent_s > IDLE_POSITION_S:
            await self._tell_position([self.reading(15)])
        await self.wait_for_change(POLL_S)

    def _next_card(self, today: v1.Today) -> v1.TicketCard | None:
        """What is under way first, then the urgent, then by window; what lies ahead waits."""
        soon = self.world.now() + timedelta(minutes=15)
        order = {"on_site": 0, "en_route": 1, "assigned": 2}
        urgency = ("urgent", "high", "normal", "low")

        def rank(card: v1.TicketCard) -> tuple[int, int, UUID]:
            return order[card.status], urgency.index(card.priority), card.ticket_id

        mine = [
            card
            for card in today.tickets
            if card.status in order
            and card.visit_id not in self.left
            and (card.role == "lead" or card.status != "assigned")
            and (card.status != "assigned" or card.window is None or card.window.start <= soon)
            and (card.status != "assigned" or card.acknowledged or card.role != "lead")
        ]
        return min(mine, key=rank, default=None)

    async def wait_for_change(self, most_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), most_s)

    async def stay(self, ticket_id: UUID, statuses: Collection[str], business_s: float) -> bool:
        """Waits; False as soon as the ticket is no longer mine in one of these statuses."""
        end = time.monotonic() + self.world.clock.real_s(business_s)
        while True:
            card = self.card(ticket_id)
            if card is None or card.status not in statuses:
                return False
            left = end - time.monotonic()
            if left <= 0:
                return True
            await self.wait_for_change(left)

    # where the engineer is

    async def drive(self, card: v1.TicketCard, share: float = 1.0) -> bool:
        """Straight towards the site with a shaky hand, telling positions; False when called off."""
        if card.site is None:
            return await self.stay(card.ticket_id, ("en_route", "on_site"), 300)
        goal = (card.site.lon, card.site.lat)
        start = self.at or (goal[0] + 0.02, goal[1] + 0.01)
        distance_m = metres(start, goal)
        total_s = 60 + share * distance_m / SPEED_MPS
        beat_s = max(DRIVING_POSITION_S, LEAST_BEAT_S * self.world.clock.speed)
        gone_s = 0.0
        while gone_s < total_s:
            if not await self.stay(card.ticket_id, ("en_route", "on_site"), min(beat_s, total_s)):
                return False
            gone_s += beat_s
            done = min(1.0, gone_s / total_s) * share
            self.at = (
                start[0] + (goal[0] - start[0]) * done + self.rnd.gauss(0, 0.0001),
                start[1] + (goal[1] - start[1]) * done + self.rnd.gauss(0, 0.0001),
            )
            await self._tell_position([self.reading(12, SPEED_MPS)])
        return True

    async def _tell_position(self, readings: list[v1.PositionReading]) -> None:
        self._positions_from = self.world.now()
        await self.phone.send_positions(readings)

    def reading(self, accuracy_m: float, speed_mps: float | None = None) -> v1.PositionReading:
        """Where the phone says it is now."""
        assert self.at is not None
        return v1.PositionReading(
            lon=self.at[0], lat=self.at[1], accuracy_m=accuracy_m, at=self.world.now(), speed_mps=speed_mps
        )


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Metres between two (lon, lat) of one city, flat: good to a percent."""
    east = (b[0] - a[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, b[1] - a[1]) * METRES_PER_DEGREE
