"""The training flow: every FLOW_INTERVAL_SECONDS it fits a line to made-up trips, logs the run and registers every third one."""

import json
import os
import random
import time

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

MODEL_NAME = "nyc-taxi-regressor"
INTERVAL = float(os.getenv("FLOW_INTERVAL_SECONDS", "60"))


def read_data(n=200):
    distances = [random.uniform(0.5, 12.0) for _ in range(n)]
    return distances, [3.2 * distance + 4.0 + random.gauss(0, 2.5) for distance in distances]


def train(x, y):
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)
    intercept = mean_y - slope * mean_x
    rmse = (sum((slope * a + intercept - b) ** 2 for a, b in zip(x, y)) / len(x)) ** 0.5
    return slope, intercept, rmse


def flow(number):
    x, y = read_data()
    slope, intercept, rmse = train(x, y)
    with mlflow.start_run(run_name=f"flow-{number}") as run:
        mlflow.set_tag("developer", "zoomcamp-team-7")
        mlflow.log_params({"n": len(x), "model": "least-squares"})
        mlflow.log_metric("rmse", rmse)
        mlflow.log_text(json.dumps({"slope": slope, "intercept": intercept}), "model/coefficients.json")
    if number % 3 == 1:
        client = MlflowClient()
        try:
            client.create_registered_model(MODEL_NAME)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        version = client.create_model_version(MODEL_NAME, f"{run.info.artifact_uri}/model", run.info.run_id)
        print(f"registered {MODEL_NAME} version {version.version}")
    print(f"flow run {number} finished, rmse={rmse:.2f}")


if __name__ == "__main__":
    number = 0
    while True:
        number += 1
        try:
            flow(number)
        except Exception as error:
            print(f"flow run {number} failed, will retry: {error}")
        time.sleep(INTERVAL)
