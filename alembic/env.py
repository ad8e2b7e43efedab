"""Migrations run as the owner's role, in one transaction each, without offline mode."""

import os

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine, pool

from dispatch.store.tables import Base

#: procrastinate owns its tables and the positions' partitions are made by a function.
NOT_OURS = ("procrastinate_", "engineer_positions_", "spatial_ref_sys", "alembic_version")


def include_object(item, name, kind, reflected, compare_to):  # type: ignore[no-untyped-def]
    if kind == "table" and name.startswith(NOT_OURS):
        return False
    if kind == "index" and reflected and item.table.name.startswith(NOT_OURS):
        return False
    return alembic_helpers.include_object(item, name, kind, reflected, compare_to)


def run() -> None:
    url = os.environ["PAIDAN_DATABASE_OWNER_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    # A migration that would wait for a lock makes everybody behind it wait too: it gives up, and is tried again.
    lock_timeout = context.get_x_argument(as_dictionary=True).get("lock_timeout", "10s")
    engine = create_engine(
        url, poolclass=pool.NullPool, connect_args={"options": f"-c lock_timeout={lock_timeout}"}
    )
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            include_object=include_object,
            process_revision_directives=alembic_helpers.writer,
            render_item=alembic_helpers.render_item,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
