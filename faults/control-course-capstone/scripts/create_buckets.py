"""Create the buckets given on the command line (what the `mc mb` container does in other repos)."""

import os
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError

s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])


def existing():
    for attempt in range(30):
        try:
            return {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
        except (BotoCoreError, ClientError) as error:
            print(f"MinIO not ready yet ({attempt}): {error}", flush=True)
            time.sleep(2)
    sys.exit("MinIO did not become ready")


there = existing()
for name in sys.argv[1:]:
    if name in there:
        print(f"Bucket {name} already exists")
    else:
        s3.create_bucket(Bucket=name)
        print(f"Bucket {name} created")
