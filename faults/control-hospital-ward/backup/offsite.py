"""Copies every finished dump into the back-up bucket, once."""

import os
import pathlib
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
bucket = os.environ["BACKUP_BUCKET"]
copied = set()

while True:
    for path in sorted(pathlib.Path("/backups").glob("radai-*.dump")):
        if path.name in copied:
            continue
        try:
            s3.upload_file(str(path), bucket, f"postgresql/{path.name}")
        except (BotoCoreError, ClientError, OSError) as error:
            print(f"{path.name} not copied yet: {error}")
            continue
        copied.add(path.name)
        print(f"copied {path.name} to s3://{bucket}/postgresql/")
    time.sleep(5)
