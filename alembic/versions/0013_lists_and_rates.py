"""Lists and rates: rates of certain days, and old parts that leave an engineer and a depot."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BEFORE = (
    "from_kind in ('stock_take','supplier','depot','van','ticket') and "
    "to_kind in ('stock_take','depot','van','ticket','returned','scrapped')"
)
_AFTER = (
    "from_kind in ('stock_take','supplier','depot','van','ticket','returned') and "
    "to_kind in ('stock_take','supplier','depot','van','ticket','returned','scrapped')"
)


def _kinds(check: str) -> None:
    op.drop_constraint(op.f("ck_part_movements_kinds"), "part_movements", type_="check")
    op.create_check_constraint(op.f("ck_part_movements_kinds"), "part_movements", check)


def upgrade() -> None:
    """The standing rates stay where they are: a process of the former version goes on settling by them."""
    instant = postgresql.TIMESTAMP(timezone=True)
    op.create_table(
        "dated_rates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("work_type", sa.String(), nullable=False),
        sa.Column("payee_kind", sa.String(), nullable=False),
        sa.Column("fixed_minor", sa.BigInteger(), nullable=False),
        sa.Column("share_bp", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("valid_from", instant, nullable=True),
        sa.Column("valid_until", instant, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dated_rates")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "work_type"],
            ["work_types.tenant_id", "work_types.code"],
            name=op.f("fk_dated_rates_tenant_id_work_type"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "payee_kind in ('engineer','contractor','helper')", name=op.f("ck_dated_rates_payee")
        ),
        sa.CheckConstraint(
            "fixed_minor >= 0 and share_bp between 0 and 10000", name=op.f("ck_dated_rates_rate")
        ),
        sa.CheckConstraint("num_nonnulls(valid_from, valid_until) > 0", name=op.f("ck_dated_rates_dated")),
        postgresql.ExcludeConstraint(
            ("tenant_id", "="),
            ("work_type", "="),
            ("payee_kind", "="),
            (sa.text("tstzrange(valid_from, valid_until)"), "&&"),
            name="ex_dated_rates_days",
        ),
    )
    for statement in secured("dated_rates"):
        op.execute(statement)
    _kinds(_AFTER)


def downgrade() -> None:
    """Back to 0012: rates of certain days are forgotten, and where old parts went after the engineer who took them."""
    op.execute("delete from part_movements where from_kind = 'returned'")
    _kinds(_BEFORE)
    op.drop_table("dated_rates")
