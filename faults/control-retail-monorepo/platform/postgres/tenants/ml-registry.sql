-- squad: ml-platform
\getenv password ML_REGISTRY_PASSWORD
SELECT 'CREATE ROLE ml_registry LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ml_registry') \gexec
ALTER ROLE ml_registry PASSWORD :'password';
SELECT 'CREATE DATABASE ml_registry OWNER ml_registry' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ml_registry') \gexec
REVOKE ALL ON DATABASE ml_registry FROM PUBLIC;
