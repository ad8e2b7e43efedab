"""The spine: every table of a ticket's life, row-level security, roles, and the job queue's own tables."""

import geoalchemy2  # noqa: F401
import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geography
from sqlalchemy.dialects import postgresql

from dispatch.store.row_security import secured

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
    absences acceptances api_keys assets blobs chain_heads check_ins commands completions
    contractors customer_exclusions customer_links customers directory dispatchers engineer_days
    engineer_positions engineer_skills engineers event_texts evidence messages_sent offers outbox
    part_movements parts planner_leases plans promises push_deliveries push_targets quotes receipts
    refusals requests settlement_lines shifts signins skills stops tenants territories ticket_events
    tickets timers visit_engineers visits work_type_skills work_types
""".split()

_PARTITIONS = (
    "CREATE TABLE engineer_positions_default PARTITION OF engineer_positions DEFAULT",
    # The application owns nothing; this makes the day's partition in the owner's name.
    """
    CREATE FUNCTION ensure_positions_partition(wanted date) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DECLARE name text := 'engineer_positions_' || to_char(wanted, 'YYYYMMDD');
    BEGIN
      IF to_regclass(name) IS NOT NULL THEN
        RETURN;
      END IF;
      PERFORM pg_advisory_xact_lock(hashtext(name));
      IF to_regclass(name) IS NULL THEN
        EXECUTE format(
          'CREATE TABLE %I PARTITION OF engineer_positions FOR VALUES FROM (%L) TO (%L)',
          name, wanted::timestamp AT TIME ZONE 'UTC', (wanted + 1)::timestamp AT TIME ZONE 'UTC');
      END IF;
    END $$
    """,
    "REVOKE ALL ON FUNCTION ensure_positions_partition(date) FROM public",
    "GRANT EXECUTE ON FUNCTION ensure_positions_partition(date) TO paidan_app",
)


def _security() -> list[str]:
    """Row-level security on every table; the relay's own view of outbox and timers."""
    statements = [each for table in _TABLES for each in secured(table)]
    for table in ("outbox", "timers"):
        statements += [
            # FOR UPDATE SKIP LOCKED asks for the right to update, though nothing is changed.
            f"GRANT SELECT, UPDATE, DELETE ON {table} TO paidan_relay",
            f"CREATE POLICY relay ON {table} TO paidan_relay USING (true)",
        ]
    # Events are appended and read, never changed.
    statements.append("REVOKE UPDATE, DELETE ON ticket_events FROM paidan_app")
    return statements


