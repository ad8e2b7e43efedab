"""Field work: what contractors, requests and money still needed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A contractor's deadline to name the engineer; settlement lines that take one back; what helpers earn."""
    op.add_column("visits", sa.Column("name_by", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index(
        "ix_visits_contractor_open",
        "visits",
        ["tenant_id", "contractor_id"],
        postgresql_where=sa.text("closed_at is null and contractor_id is not null"),
    )
    op.create_index(
        "ix_requests_discount",
        "requests",
        ["tenant_id", "ticket_id"],
        postgresql_where=sa.text("kind = 'discount' and status = 'approved'"),
    )
    op.add_column("settlement_lines", sa.Column("reverses", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_settlement_lines_tenant_id_reverses"),
        "settlement_lines",
        "settlement_lines",
        ["tenant_id", "reverses"],
        ["tenant_id", "id"],
    )
    op.create_index(
        "uq_settlement_lines_reversed_once",
        "settlement_lines",
        ["tenant_id", "reverses"],
        unique=True,
        postgresql_where=sa.text("reverses is not null"),
    )
    op.create_index("ix_settlement_lines_ticket", "settlement_lines", ["tenant_id", "ticket_id"])
    _payees("'engineer','contractor','helper'")


def downgrade() -> None:
    """Back to 0006: counter-lines and helpers' lines are lost, both of a pair, so that sums stay true."""
    for table in ("settlement_lines", "settlement_rates"):
        op.execute(f"alter table {table} no force row level security")
    op.execute(
        "delete from settlement_lines l where l.reverses is not null or l.payee_kind = 'helper' or exists "
        "(select from settlement_lines r where r.tenant_id = l.tenant_id and r.reverses = l.id)"
    )
    op.execute("delete from settlement_rates where payee_kind = 'helper'")
    for table in ("settlement_lines", "settlement_rates"):
        op.execute(f"alter table {table} force row level security")
    _payees("'engineer','contractor'")
    op.drop_index("ix_settlement_lines_ticket", "settlement_lines")
    op.drop_index("uq_settlement_lines_reversed_once", "settlement_lines")
    op.drop_constraint(op.f("fk_settlement_lines_tenant_id_reverses"), "settlement_lines", type_="foreignkey")
    op.drop_column("settlement_lines", "reverses")
    op.drop_index("ix_requests_discount", "requests")
    op.drop_index("ix_visits_contractor_open", "visits")
    op.drop_column("visits", "name_by")


def _payees(kinds: str) -> None:
    """Who may be paid."""
    for table in ("settlement_lines", "settlement_rates"):
        op.drop_constraint(op.f(f"ck_{table}_payee"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_payee"), table, f"payee_kind in ({kinds})")
