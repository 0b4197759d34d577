#!/bin/bash
# who has how many runs, and how big is the database
psql -X -At -v ON_ERROR_STOP=1 <<'SQL' || exit 1
SELECT 'database: ' || pg_size_pretty(pg_database_size(current_database()));
SELECT 'experiment ' || e.name || ': ' || count(r.run_uuid) || ' runs'
FROM experiments e LEFT JOIN runs r ON r.experiment_id = e.experiment_id
GROUP BY e.name ORDER BY e.name;
SQL
