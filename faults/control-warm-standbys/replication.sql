-- The standby's role and its slot; can be run again at any time.
\set ON_ERROR_STOP on
\getenv replication_password REPLICATION_PASSWORD

SELECT 'CREATE ROLE replicator LOGIN REPLICATION' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'replicator') \gexec
ALTER ROLE replicator PASSWORD :'replication_password';

SELECT pg_create_physical_replication_slot('db_standby')
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = 'db_standby');
