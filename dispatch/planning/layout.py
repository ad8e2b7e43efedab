"""Column numbers of the packed arrays shared by the compiled kernels. All whole numbers are int32 seconds or indices."""

from typing import Final

# node (NN, NODE_WIDTH) int32: everything that can stand in a route, see compile.Day for the order of rows.
SITE: Final = 0
EARLIEST: Final = 1
LATEST: Final = 2  # hard latest start
DUE: Final = 3  # soft latest start
DURATION: Final = 4
FLOOR: Final = 5  # hard earliest start, never waited for
EXCUSED: Final = 6  # window end that may be missed at a price; FAR where the window is hard
BEFORE: Final = 7  # start planned before; only read where MOVED is above 0
KIND: Final = 8
BEFORE_ENGINEER: Final = 9
PIN: Final = 10  # the row the stop is pinned to, 0 where it is not
LEAD: Final = 11  # the ticket this visit belongs to, -1 for breaks, depots and homes
CREWED: Final = 12  # 1 where several engineers meet
NODE_WIDTH: Final = 13

VISIT: Final = 0
HELP: Final = 1  # a further crew member's visit
REST: Final = 2
DEPOT: Final = 3
HOME: Final = 4

# price (NN, 4) float64
LATE: Final = 0  # per second after DUE, and after EXCUSED
UNSERVED: Final = 1
MOVED: Final = 2
MISSED: Final = 3

# engineer (M, ENGINEER_WIDTH) int32
START_NODE: Final = 0
END_NODE: Final = 1
SHIFT_FROM: Final = 2
SHIFT_TO: Final = 3
LAST_END: Final = 4  # shift end plus the overtime limit
MODE: Final = 5
MAX_VISITS: Final = 6
FIXED: Final = 7  # that many first stops are pinned
ON_SHIFT: Final = 8  # 1 where the shift is longer than 0: counts in the workload spread
ENGINEER_WIDTH: Final = 9

# rate (M, 2) float64: price of a second of driving and of overtime, with the engineer's cost factor
DRIVE: Final = 0
OVERTIME: Final = 1

# counters (COUNTERS) int64
OPEN: Final = 0  # tickets in no route
LAST_VERSION: Final = 1
CHANGED: Final = 2  # rounds that changed the plan
TOUCHED: Final = 3  # routes changed in this round
GONE: Final = 4  # visits removed in this round
PLACED: Final = 5  # tickets inserted in this round
ASKED: Final = 6  # how often the cheapest place of a ticket was looked for
CENTRE: Final = 7  # the ticket around which rounds ruin for now
STAYS: Final = 8  # for so many rounds more
STAY: Final = 9  # rounds around each centre
COUNTERS: Final = 10

# stop (M, longest + 2, STOP_WIDTH) int32; row 0 is the start, row length + 1 the end
NODE: Final = 0
AT: Final = 1  # site
ARRIVE: Final = 2
START: Final = 3
LEAVE: Final = 4
LEG: Final = 5  # seconds driven to get here
LAST: Final = 6  # latest arrival that keeps the rest of the route feasible
FREE: Final = 7  # latest arrival that costs nothing more
SLACK: Final = 8  # general walk: how much later the engineer may leave home without finishing later
SAVED: Final = 9  # general walk: how much later he leaves home, so as to wait less
STOP_WIDTH: Final = 10

# memo (N, M, MEMO_WIDTH) float64: one cache line holds what a question needs
MEMO_VERSION: Final = 0  # of the route it was found for
MEMO_COST: Final = 1  # cheapest insertion, or a bound below which there is none
MEMO_PLACE: Final = 2  # packed place, or -1
MEMO_WIDTH: Final = 4  # the last is unused

FAR: Final = 1_000_000_000
BROKEN: Final = 1e12  # price of one hard violation: such a plan is never kept where another is found
NEVER: Final = 1e18  # price of a change that would break a rule, even of a route that breaks some already
