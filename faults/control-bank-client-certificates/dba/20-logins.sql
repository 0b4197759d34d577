-- Two service accounts, two areas: the tracking server's tables lie in public, the registry keeps a schema of its own.
\set ON_ERROR_STOP on
\getenv mlflow_password SVC_MLFLOW_PASSWORD
\getenv registry_password SVC_REGISTRY_PASSWORD

SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name)
FROM (VALUES ('svc_mlflow'), ('svc_registry')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE svc_mlflow PASSWORD :'mlflow_password';
ALTER ROLE svc_registry PASSWORD :'registry_password';

REVOKE ALL ON DATABASE modelrisk FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE modelrisk TO svc_mlflow, svc_registry;
GRANT CREATE ON DATABASE modelrisk TO svc_registry;
GRANT USAGE, CREATE ON SCHEMA public TO svc_mlflow;
