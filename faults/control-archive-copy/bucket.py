"""Make one private bucket, with versions where they are asked for; any failure ends the job."""

import os

import boto3
from botocore.exceptions import ClientError

bucket = os.environ["BUCKET"]
store = boto3.client("s3", endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"])
try:
    store.create_bucket(Bucket=bucket)
except ClientError as error:
    if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
        raise
store.delete_bucket_policy(Bucket=bucket)
if status := os.environ.get("VERSIONING"):
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
print(f"bucket {bucket}: versioning {store.get_bucket_versioning(Bucket=bucket).get('Status', 'off')}")