def _queue() -> list[str]:
    """procrastinate's tables, as its installed version defines them; jobs carry ids only."""
    from procrastinate.schema import SchemaManager

    both = "paidan_app, paidan_relay"
    return [
        SchemaManager.get_schema().replace("%%", "%"),
        """
        DO $$ DECLARE one record; BEGIN
          FOR one IN SELECT c.oid::regclass AS name, c.relkind FROM pg_class c
              WHERE c.relname LIKE 'procrastinate%' AND c.relkind IN ('r', 'S') LOOP
            IF one.relkind = 'r' THEN
              EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO BOTH', one.name);
            ELSE
              EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE %s TO BOTH', one.name);
            END IF;
          END LOOP;
        END $$
        """.replace("BOTH", both),
    ]


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("tenant_id", "prefix", name=op.f("uq_api_keys_tenant_id_prefix")),
    )
    op.create_table(
        "blobs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("bytes_count", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("refcount", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("phash", sa.String(), nullable=True),
        sa.Column("stored_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("refcount >= 0", name=op.f("ck_blobs_refcount")),
        sa.PrimaryKeyConstraint("tenant_id", "sha256", name=op.f("pk_blobs")),
    )
    op.create_table(
        "chain_heads",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_chain_heads")),
    )
    op.create_table(
        "commands",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("status < 500", name=op.f("ck_commands_status")),
        sa.PrimaryKeyConstraint("tenant_id", "actor_id", "command_id", name=op.f("pk_commands")),
    )
    op.create_index("ix_commands_at", "commands", ["at"], unique=False, postgresql_using="brin")
    op.create_table(
        "contractors",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("paper_only", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_contractors")),
    )
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_enc", sa.LargeBinary(), nullable=True),
        sa.Column("phone_enc", sa.LargeBinary(), nullable=True),
        sa.Column("phone_blind", sa.LargeBinary(), nullable=True),
        sa.Column("phone_last4_blind", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("language in ('zh','en')", name=op.f("ck_customers_language")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customers")),
    )
    op.create_index("ix_customers_last4", "customers", ["tenant_id", "phone_last4_blind"], unique=False)
    op.create_index("ix_customers_phone", "customers", ["tenant_id", "phone_blind"], unique=False)
    op.create_table(
        "directory",
        sa.Column("lookup", sa.String(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind in ('dispatcher','engineer','link','api_key','tenant')", name=op.f("ck_directory_kind")
        ),
        sa.PrimaryKeyConstraint("lookup", name=op.f("pk_directory")),
    )
    op.create_geospatial_table(
        "engineer_positions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("accuracy_m", sa.Double(), nullable=False),
        sa.Column("datum", sa.String(), nullable=False),
        sa.Column("raw_lon", sa.Double(), nullable=False),
        sa.Column("raw_lat", sa.Double(), nullable=False),
        sa.Column("speed_mps", sa.Double(), nullable=True),
        sa.Column("mock", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "engineer_id", "at", name=op.f("pk_engineer_positions")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        "ix_engineer_positions_at", "engineer_positions", ["at"], unique=False, postgresql_using="brin"
    )
    op.create_table(
        "event_texts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_event_texts")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("depth", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_table(
        "parts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("serialised", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("returned", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("pk_parts")),
    )
    op.create_table(
        "signins",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_signins")),
    )
    op.create_index("ix_signins_principal", "signins", ["tenant_id", "principal_id"], unique=False)
    op.create_table(
        "skills",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("pk_skills")),
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column(
            "settings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("is_demo", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("language in ('zh','en')", name=op.f("ck_tenants_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
    )
    op.create_geospatial_table(
        "territories",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column(
            "area",
            Geography(
                geometry_type="MULTIPOLYGON",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_territories")),
    )
    op.create_index(
        "ix_territories_area", "territories", ["tenant_id", "area"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "ticket_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject_type", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("acting_for", sa.Uuid(), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("from_status", sa.String(), nullable=True),
        sa.Column("to_status", sa.String(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("device_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "seq", name=op.f("pk_ticket_events")),
    )
    op.create_index("ix_ticket_events_at", "ticket_events", ["tenant_id", "at"], unique=False)
    op.create_index(
        "ix_ticket_events_ticket", "ticket_events", ["tenant_id", "ticket_id", "seq"], unique=False
    )
    op.create_table(
        "timers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "subject_id", name=op.f("pk_timers")),
    )
    op.create_index("ix_timers_due", "timers", ["due_at"], unique=False)
    op.create_table(
        "work_types",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("completion_photos", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("check_in_radius_m", sa.Integer(), server_default=sa.text("150"), nullable=False),
        sa.Column(
            "checklist",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("crew", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("mode in ('direct','offer','pool','manual')", name=op.f("ck_work_types_mode")),
        sa.CheckConstraint("check_in_radius_m between 10 and 50000", name=op.f("ck_work_types_radius")),
        sa.CheckConstraint("completion_photos between 0 and 30", name=op.f("ck_work_types_photos")),
        sa.CheckConstraint("duration_min between 1 and 1440", name=op.f("ck_work_types_duration")),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("pk_work_types")),
    )
    op.create_table(
        "assets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("installed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("warranty_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_assets_tenant_id_customer_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_assets")),
    )
    op.create_index(
        "uq_assets_serial",
        "assets",
        ["tenant_id", "kind", "serial"],
        unique=True,
        postgresql_where=sa.text("serial is not null"),
    )
    op.create_table(
        "dispatchers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("signin_id", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("contractor_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "(role = 'contractor') = (contractor_id is not null)", name=op.f("ck_dispatchers_contractor")
        ),
        sa.CheckConstraint("language in ('zh','en')", name=op.f("ck_dispatchers_language")),
        sa.CheckConstraint("role in ('admin','dispatcher','contractor')", name=op.f("ck_dispatchers_role")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contractor_id"],
            ["contractors.tenant_id", "contractors.id"],
            name=op.f("fk_dispatchers_tenant_id_contractor_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dispatchers")),
    )
    op.create_geospatial_table(
        "engineers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("signin_id", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("phone_enc", sa.LargeBinary(), nullable=True),
        sa.Column("phone_blind", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("contractor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "home",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=True,
            ),
            nullable=True,
        ),
        sa.Column("position_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("position_accuracy_m", sa.Double(), nullable=True),
        sa.Column("skill_levels", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("daily_limit_min", sa.Integer(), server_default=sa.text("480"), nullable=False),
        sa.Column("trainee", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position_consent_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("language in ('zh','en')", name=op.f("ck_engineers_language")),
        sa.CheckConstraint("daily_limit_min between 0 and 1440", name=op.f("ck_engineers_limit")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contractor_id"],
            ["contractors.tenant_id", "contractors.id"],
            name=op.f("fk_engineers_tenant_id_contractor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "territory_id"],
            ["territories.tenant_id", "territories.id"],
            name=op.f("fk_engineers_tenant_id_territory_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_engineers")),
    )
    op.create_index(
        "ix_engineers_position", "engineers", ["tenant_id", "position"], unique=False, postgresql_using="gist"
    )
    op.create_table(
        "planner_leases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "territory_id"],
            ["territories.tenant_id", "territories.id"],
            name=op.f("fk_planner_leases_tenant_id_territory_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "territory_id", name=op.f("pk_planner_leases")),
    )
    op.create_table(
        "plans",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("day", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "score",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "territory_id"],
            ["territories.tenant_id", "territories.id"],
            name=op.f("fk_plans_tenant_id_territory_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_plans")),
    )
    op.create_table(
        "work_type_skills",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("work_type", sa.String(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint("level between 1 and 9", name=op.f("ck_work_type_skills_level")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill"],
            ["skills.tenant_id", "skills.code"],
            name=op.f("fk_work_type_skills_tenant_id_skill"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "work_type"],
            ["work_types.tenant_id", "work_types.code"],
            name=op.f("fk_work_type_skills_tenant_id_work_type"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "work_type", "skill", name=op.f("pk_work_type_skills")),
    )
    op.create_table(
        "absences",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_absences_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_absences_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_span", "absences", ["tenant_id", "engineer_id", "ends_at"], unique=False)
    op.create_table(
        "customer_exclusions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_customer_exclusions_tenant_id_customer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_customer_exclusions_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "customer_id", "engineer_id", name=op.f("pk_customer_exclusions")
        ),
    )
    op.create_table(
        "engineer_days",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("planned_min", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("planned_min >= 0", name=op.f("ck_engineer_days_planned")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_engineer_days_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "engineer_id", "day", name=op.f("pk_engineer_days")),
    )
    op.create_table(
        "engineer_skills",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("certified_until", sa.Date(), nullable=True),
        sa.CheckConstraint("level between 1 and 9", name=op.f("ck_engineer_skills_level")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_engineer_skills_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "skill"],
            ["skills.tenant_id", "skills.code"],
            name=op.f("fk_engineer_skills_tenant_id_skill"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "engineer_id", "skill", name=op.f("pk_engineer_skills")),
    )
    op.create_table(
        "push_targets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("gone_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("platform in ('fcm','web')", name=op.f("ck_push_targets_platform")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_push_targets_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_push_targets")),
        sa.UniqueConstraint(
            "tenant_id", "platform", "target", name=op.f("uq_push_targets_tenant_id_platform_target")
        ),
    )
    op.create_table(
        "shifts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), server_default=sa.text("'work'"), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("ends_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('work','on_call')", name=op.f("ck_shifts_kind")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_shifts_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_shifts_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shifts")),
        sa.UniqueConstraint(
            "tenant_id", "engineer_id", "starts_at", name=op.f("uq_shifts_tenant_id_engineer_id_starts_at")
        ),
    )
    op.create_index("ix_shifts_span", "shifts", ["tenant_id", "engineer_id", "ends_at"], unique=False)
    op.create_geospatial_table(
        "tickets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_no", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("work_type", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("territory_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("door_enc", sa.LargeBinary(), nullable=True),
        sa.Column("contact_name_enc", sa.LargeBinary(), nullable=True),
        sa.Column("contact_phone_enc", sa.LargeBinary(), nullable=True),
        sa.Column("contact_phone_blind", sa.LargeBinary(), nullable=True),
        sa.Column("contact_last4_blind", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "site",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=True,
            ),
            nullable=True,
        ),
        sa.Column("site_raw", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_ref", sa.String(), nullable=True),
        sa.Column("due_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("attention", sa.String(), nullable=True),
        sa.Column("urged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("disputed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("hold_reason", sa.String(), nullable=True),
        sa.Column("hold_until", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("hold_engineer_id", sa.Uuid(), nullable=True),
        sa.Column("hold_pauses_promise", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("coverage", sa.String(), server_default=sa.text("'warranty'"), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("parent_kind", sa.String(), nullable=True),
        sa.Column("duplicate_of", sa.Uuid(), nullable=True),
        sa.Column(
            "custom",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("search", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "coverage in ('warranty','paid','contract','goodwill')", name=op.f("ck_tickets_coverage")
        ),
        sa.CheckConstraint("mode in ('direct','offer','pool','manual')", name=op.f("ck_tickets_mode")),
        sa.CheckConstraint(
            "outcome in ('fixed','temporary','not_fixed','no_fault','refused','no_access')",
            name=op.f("ck_tickets_outcome"),
        ),
        sa.CheckConstraint(
            "parent_kind in ('warranty_callback','follow_up')", name=op.f("ck_tickets_parent_kind")
        ),
        sa.CheckConstraint("priority in ('low','normal','high','urgent')", name=op.f("ck_tickets_priority")),
        sa.CheckConstraint("status <> 'on_hold' or hold_until is not null", name=op.f("ck_tickets_hold")),
        sa.CheckConstraint(
            "status in ('open','offered','assigned','en_route','on_site','awaiting_acceptance','on_hold','closed','cancelled')",
            name=op.f("ck_tickets_status"),
        ),
        sa.CheckConstraint("(parent_id is null) = (parent_kind is null)", name=op.f("ck_tickets_parent")),
        sa.CheckConstraint("duplicate_of <> id", name=op.f("ck_tickets_duplicate")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "asset_id"],
            ["assets.tenant_id", "assets.id"],
            name=op.f("fk_tickets_tenant_id_asset_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.id"],
            name=op.f("fk_tickets_tenant_id_customer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "duplicate_of"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_tickets_tenant_id_duplicate_of"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "hold_engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_tickets_tenant_id_hold_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "parent_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_tickets_tenant_id_parent_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "territory_id"],
            ["territories.tenant_id", "territories.id"],
            name=op.f("fk_tickets_tenant_id_territory_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "work_type"],
            ["work_types.tenant_id", "work_types.code"],
            name=op.f("fk_tickets_tenant_id_work_type"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("tenant_id", "ticket_no", name=op.f("uq_tickets_tenant_id_ticket_no")),
    )
    op.create_index("ix_tickets_last4", "tickets", ["tenant_id", "contact_last4_blind"], unique=False)
    op.create_index(
        "ix_tickets_live",
        "tickets",
        ["tenant_id", "created_at"],
        unique=False,
        postgresql_where=sa.text("status not in ('closed','cancelled')"),
    )
    op.create_index("ix_tickets_phone", "tickets", ["tenant_id", "contact_phone_blind"], unique=False)
    op.create_index("ix_tickets_search", "tickets", ["search"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_tickets_site", "tickets", ["tenant_id", "site"], unique=False, postgresql_using="gist"
    )
    op.create_index("ix_tickets_status", "tickets", ["tenant_id", "status", "created_at"], unique=False)
    op.create_index(
        "uq_tickets_external_ref",
        "tickets",
        ["tenant_id", "source", "external_ref"],
        unique=True,
        postgresql_where=sa.text("external_ref is not null"),
    )
    op.create_table(
        "customer_links",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token_enc", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_customer_links_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_links")),
    )
    op.create_index("ix_customer_links_ticket", "customer_links", ["tenant_id", "ticket_id"], unique=False)
    op.create_table(
        "messages_sent",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_messages_sent_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_messages_sent")),
        sa.UniqueConstraint(
            "tenant_id",
            "seq",
            "ticket_id",
            "template",
            "recipient",
            name=op.f("uq_messages_sent_tenant_id_seq_ticket_id_template_recipient"),
        ),
    )
    op.create_table(
        "promises",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("promised_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("promised_to", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("promised_by", sa.String(), nullable=False),
        sa.Column("promised_by_id", sa.Uuid(), nullable=False),
        sa.Column("promised_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("superseded_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('window','response','arrival','resolution')", name=op.f("ck_promises_kind")
        ),
        sa.CheckConstraint("promised_to >= promised_from", name=op.f("ck_promises_span")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_promises_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_promises")),
        sa.UniqueConstraint(
            "tenant_id",
            "ticket_id",
            "kind",
            "version",
            name=op.f("uq_promises_tenant_id_ticket_id_kind_version"),
        ),
    )
    op.create_table(
        "push_deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "target_id"],
            ["push_targets.tenant_id", "push_targets.id"],
            name=op.f("fk_push_deliveries_tenant_id_target_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "seq", "subject_id", "target_id", name=op.f("pk_push_deliveries")
        ),
    )
    op.create_table(
        "refusals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_refusals_tenant_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_refusals_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "ticket_id", "engineer_id", name=op.f("pk_refusals")),
    )
    op.create_table(
        "requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("asked_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind in ('overtime','leave','discount','part')", name=op.f("ck_requests_kind")),
        sa.CheckConstraint(
            "status in ('open','approved','refused','withdrawn')", name=op.f("ck_requests_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "answered_by"],
            ["dispatchers.tenant_id", "dispatchers.id"],
            name=op.f("fk_requests_tenant_id_answered_by"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_requests_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_requests_tenant_id_ticket_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_requests")),
    )
    op.create_table(
        "visits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("contractor_id", sa.Uuid(), nullable=True),
        sa.Column("window_from", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("window_to", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("duration_min", sa.Integer(), nullable=False),
        sa.Column("booked_day", sa.Date(), nullable=True),
        sa.Column("opened_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("assigned_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("acknowledged_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("contacted_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("set_off_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("checked_in_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("completed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("eta_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("closed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "outcome in ('fixed','temporary','not_fixed','no_fault','refused','no_access')",
            name=op.f("ck_visits_outcome"),
        ),
        sa.CheckConstraint("window_to >= window_from", name=op.f("ck_visits_window")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contractor_id"],
            ["contractors.tenant_id", "contractors.id"],
            name=op.f("fk_visits_tenant_id_contractor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_visits_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_visits_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_visits")),
        sa.UniqueConstraint(
            "tenant_id", "ticket_id", "number", name=op.f("uq_visits_tenant_id_ticket_id_number")
        ),
    )
    op.create_index(
        "ix_visits_engineer_open",
        "visits",
        ["tenant_id", "engineer_id"],
        unique=False,
        postgresql_where=sa.text("closed_at is null and engineer_id is not null"),
    )
    op.create_index(
        "uq_visits_one_open",
        "visits",
        ["tenant_id", "ticket_id"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
    )
    op.create_table(
        "completions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column(
            "checklist",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_completions_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_completions_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", name=op.f("pk_completions")),
    )
    op.create_table(
        "evidence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("pending", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("received_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "facts",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "kind in ('intake','check_in','completion','reject','signature')", name=op.f("ck_evidence_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_evidence_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_evidence_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evidence")),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["tenant_id", "sha256"], unique=False)
    op.create_index("ix_evidence_ticket", "evidence", ["tenant_id", "ticket_id"], unique=False)
    op.create_table(
        "offers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("contractor_id", sa.Uuid(), nullable=True),
        sa.Column("from_engineer_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), server_default=sa.text("'offer'"), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("offered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("expires_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("seen_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("travel_s", sa.Integer(), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.CheckConstraint("kind in ('offer','hand_over')", name=op.f("ck_offers_kind")),
        sa.CheckConstraint(
            "status in ('pending','accepted','declined','expired','withdrawn')", name=op.f("ck_offers_status")
        ),
        sa.CheckConstraint("num_nonnulls(engineer_id, contractor_id) = 1", name=op.f("ck_offers_whom")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contractor_id"],
            ["contractors.tenant_id", "contractors.id"],
            name=op.f("fk_offers_tenant_id_contractor_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_offers_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "from_engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_offers_tenant_id_from_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_offers_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_offers_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_offers")),
    )
    op.create_index(
        "ix_offers_pending",
        "offers",
        ["tenant_id", "engineer_id"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_offers_ticket", "offers", ["tenant_id", "ticket_id"], unique=False)
    op.create_index(
        "uq_offers_one_accepted",
        "offers",
        ["tenant_id", "visit_id"],
        unique=True,
        postgresql_where=sa.text("status = 'accepted' and kind = 'offer'"),
    )
    op.create_index(
        "uq_offers_one_pending",
        "offers",
        ["tenant_id", "visit_id", "engineer_id"],
        unique=True,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_table(
        "part_movements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("from_kind", sa.String(), nullable=False),
        sa.Column("from_id", sa.Uuid(), nullable=True),
        sa.Column("to_kind", sa.String(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.String(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "from_kind in ('supplier','depot','van','ticket') and to_kind in ('depot','van','ticket','returned','scrapped')",
            name=op.f("ck_part_movements_kinds"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_part_movements_quantity")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "part"],
            ["parts.tenant_id", "parts.code"],
            name=op.f("fk_part_movements_tenant_id_part"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_part_movements_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_part_movements_tenant_id_visit_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_part_movements")),
    )
    op.create_index(
        "ix_part_movements_from",
        "part_movements",
        ["tenant_id", "from_kind", "from_id", "part"],
        unique=False,
    )
    op.create_index(
        "ix_part_movements_to", "part_movements", ["tenant_id", "to_kind", "to_id", "part"], unique=False
    )
    op.create_table(
        "quotes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("quoted_by", sa.Uuid(), nullable=False),
        sa.Column("quoted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("answered_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status in ('open','approved','refused','superseded')", name=op.f("ck_quotes_status")
        ),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_quotes_total")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_quotes_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_quotes_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quotes")),
    )
    op.create_index(
        "uq_quotes_one_open",
        "quotes",
        ["tenant_id", "visit_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "receipts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("decided_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("as_of_seq", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("chosen_engineer_id", sa.Uuid(), nullable=True),
        sa.Column("runner_up_engineer_id", sa.Uuid(), nullable=True),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_receipts_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_receipts_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_receipts")),
    )
    op.create_index("ix_receipts_ticket", "receipts", ["tenant_id", "ticket_id", "decided_at"], unique=False)
    op.create_table(
        "settlement_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("payee_kind", sa.String(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("payee_kind in ('engineer','contractor')", name=op.f("ck_settlement_lines_payee")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_settlement_lines_tenant_id_ticket_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_settlement_lines_tenant_id_visit_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_settlement_lines")),
    )
    op.create_table(
        "stops",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_version", sa.Integer(), nullable=False),
        sa.Column("starts_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_stops_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "plan_id"],
            ["plans.tenant_id", "plans.id"],
            name=op.f("fk_stops_tenant_id_plan_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_stops_tenant_id_visit_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "plan_id", "engineer_id", "position", name=op.f("pk_stops")),
        sa.UniqueConstraint(
            "tenant_id",
            "plan_id",
            "visit_id",
            "engineer_id",
            name=op.f("uq_stops_tenant_id_plan_id_visit_id_engineer_id"),
        ),
    )
    op.create_table(
        "visit_engineers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("set_off_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("checked_in_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("left_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint("role in ('lead','helper','trainee')", name=op.f("ck_visit_engineers_role")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engineer_id"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_visit_engineers_tenant_id_engineer_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_visit_engineers_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", "engineer_id", name=op.f("pk_visit_engineers")),
    )
    op.create_index(
        "ix_visit_engineers_engineer",
        "visit_engineers",
        ["tenant_id", "engineer_id"],
        unique=False,
        postgresql_where=sa.text("left_at is null"),
    )
    op.create_index(
        "uq_visit_engineers_lead",
        "visit_engineers",
        ["tenant_id", "visit_id"],
        unique=True,
        postgresql_where=sa.text("role = 'lead'"),
    )
    op.create_index(
        "uq_visit_engineers_under_way",
        "visit_engineers",
        ["tenant_id", "engineer_id"],
        unique=True,
        postgresql_where=sa.text("set_off_at is not null and left_at is null"),
    )
    op.create_table(
        "acceptances",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("witnessed_by", sa.Uuid(), nullable=True),
        sa.Column("signature_id", sa.Uuid(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint("verdict in ('signed_off','rejected')", name=op.f("ck_acceptances_verdict")),
        sa.CheckConstraint("rating between 1 and 5", name=op.f("ck_acceptances_rating")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "signature_id"],
            ["evidence.tenant_id", "evidence.id"],
            name=op.f("fk_acceptances_tenant_id_signature_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_acceptances_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id"],
            ["visits.tenant_id", "visits.id"],
            name=op.f("fk_acceptances_tenant_id_visit_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "witnessed_by"],
            ["engineers.tenant_id", "engineers.id"],
            name=op.f("fk_acceptances_tenant_id_witnessed_by"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_acceptances")),
    )
    op.create_index("ix_acceptances_ticket", "acceptances", ["tenant_id", "ticket_id"], unique=False)
    op.create_geospatial_table(
        "check_ins",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column(
            "position",
            Geography(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeogFromText",
                name="geography",
                nullable=True,
            ),
            nullable=True,
        ),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("override_reason", sa.String(), nullable=True),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("device_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "ticket_id"],
            ["tickets.tenant_id", "tickets.id"],
            name=op.f("fk_check_ins_tenant_id_ticket_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "visit_id", "engineer_id"],
            ["visit_engineers.tenant_id", "visit_engineers.visit_id", "visit_engineers.engineer_id"],
            name=op.f("fk_check_ins_tenant_id_visit_id_engineer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "visit_id", "engineer_id", name=op.f("pk_check_ins")),
    )
    for statement in (*_PARTITIONS, *_security(), *_queue()):
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the first migration has nothing before it: drop the database instead")
