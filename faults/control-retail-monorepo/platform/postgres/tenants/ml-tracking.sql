-- squad: ml-platform
\getenv password ML_TRACKING_PASSWORD
SELECT 'CREATE ROLE ml_tracking LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ml_tracking') \gexec
ALTER ROLE ml_tracking PASSWORD :'password';
SELECT 'CREATE DATABASE ml_tracking OWNER ml_tracking' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ml_tracking') \gexec
REVOKE ALL ON DATABASE ml_tracking FROM PUBLIC;
