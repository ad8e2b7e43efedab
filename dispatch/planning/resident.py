"""A day kept in memory by the planner process, so that "who, where, at what cost" is answered in microseconds.

No OR-Tools here: what may hang runs in a child of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dispatch.planning.compile import compile_day
from dispatch.planning.draft import load
from dispatch.planning.insertion import price_insertions, prices, put
from dispatch.planning.kernel_edit import take_out
from dispatch.planning.outcome import plan_of, routes_from_plan, settled_draft
from dispatch.planning.reasons import reasons_for
from dispatch.planning.rows import rows_of
from dispatch.planning.scenario import Plan, PlanningError, Route, Scenario

SAME_COST: Final = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """One engineer for one ticket: the stop's index in his route from 0, what the score rises by, when he starts."""

    engineer: str
    position: int
    cost: float
    start_s: int


class ResidentDay:
    """One day with its plan. Not for use from several threads at once."""

    def __init__(self, scenario: Scenario, routes: Sequence[Route] = ()) -> None:
        """Raises PlanningError where the day contradicts itself."""
        self._day = compile_day(scenario)
        self._index = {name: t for t, name in enumerate(self._day.names.tickets)}
        self._draft = settled_draft(self._day, routes_from_plan(self._day, routes))

    def candidates(self, ticket: str, most: int = 10) -> list[Candidate]:
        """Every engineer who can take the ticket, cheapest first; a ticket in a route is priced as if it were open.

        Raises PlanningError `ticket_unknown`.
        """
        t = self._number(ticket)
        routes = rows_of(self._draft) if self._draft.owner[t] >= 0 else None
        if routes is not None:
            take_out(t, self._day.facts, self._draft)
        offers = price_insertions(self._day, self._draft, t, most)
        if routes is not None:
            load(self._day, self._draft, routes)
        names = self._day.names.engineers
        return [Candidate(names[o.engineer], o.row - 1, o.cost, o.start_s) for o in offers]

    def place(self, ticket: str, candidate: Candidate) -> None:
        """Puts the open ticket where the candidate says.

        Raises PlanningError `place_taken` where that no longer holds, `crew_needs_a_plan` for a crew's ticket.
        """
        t = self._number(ticket)
        if self._day.facts.crew[t] > 1:
            raise PlanningError("crew_needs_a_plan", {"ticket": ticket})
        m = self._day.names.engineers.index(candidate.engineer)
        cost, place, _ = prices(self._day, self._draft, t)
        if self._draft.owner[t] >= 0 or place[m] < 0 or abs(float(cost[m]) - candidate.cost) > SAME_COST:
            raise PlanningError("place_taken", {"ticket": ticket, "engineer": candidate.engineer})
        put(self._day, self._draft, t, m, int(place[m]))

    def take(self, ticket: str) -> None:
        """Takes the ticket, and whoever comes with it, out of the plan."""
        take_out(self._number(ticket), self._day.facts, self._draft)

    def why_not(self, ticket: str) -> dict[str, object]:
        """The code and facts of what stands in the way of an open ticket."""
        return reasons_for(self._day, self._draft, self._number(ticket))[0]

    def plan(self) -> Plan:
        return plan_of(self._day, self._draft)

    def _number(self, ticket: str) -> int:
        if ticket not in self._index:
            raise PlanningError("ticket_unknown", {"ticket": ticket})
        return self._index[ticket]
