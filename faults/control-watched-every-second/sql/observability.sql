-- What the monitoring needs, and an audit of MLflow's tables. Can be run again at any time.
\set ON_ERROR_STOP on
\getenv monitor_password MONITOR_PASSWORD

-- no password may get into the log, however slow this session is
SET log_min_duration_statement = -1;
SET log_min_error_statement = panic;

SELECT 'CREATE ROLE monitor LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 6'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
ALTER ROLE monitor PASSWORD :'monitor_password';
ALTER ROLE monitor SET statement_timeout = '2s';
GRANT pg_monitor TO monitor;
GRANT CONNECT ON DATABASE glass TO monitor;

CREATE SCHEMA IF NOT EXISTS monitoring;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA monitoring;
GRANT USAGE ON SCHEMA monitoring TO monitor;

CREATE SCHEMA IF NOT EXISTS audit;
GRANT USAGE ON SCHEMA audit TO monitor;
CREATE TABLE IF NOT EXISTS audit.log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    who         text NOT NULL DEFAULT session_user,
    application text DEFAULT current_setting('application_name', true),
    relation    text NOT NULL,
    operation   text NOT NULL,
    before      jsonb,
    after       jsonb
);
CREATE INDEX IF NOT EXISTS log_relation ON audit.log (relation, at);
GRANT SELECT ON audit.log TO monitor;

CREATE OR REPLACE FUNCTION audit.note() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO audit.log (relation, operation, after) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(NEW));
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO audit.log (relation, operation, before, after) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
    ELSE
        INSERT INTO audit.log (relation, operation, before) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD));
    END IF;
    RAISE LOG 'audit: % on %', TG_OP, TG_TABLE_NAME;
    RETURN NULL;
END
$$;

SELECT format('CREATE OR REPLACE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON public.%I FOR EACH ROW EXECUTE FUNCTION audit.note()', tablename)
FROM pg_tables
WHERE schemaname = 'public'
  AND tablename IN ('experiments', 'runs', 'tags', 'logged_models', 'registered_models', 'registered_model_tags',
                    'registered_model_aliases', 'model_versions', 'model_version_tags')
\gexec
