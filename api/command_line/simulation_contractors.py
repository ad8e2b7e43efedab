"""Simulated contractors' desks: each takes work at once, says after a while who comes, and gives one back."""

from typing import Any

from api.command_line.simulation_dispatcher import Dispatcher
from api.command_line.simulation_world import World, command_id

LOOK_EVERY_S = 120.0  # business seconds
NAMES_AFTER_S = (240.0, 700.0)
"""How long the desk asks around before it names somebody; the demo's deadline is twenty minutes."""
GIVES_BACK = 2
"""Which of its tickets a desk finds nobody for."""


class Desk:
    """One contractor's dispatcher at its own page."""

    def __init__(self, world: World, dispatcher: Dispatcher, signin_id: str) -> None:
        self.world = world
        self.dispatcher = dispatcher
        self.name = signin_id
        self.rnd = world.random_for(signin_id)
        self._headers: dict[str, str] = {}
        self._looked_after: set[tuple[str, str]] = set()
        self._asked_around = 0

    async def live(self) -> None:
        await self.world.keep_going(self.name, self._look)

    async def _look(self) -> None:
        if not self._headers:
            self._headers = await self.dispatcher.sign_in(self.name)
        work = await self.world.ask("GET", "/dispatcher/v1/contractor", self._headers)
        for ticket in work["tickets"]:
            turn = "name" if ticket["offer_id"] is None else ticket["offer_id"]
            key = (ticket["ticket_id"], turn)
            if (
                ticket["engineer_id"] is not None
                or key in self._looked_after
                or not ticket["allowed_actions"]
            ):
                continue
            self._looked_after.add(key)
            if turn != "name":
                await self.world.attempt(self._act(ticket, "accept_offer"), self.name)
            elif not self.world.tells(ticket["ticket_no"], "unnamed"):
                self.world.spawn(self._name(ticket, work["engineers"]), self.name)
        await self.world.sleep(LOOK_EVERY_S)

    async def _name(self, ticket: dict[str, Any], engineers: list[dict[str, Any]]) -> None:
        await self.world.sleep(self.rnd.uniform(*NAMES_AFTER_S))
        self._asked_around += 1
        if self._asked_around == GIVES_BACK:
            await self._act(ticket, "hand_back", reason="overloaded")
        elif engineers:
            engineer = self.rnd.choice(engineers)
            await self._act(ticket, "name_engineer", engineer_id=engineer["engineer_id"])

    async def _act(self, ticket: dict[str, Any], action: str, **facts: Any) -> None:
        body = {"command_id": command_id(), "action": action, "facts": facts}
        path = f"/dispatcher/v1/tickets/{ticket['ticket_id']}/actions"
        with self.world.doing(action):
            await self.world.ask("POST", path, self._headers, body)
