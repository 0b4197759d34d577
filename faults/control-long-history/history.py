"""Bring over what the old installation held, once: experiments, models with their files, foreign objects, unread messages."""

import json
import os

import boto3
import mlflow
import redis
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.linear_model import LinearRegression

DONE = "übernommen-aus-dem-altsystem"


def models(client: MlflowClient) -> None:
    """A model of another team with four versions, every one of them complete; stages, aliases, tags as people leave them."""
    mlflow.set_experiment("Kreditprüfung – größere Fälle (2023)")
    name = "Kreditprüfung"
    for number in range(1, 5):
        model = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, number, 2.0 * number])
        with mlflow.start_run(run_name=f"Lauf № {number}"):
            mlflow.log_metric("güte", number / 10)
            mlflow.sklearn.log_model(model, name="modell", registered_model_name=name, pip_requirements=["scikit-learn"])
    client.update_registered_model(name, description="Nicht löschen! 模型 / модель / μοντέλο")
    client.set_registered_model_tag(name, "eigentümer", "Abteilung «Risiko»")
    for version, stage in (("1", "Archived"), ("2", "Archived"), ("3", "Production"), ("4", "Staging")):
        client.transition_model_version_stage(name, version, stage)
        client.set_model_version_tag(name, version, "freigabe", f"ja, am {version}. März – “vorläufig”")
    client.set_registered_model_alias(name, "champion", "3")
    client.set_registered_model_alias(name, "challenger", "4")
    client.create_registered_model("noch-ohne-version", tags={"todo": "true"})


def runs(client: MlflowClient) -> None:
    """Forty runs with two hundred values each, some of them deleted, and an experiment in the bin."""
    experiment = client.create_experiment("実験 №7: поиск параметров 🔬", tags={"заметка": "старый сервер"})
    for number in range(40):
        run = client.create_run(experiment, start_time=1_600_000_000_000 + number, tags={"mlflow.runName": f"прогон {number}"})
        metrics = [Metric("потеря", 1 / (step + 1), 1_600_000_000_000 + step, step) for step in range(200)]
        client.log_batch(run.info.run_id, metrics, [Param("lr", str(number / 100))], [RunTag("host", "alt-01")])
        client.set_terminated(run.info.run_id, "FAILED" if number % 5 == 0 else "FINISHED")
        if number % 7 == 0:
            client.delete_run(run.info.run_id)
    client.delete_experiment(client.create_experiment("wegwerfen"))
    client.create_experiment(DONE)


def objects() -> None:
    """What others keep in the same store: beside the models, and in a bucket of their own."""
    store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
    store.create_bucket(Bucket="alte-exporte")
    for number in range(150):
        store.put_object(Bucket="alte-exporte", Key=f"2023/{number % 12 + 1:02}/Auszug Nr {number}.csv", Body=b"a;b\n1;2\n")
        store.put_object(Bucket=os.environ["BUCKET"], Key=f"handarbeit/notizen-{number}.txt", Body=b"nicht von MLflow\n")


def messages() -> None:
    """What the last release announced and nobody has read yet, in that release's shape."""
    queue = redis.Redis.from_url(os.environ["REDIS_URL"])
    for number in range(25):
        payload = {"model_id": f"hokusai_ranking_improved/{number}", "token_symbol": "OLD", "metric_name": "auc"}
        payload |= {"baseline_value": 0.5, "current_value": 0.6, "model_name": "hokusai_ranking_improved"}
        payload |= {"model_version": str(number), "mlflow_run_id": f"{number:032x}"}
        message = {"message_id": f"00000000-0000-4000-8000-{number:012x}", "message_type": "model_ready_to_deploy"}
        message |= {"payload": payload, "timestamp": "2025-06-01T08:00:00+00:00", "retry_count": 0, "max_retries": 3}
        queue.lpush("hokusai:model_ready_queue", json.dumps(message))
    queue.lpush("hokusai:model_ready_queue:dlq", json.dumps({"message_id": "given-up", "retry_count": 3}))
    queue.set("other-app:session:42", "not ours", ex=86400)


def main() -> None:
    client = MlflowClient()
    if client.get_experiment_by_name(DONE):
        print("the history is there already")
        return
    models(client)
    objects()
    messages()
    runs(client)
    print("the history has been brought over")


main()
