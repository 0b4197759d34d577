-- What the two services may be: each the owner of one database, and stranger in the other's. To run this again changes nothing
-- but passwords, which are set to what the definition says.
\set ON_ERROR_STOP on
\getenv tracking_password TRACKING_PASSWORD
\getenv catalogue_password CATALOGUE_PASSWORD
SET client_min_messages = warning;

SELECT 'CREATE ROLE tracking LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tracking') \gexec
SELECT 'CREATE ROLE catalogue LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'catalogue') \gexec
-- analysts' own logins are made by hand, and become members of this
SELECT 'CREATE ROLE readers NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'readers') \gexec

ALTER ROLE tracking WITH NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 80 PASSWORD :'tracking_password';
ALTER ROLE catalogue WITH NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 60 PASSWORD :'catalogue_password';
ALTER ROLE readers SET default_transaction_read_only = on;
GRANT pg_read_all_data TO readers;

SELECT 'CREATE DATABASE tracking OWNER tracking' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'tracking') \gexec
SELECT 'CREATE DATABASE catalogue OWNER catalogue' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'catalogue') \gexec
REVOKE CONNECT, TEMPORARY ON DATABASE tracking FROM PUBLIC;
REVOKE CONNECT, TEMPORARY ON DATABASE catalogue FROM PUBLIC;
GRANT CONNECT ON DATABASE tracking TO readers;

\echo roles are in place
