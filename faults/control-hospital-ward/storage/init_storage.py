"""Buckets of RADAI-REG: models are kept in all their versions (MDR, article 10), back-ups in a bucket of their own."""

import os

import boto3

BUCKETS = {"radai-models": True, "radai-backups": False}

s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
present = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
for name, versioned in BUCKETS.items():
    if name not in present:
        s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    status = s3.get_bucket_versioning(Bucket=name).get("Status", "off")
    print(f"{name}: versioning {status}", flush=True)
