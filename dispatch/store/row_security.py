"""Row-level security as every migration gives it to a new table."""

#: Without row-level security: what is looked up before a tenant is known. Neither holds a name.
OUTSIDE = frozenset({"directory", "signin_attempts"})
TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


SCOPE = "coalesce((select current_setting('app.scope', true)), '')"


def scoped(table: str) -> str:
    """The statement that hides rows of `table` from a dispatcher bound to other territories.

    Rows without a territory are everybody's to look after.
    """
    return f"""
      CREATE POLICY scope ON {table} AS RESTRICTIVE FOR SELECT TO paidan_app USING ({SCOPE} = ''
        OR territory_id IS NULL OR territory_id = ANY (string_to_array({SCOPE}, ',')::uuid[]))
    """


def scoped_by_ticket(table: str) -> str:
    """The same for what hangs on a ticket: seen by whoever sees the ticket."""
    return f"""
      CREATE POLICY scope ON {table} AS RESTRICTIVE FOR SELECT TO paidan_app USING ({SCOPE} = ''
        OR EXISTS (SELECT FROM tickets t WHERE t.tenant_id = {table}.tenant_id AND t.id = {table}.ticket_id))
    """


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
