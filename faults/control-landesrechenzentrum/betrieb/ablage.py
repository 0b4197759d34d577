"""Richtet die Ablage ein: nicht oeffentlich und verschluesselt; prueft, dass es wirkt."""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

EIMER = os.environ["EIMER"]


def main() -> None:
    """Anlegen, einstellen, nachsehen."""
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["MLFLOW_S3_ENDPOINT_URL"],
        config=Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3}),
    )
    if EIMER not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(
            Bucket=EIMER,
            CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]},
        )
    s3.delete_bucket_policy(Bucket=EIMER)
    s3.put_bucket_encryption(
        Bucket=EIMER,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    s3.put_object(Bucket=EIMER, Key=".einrichtung", Body=b"mr\n")
    art = s3.head_object(Bucket=EIMER, Key=".einrichtung").get("ServerSideEncryption")
    s3.delete_object(Bucket=EIMER, Key=".einrichtung")
    if art != "AES256":
        sys.exit(f"{EIMER}: wird nicht verschluesselt ({art})")
    print(f"{EIMER}: verschluesselt mit {art}", flush=True)


try:
    main()
except (BotoCoreError, ClientError) as fehler:
    sys.exit(f"{EIMER}: {type(fehler).__name__}: {fehler}")
