-- Makes what each application needs, and nothing for anybody else. Can be run again at any time.
\set ON_ERROR_STOP on
\getenv tracker_password TRACKER_PASSWORD
\getenv registrar_password REGISTRAR_PASSWORD

SELECT format('CREATE %s %I NOSUPERUSER NOCREATEDB NOCREATEROLE', kind, name)
FROM (VALUES ('USER', 'tracker'), ('ROLE', 'registrar')) AS wanted (kind, name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE tracker PASSWORD :'tracker_password';
ALTER ROLE registrar PASSWORD :'registrar_password';

SELECT format('CREATE DATABASE %I OWNER %I', base, owner)
FROM (VALUES ('tracking-prod', 'tracker'), ('registrar_prod', 'registrar'), ('billing', 'postgres_admin')) AS wanted (base, owner)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = base) \gexec
REVOKE ALL ON DATABASE "tracking-prod", registrar_prod, billing FROM PUBLIC;
