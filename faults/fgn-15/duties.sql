\set ON_ERROR_STOP on
\getenv migrator_password MIGRATOR_PASSWORD
\getenv tracker_password TRACKER_PASSWORD
\getenv catalogue_password CATALOGUE_PASSWORD

CREATE ROLE migrator LOGIN PASSWORD :'migrator_password';
CREATE ROLE tracker LOGIN PASSWORD :'tracker_password';
CREATE ROLE catalogue LOGIN PASSWORD :'catalogue_password';

CREATE DATABASE catalogue OWNER catalogue;
CREATE DATABASE tracking OWNER migrator;
REVOKE ALL ON DATABASE catalogue, tracking FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE tracking TO tracker;

\connect tracking
GRANT USAGE ON SCHEMA public TO tracker;
-- for everything that a migration will make
ALTER DEFAULT PRIVILEGES FOR ROLE migrator IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tracker;
