"""Small days worked out by hand: sites on a line ten minutes apart, Ana at home at site 0, Ben at 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SITES = 6
EIGHT, NINE, SEVENTEEN = 28_800, 32_400, 61_200
LINE = np.abs(np.subtract.outer(np.arange(SITES), np.arange(SITES))).astype(np.int32) * 600


def engineer(name: str, site: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "start": site,
        "end": site,
        "shift_s": [EIGHT, SEVENTEEN],
        "skills": {"lift": 2},
        **more,
    }


def ticket(name: str, site: int, **more: Any) -> dict[str, Any]:
    return {"id": name, "site": site, "duration_s": 600, "priority": "normal", **more}


@dataclass(frozen=True)
class Case:
    name: str
    engineers: list[dict[str, Any]]
    tickets: list[dict[str, Any]]
    routes: Mapping[str, list[Any]]
    parts: Mapping[str, float] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    starts: Mapping[str, list[int | None]] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


ANA, BEN = engineer("Ana"), engineer("Ben", 5)
LUNCH = {"id": "lunch", "earliest_s": NINE, "latest_s": NINE + 3600, "duration_s": 1800}
STORE = {"id": "store", "site": 3, "duration_s": 300, "open_s": [EIGHT + 2400, EIGHT + 3000]}
SLOW = {"modes": {"car": {"matrix_s": "line.npy"}, "bike": {"matrix_s": "double.npy"}}}
HOURS = {"matrix_s": ["line.npy"] * 9 + ["double.npy"] * 15}
GLOBE = {"positions": [[0, 0], [0, 1], [0, 1]], "speed_kmh": 36, "detour": 1.5, "fixed_s": 100}

CASES = [
    Case(
        "nobody drives, every ticket is paid for by priority",
        [ANA],
        [
            ticket("T1", 1, priority="urgent"),
            ticket("T2", 1, priority="high"),
            ticket("T3", 1),
            ticket("T4", 1, priority="low"),
        ],
        {"Ana": []},
        {"unserved": 75_000},
    ),
    Case(
        "driving there and home costs its seconds",
        [ANA],
        [ticket("T1", 2)],
        {"Ana": ["T1"]},
        {"travel": 2400},
        starts={"Ana": [30_000]},
    ),
    Case(
        "the way goes from start over every stop to end",
        [{**ANA, "end": 5}],
        [ticket("T1", 3), ticket("T2", 1)],
        {"Ana": ["T1", "T2"]},
        {"travel": 1800 + 1200 + 2400},
        starts={"Ana": [30_600, 32_400]},
    ),
    Case(
        "a dearer engineer costs his factor",
        [{**ANA, "cost_factor": 1.5}],
        [ticket("T1", 2)],
        {"Ana": ["T1"]},
        {"travel": 3600},
    ),
    Case(
        "overtime costs double, with the factor",
        [{**ANA, "shift_s": [EIGHT, NINE], "cost_factor": 0.5}],
        [ticket("T1", 2, duration_s=3600)],
        {"Ana": ["T1"]},
        {"travel": 1200, "overtime": 2400},
    ),
    Case(
        "overtime above the limit is forbidden",
        [{**ANA, "shift_s": [EIGHT, NINE]}],
        [ticket("T1", 2, duration_s=3600)],
        {"Ana": ["T1"]},
        {"travel": 2400, "overtime": 4800},
        ("overtime_beyond_limit",),
        more={"limits": {"overtime_s": 2399}},
    ),
    Case(
        "overtime at the limit is allowed",
        [{**ANA, "shift_s": [EIGHT, NINE]}],
        [ticket("T1", 2, duration_s=3600)],
        {"Ana": ["T1"]},
        {"travel": 2400, "overtime": 4800},
        more={"limits": {"overtime_s": 2400}},
    ),
    Case(
        "a late start costs by priority",
        [ANA],
        [ticket("T1", 2, priority="urgent", due_s=29_400)],
        {"Ana": ["T1"]},
        {"travel": 2400, "late": 2400},
    ),
    Case(
        "an early engineer waits for the window",
        [ANA],
        [ticket("T1", 2, window_s=[36_000, 37_000]), ticket("T2", 3, due_s=37_100)],
        {"Ana": ["T1", "T2"]},
        {"travel": 3600, "late": 100},
        starts={"Ana": [36_000, 37_200]},
    ),
    Case(
        "a missed window is forbidden",
        [ANA, engineer("Ben", 2)],
        [ticket("T1", 2, window_s=[0, 29_999])],
        {"Ana": ["T1"]},
        {"travel": 2400},
        ("window_missed",),
    ),
    Case(
        "the window's last second still counts",
        [ANA],
        [ticket("T1", 2, window_s=[0, 30_000])],
        {"Ana": ["T1"]},
        {"travel": 2400},
    ),
    Case(
        "a pinned ticket may miss its window at a price",
        [ANA, engineer("Ben", 2)],
        [ticket("T1", 2, window_s=[0, 29_000], pinned={"engineer": "Ana"})],
        {"Ana": ["T1"]},
        {"travel": 2400, "missed_window": 6000},
    ),
    Case(
        "a window nobody could reach may be missed at a price",
        [ANA, BEN],
        [ticket("T1", 2, priority="high", window_s=[0, 29_000])],
        {"Ana": ["T1"]},
        {"travel": 2400, "missed_window": 7000},
    ),
    Case(
        "who lacks the skill or is excluded does not make a window reachable",
        [ANA, engineer("Ben", 2, skills={}), engineer("Chen", 2)],
        [ticket("T1", 2, skills={"lift": 1}, not_with=["Chen"], window_s=[0, 29_000])],
        {"Ana": ["T1"]},
        {"travel": 2400, "missed_window": 6000},
    ),
    Case(
        "a preferred engineer brings his bonus",
        [ANA],
        [ticket("T1", 2, prefer={"Ana": 500, "Ben": 900})],
        {"Ana": ["T1"]},
        {"travel": 2400, "prefer": -500},
    ),
    Case(
        "uneven work costs its spread",
        [ANA, BEN],
        [ticket("T1", 2)],
        {"Ana": ["T1"]},
        {"travel": 2400, "workload_spread": 1500},
        more={"weights": {"workload_spread_s": 0.5}},
    ),
    Case(
        "an engineer without a shift takes no part in the spread",
        [ANA, {**BEN, "shift_s": [EIGHT, EIGHT]}],
        [ticket("T1", 2)],
        {"Ana": ["T1"]},
        {"travel": 2400},
        more={"weights": {"workload_spread_s": 0.5}},
    ),
    Case(
        "another engineer than told costs the move",
        [ANA, BEN],
        [ticket("T1", 2, previous={"engineer": "Ben", "start_s": 30_000, "known": "promised"})],
        {"Ana": ["T1"]},
        {"travel": 2400, "moved": 700},
        more={"weights": {"moved": {"promised": 700}}},
    ),
    Case(
        "half an hour either way is no move, a second more is",
        [ANA],
        [
            ticket("T1", 2, previous={"engineer": "Ana", "start_s": 28_200, "known": "seen"}),
            ticket("T2", 2, previous={"engineer": "Ana", "start_s": 28_799, "known": "seen"}),
        ],
        {"Ana": ["T1", "T2"]},
        {"travel": 2400, "moved": 30},
        more={"weights": {"moved": {"seen": 30, "planned": 1}}},
    ),
    Case(
        "leaving out what was planned costs the move too",
        [ANA],
        [ticket("T1", 2, previous={"engineer": "Ana", "start_s": 30_000, "known": "planned"})],
        {},
        {"unserved": 10_000, "moved": 9},
        more={"weights": {"moved": {"planned": 9}}},
    ),
    Case(
        "a break starts where the engineer stands, not before its hour",
        [{**ANA, "breaks": [LUNCH]}],
        [ticket("T1", 1), ticket("T2", 2)],
        {"Ana": ["T1", {"break": "lunch"}, "T2"]},
        {"travel": 2400},
        starts={"Ana": [29_400, NINE, 34_800]},
    ),
    Case(
        "a break must be taken",
        [{**ANA, "breaks": [LUNCH]}],
        [ticket("T1", 1)],
        {"Ana": ["T1"]},
        {"travel": 1200},
        ("break_absent",),
    ),
    Case(
        "a break is taken once",
        [{**ANA, "breaks": [LUNCH]}],
        [ticket("T1", 1)],
        {"Ana": ["T1", {"break": "lunch"}, {"break": "lunch"}]},
        {"travel": 1200},
        ("break_twice",),
    ),
    Case(
        "a break must not start late",
        [{**ANA, "breaks": [{**LUNCH, "earliest_s": 0, "latest_s": 29_999}]}],
        [ticket("T1", 1)],
        {"Ana": ["T1", {"break": "lunch"}]},
        {"travel": 1200},
        ("break_late",),
    ),
    Case(
        "working time runs from the latest departure that keeps the finish",
        [ANA],
        [ticket("T1", 2, window_s=[36_000, 37_000]), ticket("T2", 3, window_s=[37_200, 50_000])],
        {"Ana": ["T1", "T2"]},
        {"travel": 3600, "working": 0.5 * (600 + 600 + 3600)},
        more={"weights": {"working_s": 0.5}},
    ),
    Case(
        "waiting between two appointments is working time as far as leaving later cannot spare it",
        [ANA],
        [ticket("T1", 2, window_s=[30_000, 30_500]), ticket("T2", 3, window_s=[40_000, 50_000])],
        {"Ana": ["T1", "T2"]},
        {"travel": 3600, "working": 42_400 - (30_500 - 1200)},
        more={"weights": {"working_s": 1}},
    ),
    Case(
        "a break or a depot alone is not worth leaving home for",
        [{**ANA, "breaks": [LUNCH]}],
        [],
        {"Ana": [{"depot": "store"}, {"break": "lunch"}]},
        more={"depots": [STORE]},
    ),
    Case("who stays at home needs no break", [{**ANA, "breaks": [LUNCH]}], [], {"Ana": []}),
    Case(
        "a depot waits for its opening and gives tools and parts",
        [ANA],
        [ticket("T1", 3, tools=["saw"], parts={"pump": 3})],
        {"Ana": [{"depot": "store"}, "T1"]},
        {"travel": 3600},
        starts={"Ana": [EIGHT + 2400, EIGHT + 2700]},
        more={"depots": [STORE]},
    ),
    Case(
        "a closed depot gives nothing",
        [ANA],
        [ticket("T1", 1, duration_s=7200)],
        {"Ana": ["T1", {"depot": "store"}]},
        {"travel": 3600},
        ("depot_closed",),
        more={"depots": [STORE]},
    ),
    Case(
        "a tool must be in the van",
        [{**ANA, "tools": ["saw"]}],
        [ticket("T1", 1, tools=["saw"]), ticket("T2", 1, tools=["saw", "drill"])],
        {"Ana": ["T1", "T2"]},
        {"travel": 1200},
        ("tool_missing",),
    ),
    Case(
        "a tool fetched afterwards is too late",
        [ANA],
        [ticket("T1", 1, tools=["saw"])],
        {"Ana": ["T1", {"depot": "store"}]},
        {"travel": 3600},
        ("tool_missing",),
        more={"depots": [STORE]},
    ),
    Case(
        "parts are used up",
        [{**ANA, "van_stock": {"pump": 3}}],
        [ticket("T1", 1, parts={"pump": 2}), ticket("T2", 1, parts={"pump": 2})],
        {"Ana": ["T1", "T2"]},
        {"travel": 1200},
        ("part_missing",),
    ),
    Case(
        "a depot between them refills the van",
        [{**ANA, "van_stock": {"pump": 2}}],
        [ticket("T1", 1, parts={"pump": 2}), ticket("T2", 1, parts={"pump": 2})],
        {"Ana": ["T1", {"depot": "store"}, "T2"]},
        {"travel": 3600},
        more={"depots": [STORE]},
    ),
    Case(
        "skills need their level",
        [ANA],
        [ticket("T1", 1, skills={"lift": 2}), ticket("T2", 1, skills={"lift": 3})],
        {"Ana": ["T1", "T2"]},
        {"travel": 1200},
        ("skill_missing",),
    ),
    Case(
        "a crew starts when the last has arrived, and is late once",
        [ANA, BEN],
        [ticket("T1", 2, crew=2, due_s=30_000)],
        {"Ana": ["T1"], "Ben": ["T1"]},
        {"travel": 2400 + 3600, "late": 600},
        starts={"Ana": [30_600], "Ben": [30_600]},
    ),
    Case(
        "the crew leaves together",
        [ANA, BEN],
        [ticket("T1", 2, crew=2), ticket("T2", 1, due_s=0)],
        {"Ana": ["T1", "T2"], "Ben": ["T1"]},
        {"travel": 2400 + 3600, "late": 31_800},
        starts={"Ana": [30_600, 31_800], "Ben": [30_600]},
    ),
    Case(
        "a crew of two is not one",
        [ANA, BEN],
        [ticket("T1", 2, crew=2)],
        {"Ana": ["T1"]},
        {"travel": 2400},
        ("crew_wrong",),
    ),
    Case(
        "one of the crew must hold all the skills",
        [ANA, engineer("Ben", 5, skills={"weld": 1})],
        [ticket("T1", 2, crew=2, skills={"lift": 1, "weld": 1})],
        {"Ana": ["T1"], "Ben": ["T1"]},
        {"travel": 6000},
        ("skill_missing",),
    ),
    Case(
        "one of the crew is enough for skills and parts",
        [ANA, engineer("Ben", 5, skills={"weld": 1}, van_stock={"rod": 1})],
        [ticket("T1", 2, crew=2, skills={"weld": 1}, parts={"rod": 1})],
        {"Ana": ["T1"], "Ben": ["T1"]},
        {"travel": 6000},
    ),
    Case(
        "crews that wait for each other never meet",
        [ANA, BEN],
        [ticket("T1", 2, crew=2), ticket("T2", 2, crew=2)],
        {"Ana": ["T1", "T2"], "Ben": ["T2", "T1"]},
        {},
        ("crew_never_meets", "crew_never_meets"),
        starts={"Ana": [None, None], "Ben": [None, None]},
    ),
    Case(
        "a later ticket waits for nobody",
        [ANA, BEN],
        [ticket("T1", 2), ticket("T2", 4, after=["T1"])],
        {"Ana": ["T1"], "Ben": ["T2"]},
        {"travel": 3600},
        ("order_broken",),
    ),
    Case(
        "an earlier ticket may end as the later one starts",
        [ANA, BEN],
        [ticket("T1", 1, duration_s=0), ticket("T2", 4, after=["T1"])],
        {"Ana": ["T1"], "Ben": ["T2"]},
        {"travel": 2400},
    ),
    Case(
        "an earlier ticket must be served",
        [ANA],
        [ticket("T1", 2), ticket("T2", 4, after=["T1"])],
        {"Ana": ["T2"]},
        {"travel": 4800, "unserved": 10_000},
        ("earlier_unserved",),
    ),
    Case(
        "an excluded engineer stays away",
        [ANA],
        [ticket("T1", 1, not_with=["Ana"])],
        {"Ana": ["T1"]},
        {"travel": 1200},
        ("engineer_excluded",),
    ),
    Case(
        "visits have a maximum",
        [{**ANA, "max_visits": 1}],
        [ticket("T1", 1), ticket("T2", 1)],
        {"Ana": ["T1", "T2"]},
        {"travel": 1200},
        ("visits_too_many",),
    ),
    Case(
        "a depot or a break is no visit",
        [{**ANA, "max_visits": 1, "breaks": [LUNCH]}],
        [ticket("T1", 1)],
        {"Ana": [{"depot": "store"}, {"break": "lunch"}, "T1"]},
        {"travel": 3600},
        more={"depots": [STORE]},
    ),
    Case(
        "a pin holds the engineer",
        [ANA, BEN],
        [ticket("T1", 2, pinned={"engineer": "Ben"})],
        {"Ana": ["T1"]},
        {"travel": 2400},
        ("pin_broken",),
    ),
    Case(
        "a pin holds the position",
        [ANA],
        [
            ticket("T1", 1, pinned={"engineer": "Ana", "position": 1}),
            ticket("T2", 1, pinned={"engineer": "Ana", "position": 1}),
        ],
        {"Ana": ["T1", "T2"]},
        {"travel": 1200},
        ("pin_broken",),
    ),
    Case(
        "a pinned ticket is not left out",
        [ANA],
        [ticket("T1", 1, pinned={"engineer": "Ana"})],
        {},
        {"unserved": 10_000},
        ("pin_broken",),
    ),
    Case(
        "a ticket is served once",
        [ANA, BEN],
        [ticket("T1", 2)],
        {"Ana": ["T1"], "Ben": ["T1"]},
        {"travel": 6000},
        ("ticket_twice",),
    ),
    Case(
        "an unknown stop is a fault",
        [ANA],
        [],
        {"Ana": ["T9", {"break": "lunch"}, 7]},
        {},
        ("stop_unknown",) * 3,
    ),
    Case("an unknown engineer is a fault", [ANA], [], {"Zoe": []}, {}, ("engineer_unknown",)),
    Case(
        "a bicycle has its own table",
        [{**ANA, "mode": "bike"}, engineer("Ben")],
        [ticket("T1", 1), ticket("T2", 1)],
        {"Ana": ["T1"], "Ben": ["T2"]},
        {"travel": 2400 + 1200},
        more={"travel": SLOW},
    ),
    Case(
        "the hour of departure picks the table",
        [ANA],
        [ticket("T1", 1, duration_s=3000)],
        {"Ana": ["T1"]},
        {"travel": 600 + 1200},
        more={"travel": HOURS},
    ),
    Case(
        "positions give great-circle seconds, and none at one place",
        [ANA],
        [ticket("T1", 1), ticket("T2", 2)],
        {"Ana": ["T1", "T2"]},
        {"travel": 2 * (16_679 + 100), "overtime": 2 * 2358},
        more={"travel": GLOBE},
    ),
]
