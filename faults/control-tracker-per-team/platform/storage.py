"""A bucket and a key for each team, by MinIO's S3 and admin APIs; can be run again at any time, any failure ends it."""

import json
import os

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

STORE = os.environ["MLFLOW_S3_ENDPOINT_URL"]
ROOT = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
TEAMS = ("fraud", "pricing", "catalogue")
CONFIG = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3})


def policy(bucket: str) -> bytes:
    """What a team may do: everything that MLflow does, in its own bucket."""
    on_bucket = ["s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
    on_objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    statements = [
        {"Effect": "Allow", "Action": on_bucket, "Resource": [f"arn:aws:s3:::{bucket}"]},
        {"Effect": "Allow", "Action": on_objects, "Resource": [f"arn:aws:s3:::{bucket}/*"]},
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}).encode()


def sealed(plain: bytes) -> bytes:
    """What the admin API takes secrets in: salt, cipher, nonce, one AES-GCM packet under a key made of the root's secret."""
    salt, nonce = os.urandom(32), os.urandom(8)
    key = Argon2id(salt=salt, length=32, iterations=1, lanes=4, memory_cost=64 * 1024).derive(ROOT.secret_key.encode())
    cipher = AESGCM(key)
    head = cipher.encrypt(nonce + bytes(4), b"", None)
    packet = cipher.encrypt(nonce + (1).to_bytes(4, "little"), plain, b"\x80" + head)
    return salt + b"\x00" + nonce + packet


def admin(path: str, body: bytes = b"", **query: str) -> None:
    """Send one signed request; end with the store's own words where it is refused."""
    headers = {"Content-Type": "application/octet-stream"}
    request = AWSRequest("PUT", f"{STORE}/minio/admin/v3/{path}", data=body, params=query, headers=headers)
    S3SigV4Auth(ROOT, "s3", "us-east-1").add_auth(request)
    answer = URLLib3Session(timeout=10).send(request.prepare())
    if answer.status_code not in (200, 204):
        raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")


root = boto3.client("s3", endpoint_url=STORE, config=CONFIG)
there = [bucket["Name"] for bucket in root.list_buckets()["Buckets"]]
for team in TEAMS:
    bucket, secret = f"team-{team}", os.environ[f"{team.upper()}_STORE_PASSWORD"]
    if bucket not in there:
        root.create_bucket(Bucket=bucket)
    root.delete_bucket_policy(Bucket=bucket)
    admin("add-canned-policy", policy(bucket), name=bucket)
    admin("add-user", sealed(json.dumps({"secretKey": secret, "status": "enabled"}).encode()), accessKey=f"mlflow-{team}")
    admin("set-user-or-group-policy", policyName=bucket, userOrGroup=f"mlflow-{team}", isGroup="false")

for team in TEAMS:
    own = boto3.client(
        "s3",
        endpoint_url=STORE,
        aws_access_key_id=f"mlflow-{team}",
        aws_secret_access_key=os.environ[f"{team.upper()}_STORE_PASSWORD"],
        config=CONFIG,
    )
    own.put_object(Bucket=f"team-{team}", Key=".tenant", Body=team.encode())
    own.delete_object(Bucket=f"team-{team}", Key=".tenant")
    for other in TEAMS:
        if other != team:
            try:
                own.list_objects_v2(Bucket=f"team-{other}")
            except own.exceptions.ClientError:
                continue
            raise SystemExit(f"{team} may look into team-{other}")
    print(f"{team} may use team-{team} alone", flush=True)
