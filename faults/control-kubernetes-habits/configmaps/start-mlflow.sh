#!/bin/bash
# ConfigMap mlflow-start; the address of the database comes from the Secret, as MLFLOW_BACKEND_STORE_URI
set -euo pipefail
exec mlflow server --host=0.0.0.0 --port=5000 --workers="$SERVER_WORKERS" \
  --default-artifact-root="s3://$BUCKET/" --no-serve-artifacts
