\getenv backup_password BACKUP_PASSWORD
\getenv reporting_password REPORTING_PASSWORD

SELECT 'CREATE ROLE backup LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'backup') \gexec
SELECT 'CREATE ROLE reporting LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reporting') \gexec

ALTER ROLE backup WITH REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 3 PASSWORD :'backup_password';
ALTER ROLE reporting WITH NOREPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 4 PASSWORD :'reporting_password';

GRANT pg_read_all_data TO reporting;
ALTER ROLE reporting SET default_transaction_read_only = on;
ALTER ROLE reporting SET statement_timeout = '30s';
ALTER ROLE reporting SET idle_in_transaction_session_timeout = '60s';
