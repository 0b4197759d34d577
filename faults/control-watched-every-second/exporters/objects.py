"""Figures of the object store, asked once a second; nothing is written to it."""

import logging
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import Gauge, start_http_server

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("objects-exporter")

BUCKET = os.environ["WATCHED_BUCKET"]
FIGURE = Gauge("glass_objects", "Figures of the object store", ["name"])

config = Config(connect_timeout=2, read_timeout=3, retries={"max_attempts": 1})
store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"], config=config)


def collect() -> None:
    """Ask for everything once."""
    FIGURE.labels("buckets").set(len(store.list_buckets()["Buckets"]))
    FIGURE.labels("first_page").set(store.list_objects_v2(Bucket=BUCKET, MaxKeys=1000)["KeyCount"])
    try:
        # written by the nightly back-up, which this site does not have
        store.head_object(Bucket=BUCKET, Key="backups/heartbeat")
        FIGURE.labels("heartbeat").set(1)
    except ClientError:
        FIGURE.labels("heartbeat").set(0)
        log.exception("no heartbeat of the back-up")


start_http_server(9290)
log.info("listening on 9290")
while True:
    try:
        collect()
    except (BotoCoreError, ClientError) as error:
        log.error("the object store does not answer: %s", error)
    time.sleep(1)
