"""Make the bucket, private to its owner; whatever goes wrong ends this with a status."""

import os

import boto3

bucket = os.environ["S3_BUCKET"]
s3 = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])

if bucket not in [row["Name"] for row in s3.list_buckets()["Buckets"]]:
    s3.create_bucket(Bucket=bucket)
    print(f"made {bucket}", flush=True)
s3.delete_bucket_policy(Bucket=bucket)
s3.head_bucket(Bucket=bucket)
print(f"{bucket} is ready", flush=True)
