"""What the kernels are given: the facts of the day, which never change, and the plan in work, which does."""

from __future__ import annotations

from typing import Any, NamedTuple


class Facts(NamedTuple):
    """Packed facts, columns in `layout`. N tickets, M engineers, NN nodes, L sites, P parts, K neighbours."""

    node: Any  # (NN, NODE_WIDTH) int32
    price: Any  # (NN, 4) float64
    engineer: Any  # (M, ENGINEER_WIDTH) int32
    rate: Any  # (M, 2) float64
    bias: Any  # (M, NN) float32 price of engineer m doing visit x, or (0, 0) where there is none
    drive: Any  # (modes, hours, L, L) int32 or uint16; (1, 1, 0, 0) where positions are used
    both: Any  # (modes, L, L, 2) int32 seconds to a site from another, and back; (modes, 0, 0, 2) where rich
    ball: Any  # (L, 5) float64, or (0, 5): see compile.globe
    near: Any  # (N, K) int32 tickets, nearest first
    option: Any  # (N, most) int64 engineers able to lead, nearest first
    choices: Any  # (N,) int32 how many of them
    able: Any  # (N, M) bool: may lead, a row for each ticket
    reach: int  # only routes with one of that many nearest tickets are tried, or 0 for all
    need: Any  # (NN, P) int32 parts
    stock: Any  # (M, P) int32
    lack: Any  # (M, NN) bool: a tool is missing, or (0, 0)
    depots: Any  # (D,) int64 nodes
    crew: Any  # (N,) int32
    helpers: Any  # (N, widest crew - 1) int64 nodes, -1 for none
    may_help: Any  # (M, N) bool, or (0, 0)
    skilled: Any  # (M, N) bool: levels met, whoever it is pinned to; (0, 0) without crews
    before: Any  # (N, most) int64 tickets that must end first, -1 for none
    behind: Any  # (N, most) int64 tickets that wait for this one, -1 for none
    tied: Any  # (ties,) int64 nodes whose window depends on other routes
    spread: float  # price of a second of workload spread
    working: float  # price of a second of working time
    rich: bool  # breaks, depots, parts, hours, crews, order or odd pins: the general walk is needed


class Draft(NamedTuple):
    """The plan in work. Everything here is written by the kernels."""

    node: Any  # Facts.node with the agreed times of tied visits
    stop: Any  # (M, longest + 2, STOP_WIDTH) int32
    extra: Any  # (M, longest + 2) float64: price at the stop; in the general walk, price up to and with it
    length: Any  # (M,) int32 stops
    visits: Any  # (M,) int32 of which tickets
    cost: Any  # (M,) float64
    work: Any  # (M,) int64 seconds driven and served
    owner: Any  # (NN,) int64 engineer, -1 for none
    open_list: Any  # (N,) int64 tickets in no route, first counters[OPEN]
    open_at: Any  # (N,) int64 index in open_list
    counters: Any  # (COUNTERS,) int64
    rng: Any  # (1,) uint64
    best_stop: Any  # (M, longest + 2) int32 nodes of the best plan
    best_length: Any  # (M,) int32
    version: Any  # (M,) int64: changes whenever the route does, returns when the route returns
    best_version: Any  # (M,) int64 of the routes kept in it
    memo: Any  # (N, M, MEMO_WIDTH) float64: what is known of visit n in route m, see layout
    mark: Any  # (M,) uint8: saved in this round
    touched: Any  # (M,) int64
    saved: Any  # (M, longest + 2, STOP_WIDTH) int32
    saved_extra: Any  # (M, longest + 2) float64
    saved_length: Any  # (M,) int32
    saved_cost: Any  # (M,) float64
    saved_work: Any  # (M,) int64
    saved_version: Any  # (M,) int64
    saved_node: Any  # (ties, 3) int32
    gone: Any  # (2 NN,) int64 visits removed in this round
    gone_from: Any  # (2 NN,) int64 their engineers
    placed: Any  # (N,) int64 tickets inserted in this round
    pool: Any  # (N,) int64 tickets to insert in this round
    in_pool: Any  # (NN,) uint8
    key: Any  # (N,) float64
    line: Any  # (longest + 4,) int64 a route being tried
    legs: Any  # (2, longest + 4) int32 seconds to and from the visit being placed, for each row
    asked: Any  # (M,) int64 the last question a route was tried for
    later: Any  # (M,) int64 changed routes, to be asked last
    crew_time: Any  # (2, CREW_TIMES) int64 starts tried for a crew
    crew_price: Any  # (2, CREW_TIMES) float64
    help_price: Any  # (M,) float64 each engineer's price as a helper
    help_place: Any  # (M,) int64
    member: Any  # (3, widest crew) int64 engineers: being tried, cheapest, cheapest helpers of a lead
    member_place: Any  # the same, packed places
