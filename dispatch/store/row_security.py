"""Row-level security as every migration gives it to a new table."""

#: Without row-level security: what is looked up before a tenant is known. Neither holds a name.
OUTSIDE = frozenset({"directory", "signin_attempts"})
TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


def secured(table: str) -> list[str]:
    """The statements that give `table` to the application: its rights, and the tenant's rows alone, forced."""
    grant = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO paidan_app"
    if table in OUTSIDE:
        return [grant]
    key = "id" if table == "tenants" else "tenant_id"
    return [
        grant,
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY tenant ON {table} TO paidan_app USING ({key} = {TENANT}) WITH CHECK ({key} = {TENANT})",
    ]
