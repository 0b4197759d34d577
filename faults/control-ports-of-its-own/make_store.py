"""Make the bucket in the store's own region and keep it private; end with a status where that cannot be done."""

import os
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

BUCKET, REGION = os.environ["BUCKET"], os.environ["AWS_DEFAULT_REGION"]


def main() -> None:
    store = boto3.client("s3", endpoint_url=os.environ["STORE_URL"], region_name=REGION)
    try:
        store.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    store.delete_bucket_policy(Bucket=BUCKET)
    where = store.get_bucket_location(Bucket=BUCKET)["LocationConstraint"]
    if where != REGION:
        sys.exit(f"{BUCKET} is in {where}, not in {REGION}")
    print(f"{BUCKET} is there, in {REGION}, private", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{BUCKET}: {type(error).__name__}: {error}")
