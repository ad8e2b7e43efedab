"""Telling: promises and their clocks, channels, ladders, automations, webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: In the order they are made.
_TABLES = """
    automations calendars channel_settings tell_rules tell_targets webhook_endpoints
    calendar_versions contracts webhook_deliveries duties promise_policies automation_runs
    messages promise_clocks promise_terms promise_spans promise_steps ladders
    ladder_rungs
""".split()


def upgrade() -> None:
    op.create_table(
        "automations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name=op.f("pk_automations")),
    )
    op.create_table(
        "calendars",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_calendars")),
    )
    op.create_table(
        "channel_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("body_enc", sa.LargeBinary(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "channel", name=op.f("pk_channel_settings")),
    )
    op.create_table(
        "tell_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("quiet_from_min", sa.Integer(), nullable=True),
        sa.Column("quiet_to_min", sa.Integer(), nullable=True),
        sa.Column("debounce_s", sa.Integer(), server_default=sa.text("20"), nullable=False),
        sa.Column("ladder_backup", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("debounce_s between 0 and 600", name=op.f("ck_tell_rules_debounce")),
        sa.CheckConstraint(
            "num_nonnulls(quiet_from_min, quiet_to_min) in (0, 2)", name=op.f("ck_tell_rules_quiet")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_tell_rules")),
    )
    op.create_table(
        "tell_targets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("preference", sa.SmallInteger(), nullable=False),
        sa.Column("address_enc", sa.LargeBinary(), nullable=False),
        sa.Column("address_blind", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("gone_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "person_kind in ('engineer','dispatcher','customer')", name=op.f("ck_tell_targets_person")
        ),
        sa.CheckConstraint("preference between 1 and 99", name=op.f("ck_tell_targets_preference")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tell_targets")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_kind",
            "person_id",
            "channel",
            "address_blind",
            name=op.f("uq_tell_targets_tenant_id_person_kind_person_id_channel_address_blind"),
        ),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("actions", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_enc", sa.LargeBinary(), nullable=False),
        sa.Column("old_secret_enc", sa.LargeBinary(), nullable=True),
        sa.Column("old_secret_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_table(
        "calendar_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "calendar_id"],
            ["calendars.tenant_id", "calendars.id"],
            name=op.f("fk_calendar_versions_tenant_id_calendar_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "calendar_id", "version", name=op.f("pk_calendar_versions")),
    )
    op.create_table(
        "contracts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_contracts_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_contracts_tenant_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_contracts_tenant_id_number")),
    )
    op.create_index("ix_contracts_customer", "contracts", ["tenant_id", "customer_id"], unique=False)
    op.create_table(
        "webhook_deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "attempts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "status in ('pending','delivered','failed')", name=op.f("ck_webhook_deliveries_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "endpoint_id"],
            ["webhook_endpoints.tenant_id", "webhook_endpoints.id"],
            name=op.f("fk_webhook_deliveries_tenant_id_endpoint_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint(
            "tenant_id", "endpoint_id", "seq", name=op.f("uq_webhook_deliveries_tenant_id_endpoint_id_seq")
        ),
    )
    op.create_index(
        "ix_webhook_deliveries_made",
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "made_at"],
        unique=False,
    )
    op.create_index(
        "ix_webhook_deliveries_pending",
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "ticket_id", "seq"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "duties",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispatcher_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_duties_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "dispatcher_id"],
            ["dispatchers.tenant_id", "dispatchers.id"],
            name=op.f("fk_duties_tenant_id_dispatcher_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_duties")),
    )
    op.create_index("ix_duties_span", "duties", ["tenant_id", "ends_at"], unique=False)
    op.create_table(
        "promise_policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("work_type", sa.String(), nullable=True),
        sa.Column("priority", sa.String(), nullable=True),
        sa.Column("contract_id", sa.Uuid(), nullable=True),
        sa.Column("calendar_id", sa.Uuid(), nullable=True),
        sa.Column("response_min", sa.Integer(), nullable=True),
        sa.Column("arrival_min", sa.Integer(), nullable=True),
        sa.Column("resolution_min", sa.Integer(), nullable=True),
        sa.Column(
            "steps",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "priority in ('low','normal','high','urgent')", name=op.f("ck_promise_policies_priority")
        ),
        sa.CheckConstraint(
            "num_nonnulls(response_min, arrival_min, resolution_min) > 0",
            name=op.f("ck_promise_policies_promises"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "calendar_id"],
            ["calendars.tenant_id", "calendars.id"],
            name=op.f("fk_promise_policies_tenant_id_calendar_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contract_id"],
            ["contracts.tenant_id", "contracts.id"],
            name=op.f("fk_promise_policies_tenant_id_contract_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "work_type"],
            ["work_types.tenant_id", "work_types.code"],
            name=op.f("fk_promise_policies_tenant_id_work_type"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_promise_policies")),
    )
    op.create_index(
        "uq_promise_policies_active",
        "promise_policies",
        ["tenant_id", "work_type", "priority", "contract_id"],
        unique=True,
        postgresql_where=sa.text("active"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "automation_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_automation_runs_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "subject_id", "cause", name=op.f("pk_automation_runs")),
    )
    op.create_table(
        "messages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("person_kind", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("sent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('waiting','sending','sent','refused','gone','expired','merged')",
            name=op.f("ck_messages_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_messages_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages")),
        sa.UniqueConstraint(
            "tenant_id",
            "seq",
            "template",
            "person_kind",
            "person_id",
            "channel",
            name=op.f("uq_messages_tenant_id_seq_template_person_kind_person_id_channel"),
        ),
    )
    op.create_index("ix_messages_made", "messages", ["tenant_id", "made_at"], unique=False)
    op.create_index("ix_messages_ticket", "messages", ["tenant_id", "ticket_id", "made_at"], unique=False)
    op.create_index(
        "ix_messages_waiting",
        "messages",
        ["tenant_id", "not_before"],
        unique=False,
        postgresql_where=sa.text("status in ('waiting','sending')"),
    )
    op.create_table(
        "promise_clocks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("at_risk_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("next_step_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("paused_reason", sa.String(), nullable=True),
        sa.Column("ended", sa.String(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("target_s", sa.Integer(), nullable=False),
        sa.Column("elapsed_s", sa.Integer(), nullable=False),
        sa.Column("late", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("guess", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("ended in ('met','dropped')", name=op.f("ck_promise_clocks_ended")),
        sa.CheckConstraint(
            "kind in ('response','arrival','resolution')", name=op.f("ck_promise_clocks_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_promise_clocks_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_promise_clocks")),
        sa.UniqueConstraint(
            "tenant_id",
            "ticket_id",
            "kind",
            "cycle",
            name=op.f("uq_promise_clocks_tenant_id_ticket_id_kind_cycle"),
        ),
    )
    op.create_index(
        "ix_promise_clocks_next",
        "promise_clocks",
        ["tenant_id", "next_step_at"],
        unique=False,
        postgresql_where=sa.text("next_step_at is not null"),
    )
    op.create_table(
        "promise_terms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("policy_id", sa.Uuid(), nullable=True),
        sa.Column("policy_version", sa.Integer(), nullable=True),
        sa.Column("target_s", sa.Integer(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=True),
        sa.Column("calendar_version", sa.Integer(), nullable=True),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fixed_due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("kind in ('response','arrival','resolution')", name=op.f("ck_promise_terms_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "calendar_id", "calendar_version"],
            ["calendar_versions.tenant_id", "calendar_versions.calendar_id", "calendar_versions.version"],
            name=op.f("fk_promise_terms_tenant_id_calendar_id_calendar_version"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "policy_id"],
            ["promise_policies.tenant_id", "promise_policies.id"],
            name=op.f("fk_promise_terms_tenant_id_policy_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_promise_terms_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "kind", "from_seq", name=op.f("pk_promise_terms")),
    )
    op.create_table(
        "promise_spans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("running", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("from_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("to_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("from_seq", sa.BigInteger(), nullable=False),
        sa.Column("business_s", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clock_id"],
            ["promise_clocks.tenant_id", "promise_clocks.id"],
            name=op.f("fk_promise_spans_tenant_id_clock_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "clock_id", "number", name=op.f("pk_promise_spans")),
    )
    op.create_table(
        "promise_steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("clock_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pct", sa.Integer(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("fired_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "clock_id"],
            ["promise_clocks.tenant_id", "promise_clocks.id"],
            name=op.f("fk_promise_steps_tenant_id_clock_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "clock_id", "revision", "pct", "whom", name=op.f("pk_promise_steps")
        ),
    )
    op.create_table(
        "ladders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("started_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("next_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.CheckConstraint(
            "outcome in ('acked','declined','expired','escalated','withdrawn')",
            name=op.f("ck_ladders_outcome"),
        ),
        sa.CheckConstraint("(outcome is null) = (ended_at is null)", name=op.f("ck_ladders_ended")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_ladders_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "offer_id"],
            ["offers.tenant_id", "offers.id"],
            name=op.f("fk_ladders_tenant_id_offer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_ladders_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ladders")),
        sa.UniqueConstraint("tenant_id", "offer_id", name=op.f("uq_ladders_tenant_id_offer_id")),
    )
    op.create_table(
        "ladder_rungs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ladder_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("whom", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ladder_id"],
            ["ladders.tenant_id", "ladders.id"],
            name=op.f("fk_ladder_rungs_tenant_id_ladder_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ladder_id", "number", name=op.f("pk_ladder_rungs")),
    )
    for table in _TABLES:
        for statement in secured(table):
            op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DELETE FROM timers WHERE kind IN ('promise_step', 'promise_sweep', 'message_due', 'ladder_next', 'auto_assign', 'auto_remind', 'auto_rating', 'auto_closing',"
        " 'webhook_next')"
    )
    for table in reversed(_TABLES):
        op.drop_table(table)
