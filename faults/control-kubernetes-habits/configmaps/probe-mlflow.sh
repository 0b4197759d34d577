# readinessProbe of mlflow-0: the server answers, and so does the database behind it
set -e
answers 5000 /health
answers 5000 '/api/2.0/mlflow/registered-models/search?max_results=1'
