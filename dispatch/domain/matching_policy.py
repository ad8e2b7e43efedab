"""Which policy governs a ticket: the most exact row, the work type before the territory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from dispatch.domain.tenancy import TenantRules, check_settings

MODES = ("direct", "offer", "offer_many", "pool", "contractor", "manual")
#: The tenant's numbers that a policy may replace.
POLICY_SETTINGS = frozenset(
    {
        "batch_min", "offer_s", "offer_rounds", "offers_at_once", "pool_min", "ring_m", "ring_min", "collect_s",
        "most_grabs", "risk_min", "acknowledge_min", "name_engineer_min", "match_again_min", "max_travel_min",
        "weight_travel_min", "weight_late_min", "weight_workload", "weight_overqualified",
        "weight_preferred", "weight_cost",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Policy:
    """How tickets of one kind in one place find engineers; None in `work_type` or `territory_id` is any."""

    mode: str
    work_type: str | None = None
    territory_id: UUID | None = None
    contractor_id: UUID | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, work_type: str, territory_id: UUID | None) -> bool:
        return self.work_type in (None, work_type) and self.territory_id in (None, territory_id)

    def rules(self, tenant: TenantRules) -> TenantRules:
        """The tenant's rules with this policy's numbers. Raises NotReady `tenant_setting_invalid`."""
        return replace(tenant, **check_settings(self.settings))


def choose_policy(
    policies: Iterable[Policy], work_type: str, territory_id: UUID | None, otherwise: str
) -> Policy:
    """The most exact of those that fit, or the work type's own mode `otherwise`."""
    fitting = [p for p in policies if p.fits(work_type, territory_id)]
    if not fitting:
        return Policy(otherwise)
    return max(fitting, key=lambda p: (p.work_type is not None, p.territory_id is not None))
