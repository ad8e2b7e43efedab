"""What every stored row shares."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import ForeignKeyConstraint, MetaData, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Instants: timestamptz, always aware, always UTC once read.
Instant = TIMESTAMP(timezone=True)


def point() -> Geography:
    """A place on earth, WGS-84 only. A fresh type each time: geoalchemy2 writes into it."""
    return Geography("POINT", srid=4326, spatial_index=False)


def area() -> Geography:
    """An area of one or several parts, WGS-84 only."""
    return Geography("MULTIPOLYGON", srid=4326, spatial_index=False)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Instant,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


class TenantRow:
    """Keys lead with the tenant; row-level security is forced on every such table."""

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-2)


class Row(TenantRow):
    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)


def refer(
    column: str, table: str, name: str | None = None, ondelete: str | None = None
) -> ForeignKeyConstraint:
    """A composite foreign key within the tenant: (tenant_id, column) → table(tenant_id, id)."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], name=name, ondelete=ondelete
    )


EMPTY_OBJECT = text("'{}'::jsonb")
EMPTY_LIST = text("'[]'::jsonb")
