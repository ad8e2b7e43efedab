"""What a tenant may set, with the product's defaults and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dispatch.domain.errors import NotReady


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Durations and distances as their names say. Every number has a floor and a ceiling in LIMITS.

    Of the pool: a ticket is shown within `ring_m`, twice as far every `ring_min`; names are collected for
    `collect_s` (0: who is first has it); nobody grabs more than `most_grabs` a day (0: no limit); `risk_min`
    before a promise ends it is assigned. A contractor who took a ticket names the engineer within
    `name_engineer_min`. Tickets that are not urgent wait up to `batch_min` to be matched together
    (0: each as it comes). Photos of the work outlive their customer's erasure where `keep_work_photos` is 1.
    `weight_cost` is minutes of travel per 100 minor units.
    """

    zone: str = "UTC"
    language: str = "zh"
    currency: str = "CNY"
    offer_s: int = 180
    offer_rounds: int = 3
    offers_at_once: int = 3
    batch_min: int = 0
    pool_min: int = 30
    ring_m: int = 5_000
    ring_min: int = 5
    collect_s: int = 0
    most_grabs: int = 0
    risk_min: int = 60
    acknowledge_min: int = 15
    name_engineer_min: int = 120
    match_again_min: int = 5
    acceptance_days: int = 3
    remind_days: int = 1
    service_code: int = 0
    keep_work_photos: int = 0
    reopen_days: int = 7
    link_days: int = 60
    candidates: int = 20
    max_travel_min: int = 120
    weight_travel_min: float = 1.0
    weight_late_min: float = 2.0
    weight_workload: float = 20.0
    weight_overqualified: float = 5.0
    weight_preferred: float = 15.0
    weight_cost: float = 0.0

    @classmethod
    def of(cls, zone: str, language: str, currency: str, settings: Mapping[str, object]) -> "TenantRules":
        """From a tenant's row. Raises NotReady `tenant_setting_invalid` naming the setting."""
        return replace(cls(zone=zone, language=language, currency=currency), **check_settings(settings))

    @property
    def tzinfo(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def local_day(self, at: datetime) -> date:
        """The calendar day of an instant in the tenant's zone."""
        return at.astimezone(self.tzinfo).date()


def check_settings(settings: Mapping[str, object]) -> dict[str, Any]:
    """The settings, whole numbers as such. Raises NotReady `tenant_setting_invalid` naming the first that is
    unknown or out of its limits."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in LIMITS or isinstance(value, bool) or not isinstance(value, int | float):
            raise NotReady("tenant_setting_invalid", setting=name)
        low, high = LIMITS[name]
        whole = TenantRules.__dataclass_fields__[name].type is int
        if not low <= value <= high or (whole and value != int(value)):
            raise NotReady("tenant_setting_invalid", setting=name, least=low, most=high)
        found[name] = int(value) if whole else float(value)
    return found


LIMITS: dict[str, tuple[float, float]] = {
    "offer_s": (10, 86_400),
    "offer_rounds": (1, 20),
    "offers_at_once": (1, 20),
    "batch_min": (0, 240),
    "pool_min": (1, 10_080),
    "ring_m": (100, 1_000_000),
    "ring_min": (1, 1_440),
    "collect_s": (0, 86_400),
    "most_grabs": (0, 100),
    "risk_min": (0, 10_080),
    "acknowledge_min": (1, 1_440),
    "name_engineer_min": (1, 10_080),
    "match_again_min": (1, 1_440),
    "acceptance_days": (1, 90),
    "remind_days": (0, 30),
    "service_code": (0, 1),
    "keep_work_photos": (0, 1),
    "reopen_days": (0, 365),
    "link_days": (1, 365),
    "candidates": (1, 100),
    "max_travel_min": (5, 1_440),
    "weight_travel_min": (0, 1_000),
    "weight_late_min": (0, 1_000),
    "weight_workload": (0, 1_000),
    "weight_overqualified": (0, 1_000),
    "weight_preferred": (0, 1_000),
    "weight_cost": (0, 1_000),
}
