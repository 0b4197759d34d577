\set ON_ERROR_STOP on
\getenv fraud FRAUD_DB_PASSWORD
\getenv pricing PRICING_DB_PASSWORD
\getenv catalogue CATALOGUE_DB_PASSWORD
\getenv registry REGISTRY_DB_PASSWORD

SELECT format('CREATE ROLE %I LOGIN', name)
FROM (VALUES ('mlflow_fraud'), ('mlflow_pricing'), ('mlflow_catalogue'), ('registry')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE mlflow_fraud PASSWORD :'fraud';
ALTER ROLE mlflow_pricing PASSWORD :'pricing';
ALTER ROLE mlflow_catalogue PASSWORD :'catalogue';
ALTER ROLE registry PASSWORD :'registry';

SELECT format('CREATE DATABASE %I OWNER %I', name, name)
FROM (VALUES ('mlflow_fraud'), ('mlflow_pricing'), ('mlflow_catalogue'), ('registry')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
REVOKE ALL ON DATABASE mlflow_fraud, mlflow_pricing, mlflow_catalogue, registry FROM PUBLIC;
