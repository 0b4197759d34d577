-- Nobody works as dba. `tracking` owns the database and makes MLflow's tables in it; `registry` is the service's, and gets
-- what it asks for, no more.
SELECT 'CREATE ROLE tracking' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tracking') \gexec
SELECT 'CREATE ROLE registry' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'registry') \gexec
ALTER ROLE tracking LOGIN NOSUPERUSER PASSWORD :'password';
ALTER ROLE registry LOGIN NOSUPERUSER PASSWORD :'password';

ALTER DATABASE models OWNER TO tracking;
REVOKE ALL ON DATABASE models FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE models TO registry;
