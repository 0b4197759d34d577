"""Make the private bucket, and for each service that needs it a user with a key and a policy of its own; prove every key.

Secrets are drawn once and kept on the volume of keys, as AWS credentials files. Users and policies go into MinIO by its
import of an IAM archive, which replaces what is there under the same names: to run this again changes nothing.
"""

import configparser
import io
import json
import os
import secrets
import sys
import time
import zipfile
from pathlib import Path

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session

STORE, BUCKET, KEYS = os.environ["STORE"], os.environ["BUCKET"], Path(os.environ["KEYS"])
ROOT = Credentials(os.environ["ROOT_USER"], os.environ["ROOT_PASSWORD"])
REGION = "us-east-1"

LOOK = ["s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads"]
READ = ["s3:GetObject"]
WRITE = [*READ, "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
USERS = {
    # name: what it may do with objects, and who may read its file (the tracking server runs as the user that runs this)
    "tracking": (WRITE, 0o400),
    # artifacts pass through the tracking server: the registry itself only ever looks
    "registry": (READ, 0o444),
}


def policy(actions: list[str]) -> dict:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": LOOK, "Resource": [f"arn:aws:s3:::{BUCKET}"]},
            {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{BUCKET}/*"]},
        ],
    }


def key_of(name: str, mode: int) -> tuple[str, str]:
    """The key of a user from its file, which is made where there is none yet."""
    path = KEYS / name
    parser = configparser.ConfigParser()
    if not path.exists():
        parser["default"] = {"aws_access_key_id": f"svc-{name}", "aws_secret_access_key": secrets.token_hex(20)}
        half = KEYS / f".{name}.new"
        with half.open("w", encoding="ascii") as file:
            parser.write(file)
        half.chmod(mode)
        half.rename(path)
    parser.read(path, encoding="ascii")
    return parser["default"]["aws_access_key_id"], parser["default"]["aws_secret_access_key"]


def imported(users: dict[str, tuple[str, str]]) -> None:
    """Hand MinIO the archive of policies, users and who has which policy."""
    parts = {
        "policies.json": {f"{BUCKET}-{name}": policy(USERS[name][0]) for name in users},
        "users.json": {key: {"secretKey": secret, "status": "enabled"} for key, secret in users.values()},
        "user_mappings.json": {key: {"version": 1, "policy": f"{BUCKET}-{name}"} for name, (key, _) in users.items()},
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for name, content in parts.items():
            file.writestr(f"iam-assets/{name}", json.dumps(content))
    until = time.monotonic() + 30
    while True:
        request = AWSRequest("PUT", f"{STORE}/minio/admin/v3/import-iam", data=archive.getvalue())
        S3SigV4Auth(ROOT, "s3", REGION).add_auth(request)
        answer = URLLib3Session(timeout=20).send(request.prepare())
        if answer.status_code != 503 or time.monotonic() > until:
            break
        time.sleep(0.5)  # the store answers a little before its users are loaded
    if answer.status_code != 200:
        sys.exit(f"the store refuses users and policies: {answer.status_code} {answer.text[:300]}")


def client(key: str, secret: str):
    config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 6}, s3={"addressing_style": "path"})
    return boto3.client(
        "s3", endpoint_url=STORE, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret, config=config
    )


def proven(name: str, key: str, secret: str) -> None:
    """Use a key as its service will, and once as it must not."""
    store, probe = client(key, secret), f".keysmith/{name}"
    store.list_objects_v2(Bucket=BUCKET, MaxKeys=1)
    if USERS[name][0] is WRITE:
        store.put_object(Bucket=BUCKET, Key=probe, Body=b"probe")
        store.get_object(Bucket=BUCKET, Key=probe)["Body"].read()
        store.delete_object(Bucket=BUCKET, Key=probe)
        refused = lambda: store.create_bucket(Bucket=f"{BUCKET}-{name}")
    else:
        refused = lambda: store.put_object(Bucket=BUCKET, Key=probe, Body=b"probe")
    try:
        refused()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
    else:
        sys.exit(f"the key of {name} may do more than it is for")


def main() -> None:
    KEYS.chmod(0o711)
    root = client(ROOT.access_key, ROOT.secret_key)
    try:
        root.create_bucket(Bucket=BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    root.delete_bucket_policy(Bucket=BUCKET)
    users = {name: key_of(name, mode) for name, (_, mode) in USERS.items()}
    imported(users)
    for name, (key, secret) in users.items():
        proven(name, key, secret)
    print(f"{len(users)} keys proven on bucket {BUCKET}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except (BotoCoreError, ClientError, OSError) as error:
        sys.exit(f"keysmith: {type(error).__name__}: {error}")
