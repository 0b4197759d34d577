"""Init container of mlflow-0: the schema is made or brought up to date before the server starts."""

import os

from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

SqlAlchemyStore(os.environ["MLFLOW_BACKEND_STORE_URI"], f"s3://{os.environ['BUCKET']}/")
print("the schema is up to date")
