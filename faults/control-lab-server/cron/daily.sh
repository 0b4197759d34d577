#!/bin/bash
vacuumdb --analyze --quiet && pg_dump --schema-only > /tmp/schema.sql && echo "schema: $(wc -l < /tmp/schema.sql) lines"
