-- What only a superuser may do to a database that Paidan is to use. Safe to run again.
-- The private cluster gets it by itself. For a PostgreSQL of your own (14 or newer, PostGIS 3):
--
--     createdb --encoding=UTF8 --template=template0 paidan
--     psql --dbname=paidan --set=ON_ERROR_STOP=1 --file=setup/database.sql
--
-- then give the three roles a password (ALTER ROLE … PASSWORD …) and put their addresses into
-- PAIDAN_DATABASE_URL (paidan_app), PAIDAN_DATABASE_OWNER_URL (paidan_owner) and
-- PAIDAN_DATABASE_RELAY_URL (paidan_relay).

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_owner') THEN
    CREATE ROLE paidan_owner LOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_app') THEN
    CREATE ROLE paidan_app LOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_relay') THEN
    CREATE ROLE paidan_relay LOGIN;
  END IF;
END $$;

-- The owner migrates; the application and the relay own nothing and cannot step around row-level security.
-- Only where a role is otherwise: roles are the whole cluster's, and two restores must not write them at once.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_owner'
      AND (NOT rolcreatedb OR NOT rolcreaterole OR rolsuper OR rolbypassrls)) THEN
    ALTER ROLE paidan_owner CREATEDB CREATEROLE NOSUPERUSER NOBYPASSRLS;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_app'
      AND (rolcreatedb OR rolcreaterole OR rolsuper OR rolbypassrls)) THEN
    ALTER ROLE paidan_app NOCREATEDB NOCREATEROLE NOSUPERUSER NOBYPASSRLS;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'paidan_relay'
      AND (rolcreatedb OR rolcreaterole OR rolsuper OR rolbypassrls)) THEN
    ALTER ROLE paidan_relay NOCREATEDB NOCREATEROLE NOSUPERUSER NOBYPASSRLS;
  END IF;
END $$;

CREATE EXTENSION IF NOT EXISTS postgis;
CREATE EXTENSION IF NOT EXISTS btree_gist;

GRANT USAGE, CREATE ON SCHEMA public TO paidan_owner;
GRANT USAGE ON SCHEMA public TO paidan_app, paidan_relay;

-- The planner may use a GiST or GIN index below row-level security only through functions that cannot tell
-- what they saw in an error message: these compare positions, and arrays of words, and raise nothing that
-- holds one.
DO $$
DECLARE
  one regprocedure;
BEGIN
  FOR one IN
    SELECT p.oid::regprocedure
    FROM pg_proc p
    WHERE p.proname IN ('geography_overlaps', 'st_dwithin', '_st_dwithin')
      AND 'geography'::regtype = ANY (p.proargtypes::oid[])
      AND NOT p.proleakproof
    UNION ALL
    SELECT p.oid::regprocedure FROM pg_proc p WHERE p.proname = 'arraycontains' AND NOT p.proleakproof
  LOOP
    EXECUTE format('ALTER FUNCTION %s LEAKPROOF', one);
  END LOOP;
END $$;

-- template1 of a private cluster stays a template; any other database is handed to the owner.
DO $$
BEGIN
  IF current_database() <> 'template1' THEN
    EXECUTE format('ALTER DATABASE %I OWNER TO paidan_owner', current_database());
  END IF;
END $$;
