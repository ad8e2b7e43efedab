"""When a pool widens, decides and gives up: pure, from what the pool's row says and the policy's numbers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.domain.tenancy import TenantRules

#: A ring does not grow past this: further away nobody would come anyway.
RING_MOST_M = 1_000_000


@dataclass(frozen=True, slots=True)
class PoolSeen:
    """One visit's pool. `promised_by` is when the customer expects somebody at the latest."""

    opened_at: datetime
    ring_m: int
    collect_until: datetime | None
    promised_by: datetime | None


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do now. `look_again_at` None: the pool has waited long enough."""

    ring_m: int | None = None
    decide_bids: bool = False
    assign: bool = False
    look_again_at: datetime | None = None


def next_turn(pool: PoolSeen, rules: TenantRules, now: datetime) -> Turn:
    """The ring doubles every `ring_min`; names are decided when collecting ends; `risk_min` before the promise
    ends the ticket is assigned; after `pool_min` the pool is over."""
    decides = pool.collect_until is not None and pool.collect_until <= now
    risk_at = pool.promised_by - timedelta(minutes=rules.risk_min) if pool.promised_by else None
    ends_at = pool.opened_at + timedelta(minutes=rules.pool_min)
    ring_m = ring_at(pool.opened_at, rules, now)
    if risk_at is not None and risk_at <= now:
        return Turn(ring_m, decides, assign=True)
    if ends_at <= now:
        return Turn(ring_m, decides)
    steps = (now - pool.opened_at) // timedelta(minutes=rules.ring_min)
    widens_at = pool.opened_at + (steps + 1) * timedelta(minutes=rules.ring_min)
    ahead = [at for at in (pool.collect_until, risk_at, ends_at, widens_at) if at is not None and at > now]
    return Turn(ring_m, decides, look_again_at=min(ahead))


def ring_at(opened_at: datetime, rules: TenantRules, now: datetime) -> int:
    """Metres within which the ticket is shown at `now`."""
    steps = max(0, (now - opened_at) // timedelta(minutes=rules.ring_min))
    return int(min(RING_MOST_M, rules.ring_m * 2 ** min(steps, 20)))
