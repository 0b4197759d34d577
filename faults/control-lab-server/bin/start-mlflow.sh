#!/bin/bash
# Bucket first (fails until MinIO is up), then the database, then MLflow.
until python /opt/job/make_bucket.py; do
  echo "storage is not there yet"
  sleep 2
done
until python -c "
import os, psycopg2
psycopg2.connect(host='db', user=os.environ['POSTGRES_USER'], password=os.environ['POSTGRES_PASSWORD'], dbname=os.environ['POSTGRES_DB'], connect_timeout=3).close()
"; do
  echo "database is not there yet"
  sleep 2
done
export MLFLOW_BACKEND_STORE_URI="postgresql://$POSTGRES_USER:$POSTGRES_PASSWORD@db/$POSTGRES_DB"
exec mlflow server \
  --host 0.0.0.0 \
  --port 5000 \
  --workers 3 \
  --default-artifact-root "s3://$BUCKET/mlflow" \
  --no-serve-artifacts
