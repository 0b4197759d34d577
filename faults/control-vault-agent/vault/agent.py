"""Stand-in of Vault Agent: renders one env file for each consumer, and again every minute, as leases are renewed."""

import os
import shlex
import signal
import sys
import time
from pathlib import Path

OUT = Path("/vault/secrets")
KV = {name: value for name, value in os.environ.items() if name.startswith("KV_")}
S3 = {"AWS_ACCESS_KEY_ID": KV["KV_OBJECTSTORE_USER"], "AWS_SECRET_ACCESS_KEY": KV["KV_OBJECTSTORE_PASSWORD"]}
DATABASE, QUEUE = KV["KV_DATABASE_PASSWORD"], KV["KV_QUEUE_PASSWORD"]

TEMPLATES = {
    "database": {"POSTGRES_PASSWORD": DATABASE},
    "queue": {"QUEUE_PASSWORD": QUEUE},
    "objectstore": {"MINIO_ROOT_USER": KV["KV_OBJECTSTORE_USER"], "MINIO_ROOT_PASSWORD": KV["KV_OBJECTSTORE_PASSWORD"]},
    "s3-client": S3,
    "tracking": {**S3, "MLFLOW_BACKEND_STORE_URI": f"postgresql://app4471:{DATABASE}@database:5432/app4471"},
    "registry": {
        **S3,
        "DATABASE_PASSWORD": DATABASE,
        "REDIS_URL": f"redis://:{QUEUE}@queue:6379/0",
        "API_KEYS": KV["KV_REGISTRY_API_KEYS"],
        "WEBHOOK_SECRET": KV.get("KV_REGISTRY_WEBHOOK_SECRET", ""),
    },
}


def render():
    for consumer, values in TEMPLATES.items():
        target = OUT / f"{consumer}.env"
        text = "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())
        if target.exists() and target.read_text() == text:
            continue
        fresh = OUT / f".{consumer}.new"
        fresh.write_text(text)
        fresh.chmod(0o444)
        fresh.replace(target)
        print(f"agent: rendered {target.name}")
    (OUT / ".rendered").touch()


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
while True:
    render()
    time.sleep(60)
