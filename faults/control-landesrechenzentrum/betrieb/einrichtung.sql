-- Betriebshandbuch 4.2: Tablespace, Rollen, Datenbanken. Wiederholbar.
\set ON_ERROR_STOP on
\getenv verfolgung VERFOLGUNG_PASSWORD
\getenv register REGISTER_PASSWORD

SELECT 'CREATE TABLESPACE fachverfahren LOCATION ''/tablespaces/fachverfahren'''
WHERE NOT EXISTS (SELECT FROM pg_tablespace WHERE spcname = 'fachverfahren') \gexec

SELECT format('CREATE ROLE %I LOGIN', name) FROM (VALUES ('verfolgung'), ('register')) AS soll (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE verfolgung PASSWORD :'verfolgung';
ALTER ROLE register PASSWORD :'register';

SELECT format('CREATE DATABASE %I OWNER %I TABLESPACE fachverfahren TEMPLATE template0', db, rolle)
FROM (VALUES ('modellverfolgung', 'verfolgung'), ('modellregister', 'register')) AS soll (db, rolle)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = db) \gexec
REVOKE ALL ON DATABASE modellverfolgung, modellregister FROM PUBLIC;
