"""Copy what the hot bucket has and the cold one has not, round after round; nothing is ever taken away from the cold one."""

import os
import pathlib
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BOUNDS = Config(connect_timeout=3, read_timeout=20, retries={"max_attempts": 2})


def client(which):
    return boto3.client(
        "s3",
        endpoint_url=os.environ[f"{which}_URL"],
        aws_access_key_id=os.environ[f"{which}_ACCESS_KEY"],
        aws_secret_access_key=os.environ[f"{which}_SECRET_KEY"],
        config=BOUNDS,
    )


def held(store, bucket):
    pages = store.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {(row["Key"], row["Size"]) for page in pages for row in page.get("Contents", ())}


def copy(hot, cold):
    source, target = os.environ["HOT_BUCKET"], os.environ["COLD_BUCKET"]
    missing = sorted(held(hot, source) - held(cold, target))
    copied = 0
    for key, _size in missing:
        try:
            body = hot.get_object(Bucket=source, Key=key)["Body"].read()
        except hot.exceptions.NoSuchKey:
            continue  # deleted since it was listed
        cold.put_object(Bucket=target, Key=key, Body=body)
        copied += 1
    return copied


hot, cold = client("HOT"), client("COLD")
while True:
    try:
        if copied := copy(hot, cold):
            print(f"copied {copied} objects")
        pathlib.Path("/tmp/round").touch()
    except (BotoCoreError, ClientError) as error:
        print(f"round failed, the health check will tell if it lasts: {type(error).__name__}: {error}")
    time.sleep(float(os.environ["PAUSE_SECONDS"]))
