-- Owners and schemas of the database ml; can be run again at any time.
\set ON_ERROR_STOP on
\getenv tracker_password TRACKER_PASSWORD
\getenv registrar_password REGISTRAR_PASSWORD

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name)
FROM (VALUES ('tracker'), ('registrar')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE tracker PASSWORD :'tracker_password';
ALTER ROLE registrar PASSWORD :'registrar_password';

REVOKE ALL ON DATABASE ml FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE ml TO tracker, registrar;
-- CREATE SCHEMA IF NOT EXISTS asks for this right even where the schema is there
GRANT CREATE ON DATABASE ml TO registrar;

CREATE SCHEMA IF NOT EXISTS mlflow AUTHORIZATION tracker;
CREATE SCHEMA IF NOT EXISTS hokusai AUTHORIZATION registrar;
ALTER ROLE tracker IN DATABASE ml SET search_path = mlflow;
ALTER ROLE registrar IN DATABASE ml SET search_path = hokusai;
