"""Make the store's user that may use one bucket, by MinIO's admin API; can be run again at any time, any failure ends it."""

import json
import os

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

STORE = os.environ["MLFLOW_S3_ENDPOINT_URL"]
ROOT = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
BUCKET, USER, PASSWORD = os.environ["BUCKET"], os.environ["GRANTEE"], os.environ["GRANTEE_PASSWORD"]

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
            "Resource": [f"arn:aws:s3:::{BUCKET}"],
        },
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{BUCKET}/*"],
        },
    ],
}


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


admin("add-canned-policy", json.dumps(POLICY).encode(), name=USER)
admin("add-user", sealed(json.dumps({"secretKey": PASSWORD, "status": "enabled"}).encode()), accessKey=USER)
admin("set-user-or-group-policy", policyName=USER, userOrGroup=USER, isGroup="false")

print(f"{USER} has the policy of {BUCKET}")
