"""Row-level security as every migration gives it to a new table."""

#: Without row-level security: what is looked up before a tenant is known. Neither holds a name.
OUTSIDE = frozenset({"directory", "signin_attempts"})
TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"


#: Whom the transaction sees for: empty for the whole company, territories with commas between, or `@` and a
#: contractor for that contractor's dispatcher.
SCOPE = "coalesce((select current_setting('app.scope', true)), '')"
#: Where a sub-select has looked already: read for each row, but only for who is narrowed, and cheaper to plan.
NARROWED = "current_setting('app.scope', true)"
#: Within a CASE: after a wait for a row's lock every sub-select of a policy is worked out, whoever asks.
CONTRACTOR = f"CASE WHEN {NARROWED} LIKE '@%' THEN substr({NARROWED}, 2)::uuid END"


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


#: The tickets given to a contractor: asked of it now, its own visits, those of its engineers; not the visits that
#: were taken away again before they were done.
GIVEN = f"""
  CREATE FUNCTION paidan_given(contractor uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(given.ticket_id), '{{}}') FROM (
      SELECT o.ticket_id FROM offers o
        WHERE o.tenant_id = {TENANT} AND o.contractor_id = contractor AND o.status = 'pending'
      UNION SELECT v.ticket_id FROM visits v
        WHERE v.tenant_id = {TENANT} AND v.contractor_id = contractor
          AND (v.closed_at IS NULL OR v.completed_at IS NOT NULL)
      UNION SELECT v.ticket_id FROM visits v JOIN engineers e ON e.tenant_id = v.tenant_id AND e.id = v.engineer_id
        WHERE v.tenant_id = {TENANT} AND e.contractor_id = contractor
          AND (v.closed_at IS NULL OR v.completed_at IS NOT NULL)) given
  $$
"""


def scoped_tickets() -> str:
    """The policy `scope` on tickets: territories as in `scoped`, or what was given to the contractor."""
    return f"""
      CREATE POLICY scope ON tickets AS RESTRICTIVE FOR SELECT TO paidan_app USING (CASE
        WHEN {SCOPE} = '' THEN true
        WHEN {NARROWED} LIKE '@%' THEN id = ANY ((SELECT paidan_given({CONTRACTOR}))::uuid[])
        ELSE territory_id IS NULL OR territory_id = ANY (string_to_array({NARROWED}, ',')::uuid[]) END)
    """


def scoped_engineers() -> str:
    """The policy that shows a contractor's dispatcher the contractor's own engineers and nobody else."""
    return f"""
      CREATE POLICY scope ON engineers AS RESTRICTIVE FOR SELECT TO paidan_app USING (CASE
        WHEN left({SCOPE}, 1) = '@' THEN contractor_id = {CONTRACTOR} ELSE true END)
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
