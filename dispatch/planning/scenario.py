"""The facts of one dispatch day, as the optimiser reads them. Format: `paidan-scenario/1`, see `scenario_file`.

Times are whole seconds from second 0 of the planned day, durations whole seconds, sites indices into the travel table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:  # whoever only waits for a plan starts without it
    import numpy as np
    from numpy.typing import NDArray

Priority = Literal["urgent", "high", "normal", "low"]
Known = Literal["planned", "seen", "promised"]
PRIORITIES: Final[tuple[Priority, ...]] = ("urgent", "high", "normal", "low")
KNOWN: Final[tuple[Known, ...]] = ("planned", "seen", "promised")
SECONDS_LIMIT: Final = 10_000_000  # about 115 days: every time, duration and drive stays below it
MOVED_TOLERANCE_S: Final = 1_800


class PlanningError(Exception):
    """A day that cannot be planned as asked: a stable `code` and plain `facts` about what is wrong and where."""

    def __init__(self, code: str, facts: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.facts = dict(facts or {})
        super().__init__(f"{code}: {self.facts}" if self.facts else code)


@dataclass(frozen=True, slots=True)
class Break:
    """Rest an engineer must start between `earliest_s` and `latest_s`, where he stands."""

    id: str
    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Depot:
    """A place that gives every tool and any parts to whoever calls while it is open."""

    id: str
    site: int
    duration_s: int = 0
    open_s: tuple[int, int] = (0, SECONDS_LIMIT)


@dataclass(frozen=True, slots=True)
class Engineer:
    id: str
    start: int
    end: int
    shift_s: tuple[int, int]
    mode: str | None = None
    skills: Mapping[str, int] = field(default_factory=dict)
    tools: frozenset[str] = frozenset()
    van_stock: Mapping[str, int] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()
    max_visits: int | None = None
    cost_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Pin:
    """The ticket stays with this engineer; `position` is the stop's index in the route, from 0, or None for anywhere."""

    engineer: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Previous:
    """What was planned before, and who already knows it: `moved[known]` is the price of changing it."""

    engineer: str
    start_s: int
    known: Known


@dataclass(frozen=True, slots=True)
class Ticket:
    id: str
    site: int
    duration_s: int
    priority: Priority
    skills: Mapping[str, int] = field(default_factory=dict)
    window_s: tuple[int, int] | None = None
    due_s: int | None = None
    tools: frozenset[str] = frozenset()
    parts: Mapping[str, int] = field(default_factory=dict)
    crew: int = 1
    after: tuple[str, ...] = ()
    not_with: frozenset[str] = frozenset()
    prefer: Mapping[str, float] = field(default_factory=dict)
    pinned: Pin | None = None
    previous: Previous | None = None


@dataclass(frozen=True, slots=True)
class Weights:
    travel_s: float = 1.0
    overtime_s: float = 2.0
    late_s: Mapping[str, float] = field(
        default_factory=lambda: {"urgent": 4.0, "high": 2.0, "normal": 1.0, "low": 0.5}
    )
    unserved: Mapping[str, float] = field(
        default_factory=lambda: {"urgent": 40000.0, "high": 20000.0, "normal": 10000.0, "low": 5000.0}
    )
    missed_window: float = 5000.0
    workload_spread_s: float = 0.0
    working_s: float = 0.0  # finish less the latest departure that still meets it
    moved: Mapping[str, float] = field(default_factory=lambda: {"planned": 0.0, "seen": 0.0, "promised": 0.0})


@dataclass(frozen=True, slots=True)
class Matrices:
    """Seconds driven between sites: int32 (H, L, L) for each mode, H = 1, or 24 tables by hour of departure."""

    by_mode: Mapping[str, NDArray[np.int32]]

    @property
    def sites(self) -> int:
        return int(next(iter(self.by_mode.values())).shape[1])


@dataclass(frozen=True, slots=True)
class Positions:
    """Sites as WGS-84 longitude and latitude, float64 (L, 2), where a full table would be too large.

    Seconds driven = round(fixed_s + detour × great-circle metres × 3.6 / speed_kmh), and 0 between equal positions.
    """

    lon_lat: NDArray[np.float64]
    speed_kmh: float = 32.0
    detour: float = 1.3
    fixed_s: float = 120.0

    @property
    def sites(self) -> int:
        return int(self.lon_lat.shape[0])


Travel = Matrices | Positions


@dataclass(frozen=True, slots=True)
class Scenario:
    """One day to plan. Built by `scenario_file.read_scenario`, or directly and then passed to `validate.check_scenario`."""

    name: str
    travel: Travel
    engineers: tuple[Engineer, ...]
    tickets: tuple[Ticket, ...]
    depots: tuple[Depot, ...] = ()
    weights: Weights = field(default_factory=Weights)
    overtime_limit_s: int = 3600


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a route: exactly one of ticket, break, depot; `start_s` is when serving or resting begins."""

    start_s: int
    ticket: str | None = None
    rest: str | None = None
    depot: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    engineer: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A ticket in no route, with reasons [{code, facts}] and fixes [{code, facts, cost}], cheapest first."""

    ticket: str
    reasons: tuple[dict[str, Any], ...] = ()
    fixes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What the engine answers. `assignments` holds, per ticket id, the score parts and the runner-up.

    `broken` names the engineers whose pinned visits break a hard rule, whatever else their routes hold.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    score: Mapping[str, float]
    broken: tuple[str, ...] = ()
    assignments: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
