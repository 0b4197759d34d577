-- Groups own and are granted, logins are members of groups. Can be run again at any time.
\set ON_ERROR_STOP on
\getenv migrator_password MIGRATOR_PASSWORD
\getenv tracker_password TRACKER_PASSWORD
\getenv hokusai_password HOKUSAI_PASSWORD

SELECT format('CREATE ROLE %I NOLOGIN', name)
FROM (VALUES ('ml_owners'), ('ml_writers')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', name)
FROM (VALUES ('migrator'), ('tracker'), ('hokusai')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE migrator PASSWORD :'migrator_password';
ALTER ROLE tracker PASSWORD :'tracker_password';
ALTER ROLE hokusai PASSWORD :'hokusai_password';

GRANT ml_owners TO migrator;
GRANT ml_writers TO tracker;
-- from its first statement on, a migrator's session is the owners'
ALTER ROLE migrator SET ROLE ml_owners;

REVOKE ALL ON DATABASE ml FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE ml TO ml_owners, ml_writers, hokusai;
-- CREATE SCHEMA IF NOT EXISTS asks for this right even where the schema is there
GRANT CREATE ON DATABASE ml TO hokusai;

CREATE SCHEMA IF NOT EXISTS tracking AUTHORIZATION ml_owners;
CREATE SCHEMA IF NOT EXISTS hokusai AUTHORIZATION hokusai;

GRANT USAGE ON SCHEMA tracking TO ml_writers;
-- for everything that a migration will make
ALTER DEFAULT PRIVILEGES FOR ROLE ml_owners IN SCHEMA tracking GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ml_writers;
ALTER DEFAULT PRIVILEGES FOR ROLE ml_owners IN SCHEMA tracking GRANT USAGE, SELECT ON SEQUENCES TO ml_writers;
