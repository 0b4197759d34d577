"""Make the experiment that the registry logs to, with its own place in the store; end with a line where it is another than wanted."""

import os
import sys

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

NAME, PLACE = os.environ["EXPERIMENT"], os.environ["PLACE"]


def main() -> str | None:
    client = MlflowClient(os.environ["MLFLOW_TRACKING_URI"])
    found = client.get_experiment_by_name(NAME)
    if found is None:
        found = client.get_experiment(client.create_experiment(NAME, artifact_location=PLACE, tags={"owner": "credit"}))
    if found.lifecycle_stage != "active":
        return f"the experiment {NAME} was deleted"
    if found.artifact_location.rstrip("/") != PLACE:
        return f"the experiment {NAME} is at {found.artifact_location}, not at {PLACE}"
    print(f"the experiment {NAME} is {found.experiment_id}, at {PLACE}", flush=True)
    return None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except MlflowException as error:
        sys.exit(f"the experiment {NAME}: {type(error).__name__}: {error}")
