\set ON_ERROR_STOP on
\getenv tracking_password TRACKING_PASSWORD
\getenv registry_password REGISTRY_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES ('tracking'), ('registry')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE tracking PASSWORD :'tracking_password';
ALTER ROLE registry PASSWORD :'registry_password';
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', name, name) FROM (VALUES ('tracking'), ('registry')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE tracking, registry FROM PUBLIC;
