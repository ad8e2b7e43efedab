"""The CP-SAT model of a few routes: one circuit each, optional visits, breaks where one stands, crews that meet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, Final

from dispatch.planning import layout as col
from dispatch.planning.compile import Day
from dispatch.planning.compile_travel import between_s
from dispatch.planning.kernel_types import Draft
from dispatch.planning.scenario import SECONDS_LIMIT

SCALE: Final = 1000  # prices in whole thousandths


@dataclass(frozen=True, slots=True)
class Answer:
    """Nodes in order by engineer, breaks included, and whether nothing better exists."""

    rows: dict[int, list[int]]
    proven: bool


class Model:
    """`visits` are nodes, crews' further members among them, that `team` may serve."""

    def __init__(self, day: Day, draft: Draft, team: Sequence[int], visits: Sequence[int]) -> None:
        from ortools.sat.python import cp_model

        self.cp = cp_model
        self.model: Any = cp_model.CpModel()
        self.day, self.draft, self.team, self.visits = day, draft, team, visits
        self.rests = day.names.rests
        self.begin = min(int(day.facts.engineer[m, col.SHIFT_FROM]) for m in team)
        self.last = max(int(day.facts.engineer[m, col.LAST_END]) for m in team)
        self.start = {x: self._start_variable(x) for x in visits}
        self.serves = {
            (m, x): self.model.new_bool_var(f"{m}serves{x}") for x in visits for m in team if self._may(m, x)
        }
        self.open = {x: self.model.new_bool_var(f"open{x}") for x in visits}
        for x in visits:
            self.model.add_exactly_one(
                [self.open[x], *(self.serves[m, x] for m in team if (m, x) in self.serves)]
            )
        self.taken: dict[tuple[int, int], Any] = {}  # (break, visit or -1 for at home)
        self.used: dict[int, list[tuple[int, int, Any, int]]] = {}  # (from, to, used, seconds), -1 is home
        self.finish: dict[int, Any] = {}
        self.idle: dict[int, Any] = {}
        for m in team:
            self._route(m)
        self._crews()
        self.model.minimize(sum(self._prices()))

    def solve(self, seconds: float, seed: int) -> Answer | None:
        """None where nothing was found in time."""
        self._hint()
        solver = self.cp.CpSolver()
        solver.parameters.num_workers, solver.parameters.random_seed = 1, seed
        solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(self.model)
        if status not in (self.cp.OPTIMAL, self.cp.FEASIBLE):
            return None
        return Answer({m: self._row(solver, m) for m in self.team}, status == self.cp.OPTIMAL)

    def _row(self, solver: Any, m: int) -> list[int]:
        follows = {i: j for i, j, used, _ in self.used[m] if solver.value(used)}
        if solver.value(self.idle[m]):
            return list(self.rests[m])
        row: list[int] = []
        here = -1
        while True:
            row += [r for r in self.rests[m] if solver.value(self.taken[r, here])]
            here = follows[here]
            if here < 0:
                return row
            row.append(here)

    def _may(self, m: int, x: int) -> bool:
        """Whether engineer `m` may be that member of the crew: skills, exclusions and his tools."""
        facts = self.day.facts
        lead = int(facts.node[x, col.LEAD])
        able = self.day.able[m, lead] if x == lead else facts.may_help[m, lead]
        return bool(able) and not (facts.lack.size and facts.lack[m, x])

    def _start_variable(self, x: int) -> Any:
        low = max(self.begin, int(self.day.facts.node[x, col.EARLIEST]))
        return self.model.new_int_var(
            low, max(low, min(self.last, int(self.day.facts.node[x, col.LATEST]))), f"start{x}"
        )

    def _route(self, m: int) -> None:
        """A round trip of engineer `m` over what he serves, within his shift and overtime, with each of his breaks."""
        facts, model = self.day.facts, self.model
        mine = [x for x in self.visits if (m, x) in self.serves]
        begin, last = int(facts.engineer[m, col.SHIFT_FROM]), int(facts.engineer[m, col.LAST_END])
        idle = self.idle[m] = model.new_bool_var(f"idle{m}")
        finish = self.finish[m] = model.new_int_var(begin, max(begin, last), f"finish{m}")
        leave = self._breaks(m, mine, begin, last, idle)
        number = {-1: 0} | {x: k for k, x in enumerate(mine, 1)}
        homes = facts.engineer[m, [col.START_NODE, col.END_NODE]]
        mode, arcs = int(facts.engineer[m, col.MODE]), []
        circuit = [(0, 0, idle)] + [(number[x], number[x], ~self.serves[m, x]) for x in mine]
        for i in (-1, *mine):
            for j in (-1, *mine):
                if i == j:
                    continue
                sites = (
                    facts.node[homes[0] if i < 0 else i, col.SITE],
                    facts.node[homes[1] if j < 0 else j, col.SITE],
                )
                leg = between_s(mode, 0, int(sites[0]), int(sites[1]), facts.drive, facts.ball)
                used = model.new_bool_var(f"{m}drives{i}to{j}")
                model.add((finish if j < 0 else self.start[j]) >= leave[i] + leg).only_enforce_if(used)
                arcs.append((i, j, used, leg))
                circuit.append((number[i], number[j], used))
        model.add_circuit(circuit)
        self.used[m] = arcs
        count = sum(self.serves[m, x] for x in mine)
        model.add(count <= int(facts.engineer[m, col.MAX_VISITS]))
        for part in range(facts.stock.shape[1]):
            needed = sum(self.serves[m, x] * int(facts.need[x, part]) for x in mine)
            model.add(needed <= int(facts.stock[m, part]))

    def _breaks(self, m: int, mine: list[int], begin: int, last: int, idle: Any) -> dict[int, Any]:
        """When the engineer leaves each visit, and home (-1), after the breaks taken there."""
        facts, model = self.day.facts, self.model
        ends = {-1: begin} | {x: self.start[x] + int(facts.node[x, col.DURATION]) for x in mine}
        if not self.rests[m]:
            return ends
        top = max(last, *(begin, *(int(facts.node[x, col.LATEST]) for x in self.rests[m])))
        rest = {
            r: model.new_int_var(
                max(begin, int(facts.node[r, col.EARLIEST])),
                max(begin, int(facts.node[r, col.EARLIEST]), int(facts.node[r, col.LATEST])),
                f"rest{r}",
            )
            for r in self.rests[m]
        }
        leave = {i: model.new_int_var(begin, top + SECONDS_LIMIT, f"{m}leaves{i}") for i in ends}
        for i, end in ends.items():
            model.add(leave[i] >= end)
            for r in self.rests[m]:
                taken = self.taken[r, i] = model.new_bool_var(f"rest{r}at{i}")
                if i >= 0:
                    model.add_implication(taken, self.serves[m, i])
                model.add(rest[r] >= end).only_enforce_if(taken)
                model.add(leave[i] >= rest[r] + int(facts.node[r, col.DURATION])).only_enforce_if(taken)
        for r in self.rests[m]:
            model.add_exactly_one([idle, *(self.taken[r, i] for i in ends)])
        for earlier, later in pairwise(self.rests[m]):
            model.add(rest[later] >= rest[earlier] + int(facts.node[earlier, col.DURATION])).only_enforce_if(
                ~idle
            )
        return leave

    def _crews(self) -> None:
        """All members of a crew or none, at one start, each another engineer."""
        facts = self.day.facts
        for x in self.visits:
            crew = [x, *(int(h) for h in facts.helpers[x] if h >= 0)] if x < facts.crew.shape[0] else [x]
            for one, other in combinations(crew, 2):
                self.model.add(self.open[one] == self.open[other])
                self.model.add(self.start[one] == self.start[other])
                for m in self.team:
                    if (m, one) in self.serves and (m, other) in self.serves:
                        self.model.add_at_most_one([self.serves[m, one], self.serves[m, other]])

    def _prices(self) -> list[Any]:
        """Every part of the objective that these routes can change, in thousandths."""
        facts, terms = self.day.facts, []
        for m in self.team:
            per_s, over_s = (round(float(rate) * SCALE) for rate in facts.rate[m])
            terms += [used * (leg * per_s) for _, _, used, leg in self.used[m]]
            over = self.model.new_int_var(0, SECONDS_LIMIT, f"over{m}")
            self.model.add(over >= self.finish[m] - int(facts.engineer[m, col.SHIFT_TO]))
            terms.append(over * over_s)
        for x in self.visits:
            if x < facts.crew.shape[0]:
                terms.append(self.open[x] * round(float(facts.price[x, col.UNSERVED]) * SCALE))
            if facts.node[x, col.DUE] < col.FAR:
                late = self.model.new_int_var(0, SECONDS_LIMIT, f"late{x}")
                due = self.start[x] - int(facts.node[x, col.DUE])
                self.model.add(late >= due).only_enforce_if(~self.open[x])
                terms.append(late * round(float(facts.price[x, col.LATE]) * SCALE))
        if facts.bias.size:
            terms += [s * round(float(facts.bias[m, x]) * SCALE) for (m, x), s in self.serves.items()]
        return terms + self._spread()

    def _spread(self) -> list[Any]:
        """The workload spread of everybody: who is not in the team works as before, but the mean moves."""
        facts = self.day.facts
        if facts.spread == 0:
            return []
        team = [m for m in range(facts.engineer.shape[0]) if facts.engineer[m, col.ON_SHIFT]]
        work: dict[int, Any] = {m: int(self.draft.work[m]) for m in team}
        for m in set(team) & set(self.team):
            drives = sum(used * leg for _, _, used, leg in self.used[m])
            serving = [(s, int(facts.node[x, col.DURATION])) for (n, x), s in self.serves.items() if n == m]
            work[m] = drives + sum(s * duration for s, duration in serving)
        total, terms = sum(work.values()), []
        for m in team:
            away = self.model.new_int_var(0, SECONDS_LIMIT * len(team), f"away{m}")
            self.model.add(away >= work[m] * len(team) - total)
            self.model.add(away >= total - work[m] * len(team))
            terms.append(away * max(1, round(facts.spread / len(team) * SCALE)))
        return terms

    def _hint(self) -> None:
        """The routes as they stand, to begin from."""
        for (m, x), serves in self.serves.items():
            self.model.add_hint(serves, int(self.draft.owner[x] == m))
        for x, left in self.open.items():
            self.model.add_hint(left, int(self.draft.owner[x] < 0))
        for m in self.team:
            row = self.draft.stop[m, 1 : int(self.draft.length[m]) + 1]
            way = [-1, *(int(x) for x in row[:, col.NODE] if x in self.start), -1]
            ways = set(pairwise(way)) if len(way) > 2 else set()
            for i, j, used, _ in self.used[m]:
                self.model.add_hint(used, int((i, j) in ways))
            self.model.add_hint(self.idle[m], int(len(way) == 2))
            for stop in row:
                if int(stop[col.NODE]) in self.start:
                    self.model.add_hint(self.start[int(stop[col.NODE])], int(stop[col.START]))
