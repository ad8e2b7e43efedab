"""Drives as they were foretold, and what was learned from how they went."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from dispatch.store.tables.base import Base, TenantRow, refer


class Trip(Base, TenantRow):
    """One drive to a visit, written when the lead sets off; how long it took is the visit's check-in.

    `base_s` is what the roads (or the great circle) said, before learning; `eta_p50_s` and `eta_p90_s` after it.
    """

    __tablename__ = "trips"
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    engineer_id: Mapped[UUID]
    set_off_at: Mapped[datetime]
    base_s: Mapped[int]
    base_m: Mapped[int]
    source: Mapped[str]
    road_class: Mapped[str]
    area: Mapped[str]
    eta_p50_s: Mapped[int]
    eta_p90_s: Mapped[int]
    calibrated: Mapped[bool]
    __table_args__ = (
        refer("visit_id", "visits", ondelete="CASCADE"),
        refer("engineer_id", "engineers"),
        Index("ix_trips_set_off", "tenant_id", "source", "set_off_at"),
        CheckConstraint("source in ('roads','great_circle')", name="source"),
        CheckConstraint("base_s >= 0 and base_m >= 0", name="base"),
    )


class Learned(Base, TenantRow):
    """What a tenant's own trips and jobs say: geo.eta.Calibration per source of travel times, geo.durations, and phones
    whose datum is doubted."""

    __tablename__ = "learned"
    kind: Mapped[str] = mapped_column(primary_key=True)
    learned_at: Mapped[datetime]
    body: Mapped[dict[str, Any]]
    __table_args__ = (CheckConstraint("kind in ('roads','great_circle','durations','datum')", name="kind"),)
