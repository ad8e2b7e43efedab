"""One ticket against every able engineer, compiled; no memory of earlier questions is used."""

from __future__ import annotations

import numpy as np

from dispatch.planning.kernel import kernel
from dispatch.planning.kernel_crew import natural_start
from dispatch.planning.kernel_place import place_plain
from dispatch.planning.kernel_place_rich import EXACT_SPREAD, place_rich
from dispatch.planning.kernel_recreate import ready
from dispatch.planning.layout import MAX_VISITS


@kernel
def price_all(x, bound, cost, place, start, facts, draft):
    """Fills cost, packed place and start (M,) for the engineers who can take ticket `x` below `bound`."""
    if facts.tied.shape[0] > 0 and not ready(x, facts, draft):
        return
    for q in range(facts.choices[x]):
        m = facts.option[x, q]
        c, k = bound, np.int64(-1)
        if facts.rich:
            c, k = place_rich(x, m, bound, EXACT_SPREAD, facts, draft)
        elif draft.visits[m] < facts.engineer[m, MAX_VISITS]:
            c, k = place_plain(
                x,
                m,
                bound,
                draft.stop,
                draft.extra,
                draft.length,
                draft.node,
                facts.price,
                facts.engineer,
                facts.rate,
                facts.bias,
                facts.drive,
                facts.both,
                facts.ball,
                draft.legs,
            )
        if k >= 0:
            cost[m], place[m], start[m] = c, k, natural_start(x, m, k, facts, draft)
